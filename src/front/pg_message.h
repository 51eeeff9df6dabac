/* Messages of the PostgreSQL protocol, version 3, cut and built. Integers are big-endian.
 *
 *   first    i32 length with itself, i32 code, body        startup, cancel, requests for encryption
 *   then     u8 type, i32 length with itself, body
 * Pure; any thread.
 */
#ifndef FRONT_PG_MESSAGE_H
#define FRONT_PG_MESSAGE_H

#include "base/buffer.h"

#define PG_MESSAGE_MAX ((size_t)8 << 20)
#define PG_STARTUP_MAX ((size_t)10000)

enum pg_code {
    PG_PROTOCOL_3 = 196608,
    PG_CANCEL = 80877102,
    PG_SSL = 80877103,
    PG_GSSENC = 80877104,
};

struct pg_message {
    uint8_t type;  /* 0: a first message */
    uint32_t code; /* of a first message */
    struct bytes body;
};

enum pg_taken { PG_INCOMPLETE, PG_MESSAGE, PG_MALFORMED };

/* Takes one message off the bytes. first: none of the connection was taken yet. */
enum pg_taken pg_take(struct bytes *in, bool first, struct pg_message *ret);

/* A text that ends in a 0 byte, borrowed; fails the reader without that. */
const char *pg_text(struct reader *r);
/* The bytes of a length and what follows; *ret_null: length -1. */
struct bytes pg_value(struct reader *r, bool *ret_null);

/* ---- building ---- */

/* Begins a message, and ends the one that began at `start`. */
size_t pg_begin(struct buffer *out, uint8_t type);
void pg_end(struct buffer *out, size_t start);
void pg_put_u16(struct buffer *out, uint16_t value);
void pg_put_u32(struct buffer *out, uint32_t value);
void pg_put_text(struct buffer *out, const char *text);

/* ErrorResponse ('E') or NoticeResponse ('N'). */
void pg_put_error(struct buffer *out, uint8_t type, const char *state, const char *message);
/* ErrorResponse; hint empty and position 0: none. */
struct pg_error {
    const char *state;
    const char *message;
    const char *hint;
    size_t position;
};
void pg_put_failure(struct buffer *out, const struct pg_error *error);
void pg_put_parameter(struct buffer *out, const char *name, const char *value);
void pg_put_ready(struct buffer *out, uint8_t status);
void pg_put_empty(struct buffer *out, uint8_t type);
void pg_put_complete(struct buffer *out, const char *tag);

#endif
