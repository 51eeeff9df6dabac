/* Golden rows, see row_vectors.h. */
#include "row_vectors.h"

#include "unit.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- types ---- */

static const struct type *take_type(const char **p, struct arena *arena);

static bool take(const char **p, const char *text)
{
    size_t len = strlen(text);
    bool is = strncmp(*p, text, len) == 0;

    *p += is ? len : 0;
    return is;
}

/* Longest names first, so that no name is the beginning of a later one. */
static enum type_root take_root(const char **p)
{
    static const struct {
        const char *name;
        enum type_root root;
    } names[] = {
        {"TIMESTAMP_LTZ", TYPE_TIMESTAMP_LTZ},
        {"TIMESTAMP", TYPE_TIMESTAMP},
        {"TIME", TYPE_TIME},
        {"TINYINT", TYPE_TINYINT},
        {"SMALLINT", TYPE_SMALLINT},
        {"BOOLEAN", TYPE_BOOLEAN},
        {"DECIMAL", TYPE_DECIMAL},
        {"INT", TYPE_INTEGER},
        {"BIGINT", TYPE_BIGINT},
        {"FLOAT", TYPE_FLOAT},
        {"DOUBLE", TYPE_DOUBLE},
        {"DATE", TYPE_DATE},
        {"STRING", TYPE_STRING},
        {"BINARY", TYPE_BINARY},
        {"BYTES", TYPE_BYTES},
        {"CHAR", TYPE_CHAR},
        {"ARRAY", TYPE_ARRAY},
        {"MAP", TYPE_MAP},
        {"ROW", TYPE_ROW},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (take(p, names[i].name)) {
            return names[i].root;
        }
    }
    fail_msg("unknown type at \"%s\"", *p);
    return TYPE_ROOT_COUNT;
}

static int32_t take_int(const char **p)
{
    char *end = NULL;
    long value = strtol(*p, &end, 10);

    assert_true(end != *p);
    *p = end;
    return (int32_t)value;
}

static void take_parameters(const char **p, struct type *type)
{
    if (!take(p, "(")) {
        return;
    }
    type->length = type->precision = take_int(p);
    if (take(p, ", ")) {
        type->scale = take_int(p);
    }
    assert_true(take(p, ")"));
    if (type->root == TYPE_TIMESTAMP && take(p, " WITH LOCAL TIME ZONE")) {
        type->root = TYPE_TIMESTAMP_LTZ;
    }
}

static void take_children(const char **p, struct type *type, struct arena *arena)
{
    struct type_field *fields = arena_array(arena, 16, sizeof *fields);

    while (!take(p, ">")) {
        struct type_field *field = &fields[type->count++];

        assert_true(type->count <= 16);
        (void)take(p, ", ");
        field->name = "item";
        if (take(p, "`")) {
            size_t len = strcspn(*p, "`");

            field->name = arena_strndup(arena, *p, len);
            *p += len + 2;
        }
        field->type = take_type(p, arena);
    }
    type->fields = fields;
}

static const struct type *take_type(const char **p, struct arena *arena)
{
    struct type *type = arena_new(arena, struct type);

    type->root = take_root(p);
    take_parameters(p, type);
    if (take(p, "<")) {
        take_children(p, type, arena);
    }
    type->nullable = !take(p, " NOT NULL");
    return type;
}

const struct type *row_vector_type(const char *text, struct arena *arena)
{
    const struct type *type = take_type(&text, arena);

    assert_string_equal(text, "");
    return type;
}

const struct type *row_vector_schema(const json_t *schema, struct arena *arena)
{
    struct type *row = arena_new(arena, struct type);
    struct type_field *fields = arena_array(arena, json_array_size(schema), sizeof *fields);

    row->root = TYPE_ROW;
    for (; row->count < json_array_size(schema); row->count++) {
        const json_t *column = json_array_get(schema, row->count);

        fields[row->count].name = vectors_text(column, "name");
        fields[row->count].type = row_vector_type(vectors_text(column, "type"), arena);
    }
    row->fields = fields;
    return row;
}

/* ---- values ---- */

static struct row_value value_of(const json_t *json, const struct type *type, struct arena *arena);

/* "-1.23" without its point. */
static __int128 unscaled(const char *text)
{
    __int128 value = 0;

    for (const char *p = text; *p != '\0'; p++) {
        value = isdigit((unsigned char)*p) ? value * 10 + (*p - '0') : value;
    }
    return text[0] == '-' ? -value : value;
}

/* The shortest two's complement, most significant byte first. */
static struct bytes big_endian(__int128 value, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, 16);
    size_t skip = 0;

    for (size_t i = 0; i < 16; i++) {
        data[15 - i] = (uint8_t)(value >> (8 * i));
    }
    while (skip < 15 && data[skip] == (value < 0 ? 0xff : 0) &&
           (data[skip + 1] & 0x80) == (value < 0 ? 0x80 : 0)) {
        skip++;
    }
    return bytes_of(data + skip, 16 - skip);
}

static void set_decimal(const json_t *json, const struct type *type, struct row_value *ret,
                        struct arena *arena)
{
    const char *text = json_string_value(json);

    assert_non_null(text);
    if (type_is_compact_decimal(type)) {
        ret->integer = (int64_t)unscaled(text);
    } else {
        ret->bytes = big_endian(unscaled(text), arena);
    }
}

static const struct row_value *items_of(const json_t *array, const struct type *type,
                                        struct arena *arena)
{
    struct row_value *items = arena_array(arena, json_array_size(array), sizeof *items);

    for (size_t i = 0; i < json_array_size(array); i++) {
        const struct type *child = type->fields[type->root == TYPE_ROW ? i : 0].type;

        items[i] = value_of(json_array_get(array, i), child, arena);
    }
    return items;
}

static void set_map(const json_t *json, const struct type *type, struct row_value *ret,
                    struct arena *arena)
{
    const json_t *keys = vectors_get(json, "keys");
    const json_t *values = vectors_get(json, "values");
    size_t count = json_array_size(keys);
    struct row_value *items = arena_array(arena, count * 2, sizeof *items);

    for (size_t i = 0; i < count; i++) {
        items[i] = value_of(json_array_get(keys, i), type->fields[0].type, arena);
        items[count + i] = value_of(json_array_get(values, i), type->fields[1].type, arena);
    }
    ret->count = (uint32_t)count;
    ret->items = items;
}

static void set_nested(const json_t *json, const struct type *type, struct row_value *ret,
                       struct arena *arena)
{
    if (type->root == TYPE_MAP) {
        set_map(json, type, ret, arena);
    } else {
        ret->count = (uint32_t)json_array_size(json);
        ret->items = items_of(json, type, arena);
    }
}

static void set_plain(const json_t *json, const struct type *type, struct row_value *ret,
                      struct arena *arena)
{
    if (type->root == TYPE_BOOLEAN) {
        ret->boolean = json_is_true(json);
    } else if (type->root == TYPE_FLOAT) {
        ret->real32 = (float)vector_f64(json);
    } else if (type->root == TYPE_DOUBLE) {
        ret->real64 = vector_f64(json);
    } else if (type->root == TYPE_DECIMAL) {
        set_decimal(json, type, ret, arena);
    } else if (type->root == TYPE_CHAR || type->root == TYPE_STRING) {
        ret->bytes = bytes_str(json_string_value(json));
    } else if (type->root == TYPE_BINARY || type->root == TYPE_BYTES) {
        ret->bytes = vector_bytes(json, arena);
    } else if (type->root == TYPE_TIMESTAMP || type->root == TYPE_TIMESTAMP_LTZ) {
        ret->timestamp.millis = vectors_i64(json, "millis");
        ret->timestamp.nanos = (int32_t)vectors_i64(json, "nano_of_milli");
    } else {
        ret->integer = vector_i64(json);
    }
}

static struct row_value value_of(const json_t *json, const struct type *type, struct arena *arena)
{
    struct row_value value = {.null = json_is_null(json)};

    if (!value.null && type_is_nested(type)) {
        set_nested(json, type, &value, arena);
    } else if (!value.null) {
        set_plain(json, type, &value, arena);
    }
    return value;
}

const struct row_value *row_vector_fields(const json_t *row, const struct type *type,
                                          struct arena *arena)
{
    assert_int_equal(json_array_size(row), type->count);
    return items_of(row, type, arena);
}

/* ---- cases ---- */

/* What a reader makes of a value: INDEXED BINARY(n) loses its zeros at the end. */
static struct row_value as_read(struct row_value value, const struct type *type,
                                enum row_layout layout)
{
    if (layout == ROW_INDEXED && type->root == TYPE_BINARY && !value.null) {
        while (value.bytes.len > 0 && value.bytes.data[value.bytes.len - 1] == 0) {
            value.bytes.len--;
        }
    }
    return value;
}

static void check_case(const json_t *one, enum row_layout layout)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_schema(vectors_get(one, "schema"), &arena);
    const struct row_value *expected = row_vector_fields(vectors_get(one, "row"), row, &arena);
    struct row_format format = {.layout = layout, .row = row};
    struct bytes golden = vectors_hex(one, "hex", &arena);
    const struct row_value *fields = NULL;
    struct bytes encoded = BYTES_EMPTY;
    struct error e = {0};

    if (row_decode(format, golden, &arena, &fields, &e) != ERR_OK) {
        fail_msg("%s: %s", type_text(row).text, e.message);
    }
    for (uint32_t i = 0; i < row->count; i++) {
        struct row_value read = as_read(expected[i], row->fields[i].type, layout);

        if (!row_value_equal(row->fields[i].type, &fields[i], &read)) {
            fail_msg("%s: field %u differs", type_text(row).text, i);
        }
    }
    assert_int_equal(row_encode(format, expected, &arena, &encoded, &e), ERR_OK);
    vectors_assert_equal(type_text(row).text, encoded, golden);
    for (size_t len = 0; len < golden.len; len++) { /* any part of it is not a row */
        assert_int_equal(row_decode(format, bytes_slice(golden, 0, len), &arena, &fields, &e),
                         ERR_CORRUPT_RECORD);
    }
}

void row_vectors_check(const char *file, enum row_layout layout)
{
    OWNED(vectors_freep) json_t *document = vectors_load(file);

    VECTORS_FOR_EACH(one, document) { check_case(one, layout); }
}
