#include "parquet_footer.h"

#include "base/buffer.h"

#define DEPTH_MAX 24
/* What DuckDB takes for an item of a list: of those of the file and of row groups, and of others. */
#define ITEM_BYTES_OUTER 512
#define ITEM_BYTES_INNER 64

enum thrift_type {
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_BYTE = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_STRUCT = 12,
};

/* Depth of a struct: 0 the file, 1 a row group or part of the schema, 2 a column of a row group, 3 its
 * description. */
static const struct {
    unsigned depth;
    uint16_t field;
    uint8_t item;
} lists[] = {
    {0, 2, THRIFT_STRUCT}, /* schema */
    {0, 4, THRIFT_STRUCT}, /* row groups */
    {0, 5, THRIFT_STRUCT}, /* words of the writer */
    {0, 7, THRIFT_STRUCT}, /* orders of columns */
    {1, 1, THRIFT_STRUCT}, /* columns */
    {1, 4, THRIFT_STRUCT}, /* that it is sorted by */
    {3, 2, THRIFT_I32},    /* encodings */
    {3, 3, THRIFT_BINARY}, /* path */
    {3, 8, THRIFT_STRUCT}, /* words of the writer */
    {3, 13, THRIFT_STRUCT} /* encodings of pages */
};

/* What is open: a struct, or a list with so many items to come. */
struct frame {
    bool list;
    uint8_t item;
    uint64_t left;
    uint16_t field; /* the last */
};

struct walk {
    struct reader r;
    struct frame open[DEPTH_MAX];
    unsigned depth;   /* frames */
    unsigned structs; /* of them */
    uint64_t memory;  /* that is left */
    bool wrong;
};

static void push(struct walk *w, struct frame f)
{
    if (w->depth == DEPTH_MAX) {
        w->wrong = true;
        return;
    }
    w->open[w->depth++] = f;
    w->structs += !f.list;
}

static bool right_items(const struct walk *w, uint16_t field, uint8_t item)
{
    unsigned depth = w->structs - 1;

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (lists[i].depth == depth && lists[i].field == field) {
            return lists[i].item == item;
        }
    }
    return depth < 4 || (item >= THRIFT_I16 && item <= THRIFT_I64);
}

static void begin_list(struct walk *w, uint16_t field)
{
    uint8_t head = reader_u8(&w->r);
    uint64_t count = head >> 4 == 15 ? reader_varint64(&w->r) : head >> 4;
    uint64_t each = w->structs <= 2 ? ITEM_BYTES_OUTER : ITEM_BYTES_INNER;

    if (count > w->r.rest.len || count * each > w->memory || !right_items(w, field, head & 15)) {
        w->wrong = true;
        return;
    }
    w->memory -= count * each;
    push(w, (struct frame){.list = true, .item = head & 15, .left = count});
}

/* field: 0 of an item of a list. */
static void value(struct walk *w, uint8_t type, uint16_t field)
{
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        (void)(field == 0 ? reader_u8(&w->r) : 0);
        break;
    case THRIFT_BYTE:
        (void)reader_u8(&w->r);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        (void)reader_varint64(&w->r);
        break;
    case THRIFT_DOUBLE:
        (void)reader_u64le(&w->r);
        break;
    case THRIFT_BINARY:
        (void)reader_bytes(&w->r, reader_varint64(&w->r));
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        begin_list(w, field);
        break;
    case THRIFT_STRUCT:
        push(w, (struct frame){.list = false});
        break;
    default:
        w->wrong = true;
    }
}

static void step(struct walk *w)
{
    struct frame *f = &w->open[w->depth - 1];
    uint8_t head;

    if (f->list) {
        if (f->left == 0) {
            w->depth--;
        } else {
            f->left--;
            value(w, f->item, 0);
        }
        return;
    }
    head = reader_u8(&w->r);
    if (head == 0) {
        w->depth--;
        w->structs--;
        return;
    }
    if (head >> 4 == 0) {
        uint64_t number = reader_varint64(&w->r); /* signed, as zigzag */

        f->field = (uint16_t)(number >> 1 ^ -(number & 1));
    } else {
        f->field = (uint16_t)(f->field + (head >> 4));
    }
    value(w, head & 15, f->field == 0 ? UINT16_MAX : f->field);
}

enum errcode parquet_footer_check(struct bytes footer, uint64_t memory_bytes, struct error *e)
{
    struct walk w = {.r = reader_of(footer), .memory = memory_bytes};

    push(&w, (struct frame){.list = false});
    while (w.depth > 0 && !w.wrong && !w.r.failed) {
        step(&w);
    }
    if (w.wrong || w.r.failed) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "the footer of the Parquet file is damaged, or describes more than the "
                         "memory for SQL holds");
    }
    return ERR_OK;
}
