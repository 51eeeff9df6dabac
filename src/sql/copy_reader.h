/* Inside sql/: the rows of COPY ... FROM as texts, from the bytes in which they come, cut anywhere.
 *
 *   text  fields between delimiters, one row per line; \b \f \n \r \t \v, \ooo and \xhh stand for bytes,
 *         any other byte behind a backslash for itself
 *   csv   fields between delimiters, maybe in quotes, where a quote is doubled or escaped
 *
 *   binary  see copy_binary.h
 *
 * A field that is the null text, and was not in quotes, is null; a line with nothing but \. ends the
 * data. Lines end with \n, \r\n or \r. Thread: any.
 */
#ifndef SQL_COPY_READER_H
#define SQL_COPY_READER_H

#include "copy.h"

#define COPY_ROWS_MAX  ((size_t)2048) /* what a vector of DuckDB holds */
#define COPY_CELLS_MAX ((size_t)65536)
#define COPY_BYTES_MAX ((size_t)4 << 20)
#define COPY_FIELD_MAX ((size_t)64 << 20)

struct copy_cell {
    bool null;
    struct bytes text;
};

enum copy_state {
    COPY_PLAIN,
    COPY_BACKSLASH,    /* text: the next byte has no meaning */
    COPY_RETURN,       /* a \r was last */
    COPY_QUOTED,       /* csv */
    COPY_ESCAPED,      /* csv: behind an escape in quotes */
    COPY_QUOTE_BEHIND, /* csv: behind a quote in quotes */
    COPY_BINARY_MORE,  /* binary, this and the following: what is next */
    COPY_BINARY_COUNT,
    COPY_BINARY_LEN,
    COPY_BINARY_VALUE,
};

struct copy_reader {
    const struct copy_format *format;
    size_t columns; /* at least 1 */
    size_t rows_max;
    enum copy_state state;
    struct buffer field;     /* the one under way, as it came but for its quotes */
    bool quoted;             /* it had some */
    const uint32_t *oids;    /* binary: types by column; borrowed, set by the owner */
    size_t need;             /* binary: bytes that what is next has */
    size_t at;               /* its number in the row */
    uint64_t line;           /* of the row under way, from 1; binary: its number */
    uint64_t first_line;     /* of the rows that are there */
    bool ended;              /* by \. or its binary counterpart */
    bool header;             /* the row under way is one */
    struct arena arena;      /* of the rows that are there */
    struct copy_cell *cells; /* by row, then column */
    size_t rows;
};

void copy_reader_init(struct copy_reader *r, const struct copy_format *format, size_t columns);
void copy_reader_fini(struct copy_reader *r);
/* Takes bytes off the front until they are all taken or there are enough rows. 22P04, 22021. */
MUST_USE bool copy_reader_feed(struct copy_reader *r, struct bytes *in, struct sql_error *e);
/* Nothing more comes. */
MUST_USE bool copy_reader_end(struct copy_reader *r, struct sql_error *e);
bool copy_reader_full(const struct copy_reader *r);
/* Drops the rows that are there. */
void copy_reader_clear(struct copy_reader *r);

#endif
