#include "text_codes.h"

#include "base/crc32c.h"
#include "base/utf8.h"

static struct bytes value_at(const struct arrow_read_node *n, size_t row)
{
    uint32_t begin = get_u32le(n->offsets.data + row * 4);

    return bytes_of(n->data.data + begin, get_u32le(n->offsets.data + row * 4 + 4) - begin);
}

/* The number that a further value gets; false: there is no room for it. */
static bool add_value(struct text_codes *t, struct bytes value, size_t *ret)
{
    if (t->count == TEXT_CODES_MAX || value.len > TEXT_CODES_BYTES_MAX - t->bytes) {
        return false;
    }
    t->bytes += value.len;
    t->values[t->count] = value;
    *ret = t->count++;
    return true;
}

static bool code_of_null(struct text_codes *t, size_t *ret)
{
    if (t->null_count == 0 && !add_value(t, BYTES_EMPTY, &t->null)) {
        return false;
    }
    t->null_count = 1;
    *ret = t->null;
    return true;
}

/* text: values have to be UTF-8. */
static bool code_of_value(struct text_codes *t, struct bytes value, bool text, size_t *ret)
{
    size_t at = crc32c(value) % TEXT_CODES_SLOTS;

    for (; t->slots[at] != 0; at = (at + 1) % TEXT_CODES_SLOTS) {
        *ret = t->slots[at] - 1u;
        if (bytes_equal(t->values[*ret], value)) {
            return true;
        }
    }
    if ((text && !utf8_valid(value)) || !add_value(t, value, ret)) {
        return false;
    }
    t->slots[at] = (uint16_t)t->count;
    return true;
}

static bool is_text(const struct type *type)
{
    return type->root == TYPE_CHAR || type->root == TYPE_STRING;
}

bool text_codes_may_be(const struct type *type, const struct arrow_read_node *node)
{
    return (is_text(type) || type->root == TYPE_BYTES) && node->kind == ARROW_BUILD_BYTES &&
           node->length >= TEXT_CODES_ROWS_MIN;
}

bool text_codes_find(struct text_codes *t, const struct type *type,
                     const struct arrow_read_node *node, uint8_t *codes)
{
    bool text = is_text(type);

    ASSERT(text_codes_may_be(type, node));
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < node->length; i++) {
        size_t code;

        if (!(arrow_read_is_null(node, i) ? code_of_null(t, &code)
                                          : code_of_value(t, value_at(node, i), text, &code))) {
            return false;
        }
        codes[i] = (uint8_t)code;
    }
    return t->count * TEXT_CODES_ROWS_EACH <= node->length;
}
