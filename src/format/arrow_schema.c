/* Flatbuffers from front to back: a table is followed by what it points to, so all offsets are known when
 * they are needed, and are put into their places then. Recursion is over nested types, whose depth is
 * limited where types are made.
 */
#include "arrow_schema.h"

#include "arrow.h"
#include "arrow_nodes.h"

#define METADATA_V5   4
#define HEADER_SCHEMA 1
#define SLOTS_MAX     6

enum arrow_type {
    ARROW_INT = 2,
    ARROW_FLOATING_POINT = 3,
    ARROW_BINARY = 4,
    ARROW_UTF8 = 5,
    ARROW_BOOL = 6,
    ARROW_DECIMAL = 7,
    ARROW_DATE = 8,
    ARROW_TIME = 9,
    ARROW_TIMESTAMP = 10,
    ARROW_LIST = 12,
    ARROW_STRUCT = 13,
    ARROW_FIXED_SIZE_BINARY = 15,
    ARROW_MAP = 17,
};

/* A field of a table: of 4, 2 or 1 bytes, or 0: it is left out. Offsets have 4 and are put in later. */
struct slot {
    uint8_t size;
    uint32_t value;
    size_t at; /* set: where it is */
};

static void pad(struct buffer *out, size_t to)
{
    while (out->len % to != 0) {
        buffer_u8(out, 0);
    }
}

static void put_u16(struct buffer *out, size_t value)
{
    buffer_u8(out, (uint8_t)value);
    buffer_u8(out, (uint8_t)(value >> 8));
}

/* Vtable and table, whose larger slots come first; the place of the table. */
static size_t put_table(struct buffer *out, struct slot *slots, size_t count)
{
    size_t vtable = sizeof(uint16_t) * (2 + count);
    size_t size = sizeof(int32_t);
    size_t table;

    pad(out, 4);
    if (vtable % 4 != 0) {
        put_u16(out, 0); /* so that the table begins at a multiple of 4 */
    }
    table = out->len + vtable;
    for (uint8_t width = 4; width > 0; width /= 2) {
        for (size_t i = 0; i < count; i++) {
            if (slots[i].size == width) {
                slots[i].at = table + size;
                size += width;
            }
        }
    }
    put_u16(out, vtable);
    put_u16(out, size);
    for (size_t i = 0; i < count; i++) {
        put_u16(out, slots[i].size == 0 ? 0 : slots[i].at - table);
    }
    buffer_u32le(out, (uint32_t)vtable); /* back to it */
    memset(buffer_room(out, size - sizeof(int32_t)), 0, size - sizeof(int32_t));
    for (size_t i = 0; i < count; i++) {
        for (uint8_t k = 0; k < slots[i].size; k++) {
            out->data[slots[i].at + k] = (uint8_t)(slots[i].value >> (8 * k));
        }
    }
    pad(out, 4);
    return table;
}

static void point(struct buffer *out, size_t at, size_t to)
{
    put_u32le(out->data + at, (uint32_t)(to - at));
}

static size_t put_string(struct buffer *out, const char *text)
{
    size_t at = out->len;
    struct bytes b = bytes_str(text);

    buffer_u32le(out, (uint32_t)b.len);
    buffer_bytes(out, b);
    buffer_u8(out, 0);
    pad(out, 4);
    return at;
}

/* A vector of offsets, to be put in. */
static size_t put_vector(struct buffer *out, uint32_t count)
{
    size_t at = out->len;

    buffer_u32le(out, count);
    memset(buffer_room(out, 4 * (size_t)count), 0, 4 * (size_t)count);
    return at;
}

/* ---- types ---- */

static enum arrow_type arrow_type_of(const struct type *type)
{
    static const enum arrow_type types[TYPE_ROOT_COUNT] = {
        [TYPE_CHAR] = ARROW_UTF8,
        [TYPE_STRING] = ARROW_UTF8,
        [TYPE_BOOLEAN] = ARROW_BOOL,
        [TYPE_BINARY] = ARROW_FIXED_SIZE_BINARY,
        [TYPE_BYTES] = ARROW_BINARY,
        [TYPE_DECIMAL] = ARROW_DECIMAL,
        [TYPE_TINYINT] = ARROW_INT,
        [TYPE_SMALLINT] = ARROW_INT,
        [TYPE_INTEGER] = ARROW_INT,
        [TYPE_BIGINT] = ARROW_INT,
        [TYPE_FLOAT] = ARROW_FLOATING_POINT,
        [TYPE_DOUBLE] = ARROW_FLOATING_POINT,
        [TYPE_DATE] = ARROW_DATE,
        [TYPE_TIME] = ARROW_TIME,
        [TYPE_TIMESTAMP] = ARROW_TIMESTAMP,
        [TYPE_TIMESTAMP_LTZ] = ARROW_TIMESTAMP,
        [TYPE_ARRAY] = ARROW_LIST,
        [TYPE_MAP] = ARROW_MAP,
        [TYPE_ROW] = ARROW_STRUCT,
    };

    return types[type->root];
}

/* Seconds, milliseconds, microseconds, nanoseconds. */
static uint32_t unit_of(const struct type *type)
{
    return type->precision == 0 ? 0 : type->precision <= 3 ? 1 : type->precision <= 6 ? 2 : 3;
}

static size_t put_type(struct buffer *out, const struct type *type)
{
    struct slot slots[3] = {0};
    size_t count = 0;
    size_t table;

    switch (arrow_type_of(type)) {
    case ARROW_INT:
        slots[count++] = (struct slot){4, 8 * arrow_width(type), 0};
        slots[count++] = (struct slot){1, true, 0};
        break;
    case ARROW_FLOATING_POINT:
        slots[count++] = (struct slot){2, type->root == TYPE_FLOAT ? 1 : 2, 0};
        break;
    case ARROW_DECIMAL:
        slots[count++] = (struct slot){4, (uint32_t)type->precision, 0};
        slots[count++] = (struct slot){4, (uint32_t)type->scale, 0};
        break;
    case ARROW_DATE:
        slots[count++] = (struct slot){2, 0, 0}; /* days */
        break;
    case ARROW_TIME:
        slots[count++] = (struct slot){2, unit_of(type), 0};
        slots[count++] = (struct slot){4, 8 * arrow_width(type), 0};
        break;
    case ARROW_TIMESTAMP:
        slots[count++] = (struct slot){2, unit_of(type), 0};
        slots[count++] = (struct slot){type->root == TYPE_TIMESTAMP_LTZ ? 4 : 0, 0, 0};
        break;
    case ARROW_FIXED_SIZE_BINARY:
        slots[count++] = (struct slot){4, arrow_width(type), 0};
        break;
    case ARROW_BINARY:
    case ARROW_UTF8:
    case ARROW_BOOL:
    case ARROW_LIST:
    case ARROW_STRUCT:
    case ARROW_MAP:
        break;
    }
    table = put_table(out, slots, count);
    if (type->root == TYPE_TIMESTAMP_LTZ) {
        point(out, slots[1].at, put_string(out, "UTC"));
    }
    return table;
}

/* ---- fields ---- */

static size_t put_field(struct buffer *out, const struct type_field *field);

static size_t put_fields(struct buffer *out, const struct type_field *fields, uint32_t count)
{
    size_t vector = put_vector(out, count);

    for (uint32_t i = 0; i < count; i++) {
        point(out, vector + 4 * ((size_t)i + 1), put_field(out, &fields[i]));
    }
    return vector;
}

static size_t put_children(struct buffer *out, const struct type *type)
{
    struct type entries = {.root = TYPE_ROW, .count = type->count, .fields = type->fields};
    struct type_field inner = {.name = "entries", .type = &entries};

    return type->root == TYPE_MAP ? put_fields(out, &inner, 1)
                                  : put_fields(out, type->fields, type->count);
}

static size_t put_field(struct buffer *out, const struct type_field *field)
{
    struct slot slots[SLOTS_MAX] = {
        {4, 0, 0},                          /* name */
        {1, field->type->nullable, 0},      /* */
        {1, arrow_type_of(field->type), 0}, /* */
        {4, 0, 0},                          /* type */
        {0, 0, 0},                          /* dictionary */
        {4, 0, 0},                          /* children */
    };
    size_t table = put_table(out, slots, SLOTS_MAX);

    point(out, slots[0].at, put_string(out, field->name));
    point(out, slots[3].at, put_type(out, field->type));
    point(out, slots[5].at, put_children(out, field->type));
    return table;
}

/* ---- the message ---- */

void arrow_schema_write(const struct type *row, struct buffer *out)
{
    struct slot message[] = {{2, METADATA_V5, 0}, {1, HEADER_SCHEMA, 0}, {4, 0, 0}};
    struct slot schema[] = {{0, 0, 0}, {4, 0, 0}};
    size_t start = ARROW_PREFIX_SIZE;

    ASSERT(out->len == 0);
    buffer_u32le(out, UINT32_MAX);
    buffer_u32le(out, 0); /* the size */
    buffer_u32le(out, 0); /* where the message is */
    point(out, start, put_table(out, message, ARRAY_LEN(message)));
    point(out, message[2].at, put_table(out, schema, ARRAY_LEN(schema)));
    point(out, schema[1].at, put_fields(out, row->fields, row->count));
    pad(out, 8);
    put_u32le(out->data + 4, (uint32_t)(out->len - ARROW_PREFIX_SIZE));
}
