/* Reading Arrow messages, see arrow_read.h. Recursion is over nested types, whose depth is limited
 * where types are made.
 */
#include "arrow_read.h"

#include "arrow_nodes.h"
#include "row_codec.h"
#include "value.h"

#include <inttypes.h>

#include "base/calendar.h"

#define OFFSET_SIZE  4
#define ELEMENTS_MAX ((size_t)1 << 24) /* of all lists of a column; they take memory when read */

/* What is being opened. */
struct opening {
    const struct arrow_message *message;
    struct bytes body;
    struct codec *codec;
    struct arena *arena;
    size_t buffer; /* the next one */
    size_t room;   /* bytes that may still be decompressed */
};

static enum errcode corrupt(struct error *e, size_t node, const char *what)
{
    return error_set(e, ERR_CORRUPT_RECORD, "Arrow node %zu: %s", node, what);
}

/* ---- opening ---- */

static enum errcode take_buffer(struct opening *o, struct bytes *ret, struct error *e)
{
    struct arrow_buffer b = arrow_buffer(o->message, o->buffer++);
    struct bytes stored = bytes_slice(o->body, (size_t)b.offset, (size_t)b.length);
    size_t size = 0;
    uint8_t *plain;

    if (o->message->codec == ARROW_CODEC_NONE) {
        *ret = stored;
        return ERR_OK;
    }
    TRY(codec_plain_size(o->message->codec, stored, o->room, &size, e));
    o->room -= size;
    plain = arena_alloc(o->arena, size);
    TRY(codec_decompress(o->codec, o->message->codec, stored, plain, size, e));
    *ret = bytes_of(plain, size);
    return ERR_OK;
}

static enum errcode take_node(struct opening *o, size_t index, struct arrow_read_node *n,
                              struct error *e)
{
    struct arrow_node node = arrow_node(o->message, index);
    bool offsets = n->kind == ARROW_BUILD_BYTES || n->kind == ARROW_BUILD_LIST;
    bool data = n->kind != ARROW_BUILD_LIST && n->kind != ARROW_BUILD_STRUCT;

    n->length = (size_t)node.length; /* arrow_message_check has seen both */
    n->null_count = (size_t)node.null_count;
    if (n->null_count == 0 || n->null_count == n->length) {
        o->buffer++; /* nobody looks at it: not decompressed */
    } else {
        TRY(take_buffer(o, &n->validity, e));
    }
    if (offsets) {
        TRY(take_buffer(o, &n->offsets, e));
    }
    if (data) {
        TRY(take_buffer(o, &n->data, e));
    }
    return ERR_OK;
}

static uint32_t offset_at(const struct arrow_read_node *n, size_t i)
{
    return n->offsets.len == 0 ? 0 : get_u32le(n->offsets.data + i * OFFSET_SIZE);
}

/* Offsets ascend up to `limit`. */
static bool offsets_are_right(const struct arrow_read_node *n, size_t limit)
{
    bool ascending = true;
    uint32_t last;

    if (n->length == 0 && n->offsets.len == 0) {
        return true;
    }
    if (n->offsets.len / OFFSET_SIZE < n->length + 1) {
        return false;
    }
    last = offset_at(n, 0);
    for (size_t i = 1; i <= n->length; i++) {
        uint32_t next = offset_at(n, i);

        ascending &= next >= last; /* to the end: a loop without a way out is faster */
        last = next;
    }
    return ascending && last <= limit;
}

static size_t bit_size(size_t count) { return (count + 7) / 8; }

static enum errcode check_node(const struct arrow_read_node *nodes, size_t i, struct error *e)
{
    const struct arrow_read_node *n = &nodes[i];
    bool right = true;

    if (n->null_count > 0 && n->null_count < n->length && n->validity.len < bit_size(n->length)) {
        return corrupt(e, i, "validity cut short");
    }
    switch (n->kind) {
    case ARROW_BUILD_FIXED:
        right = n->data.len / n->width >= n->length;
        break;
    case ARROW_BUILD_BOOL:
        right = n->data.len >= bit_size(n->length);
        break;
    case ARROW_BUILD_BYTES:
        right = offsets_are_right(n, n->data.len);
        break;
    case ARROW_BUILD_LIST:
        right = nodes[i + 1].length <= ELEMENTS_MAX && offsets_are_right(n, nodes[i + 1].length);
        break;
    case ARROW_BUILD_STRUCT:
        for (size_t k = i + 1; k < i + n->span; k += nodes[k].span) {
            right = right && nodes[k].length >= n->length;
        }
        break;
    }
    return right ? ERR_OK : corrupt(e, i, "buffers do not hold its values");
}

static enum errcode read_nodes(struct opening *o, const struct arrow_nodes *shape,
                               struct arrow_reader *ret, struct error *e)
{
    struct arrow_read_node *nodes = arena_array(o->arena, shape->count, sizeof *nodes);

    for (size_t i = 0; i < shape->count; i++) {
        nodes[i].kind = shape->items[i].kind;
        nodes[i].width = shape->items[i].width;
        nodes[i].span = shape->items[i].span;
        TRY(take_node(o, i, &nodes[i], e));
    }
    for (size_t i = 0; i < shape->count; i++) {
        TRY(check_node(nodes, i, e));
    }
    ret->nodes = nodes;
    return ERR_OK;
}

static struct arrow_layout layout_of(const struct type *row, struct arena *arena)
{
    struct arrow_column *columns = arena_array(arena, row->count, sizeof *columns);

    for (uint32_t i = 0; i < row->count; i++) {
        type_arrow_shape(row->fields[i].type, &columns[i].nodes, &columns[i].buffers);
    }
    return (struct arrow_layout){.columns = columns, .count = row->count};
}

enum errcode arrow_reader_open(const struct type *row, struct bytes message, struct codec *codec,
                               struct arena *arena, struct arrow_reader *ret, struct error *e)
{
    struct arrow_nodes shape = arrow_nodes_of(row, arena);
    struct arrow_layout layout = layout_of(row, arena);
    struct arrow_message m;
    struct opening o = {.message = &m, .codec = codec, .arena = arena, .room = ARROW_READ_SIZE_MAX};

    TRY(arrow_message_parse(message, &m, e));
    TRY(arrow_message_check(&m, &layout, e));
    if (m.body_size > message.len - m.body_at) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow body of %zu bytes, %zu are there",
                         m.body_size, message.len - m.body_at);
    }
    o.body = bytes_slice(message, m.body_at, m.body_size);
    *ret = (struct arrow_reader){.row = row, .row_count = (size_t)m.row_count};
    return read_nodes(&o, &shape, ret, e);
}

/* ---- values ---- */

struct value_reader {
    const struct arrow_read_node *nodes;
    struct arena *arena;
};

static void read_value(const struct value_reader *r, const struct type *type, size_t node,
                       size_t index, struct row_value *ret);

static void read_decimal(const struct value_reader *r, const struct type *type, const uint8_t *from,
                         struct row_value *ret)
{
    __int128 unscaled = (__int128)((unsigned __int128)get_u64le(from + 8) << 64 | get_u64le(from));
    uint8_t *data;

    if (type_is_compact_decimal(type)) {
        ret->integer = (int64_t)unscaled;
    } else {
        data = arena_alloc(r->arena, VALUE_DECIMAL_SIZE_MAX);
        ret->bytes = bytes_of(data, value_decimal_put_be(unscaled, data));
    }
}

/* From the unit of the column back to milliseconds and what is below. */
static void read_timestamp(const struct type *type, int64_t value, struct row_value *ret)
{
    struct arrow_unit unit = arrow_unit(type);
    int64_t below = floor_mod(value, unit.multiply);

    ret->timestamp.millis =
        (int64_t)((uint64_t)floor_div(value, unit.multiply) * (uint64_t)unit.divide);
    ret->timestamp.nanos = (int32_t)(unit.multiply == 1000 ? below * 1000 : below);
}

static void read_fixed(const struct value_reader *r, const struct type *type,
                       const struct arrow_read_node *n, size_t index, struct row_value *ret)
{
    const uint8_t *from = n->data.data + index * n->width;
    int64_t number;

    if (type->root == TYPE_DECIMAL) {
        read_decimal(r, type, from, ret);
    } else if (type->root == TYPE_BINARY) {
        ret->bytes = bytes_of(from, n->width);
    } else if (row_is_timestamp(type)) {
        read_timestamp(type, get_i64le(from), ret);
    } else if (type->root == TYPE_TIME) {
        number = n->width == 4 ? get_i32le(from) : get_i64le(from);
        number = number / arrow_unit(type).multiply;
        ret->integer = (int32_t)(number * arrow_unit(type).divide);
    } else {
        row_scalar_read(type, from, ret);
    }
}

static struct row_value *new_items(const struct value_reader *r, size_t count,
                                   struct row_value *ret, size_t items)
{
    struct row_value *values = arena_array(r->arena, items, sizeof *values);

    ret->count = (uint32_t)count;
    ret->items = values;
    return values;
}

static void read_list(const struct value_reader *r, const struct type *type, size_t node,
                      size_t index, struct row_value *ret)
{
    size_t first = offset_at(&r->nodes[node], index);
    size_t count = offset_at(&r->nodes[node], index + 1) - first;
    bool is_map = type->root == TYPE_MAP;
    struct row_value *items = new_items(r, count, ret, is_map ? count * 2 : count);
    size_t keys = node + (is_map ? 2 : 1); /* behind the struct of the entries */
    size_t values = keys + r->nodes[keys].span;

    for (size_t i = 0; i < count; i++) {
        read_value(r, type->fields[0].type, keys, first + i, &items[i]);
        if (is_map) {
            read_value(r, type->fields[1].type, values, first + i, &items[count + i]);
        }
    }
}

static void read_struct(const struct value_reader *r, const struct type *type, size_t node,
                        size_t index, struct row_value *ret)
{
    struct row_value *items = new_items(r, type->count, ret, type->count);
    size_t child = node + 1;

    for (uint32_t i = 0; i < type->count; i++) {
        read_value(r, type->fields[i].type, child, index, &items[i]);
        child += r->nodes[child].span;
    }
}

static void read_value(const struct value_reader *r, const struct type *type, size_t node,
                       size_t index, struct row_value *ret)
{
    const struct arrow_read_node *n = &r->nodes[node];
    uint32_t from;

    *ret = (struct row_value){.null = arrow_read_is_null(n, index)};
    if (ret->null) {
        return;
    }
    switch (n->kind) {
    case ARROW_BUILD_FIXED:
        read_fixed(r, type, n, index, ret);
        break;
    case ARROW_BUILD_BOOL:
        ret->boolean = row_bit(n->data.data, index);
        break;
    case ARROW_BUILD_BYTES:
        from = offset_at(n, index);
        ret->bytes = bytes_slice(n->data, from, offset_at(n, index + 1) - from);
        break;
    case ARROW_BUILD_LIST:
        read_list(r, type, node, index, ret);
        break;
    case ARROW_BUILD_STRUCT:
        read_struct(r, type, node, index, ret);
        break;
    }
}

void arrow_reader_row(const struct arrow_reader *reader, size_t index, struct arena *arena,
                      struct row_value *values)
{
    const struct value_reader r = {.nodes = reader->nodes, .arena = arena};
    size_t node = 0;

    ASSERT(index < reader->row_count);
    for (uint32_t i = 0; i < reader->row->count; i++) {
        read_value(&r, reader->row->fields[i].type, node, index, &values[i]);
        node += reader->nodes[node].span;
    }
}
