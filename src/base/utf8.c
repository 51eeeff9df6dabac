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

bool utf8_valid(struct bytes text)
{
    while (text.len > 0) {
        size_t len = utf8_next(text, NULL);

        if (len == 0) {
            return false;
        }
        text = bytes_slice(text, len, text.len - len);
    }
    return true;
}
