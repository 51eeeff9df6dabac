/* Arrow IPC streams. Types are those of the columns as the server describes them: what has no type of
 * Arrow (json, intervals, decimals without digits, nested arrays) is text. */
#include "output_kinds.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/units.h"
#include "format/arrow_nodes.h"
#include "format/arrow_schema.h"

#define BATCH_ROWS  65536
#define BATCH_BYTES ((size_t)4 << 20)
#define NUMBER_MAX  64 /* characters */
#define MICROS      INT64_C(1000000)

struct arrow_result {
    struct type row;
    struct arrow_builder *builder;
    uint32_t *nodes; /* the first of each column */
    bool dropped;    /* there is a terminal, which has no use for it */
};

/* ---- types ---- */

static struct type scalar_of(uint32_t oid, int32_t modifier)
{
    static const struct {
        uint32_t oid;
        struct type type;
    } types[] = {
        {16, {.root = TYPE_BOOLEAN}},
        {17, {.root = TYPE_BYTES}},
        {20, {.root = TYPE_BIGINT}},
        {21, {.root = TYPE_SMALLINT}},
        {23, {.root = TYPE_INTEGER}},
        {26, {.root = TYPE_BIGINT}}, /* oid */
        {700, {.root = TYPE_FLOAT}},
        {701, {.root = TYPE_DOUBLE}},
        {1082, {.root = TYPE_DATE}},
        {1083, {.root = TYPE_TIME, .precision = 6}},
        {1114, {.root = TYPE_TIMESTAMP, .precision = 6}},
        {1184, {.root = TYPE_TIMESTAMP_LTZ, .precision = 6}},
    };
    struct type text = {.root = TYPE_STRING, .nullable = true};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].oid == oid) {
            text = types[i].type;
            text.nullable = true;
        }
    }
    if (oid == 1700 && modifier >= 4) {
        text.root = TYPE_DECIMAL;
        text.precision = (modifier - 4) >> 16;
        text.scale = (modifier - 4) & 0xffff;
    }
    return text;
}

static const struct type *type_of(const struct client_column *column, struct arena *arena)
{
    uint32_t element = output_element_of(column->type);
    struct type *type = arena_new(arena, struct type);
    struct type *inner;
    struct type_field *field;

    *type = scalar_of(column->type, column->modifier);
    if (element != 0) {
        inner = arena_new(arena, struct type);
        field = arena_new(arena, struct type_field);
        *inner = scalar_of(element, column->modifier);
        *field = (struct type_field){.name = "item", .type = inner};
        *type = (struct type){.root = TYPE_ARRAY, .nullable = true, .count = 1, .fields = field};
    }
    return type;
}

/* ---- values: false: Arrow has none that is the same ---- */

static bool digits(const char **text, unsigned count, int32_t *ret)
{
    unsigned i = 0;

    for (*ret = 0; i < count && **text >= '0' && **text <= '9'; i++) {
        *ret = *ret * 10 + (*(*text)++ - '0');
    }
    return i > 0;
}

static bool skip(const char **text, char c)
{
    bool there = **text == c;

    *text += there ? 1 : 0;
    return there;
}

static bool take_date(const char **text, int64_t *ret_days)
{
    int32_t year = 0;
    int32_t month = 0;
    int32_t day = 0;
    bool right = digits(text, 6, &year) && skip(text, '-') && digits(text, 2, &month) &&
                 skip(text, '-') && digits(text, 2, &day) && month >= 1 && month <= 12;

    *ret_days = right ? calendar_days(year, month, day) : 0;
    return right;
}

static bool take_time(const char **text, int64_t *ret_micros)
{
    int32_t parts[3] = {0};
    int64_t unit = MICROS;
    bool right = digits(text, 2, &parts[0]) && skip(text, ':') && digits(text, 2, &parts[1]) &&
                 skip(text, ':') && digits(text, 2, &parts[2]);

    *ret_micros = (((int64_t)parts[0] * 60 + parts[1]) * 60 + parts[2]) * MICROS;
    if (right && skip(text, '.')) {
        for (; **text >= '0' && **text <= '9' && unit > 1; (*text)++) {
            unit /= 10;
            *ret_micros += (**text - '0') * unit;
        }
    }
    return right;
}

/* 2026-11-21 10:00:00.5, of a moment +00 behind it, of a year before 1 " BC". */
static bool take_moment(const char *text, bool utc, int64_t *ret)
{
    int64_t days = 0;
    int64_t micros = 0;
    bool right = take_date(&text, &days) && skip(&text, ' ') && take_time(&text, &micros);

    right = right && (!utc || (skip(&text, '+') && skip(&text, '0') && skip(&text, '0')));
    *ret = days * SECONDS_PER_DAY * MICROS + micros;
    return right && *text == '\0';
}

static bool take_decimal(const char *text, const struct type *type, uint8_t *ret)
{
    bool negative = skip(&text, '-');
    unsigned __int128 unscaled = 0;
    int32_t count = 0;
    int32_t behind = -1; /* digits behind the point */

    for (; (*text >= '0' && *text <= '9') || (*text == '.' && behind < 0); text++) {
        if (*text == '.') {
            behind = 0;
            continue;
        }
        unscaled = unscaled * 10 + (unsigned)(*text - '0');
        count += unscaled > 0 ? 1 : 0;
        behind += behind >= 0 ? 1 : 0;
    }
    for (behind = behind < 0 ? 0 : behind; behind < type->scale; behind++) {
        unscaled *= 10;
        count += unscaled > 0 ? 1 : 0;
    }
    unscaled = negative ? -unscaled : unscaled;
    put_u64le(ret, (uint64_t)unscaled);
    put_u64le(ret + 8, (uint64_t)(unscaled >> 64));
    return *text == '\0' && behind == type->scale && count <= TYPE_PRECISION_MAX;
}

/* \x and hexadecimal digits. */
static bool take_bytes(struct bytes text, struct arena *arena, struct bytes *ret)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t *bytes = arena_alloc(arena, text.len / 2 + 1);

    if (text.len < 2 || text.len % 2 != 0 || memcmp(text.data, "\\x", 2) != 0) {
        return false;
    }
    for (size_t i = 2; i < text.len; i++) {
        const char *digit = text.data[i] == '\0' ? NULL : strchr(hex, text.data[i]);

        if (digit == NULL) {
            return false;
        }
        bytes[i / 2 - 1] = (uint8_t)((i % 2 == 0 ? 0 : bytes[i / 2 - 1] << 4) | (digit - hex));
    }
    *ret = bytes_of(bytes, text.len / 2 - 1);
    return true;
}

static bool take_integer(const char *text, const struct type *type, int64_t *ret)
{
    const char *at = text;

    if (type->root == TYPE_DATE) {
        return take_date(&at, ret) && *at == '\0';
    }
    if (type->root == TYPE_TIME) {
        return take_time(&at, ret) && *at == '\0';
    }
    if (type->root == TYPE_TIMESTAMP || type->root == TYPE_TIMESTAMP_LTZ) {
        return take_moment(text, type->root == TYPE_TIMESTAMP_LTZ, ret);
    }
    return units_parse_i64(text, ret, NULL) == ERR_OK;
}

/* What has a width, as Arrow has it. */
static bool take_fixed(const char *text, const struct type *type, uint8_t *ret)
{
    char *end = NULL;
    int64_t integer = 0;

    if (type->root == TYPE_FLOAT || type->root == TYPE_DOUBLE) {
        double real = strtod(text, &end);
        float real32 = strtof(text, NULL);

        if (type->root == TYPE_FLOAT) {
            memcpy(ret, &real32, sizeof real32);
        } else {
            memcpy(ret, &real, sizeof real);
        }
        return *end == '\0';
    }
    if (type->root == TYPE_DECIMAL) {
        return take_decimal(text, type, ret);
    }
    if (!take_integer(text, type, &integer)) {
        return false;
    }
    put_i64le(ret, integer);
    return true;
}

/* ---- columns ---- */

static bool put_scalar(struct output *o, uint32_t node, const struct type *type, struct bytes text)
{
    struct arrow_builder *b = o->arrow->builder;
    char number[NUMBER_MAX] = {0};
    uint8_t fixed[ARROW_DECIMAL_SIZE] = {0};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes bytes = text;

    if (type->root == TYPE_STRING) {
        arrow_builder_bytes(b, node, text);
        return true;
    }
    if (type->root == TYPE_BYTES) {
        bool right = take_bytes(text, &arena, &bytes);

        arrow_builder_bytes(b, node, bytes);
        return right;
    }
    if (type->root == TYPE_BOOLEAN) {
        arrow_builder_bool(b, node, text.len > 0 && text.data[0] == 't');
        return true;
    }
    if (text.len >= sizeof number) {
        return false;
    }
    memcpy(number, text.data, text.len);
    if (!take_fixed(number, type, fixed)) {
        return false;
    }
    arrow_builder_fixed(b, node, fixed);
    return true;
}

static bool put_list(struct output *o, uint32_t node, const struct type *type, struct bytes b)
{
    OWNED(buffer_fini) struct buffer element = BUFFER_INIT;
    bool right = b.len >= 2 && b.data[0] == '{';
    size_t at = 1;

    while (right && at < b.len && b.data[at] != '}') {
        bool quoted = false;

        at += output_take_element(bytes_slice(b, at, b.len - at), &element, &quoted);
        if (!quoted && bytes_equal_str(buffer_view(&element), "NULL")) {
            arrow_builder_null(o->arrow->builder, node + 1);
        } else {
            right = put_scalar(o, node + 1, type->fields[0].type, buffer_view(&element));
        }
        at += at < b.len && b.data[at] == ',' ? 1 : 0;
    }
    arrow_builder_list(o->arrow->builder, node);
    return right && at + 1 == b.len;
}

static void fail(struct output *o, size_t column, const struct error *why)
{
    if (o->sink->failed) {
        return;
    }
    o->sink->failed = true;
    if (why != NULL) {
        o->sink->error = *why;
    } else {
        (void)error_set(&o->sink->error, ERR_INVALID_ARGUMENT,
                        "a value of column \"%.100s\" is none of its Arrow type: cast it to text",
                        o->columns[column].name);
    }
}

/* ---- results ---- */

static void arrow_begin(struct output *o)
{
    struct arrow_result *r = arena_new(&o->arena, struct arrow_result);
    struct type_field *fields = arena_array(&o->arena, o->count + 1, sizeof *fields);
    OWNED(buffer_fini) struct buffer schema = BUFFER_INIT;
    struct arrow_nodes nodes;

    o->arrow = r;
    r->row = (struct type){.root = TYPE_ROW, .count = (uint32_t)o->count, .fields = fields};
    r->nodes = arena_array(&o->arena, o->count + 1, sizeof *r->nodes);
    for (size_t i = 0; i < o->count; i++) {
        fields[i] = (struct type_field){.name = o->columns[i].name,
                                        .type = type_of(&o->columns[i], &o->arena)};
        r->nodes[i + 1] = r->nodes[i] + (fields[i].type->count > 0 ? 2 : 1);
    }
    if (o->options->width > 0) {
        fprintf(stderr,
                "eider sql: Arrow is not for a terminal: redirect standard output, or use \\o\n");
        r->dropped = true;
        return;
    }
    arrow_schema_write(&r->row, &schema);
    sink_bytes(o->sink, buffer_view(&schema));
    if (o->count > 0) {
        nodes = arrow_nodes_of(&r->row, &o->arena);
        r->builder = arrow_builder_new(nodes.items, nodes.count);
    }
}

static void flush(struct output *o)
{
    static const struct arrow_build_codec plain = {.kind = ARROW_CODEC_NONE};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct arrow_builder *b = o->arrow->builder;
    struct bytes message = BYTES_EMPTY;
    struct error e;

    if (b == NULL || arrow_builder_count(b, 0) == 0 || o->sink->failed) {
        return;
    }
    if (arrow_builder_finish(b, &plain, &arena, &message, &e) != ERR_OK) {
        fail(o, 0, &e);
    }
    sink_bytes(o->sink, message);
    arrow_builder_clear(b);
}

static void arrow_row(struct output *o, const struct client_cell *cells)
{
    struct arrow_result *r = o->arrow;

    for (size_t i = 0; i < o->count && !o->sink->failed && !r->dropped; i++) {
        const struct type *type = r->row.fields[i].type;
        bool right = true;

        if (cells[i].null) {
            arrow_builder_null(r->builder, r->nodes[i]);
        } else if (type->root == TYPE_ARRAY) {
            right = put_list(o, r->nodes[i], type, cells[i].text);
        } else {
            right = put_scalar(o, r->nodes[i], type, cells[i].text);
        }
        if (!right) {
            fail(o, i, NULL);
        }
    }
    if (r->builder != NULL && (arrow_builder_count(r->builder, 0) >= BATCH_ROWS ||
                               arrow_builder_size(r->builder) >= BATCH_BYTES)) {
        flush(o);
    }
}

static void arrow_drop(struct output *o)
{
    struct arrow_result *r = TAKE(o->arrow);

    if (r != NULL) {
        arrow_builder_free(r->builder);
    }
}

static void arrow_end(struct output *o)
{
    flush(o);
    if (!o->arrow->dropped) {
        sink_bytes(o->sink, ARROW_STREAM_END);
    }
    arrow_drop(o);
}

const struct output_kind output_arrow = {arrow_begin, arrow_row, arrow_end, flush, arrow_drop};
