#include "fill.h"

#include <inttypes.h>

#include "base/utf8.h"
#include "format/arrow_nodes.h"

#define MICROS_PER_DAY INT64_C(86400000000)

void *fill_type(const struct duckdb *d, const struct type *type)
{
    static const enum duck_type plain[TYPE_ROOT_COUNT] = {
        [TYPE_CHAR] = DUCK_VARCHAR,
        [TYPE_STRING] = DUCK_VARCHAR,
        [TYPE_BOOLEAN] = DUCK_BOOLEAN,
        [TYPE_BINARY] = DUCK_BLOB,
        [TYPE_BYTES] = DUCK_BLOB,
        [TYPE_TINYINT] = DUCK_TINYINT,
        [TYPE_SMALLINT] = DUCK_SMALLINT,
        [TYPE_INTEGER] = DUCK_INTEGER,
        [TYPE_BIGINT] = DUCK_BIGINT,
        [TYPE_FLOAT] = DUCK_FLOAT,
        [TYPE_DOUBLE] = DUCK_DOUBLE,
        [TYPE_DATE] = DUCK_DATE,
        [TYPE_TIME] = DUCK_TIME,
        [TYPE_TIMESTAMP] = DUCK_TIMESTAMP,
        [TYPE_TIMESTAMP_LTZ] = DUCK_TIMESTAMP_TZ,
    };
    void *children[2] = {NULL, NULL};
    void *made;

    if (type->root == TYPE_DECIMAL) {
        return d->create_decimal_type((uint8_t)type->precision, (uint8_t)type->scale);
    }
    if (type->root == TYPE_TIMESTAMP && type->precision > 6) {
        return d->create_logical_type(DUCK_TIMESTAMP_NS);
    }
    if (!type_is_nested(type)) {
        return d->create_logical_type((int)plain[type->root]);
    }
    if (type->root == TYPE_ROW) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        void **types = arena_array(&arena, type->count, sizeof *types);
        const char **names = arena_array(&arena, type->count, sizeof *names);

        for (uint32_t i = 0; i < type->count; i++) {
            types[i] = fill_type(d, type->fields[i].type);
            names[i] = type->fields[i].name;
        }
        made = d->create_struct_type(types, names, type->count);
        for (uint32_t i = 0; i < type->count; i++) {
            d->destroy_logical_type(&types[i]);
        }
        return made;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        children[i] = fill_type(d, type->fields[i].type);
    }
    made = type->root == TYPE_MAP ? d->create_map_type(children[0], children[1])
                                  : d->create_list_type(children[0]);
    for (uint32_t i = 0; i < type->count; i++) {
        d->destroy_logical_type(&children[i]);
    }
    return made;
}

/* ---- nulls ---- */

/* A null struct has null fields, and a null list no elements: DuckDB looks at both. */
static void put_null(const struct duckdb *d, void *vector, const struct type *type, size_t row)
{
    d->vector_ensure_validity_writable(vector);
    d->vector_get_validity(vector)[row / 64] &= ~(UINT64_C(1) << row % 64);
    if (type->root == TYPE_ROW) {
        for (uint32_t i = 0; i < type->count; i++) {
            put_null(d, d->struct_vector_get_child(vector, i), type->fields[i].type, row);
        }
    } else if (type_is_nested(type)) {
        ((struct duck_list *)d->vector_get_data(vector))[row] = (struct duck_list){0};
    }
}

void fill_nulls(const struct fill *f, const struct type *type)
{
    for (size_t i = 0; i < f->count; i++) {
        put_null(f->duckdb, f->vector, type, f->at + i);
    }
}

static void copy_nulls(const struct fill *f, const struct type *type,
                       const struct arrow_read_node *n, size_t from)
{
    for (size_t i = 0; n->null_count > 0 && i < f->count; i++) {
        if (arrow_read_is_null(n, from + i)) {
            put_null(f->duckdb, f->vector, type, f->at + i);
        }
    }
}

/* ---- values of fixed width ---- */

static enum errcode out_of_range(const struct type *type, struct error *e)
{
    return error_set(e, ERR_INVALID_ARGUMENT, "a value of type %s is out of the range of SQL",
                     type_text(type).text);
}

/* The width that DuckDB keeps a decimal in. */
static size_t decimal_width(const struct type *type)
{
    return type->precision <= 4 ? 2 : type->precision <= 9 ? 4 : type->precision <= 18 ? 8 : 16;
}

static bool put_decimal(__int128 value, size_t width, uint8_t *to)
{
    if (width == sizeof(int16_t)) {
        int16_t narrow = (int16_t)value;

        memcpy(to, &narrow, sizeof narrow);
        return narrow == value;
    }
    if (width == sizeof(int32_t)) {
        int32_t narrow = (int32_t)value;

        memcpy(to, &narrow, sizeof narrow);
        return narrow == value;
    }
    memcpy(to, &value, width);
    return width == sizeof value || (int64_t)value == value;
}

bool fill_decimal(const struct type *type, __int128 value, void *to)
{
    return put_decimal(value, decimal_width(type), to);
}

/* Most decimals have 64 bits in DuckDB; false: one has not. What is under a null may be anything. */
static bool fill_decimals_64(int64_t *to, const uint8_t *from, size_t count)
{
    uint64_t beyond = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t low = get_i64le(from + i * 16);

        to[i] = low;
        beyond |= get_u64le(from + i * 16 + 8) ^ (uint64_t)(low >> 63);
    }
    return beyond == 0;
}

static enum errcode fill_decimals(const struct fill *f, const struct type *type,
                                  const struct arrow_read_node *n, size_t from, struct error *e)
{
    size_t width = decimal_width(type);
    uint8_t *data = (uint8_t *)f->duckdb->vector_get_data(f->vector) + f->at * width;

    if (n->width == sizeof(int64_t)) { /* from the cache, where those of 64 bits have no more */
        ASSERT(width == sizeof(int64_t));
        memcpy(data, n->data.data + from * width, f->count * width);
        return ERR_OK;
    }
    if (width == sizeof(int64_t) &&
        fill_decimals_64((int64_t *)data, n->data.data + from * sizeof(__int128), f->count)) {
        return ERR_OK;
    }
    for (size_t i = 0; i < f->count; i++) {
        __int128 value;

        memcpy(&value, n->data.data + (from + i) * sizeof value, sizeof value);
        if (!put_decimal(value, width, data + i * width) && !arrow_read_is_null(n, from + i)) {
            return out_of_range(type, e);
        }
    }
    return ERR_OK;
}

/* The unit of the Arrow column to that of the vector: multiplied, or divided when negative. */
static int64_t time_factor(const struct type *type)
{
    static const int64_t to_micros[] = {1000000, 1000, 1, -1000};
    size_t group = (size_t)(type->precision + 2) / 3;

    return type->root == TYPE_TIMESTAMP && group == 3 ? 1 : to_micros[group];
}

static bool scale_time(int64_t value, int64_t factor, int64_t *ret)
{
    if (factor < 0) {
        *ret = value / -factor - (value % -factor < 0);
        return true;
    }
    return !__builtin_mul_overflow(value, factor, ret);
}

static bool put_time(const struct type *type, int64_t value, int64_t factor, int64_t *to)
{
    return scale_time(value, factor, to) &&
           (type->root != TYPE_TIME || (*to >= 0 && *to < MICROS_PER_DAY));
}

bool fill_time(const struct type *type, int64_t arrow, int64_t *ret)
{
    return put_time(type, arrow, time_factor(type), ret);
}

static enum errcode fill_times(const struct fill *f, const struct type *type,
                               const struct arrow_read_node *n, size_t from, struct error *e)
{
    int64_t *data = (int64_t *)f->duckdb->vector_get_data(f->vector) + f->at;
    int64_t factor = time_factor(type);

    for (size_t i = 0; i < f->count; i++) {
        const uint8_t *at = n->data.data + (from + i) * n->width;

        if (arrow_read_is_null(n, from + i)) {
            continue;
        }
        if (!put_time(type, n->width == 4 ? get_i32le(at) : get_i64le(at), factor, &data[i])) {
            return out_of_range(type, e);
        }
    }
    return ERR_OK;
}

/* ---- texts ---- */

/* Where the values of texts and bytes lie. */
struct texts {
    const uint8_t *data;
    const uint8_t *end;     /* of all data */
    const uint8_t *offsets; /* of the first; NULL: all have the width */
    uint32_t width;
};

static struct texts texts_of(const struct arrow_read_node *n, size_t from)
{
    if (n->kind == ARROW_BUILD_FIXED) {
        return (struct texts){.data = n->data.data + from * n->width,
                              .end = n->data.data + n->data.len,
                              .width = n->width};
    }
    return (struct texts){.data = n->data.data,
                          .end = n->data.data + n->data.len,
                          .offsets = n->offsets.data + from * 4};
}

static struct bytes text_at(const struct texts *t, size_t i)
{
    uint32_t begin;

    if (t->offsets == NULL) {
        return bytes_of(t->data + i * t->width, t->width);
    }
    begin = get_u32le(t->offsets + i * 4);
    return bytes_of(t->data + begin, get_u32le(t->offsets + i * 4 + 4) - begin);
}

static bool all_ascii(struct bytes text)
{
    uint64_t all = 0;
    uint64_t more = 0;
    size_t at = 0;

    for (; text.len - at >= 4 * sizeof all; at += 4 * sizeof all) {
        all |= get_u64le(text.data + at) | get_u64le(text.data + at + 8);
        more |= get_u64le(text.data + at + 16) | get_u64le(text.data + at + 24);
    }
    for (; at < text.len; at++) {
        all |= text.data[at];
    }
    return ((all | more) & UINT64_C(0x8080808080808080)) == 0;
}

/* All of the values at once: together they are valid, and none begins inside of a character. False says
 * nothing yet: what is under a null may be anything. */
static bool texts_valid(const struct texts *t, size_t count)
{
    uint32_t begin = get_u32le(t->offsets);
    uint32_t end = get_u32le(t->offsets + count * 4);
    bool inside = false;

    if (all_ascii(bytes_of(t->data + begin, end - begin))) {
        return true;
    }
    if (!utf8_valid(bytes_of(t->data + begin, end - begin))) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t at = get_u32le(t->offsets + i * 4);

        inside = inside || (at < end && (t->data[at] & 0xc0) == 0x80);
    }
    return !inside;
}

/* A short text lies in the vector itself, with zeros behind it. */
static struct duck_string inline_text(struct bytes value)
{
    struct duck_string s = {.len = (uint32_t)value.len};

    if (value.len > 0) {
        memcpy((uint8_t *)&s + offsetof(struct duck_string, prefix), value.data, value.len);
    }
    return s;
}

/* The same, of a text in front of so many bytes as a short one may have: without loop and branch, which
 * lengths that differ from row to row would mislead. */
static void put_inline_text(struct duck_string *to, struct bytes value)
{
    static const uint8_t masks[2 * DUCK_STRING_INLINE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint8_t *mask = masks + DUCK_STRING_INLINE - value.len;
    uint64_t low = get_u64le(value.data) & get_u64le(mask);
    uint64_t high = get_u32le(value.data + sizeof low) & get_u32le(mask + sizeof low);

    to->len = (uint32_t)value.len;
    put_u32le((uint8_t *)to->prefix, (uint32_t)low);
    put_u64le((uint8_t *)to->value.rest, low >> 32 | high << 32);
}

static struct duck_string borrowed_text(struct bytes value)
{
    struct duck_string s = {.len = (uint32_t)value.len, .value.pointer = (const char *)value.data};

    memcpy(s.prefix, value.data, sizeof s.prefix);
    return s;
}

struct duck_string fill_string(struct bytes value)
{
    return value.len <= DUCK_STRING_INLINE ? inline_text(value) : borrowed_text(value);
}

static void put_text(const struct fill *f, struct duck_string *to, size_t i, struct bytes value,
                     bool slack)
{
    if (value.len <= DUCK_STRING_INLINE && slack) {
        put_inline_text(&to[i], value);
    } else if (value.len <= DUCK_STRING_INLINE || f->borrow) {
        to[i] = fill_string(value);
    } else {
        f->duckdb->unsafe_vector_assign_string_element_len(f->vector, f->at + i,
                                                           (const char *)value.data, value.len);
    }
}

static enum errcode fill_texts(const struct fill *f, const struct type *type,
                               const struct arrow_read_node *n, size_t from, struct error *e)
{
    struct duck_string *to = (struct duck_string *)f->duckdb->vector_get_data(f->vector) + f->at;
    bool text = type->root == TYPE_CHAR || type->root == TYPE_STRING;
    struct texts t = texts_of(n, from);
    bool valid = !text || (t.offsets != NULL && texts_valid(&t, f->count));
    bool nulls = n->null_count > 0;

    for (size_t i = 0; i < f->count; i++) {
        struct bytes value;

        if (nulls && arrow_read_is_null(n, from + i)) {
            continue;
        }
        value = text_at(&t, i);
        if (!valid && !utf8_valid(value)) {
            return error_set(e, ERR_INVALID_ARGUMENT, "a value of type %s is not UTF-8",
                             type_text(type).text);
        }
        put_text(f, to, i, value, (size_t)(t.end - value.data) >= DUCK_STRING_INLINE);
    }
    return ERR_OK;
}

void fill_text(const struct fill *f, const char *text)
{
    for (size_t i = 0; i < f->count; i++) {
        f->duckdb->unsafe_vector_assign_string_element_len(f->vector, f->at + i, text,
                                                           strlen(text));
    }
}

/* ---- texts of few values ---- */

static enum errcode fill_dictionary(const struct fill *f, const struct type *type,
                                    const struct fill_column *column, size_t from, struct error *e)
{
    const struct duckdb *d = f->duckdb;
    size_t size = column->node->length;
    struct fill values = *f;
    void *selection;
    uint32_t *to;

    ASSERT(f->at == 0);
    values.count = size;
    TRY(fill_values(&values, type, column->node, 0, e));
    selection = d->create_selection_vector(f->count); /* shared with the vector: one for each */
    to = d->selection_vector_get_data_ptr(selection);
    for (size_t i = 0; i < f->count; i++) {
        to[i] = column->codes[from + i];
        DEBUG_ASSERT(to[i] < size);
    }
    d->vector_dictionary(f->vector, size, selection, f->count);
    d->destroy_selection_vector(selection);
    return ERR_OK;
}

/* Values with codes are UTF-8. */
static void fill_each(const struct fill *f, const struct type *type,
                      const struct fill_column *column, size_t from)
{
    struct duck_string *to = (struct duck_string *)f->duckdb->vector_get_data(f->vector) + f->at;
    struct texts t = texts_of(column->node, 0);

    for (size_t i = 0; i < f->count; i++) {
        uint8_t code = column->codes[from + i];
        struct bytes value;

        if (arrow_read_is_null(column->node, code)) {
            put_null(f->duckdb, f->vector, type, f->at + i);
            continue;
        }
        value = text_at(&t, code);
        put_text(f, to, i, value, (size_t)(t.end - value.data) >= DUCK_STRING_INLINE);
    }
}

enum errcode fill_from(const struct fill *f, const struct type *type,
                       const struct fill_column *column, size_t from, struct error *e)
{
    if (column->node == NULL) {
        fill_nulls(f, type);
        return ERR_OK;
    }
    if (column->codes == NULL) {
        return fill_values(f, type, column->node, from, e);
    }
    if (f->whole && f->count > 0 && f->duckdb->vector_dictionary != NULL) {
        return fill_dictionary(f, type, column, from, e);
    }
    fill_each(f, type, column, from);
    return ERR_OK;
}

/* ---- nested values ---- */

static enum errcode fill_fields(const struct fill *f, const struct type *type,
                                const struct arrow_read_node *first, size_t from, struct error *e)
{
    const struct arrow_read_node *node = first;

    for (uint32_t i = 0; i < type->count; i++) {
        struct fill child = *f;

        child.vector = f->duckdb->struct_vector_get_child(f->vector, i);
        TRY(fill_values(&child, type->fields[i].type, node, from, e));
        node += node->span;
    }
    return ERR_OK;
}

static uint32_t list_offset(const struct arrow_read_node *n, size_t i)
{
    return n->offsets.len == 0 ? 0 : get_u32le(n->offsets.data + i * 4);
}

static enum errcode fill_lists(const struct fill *f, const struct type *type,
                               const struct arrow_read_node *n, size_t from, struct error *e)
{
    const struct duckdb *d = f->duckdb;
    struct duck_list *lists = (struct duck_list *)d->vector_get_data(f->vector) + f->at;
    uint64_t base = d->list_vector_get_size(f->vector);
    uint32_t first = list_offset(n, from);
    struct fill child = {.duckdb = d, .at = base, .count = list_offset(n, from + f->count) - first};

    for (size_t i = 0; i < f->count; i++) {
        uint32_t begin = list_offset(n, from + i);

        lists[i] = (struct duck_list){.offset = base + begin - first,
                                      .len = list_offset(n, from + i + 1) - begin};
    }
    if (d->list_vector_reserve(f->vector, base + child.count) != DUCK_OK ||
        d->list_vector_set_size(f->vector, base + child.count) != DUCK_OK) {
        return error_set(e, ERR_INVALID_ARGUMENT, "no memory for %zu elements of %s", child.count,
                         type_text(type).text);
    }
    child.vector = d->list_vector_get_child(f->vector);
    if (type->root == TYPE_MAP) { /* a list of structs of key and value */
        return fill_fields(&child, type, n + 2, first, e);
    }
    return fill_values(&child, type->fields[0].type, n + 1, first, e);
}

/* ---- all ---- */

static void fill_booleans(const struct fill *f, const struct arrow_read_node *n, size_t from)
{
    uint8_t *data = (uint8_t *)f->duckdb->vector_get_data(f->vector) + f->at;

    for (size_t i = 0; i < f->count; i++) {
        size_t row = from + i;

        data[i] = !arrow_read_is_null(n, row) && (n->data.data[row / 8] >> row % 8 & 1) != 0;
    }
}

static enum errcode fill_fixed(const struct fill *f, const struct type *type,
                               const struct arrow_read_node *n, size_t from, struct error *e)
{
    if (type->root == TYPE_DECIMAL) {
        return fill_decimals(f, type, n, from, e);
    }
    if (type->root == TYPE_BINARY) {
        return fill_texts(f, type, n, from, e);
    }
    if (type->root == TYPE_TIME || type->root == TYPE_TIMESTAMP ||
        type->root == TYPE_TIMESTAMP_LTZ) {
        return fill_times(f, type, n, from, e);
    }
    memcpy((uint8_t *)f->duckdb->vector_get_data(f->vector) + f->at * n->width,
           n->data.data + from * n->width, f->count * n->width);
    return ERR_OK;
}

static enum errcode fill_node(const struct fill *f, const struct type *type,
                              const struct arrow_read_node *node, size_t from, struct error *e)
{
    switch (node->kind) {
    case ARROW_BUILD_FIXED:
        return fill_fixed(f, type, node, from, e);
    case ARROW_BUILD_BOOL:
        fill_booleans(f, node, from);
        return ERR_OK;
    case ARROW_BUILD_BYTES:
        return fill_texts(f, type, node, from, e);
    case ARROW_BUILD_LIST:
        return fill_lists(f, type, node, from, e);
    case ARROW_BUILD_STRUCT:
        return fill_fields(f, type, node + 1, from, e);
    }
    return ERR_OK;
}

enum errcode fill_values(const struct fill *f, const struct type *type,
                         const struct arrow_read_node *node, size_t from, struct error *e)
{
    if (f->count == 0) {
        return ERR_OK;
    }
    ASSERT(from + f->count <= node->length);
    TRY(fill_node(f, type, node, from, e));
    copy_nulls(f, type, node, from);
    return ERR_OK;
}

void fill_forget(struct arena *lent)
{
#ifdef EIDER_DEBUG
    arena_fini(lent);
#else
    arena_reset(lent);
#endif
}
