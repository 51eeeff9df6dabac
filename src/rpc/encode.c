/* A message's struct -> bytes. Rules: codec.h; the bytes: decode.c.
 *
 * Two passes over the message in the same order: the first computes the length of every nested
 * message and packed run and notes it, the second writes, into one run of memory of exactly the
 * size of all that is not sent by reference.
 */
#include "codec.h"
#include "desc.h"

#include "base/utf8.h"

/* Lengths in the order in which the second pass needs them. */
struct lengths {
    size_t *items;
    size_t count;
    size_t cap;
    struct arena *arena;
    size_t referred; /* sum of what is sent by reference */
};

struct encoder {
    struct writer w;
    size_t flushed;        /* bytes of w that are in out already */
    const size_t *lengths; /* noted by the first pass */
    size_t next_length;
    struct pieces *out;
};

static size_t measure(struct lengths *l, const struct msg_desc *desc, const uint8_t *message,
                      unsigned depth);
static void write_message(struct encoder *e, const struct msg_desc *desc, const uint8_t *message);
static void flush(struct encoder *e);

size_t rpc_encoded_size(const struct msg_desc *desc, const void *message)
{
    struct lengths l = {0};

    return measure(&l, desc, message, 0);
}

void rpc_encode(const struct msg_desc *desc, const void *message, struct pieces *out)
{
    (void)rpc_encode_after(0, desc, message, out);
}

uint8_t *rpc_encode_after(size_t head, const struct msg_desc *desc, const void *message,
                          struct pieces *out)
{
    struct lengths l = {.arena = out->arena};
    size_t size = head + measure(&l, desc, message, 0) - l.referred;
    struct encoder e = {
        .w = writer_of(arena_alloc(out->arena, size), size),
        .lengths = l.items,
        .out = out,
    };

    (void)writer_room(&e.w, head);
    write_message(&e, desc, message);
    flush(&e);
    ASSERT(e.w.len == size && e.next_length == l.count);
    return e.w.data;
}

bool rpc_error_text(const struct error *e, struct arena *a, struct bytes *ret)
{
    struct bytes rest = bytes_str(e->message);
    uint8_t *text;

    if (rest.len == 0 || bytes_equal_str(rest, error_text(e->code))) {
        return false;
    }
    text = arena_alloc(a, rest.len);
    *ret = bytes_of(text, rest.len);
    while (rest.len > 0) {
        size_t len = utf8_next(rest, NULL);

        if (len > 0) {
            memcpy(text, rest.data, len);
        } else {
            len = 1;
            *text = '?';
        }
        text += len;
        rest = bytes_slice(rest, len, rest.len - len);
    }
    return true;
}

/* ---- one field ---- */

static uint64_t tag_of(const struct field_desc *f)
{
    enum wire_type wire = f->label == FIELD_PACKED ? WIRE_BYTES : field_wire(f->type);

    return (uint64_t)f->number << 3 | wire;
}

/* A varint field as the number that is written: int32 is sign-extended. */
static uint64_t varint_of(enum field_type type, const uint8_t *value)
{
    if (type == FIELD_INT64) {
        return (uint64_t) * (const int64_t *)value;
    }
    if (type == FIELD_INT32) {
        return (uint64_t)(int64_t) * (const int32_t *)value;
    }
    return *(const bool *)value;
}

static size_t number_size(enum field_type type, const uint8_t *value)
{
    enum wire_type wire = field_wire(type);

    if (wire == WIRE_VARINT) {
        return varint64_size(varint_of(type, value));
    }
    return wire == WIRE_32 ? 4 : 8;
}

static void write_number(struct writer *w, enum field_type type, const uint8_t *value)
{
    if (type == FIELD_FLOAT) {
        writer_u32le(w, *(const uint32_t *)value);
    } else if (type == FIELD_DOUBLE) {
        writer_u64le(w, *(const uint64_t *)value);
    } else {
        writer_varint64(w, varint_of(type, value));
    }
}

static struct pieces *pieces_of(const struct field_desc *f, const uint8_t *message)
{
    return f->pieces_offset == 0 ? NULL : *(struct pieces *const *)(message + f->pieces_offset);
}

/* Whether an optional field is to be written. */
static inline bool is_present(const struct field_desc *f, const uint8_t *message)
{
    if (f->type == FIELD_MESSAGE) {
        return *(const uint8_t *const *)(message + f->offset) != NULL;
    }
    return *(const bool *)(message + f->state_offset) || pieces_of(f, message) != NULL;
}

/* The values of a field that is present: `count` of them from `first` on. */
struct values {
    const uint8_t *first;
    size_t count;
};

static inline struct values values_of(const struct field_desc *f, const uint8_t *message)
{
    const uint8_t *at = message + f->offset;

    if (f->label == FIELD_REPEATED || f->label == FIELD_PACKED) {
        return (struct values){
            .first = *(const uint8_t *const *)at,
            .count = *(const size_t *)(message + f->state_offset),
        };
    }
    if (f->label == FIELD_OPTIONAL && f->type == FIELD_MESSAGE) {
        at = *(const uint8_t *const *)at;
    }
    return (struct values){.first = at, .count = 1};
}

/* ---- first pass ---- */

/* Without an arena nothing is noted: only the sum is wanted. */
static size_t reserve_length(struct lengths *l)
{
    if (l->arena != NULL && l->count == l->cap) {
        size_t cap = l->cap == 0 ? 32 : l->cap * 2;
        size_t *items = arena_alloc(l->arena, cap * sizeof *items);

        if (l->count > 0) {
            memcpy(items, l->items, l->count * sizeof *items);
        }
        l->items = items;
        l->cap = cap;
    }
    return l->count++;
}

static size_t note_length(struct lengths *l, size_t at, size_t length)
{
    if (l->arena != NULL) {
        l->items[at] = length;
    }
    return varint64_size(length) + length;
}

static size_t measure_packed(struct lengths *l, const struct field_desc *f, struct values v)
{
    size_t length = 0;

    for (size_t i = 0; i < v.count; i++) {
        length += number_size(f->type, v.first + i * field_size(f));
    }
    return note_length(l, reserve_length(l), length);
}

static size_t measure_bytes(struct lengths *l, const struct pieces *pieces, const uint8_t *value)
{
    size_t length = pieces != NULL ? pieces->len : ((const struct bytes *)value)->len;

    if (pieces != NULL || length >= RPC_INLINE_MAX) {
        l->referred += length;
    }
    return varint64_size(length) + length;
}

static size_t measure_field(struct lengths *l, const struct field_desc *f, const uint8_t *message,
                            unsigned depth)
{
    struct values v = values_of(f, message);
    size_t tag_size = varint64_size(tag_of(f));
    size_t size = 0;

    if (v.count > 0 && f->label == FIELD_PACKED) {
        return tag_size + measure_packed(l, f, v);
    }
    for (size_t i = 0; i < v.count; i++) {
        const uint8_t *value = v.first + i * field_size(f);

        size += tag_size;
        if (f->type == FIELD_MESSAGE) {
            size_t at = reserve_length(l);

            size += note_length(l, at, measure(l, f->message, value, depth + 1));
        } else if (field_wire(f->type) == WIRE_BYTES) {
            size += measure_bytes(l, pieces_of(f, message), value);
        } else {
            size += number_size(f->type, value);
        }
    }
    return size;
}

/* Recursion: over nested messages, which are ours and so end. */
static size_t measure(struct lengths *l, const struct msg_desc *desc, const uint8_t *message,
                      unsigned depth)
{
    size_t size = 0;

    ASSERT(depth <= RPC_DEPTH_MAX);
    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct field_desc *f = &desc->fields[i];

        if (f->label != FIELD_OPTIONAL || is_present(f, message)) {
            size += measure_field(l, f, message, depth);
        }
    }
    return size;
}

/* ---- second pass ---- */

/* Hands what was written since the last flush to the pieces. */
static void flush(struct encoder *e)
{
    pieces_add_bytes(e->out, bytes_of(e->w.data + e->flushed, e->w.len - e->flushed));
    e->flushed = e->w.len;
}

static void write_bytes(struct encoder *e, struct pieces *pieces, const uint8_t *value)
{
    struct bytes b = *(const struct bytes *)value;

    if (pieces != NULL) {
        writer_varint64(&e->w, pieces->len);
        flush(e);
        pieces_move(e->out, pieces);
        return;
    }
    writer_varint64(&e->w, b.len);
    if (b.len >= RPC_INLINE_MAX) {
        flush(e);
        pieces_add_bytes(e->out, b);
    } else {
        writer_bytes(&e->w, b);
    }
}

static void write_field(struct encoder *e, const struct field_desc *f, const uint8_t *message)
{
    struct values v = values_of(f, message);
    uint64_t tag = tag_of(f);

    if (v.count > 0 && f->label == FIELD_PACKED) {
        writer_varint64(&e->w, tag);
        writer_varint64(&e->w, e->lengths[e->next_length++]);
    }
    for (size_t i = 0; i < v.count; i++) {
        const uint8_t *value = v.first + i * field_size(f);

        if (f->label != FIELD_PACKED) {
            writer_varint64(&e->w, tag);
        }
        if (f->type == FIELD_MESSAGE) {
            writer_varint64(&e->w, e->lengths[e->next_length++]);
            write_message(e, f->message, value);
        } else if (field_wire(f->type) == WIRE_BYTES) {
            write_bytes(e, pieces_of(f, message), value);
        } else {
            write_number(&e->w, f->type, value);
        }
    }
}

static void write_message(struct encoder *e, const struct msg_desc *desc, const uint8_t *message)
{
    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct field_desc *f = &desc->fields[i];

        if (f->label != FIELD_OPTIONAL || is_present(f, message)) {
            write_field(e, f, message);
        }
    }
}
