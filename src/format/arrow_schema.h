/* The Schema message that begins an Arrow IPC stream, for readers who do not know the table. Batches of
 * the Fluss protocol have none: theirs is the table's schema.
 *
 *   stream   Schema message, RecordBatch messages (arrow.h), ARROW_STREAM_END
 *   message  continuation FF FF FF FF, i32 size of the metadata, flatbuffer Message; no body
 *
 *   Message  {version, header_type = Schema (1), header}
 *   Schema   {endianness, fields[]}
 *   Field    {name, nullable, type_type, type, dictionary, children[]}
 *
 * Types are those that arrow_rows.h writes. Source: Schema.fbs and Message.fbs of Apache Arrow, version 5
 * of the metadata. Thread: any.
 */
#ifndef FORMAT_ARROW_SCHEMA_H
#define FORMAT_ARROW_SCHEMA_H

#include "type.h"

#include "base/buffer.h"

/* What ends a stream. */
#define ARROW_STREAM_END bytes_of("\xff\xff\xff\xff\0\0\0", 8)

/* Appends the message of a ROW; the buffer is empty. */
void arrow_schema_write(const struct type *row, struct buffer *out);

#endif
