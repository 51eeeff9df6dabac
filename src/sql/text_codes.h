/* Inside sql/: a column of texts that has few different values, as these values and a number for each
 * row. So it is kept (column_cache.h) and given to DuckDB (fill.h), which then looks at each value once a
 * vector instead of once a row. A null is one of the values.
 *
 * A column of many values is given up as soon as they are too many, which costs little: of the values in
 * front. Thread: owner.
 */
#ifndef SQL_TEXT_CODES_H
#define SQL_TEXT_CODES_H

#include "format/arrow_read.h"
#include "format/type.h"

#define TEXT_CODES_MAX 256u /* values: a code has 8 bits */
/* Of all values. DuckDB may copy all of them for each vector, whichever the rows have. */
#define TEXT_CODES_BYTES_MAX ((size_t)8 << 10)
#define TEXT_CODES_ROWS_MIN  256u /* of a column that is worth it */
/* Rows there are at least for each value: what is kept is then less than the column. */
#define TEXT_CODES_ROWS_EACH 4u

#define TEXT_CODES_SLOTS (4 * TEXT_CODES_MAX)

struct text_codes {
    size_t count;
    size_t bytes;                        /* of all values */
    struct bytes values[TEXT_CODES_MAX]; /* borrowed from the column; of the null none */
    size_t null_count;                   /* 1: there is a null among them */
    size_t null;                         /* which of them it is */
    uint16_t slots[TEXT_CODES_SLOTS];    /* by hash: number of a value + 1 */
};

/* A column of texts or bytes, with so many rows that it is worth it. */
bool text_codes_may_be(const struct type *type, const struct arrow_read_node *node);
/* Of such a column. codes: room for its rows. false: its values are too many or too long, or one of them is
 * no UTF-8 although the type is of texts. */
MUST_USE bool text_codes_find(struct text_codes *t, const struct type *type,
                              const struct arrow_read_node *node, uint8_t *codes);

#endif
