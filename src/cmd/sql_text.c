#include "sql_text.h"

void sql_text_put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

void sql_text_quote(struct buffer *out, struct bytes text, char quote)
{
    buffer_u8(out, (uint8_t)quote);
    while (text.len > 0) {
        const uint8_t *at = memchr(text.data, quote, text.len);
        size_t len = at == NULL ? text.len : (size_t)(at - text.data) + 1;

        buffer_bytes(out, bytes_slice(text, 0, len));
        if (at != NULL) {
            buffer_u8(out, (uint8_t)quote);
        }
        text = bytes_slice(text, len, text.len - len);
    }
    buffer_u8(out, (uint8_t)quote);
}
