/* Messages of protobuf: see mutate.h. The field to change is found by walking down the message; what
 * replaces it is then wrapped in the messages around it, from the inside out. */
#include "mutate.h"
#include "mutate_dice.h"

#include "base/buffer.h"
#include "rpc/desc.h"

#define DEPTH_MAX   8
#define FIELDS_SEEN 64

/* One field as it lies in the message; positions from the start of the whole input. */
struct field {
    size_t tag_at;
    size_t value_at; /* its length, when it has one */
    size_t content_at;
    size_t end;
    unsigned number;
    enum wire_type wire;
};

/* A message, and the field of it on the way down. */
struct level {
    size_t start;
    size_t end;
    const struct msg_desc *desc; /* NULL: unknown */
    struct field field;
};

static size_t descend(struct bytes in, const struct msg_desc *desc, struct level *levels,
                      struct dice *dice);
static void replace(struct bytes in, const struct level *level, size_t room, struct buffer *out,
                    struct dice *dice);
static void wrap(struct bytes in, const struct level *levels, size_t depth, struct buffer *out);

size_t mutate_message(const struct msg_desc *desc, uint8_t *data, size_t size, size_t max,
                      unsigned seed)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct dice dice = dice_of(seed);
    struct level levels[DEPTH_MAX];
    size_t depth = descend(bytes_of(data, size), desc, levels, &dice);

    if (depth == 0 || size > max || dice_roll(&dice, 8) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    replace(bytes_of(data, size), &levels[depth - 1], max - size, &out, &dice);
    wrap(bytes_of(data, size), levels, depth, &out);
    if (out.len > max) {
        return size;
    }
    if (out.len > 0) {
        memcpy(data, out.data, out.len);
    }
    return out.len;
}

/* ---- which field ---- */

static const struct field_desc *known(const struct level *level)
{
    for (uint32_t i = 0; level->desc != NULL && i < level->desc->field_count; i++) {
        if (level->desc->fields[i].number == level->field.number) {
            return &level->desc->fields[i];
        }
    }
    return NULL;
}

/* false: there is no further field, or it makes no sense. */
static bool next_field(struct bytes in, size_t at, size_t end, struct field *ret)
{
    struct reader r = reader_of(bytes_slice(in, at, end - at));
    uint64_t tag = reader_varint64(&r);

    ret->tag_at = at;
    ret->value_at = end - r.rest.len;
    ret->number = (unsigned)(tag >> 3);
    ret->wire = (enum wire_type)(tag & 7);
    ret->content_at = ret->value_at;
    if (ret->wire == WIRE_BYTES) {
        size_t len = reader_varint64(&r);

        ret->content_at = end - r.rest.len;
        (void)reader_bytes(&r, len);
    } else if (ret->wire == WIRE_VARINT) {
        (void)reader_varint64(&r);
    } else {
        (void)reader_bytes(&r, ret->wire == WIRE_64 ? 8 : 4);
    }
    ret->end = end - r.rest.len;
    return !r.failed && at < end;
}

/* One field of the level by chance, the same for each. */
static bool choose(struct bytes in, struct level *level, struct dice *dice)
{
    struct field field;
    size_t at = level->start;

    for (size_t seen = 0; seen < FIELDS_SEEN && next_field(in, at, level->end, &field); seen++) {
        if (dice_roll(dice, seen + 1) == 0) {
            level->field = field;
        }
        at = field.end;
    }
    return at > level->start;
}

/* Fills levels and returns their number; 0: there is no field at all. */
static size_t descend(struct bytes in, const struct msg_desc *desc, struct level *levels,
                      struct dice *dice)
{
    size_t depth = 0;
    struct level next = {.start = 0, .end = in.len, .desc = desc};

    while (depth < DEPTH_MAX && choose(in, &next, dice)) {
        const struct field_desc *f = known(&next);

        levels[depth++] = next;
        if (f == NULL || f->type != FIELD_MESSAGE || next.field.wire != WIRE_BYTES ||
            dice_roll(dice, 8) == 0) {
            break;
        }
        next = (struct level){
            .start = next.field.content_at, .end = next.field.end, .desc = f->message};
    }
    return depth;
}

/* ---- with what ---- */

static void part(struct bytes in, size_t from, size_t to, struct buffer *out)
{
    buffer_bytes(out, bytes_slice(in, from, to - from));
}

/* Batches are known by the name that the protocol gives them. */
static size_t change_content(const struct level *level, uint8_t *data, size_t size, size_t max,
                             struct dice *dice)
{
    const struct field_desc *f = known(level);

    if (f == NULL || strcmp(f->name, "records") != 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    return mutate_units(strstr(level->desc->name, "PutKv") != NULL ? MUTATE_KV_BATCH
                                                                   : MUTATE_LOG_BATCHES,
                        data, size, max, dice_next(dice));
}

static uint64_t number(struct dice *dice)
{
    static const int64_t edges[] = {0, 1, 2, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

    return dice_roll(dice, 2) == 0 ? (uint64_t)edges[dice_roll(dice, ARRAY_LEN(edges))]
                                   : dice_next(dice) >> dice_roll(dice, 32);
}

/* The field's own bytes anew. */
static void replace(struct bytes in, const struct level *level, size_t room, struct buffer *out,
                    struct dice *dice)
{
    const struct field *f = &level->field;
    size_t size = f->end - f->content_at;
    unsigned choice = dice_next(dice) % 8;

    if (choice == 0) {
        return; /* dropped */
    }
    part(in, f->tag_at, choice == 1 ? f->end : f->value_at, out);
    if (choice == 1) {
        part(in, f->tag_at, f->end, out); /* doubled */
    } else if (f->wire == WIRE_VARINT) {
        buffer_varint64(out, number(dice));
    } else if (f->wire == WIRE_BYTES) {
        OWNED(buffer_fini) struct buffer content = BUFFER_INIT;

        part(in, f->content_at, f->end, &content);
        (void)buffer_room(&content, room + 1);
        content.len = change_content(level, content.data, size, size + room, dice);
        buffer_varint64(out, content.len);
        buffer_bytes(out, buffer_view(&content));
    } else {
        uint8_t *fixed;

        part(in, f->value_at, f->end, out);
        fixed = out->data + out->len - size;
        (void)LLVMFuzzerMutate(fixed, size, size);
    }
}

/* out: what replaces the innermost field; afterwards the whole message. */
static void wrap(struct bytes in, const struct level *levels, size_t depth, struct buffer *out)
{
    OWNED(buffer_fini) struct buffer message = BUFFER_INIT;

    for (size_t i = depth; i-- > 0;) {
        const struct level *level = &levels[i];

        buffer_clear(&message);
        part(in, level->start, level->field.tag_at, &message);
        buffer_bytes(&message, buffer_view(out));
        part(in, level->field.end, level->end, &message);
        buffer_clear(out);
        if (i > 0) {
            part(in, levels[i - 1].field.tag_at, levels[i - 1].field.value_at, out);
            buffer_varint64(out, message.len);
        }
        buffer_bytes(out, buffer_view(&message));
    }
}
