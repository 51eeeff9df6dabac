/* JSON texts: see mutate.h. The text is cut into values as far as its brackets go; whatever it is, it is
 * never read as more than that. */
#include "mutate.h"
#include "mutate_dice.h"

#include "base/buffer.h"

#define VALUES_MAX 512
#define DEPTH_MAX  64
#define SCALAR_MAX 200 /* of what libFuzzer changes in one go */

/* One value: at .. end, and with its key, if it has one, item .. end. */
struct value_span {
    size_t item;
    size_t at;
    size_t end;
};

struct cut {
    struct bytes in;
    struct value_span values[VALUES_MAX];
    size_t count;
    size_t open[DEPTH_MAX]; /* of which the end is not known yet */
    size_t depth;
    size_t key; /* of the value that is next; SIZE_MAX: none */
};

static size_t string_end(struct bytes in, size_t at)
{
    for (at++; at < in.len && in.data[at] != '"'; at++) {
        at += in.data[at] == '\\' ? 1 : 0;
    }
    return at < in.len ? at + 1 : in.len;
}

static size_t scalar_end(struct bytes in, size_t at)
{
    while (at < in.len && memchr("{}[],: \n\t\"", in.data[at], 10) == NULL) {
        at++;
    }
    return at;
}

static void add(struct cut *c, size_t at, size_t end)
{
    if (c->count < VALUES_MAX) {
        c->values[c->count++] =
            (struct value_span){.item = c->key == SIZE_MAX ? at : c->key, .at = at, .end = end};
    }
    c->key = SIZE_MAX;
}

static void open_at(struct cut *c, size_t at)
{
    add(c, at, c->in.len);
    if (c->depth < DEPTH_MAX) {
        c->open[c->depth++] = c->count - 1;
    }
}

static void close_at(struct cut *c, size_t end)
{
    c->key = SIZE_MAX;
    if (c->depth > 0) {
        c->values[c->open[--c->depth]].end = end;
    }
}

static void cut_values(struct cut *c)
{
    size_t at = 0;

    while (at < c->in.len && c->count < VALUES_MAX) {
        uint8_t b = c->in.data[at];
        size_t end = at + 1;

        if (b == '{' || b == '[') {
            open_at(c, at);
        } else if (b == '}' || b == ']') {
            close_at(c, end);
        } else if (b == '"') {
            end = string_end(c->in, at);
            if (end < c->in.len && c->in.data[end] == ':') {
                c->key = at;
            } else {
                add(c, at, end);
            }
        } else if (memchr(",: \n\t", b, 5) == NULL) {
            end = scalar_end(c->in, at);
            add(c, at, end);
        }
        at = end;
    }
}

static struct bytes slice(const struct cut *c, size_t at, size_t end)
{
    return bytes_slice(c->in, at, end - at);
}

/* A text or a number becomes another one. */
static void put_changed(const struct cut *c, const struct value_span *v, struct buffer *out)
{
    bool quoted = c->in.data[v->at] == '"' && v->end - v->at >= 2;
    struct bytes content = slice(c, v->at + (quoted ? 1 : 0), v->end - (quoted ? 1 : 0));
    uint8_t data[SCALAR_MAX];
    size_t len = content.len < SCALAR_MAX / 2 ? content.len : SCALAR_MAX / 2;

    if (len > 0) {
        memcpy(data, content.data, len);
    }
    len = LLVMFuzzerMutate(data, len, sizeof data);
    buffer_bytes(out, bytes_str(quoted ? "\"" : ""));
    buffer_bytes(out, bytes_of(data, len));
    buffer_bytes(out, bytes_str(quoted ? "\"" : ""));
}

static void put_constant(struct buffer *out, struct dice *dice)
{
    static const char *const constants[] = {
        "null", "true", "false", "0", "-1", "5", "\"\"", "[]", "{}", "\"x\"", "9223372036854775807",
        "1.5"};

    buffer_bytes(out, bytes_str(constants[dice_roll(dice, ARRAY_LEN(constants))]));
}

/* What stands in the place of a value. */
static void put_instead(const struct cut *c, const struct value_span *v, struct buffer *out,
                        struct dice *dice)
{
    const struct value_span *other = &c->values[dice_roll(dice, c->count)];

    switch (dice_roll(dice, 4)) {
    case 0:
        put_constant(out, dice);
        break;
    case 1:
        put_changed(c, v, out);
        break;
    default:
        buffer_bytes(out, slice(c, other->at, other->end));
        break;
    }
}

/* Without the item, and without one comma beside it. */
static void put_without(const struct cut *c, const struct value_span *v, struct buffer *out)
{
    size_t item = v->item;
    size_t end = v->end;

    if (end < c->in.len && c->in.data[end] == ',') {
        end++;
    } else if (item > 0 && c->in.data[item - 1] == ',') {
        item--;
    }
    buffer_bytes(out, slice(c, 0, item));
    buffer_bytes(out, slice(c, end, c->in.len));
}

static void put_changed_text(const struct cut *c, struct buffer *out, struct dice *dice)
{
    const struct value_span *v = &c->values[dice_roll(dice, c->count)];
    const struct value_span *other = &c->values[dice_roll(dice, c->count)];

    switch (dice_roll(dice, 6)) {
    case 0:
        put_without(c, v, out);
        break;
    case 1: /* another item in front of it */
        buffer_bytes(out, slice(c, 0, v->item));
        buffer_bytes(out, slice(c, other->item, other->end));
        buffer_bytes(out, bytes_str(","));
        buffer_bytes(out, slice(c, v->item, c->in.len));
        break;
    default:
        buffer_bytes(out, slice(c, 0, v->at));
        put_instead(c, v, out, dice);
        buffer_bytes(out, slice(c, v->end, c->in.len));
        break;
    }
}

size_t mutate_json(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct dice dice = dice_of(seed);
    struct cut c = {.in = bytes_of(data, size), .key = SIZE_MAX};

    cut_values(&c);
    if (c.count == 0 || dice_roll(&dice, 8) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    put_changed_text(&c, &out, &dice);
    if (out.len == 0 || out.len > max) {
        return size;
    }
    memcpy(data, out.data, out.len);
    return out.len;
}
