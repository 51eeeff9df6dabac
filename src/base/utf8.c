#include "utf8.h"

size_t utf8_next(struct bytes text, uint32_t *ret)
{
    /* smallest code point that may be written with this many bytes */
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code;
    size_t len;

    if (text.len == 0) {
        return 0;
    }
    code = text.data[0];
    len = code < 0x80 ? 1 : (code & 0xe0) == 0xc0 ? 2 : (code & 0xf0) == 0xe0 ? 3 : 4;
    if (len > text.len || (len == 4 && (code & 0xf8) != 0xf0)) {
        return 0;
    }
    if (len > 1) {
        code &= 0xffu >> (len + 1);
    }
    for (size_t i = 1; i < len; i++) {
        if ((text.data[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text.data[i] & 0x3f);
    }
    if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    if (ret != NULL) {
        *ret = code;
    }
    return len;
}

/* Bytes of ASCII at the front, as far as they are found many at a time. */
static size_t ascii_front(struct bytes text)
{
    size_t at = 0;

    while (text.len - at >= 2 * sizeof(uint64_t)) {
        uint64_t word[2];

        memcpy(word, text.data + at, sizeof word);
        if (((word[0] | word[1]) & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        at += sizeof word;
    }
    return at;
}

bool utf8_valid(struct bytes text)
{
    while (text.len > 0) {
        size_t ascii = ascii_front(text);
        size_t len;

        text = bytes_slice(text, ascii, text.len - ascii);
        len = text.len == 0 ? 0 : utf8_next(text, NULL);
        if (text.len == 0) {
            break;
        }

        if (len == 0) {
            return false;
        }
        text = bytes_slice(text, len, text.len - len);
    }
    return true;
}
