/* Inside sql/: rows of COPY in the binary format of PostgreSQL, cut anywhere:
 *
 *   "PGCOPY\n\377\r\n\0" | u32be flags (bits 16 to 31: what changes the format, none is known) | u32be bytes
 *   of what follows in the header
 *   row: i16be fields, each i32be bytes and these; -1 bytes: null
 *   end: i16be -1
 *
 * Fields have the types of the columns, and become the texts that copy_reader.h has of them. Thread: any.
 */
#ifndef SQL_COPY_BINARY_H
#define SQL_COPY_BINARY_H

#include "copy_reader.h"

/* As copy_reader_feed and _end, which call these. 22P04, 22P03, 22021. */
MUST_USE bool copy_binary_feed(struct copy_reader *r, struct bytes *in, struct sql_error *e);
MUST_USE bool copy_binary_end(const struct copy_reader *r, struct sql_error *e);

/* The header, with nothing but what has to be in it, and the end. */
void copy_binary_put_header(struct buffer *out);
void copy_binary_put_end(struct buffer *out);

#endif
