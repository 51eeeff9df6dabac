/* Bytes of a message -> its struct. Rules: codec.h.
 *
 * A message is a sequence of fields, in any order:
 *   tag     varint   field number << 3 | wire type
 *   value   type 0   varint
 *           type 1   8 bytes           type 5   4 bytes
 *           type 2   varint length, then that many bytes
 * Two passes when a message has arrays: the first counts their elements, so that each array is
 * allocated once, whatever order the elements come in; the second stores.
 */
#include "codec.h"
#include "desc.h"

#include "base/utf8.h"

#define ARENA_ROUNDING 8 /* what an allocation wastes, on average */

struct decoder {
    struct arena *arena;
    size_t memory; /* arena bytes this message may still take */
    struct error *error;
};

/* One message being read. */
struct scan {
    const struct msg_desc *desc;
    struct reader reader;
    uint32_t next; /* index of the field expected next: senders write them in order */
};

/* One field as found; field is NULL when the number is unknown. */
struct found {
    const struct field_desc *field;
    enum wire_type wire;
};

static enum errcode decode_message(struct decoder *d, const struct msg_desc *desc,
                                   struct bytes body, void *ret, unsigned depth);

enum errcode rpc_decode(const struct msg_desc *desc, struct bytes body, struct arena *a,
                        void *ret_message, struct error *e)
{
    struct decoder d = {.arena = a, .memory = RPC_MEMORY_MAX, .error = e};

    if (body.len < (RPC_MEMORY_MAX - RPC_MEMORY_BASE) / RPC_MEMORY_FACTOR) {
        d.memory = RPC_MEMORY_BASE + body.len * RPC_MEMORY_FACTOR;
    }
    return decode_message(&d, desc, body, ret_message, 0);
}

static enum errcode fail(struct decoder *d, const struct msg_desc *desc, const struct field_desc *f,
                         const char *why)
{
    return error_set(d->error, ERR_CORRUPT_MESSAGE, "%s%s%s: %s", desc->name, f == NULL ? "" : ".",
                     f == NULL ? "" : f->name, why);
}

static enum errcode take_memory(struct decoder *d, const struct msg_desc *desc,
                                const struct field_desc *f, size_t count, void **ret)
{
    size_t size = field_size(f);

    if (count > d->memory / size) {
        return fail(d, desc, f, "the message needs too much memory for its length");
    }
    size *= count;
    d->memory -= size;
    d->memory -= d->memory < ARENA_ROUNDING ? d->memory : ARENA_ROUNDING;
    *ret = arena_alloc(d->arena, size);
    return ERR_OK;
}

/* Reads a tag. The caller asks reader.failed. */
static struct found next_field(struct scan *s)
{
    const struct msg_desc *desc = s->desc;
    uint64_t tag = reader_varint64(&s->reader);
    uint64_t number = tag >> 3;

    for (uint32_t i = 0; i < desc->field_count; i++) {
        uint32_t at = s->next;

        if (desc->fields[at].number == number) {
            return (struct found){.field = &desc->fields[at], .wire = tag & 7};
        }
        s->next = at + 1 < desc->field_count ? at + 1 : 0;
    }
    if (number == 0 || tag > UINT32_MAX) {
        s->reader.failed = true;
    }
    return (struct found){.field = NULL, .wire = tag & 7};
}

static void skip_value(struct reader *r, enum wire_type wire)
{
    switch (wire) {
    case WIRE_VARINT:
        (void)reader_varint64(r);
        return;
    case WIRE_64:
        (void)reader_bytes(r, 8);
        return;
    case WIRE_32:
        (void)reader_bytes(r, 4);
        return;
    case WIRE_BYTES:
        (void)reader_bytes(r, reader_varint64(r));
        return;
    }
    r->failed = true; /* groups, and wire types that do not exist */
}

/* Elements of a run of packed numbers. */
static size_t packed_count(struct bytes run, enum wire_type wire)
{
    size_t count = 0;

    if (wire == WIRE_32 || wire == WIRE_64) {
        return run.len / (wire == WIRE_32 ? 4 : 8);
    }
    for (size_t i = 0; i < run.len; i++) {
        count += (run.data[i] & 0x80) == 0;
    }
    return count;
}

static bool is_packed_run(struct found at)
{
    return at.wire == WIRE_BYTES && field_wire(at.field->type) != WIRE_BYTES;
}

static bool is_repeated(const struct field_desc *f)
{
    return f->label == FIELD_REPEATED || f->label == FIELD_PACKED;
}

static size_t *count_of(const struct field_desc *f, void *message)
{
    return (size_t *)((uint8_t *)message + f->state_offset);
}

/* The first pass: how many elements each array will have. Anything wrong with the values is left
 * to the second pass, which must not meet more elements than were counted; it walks the same
 * bytes with the same steps, so it cannot. */
static void count_elements(struct scan s, size_t counts[FIELDS_MAX])
{
    while (s.reader.rest.len > 0 && !s.reader.failed) {
        struct found at = next_field(&s);

        if (at.field == NULL || !is_repeated(at.field)) {
            skip_value(&s.reader, at.wire);
        } else if (is_packed_run(at)) {
            struct bytes run = reader_bytes(&s.reader, reader_varint64(&s.reader));

            counts[at.field - s.desc->fields] += packed_count(run, field_wire(at.field->type));
        } else {
            counts[at.field - s.desc->fields]++;
            skip_value(&s.reader, at.wire);
        }
    }
}

static enum errcode allocate_arrays(struct decoder *d, const struct scan *s, uint8_t *message)
{
    size_t counts[FIELDS_MAX] = {0};

    count_elements(*s, counts);
    for (uint32_t i = 0; i < s->desc->field_count; i++) {
        const struct field_desc *f = &s->desc->fields[i];

        if (counts[i] > 0) {
            TRY(take_memory(d, s->desc, f, counts[i], (void **)(message + f->offset)));
        }
    }
    return ERR_OK;
}

static void decode_number(struct reader *r, enum field_type type, void *ret)
{
    uint64_t v;

    if (type == FIELD_FLOAT) {
        *(uint32_t *)ret = reader_u32le(r);
        return;
    }
    if (type == FIELD_DOUBLE) {
        *(uint64_t *)ret = reader_u64le(r);
        return;
    }
    v = reader_varint64(r);
    if (type == FIELD_INT64) {
        *(int64_t *)ret = (int64_t)v;
    } else if (type == FIELD_INT32) {
        *(int32_t *)ret = (int32_t)v;
    } else {
        *(bool *)ret = v == 1;
    }
}

/* One value of the field's own wire type, into ret. */
static enum errcode decode_value(struct decoder *d, struct scan *s, const struct field_desc *f,
                                 void *ret, unsigned depth)
{
    struct bytes value;

    if (field_wire(f->type) != WIRE_BYTES) {
        decode_number(&s->reader, f->type, ret);
        return s->reader.failed ? fail(d, s->desc, f, "the number is cut short") : ERR_OK;
    }
    value = reader_bytes(&s->reader, reader_varint64(&s->reader));
    if (s->reader.failed) {
        return fail(d, s->desc, f, "its length exceeds the message");
    }
    if (f->type == FIELD_MESSAGE) {
        if (depth == RPC_DEPTH_MAX) {
            return fail(d, s->desc, f, "nested too deeply");
        }
        return decode_message(d, f->message, value, ret, depth + 1);
    }
    if (f->type == FIELD_STRING && !utf8_valid(value)) {
        return fail(d, s->desc, f, "not UTF-8");
    }
    *(struct bytes *)ret = value;
    return ERR_OK;
}

static enum errcode decode_packed(struct decoder *d, struct scan *s, const struct field_desc *f,
                                  uint8_t *message)
{
    struct reader run = reader_of(reader_bytes(&s->reader, reader_varint64(&s->reader)));
    uint8_t *items = *(uint8_t **)(message + f->offset);
    size_t *count = count_of(f, message);

    if (s->reader.failed) {
        return fail(d, s->desc, f, "its length exceeds the message");
    }
    while (run.rest.len > 0) {
        uint64_t scratch; /* a number cut short was not counted, so it has no place in the array */

        decode_number(&run, f->type, &scratch);
        if (run.failed) {
            return fail(d, s->desc, f, "the number is cut short");
        }
        memcpy(items + *count * field_size(f), &scratch, field_size(f));
        ++*count;
    }
    return ERR_OK;
}

static enum errcode decode_field(struct decoder *d, struct scan *s, struct found at,
                                 uint8_t *message, unsigned depth)
{
    const struct field_desc *f = at.field;
    void *value = message + f->offset;

    if (is_repeated(f) && is_packed_run(at)) {
        return decode_packed(d, s, f, message);
    }
    if (at.wire != field_wire(f->type)) {
        return fail(d, s->desc, f, "wrong wire type");
    }
    if (is_repeated(f)) {
        value = *(uint8_t **)value + (*count_of(f, message))++ * field_size(f);
    } else if (f->label == FIELD_OPTIONAL && f->type == FIELD_MESSAGE) {
        TRY(take_memory(d, s->desc, f, 1, value));
        value = *(void **)value;
    } else if (f->label == FIELD_OPTIONAL) {
        *(bool *)(message + f->state_offset) = true;
    }
    return decode_value(d, s, f, value, depth);
}

static const struct field_desc *first_missing(const struct msg_desc *desc, uint32_t seen)
{
    return &desc->fields[__builtin_ctz(desc->required & ~seen)];
}

/* Recursion: over nested messages, bounded by RPC_DEPTH_MAX in decode_value. */
static enum errcode decode_message(struct decoder *d, const struct msg_desc *desc,
                                   struct bytes body, void *ret, unsigned depth)
{
    struct scan s = {.desc = desc, .reader = reader_of(body)};
    uint32_t seen = 0;

    memset(ret, 0, desc->size);
    if (desc->repeated != 0) {
        TRY(allocate_arrays(d, &s, ret));
    }
    while (s.reader.rest.len > 0) {
        struct found at = next_field(&s);

        if (s.reader.failed) {
            return fail(d, desc, NULL, "malformed field tag");
        }
        if (at.field != NULL) {
            TRY(decode_field(d, &s, at, ret, depth));
            seen |= 1u << (at.field - desc->fields);
            continue;
        }
        skip_value(&s.reader, at.wire);
        if (s.reader.failed) {
            return fail(d, desc, NULL, "malformed unknown field");
        }
    }
    if ((desc->required & ~seen) != 0) {
        return fail(d, desc, first_missing(desc, seen), "required, but missing");
    }
    return ERR_OK;
}
