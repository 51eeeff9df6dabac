/* An Arrow message (arrow.h) as rows; arrow_rows.h has the mapping of types.
 *
 * Opening decompresses all buffers and checks everything that reading relies on: each buffer is long
 * enough for the values of its node, offsets ascend and stay inside their data or elements, children
 * are as long as their parents need. So reading a value cannot fail. Thread: owner.
 */
#ifndef FORMAT_ARROW_READ_H
#define FORMAT_ARROW_READ_H

#include "arrow_build.h"
#include "codec.h"
#include "row.h"

#define ARROW_READ_SIZE_MAX ((size_t)1 << 30) /* of all buffers of a message when decompressed */

/* A column or one of its children, decompressed and checked, for those who read column by column.
 * Which buffers there are says the kind (arrow_build.h); BOOL has bits in data. */
struct arrow_read_node {
    enum arrow_build_kind kind;
    uint32_t width;
    uint32_t span; /* nodes of this field, all below it included */
    size_t length;
    size_t null_count; /* 0: validity is not to be looked at; length: all, likewise */
    struct bytes validity;
    struct bytes offsets;
    struct bytes data;
};

/* i < length */
static inline bool arrow_read_is_null(const struct arrow_read_node *n, size_t i)
{
    return n->null_count > 0 &&
           (n->null_count == n->length || (n->validity.data[i / 8] >> i % 8 & 1) == 0);
}

struct arrow_reader {
    const struct type *row;
    const struct arrow_read_node *nodes;
    size_t row_count;
};

/* row: a ROW with columns; message: a whole one, what follows it is ignored. codec is needed for
 * compressed messages. The reader borrows all of them and the arena. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode arrow_reader_open(const struct type *row, struct bytes message,
                                        struct codec *codec, struct arena *arena,
                                        struct arrow_reader *ret, struct error *e);
/* The values of a row (below row_count), as many as there are columns. Texts and bytes borrow from
 * the message and its arena; nested values and large decimals lie in the given arena. */
void arrow_reader_row(const struct arrow_reader *reader, size_t index, struct arena *arena,
                      struct row_value *values);

#endif
