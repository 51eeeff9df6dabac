/* UTF-8 (RFC 3629): decoding one character at a time, and validation. Overlong forms, surrogates
 * and values above U+10FFFF are invalid. Thread: any.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "bytes.h"

/* What an invalid byte is replaced with, as Java does: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Length in bytes (1..4) of the character text starts with; 0 when it is invalid, cut short or
 * text is empty. The code point goes to *ret (may be NULL) only on success. */
size_t utf8_next(struct bytes text, uint32_t *ret);
bool utf8_valid(struct bytes text);

#endif
