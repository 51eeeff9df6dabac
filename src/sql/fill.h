/* Table columns for DuckDB: which of its types stand for ours, and Arrow columns copied into its
 * vectors.
 *
 *   CHAR STRING       VARCHAR             BINARY BYTES      BLOB
 *   TINYINT .. BIGINT, FLOAT, DOUBLE, BOOLEAN, DATE, DECIMAL(p,s)   the same
 *   TIME(p)           TIME                TIMESTAMP(p)      TIMESTAMP, of p > 6 TIMESTAMP_NS
 *   TIMESTAMP_LTZ(p)  TIMESTAMP WITH TIME ZONE, microseconds
 *   ARRAY, MAP, ROW   LIST, MAP, STRUCT
 *
 * Nothing in a vector points into the Arrow buffers afterwards, unless that is asked for: texts may
 * then be borrowed until the next rows are. DuckDB needs no more: before it asks a scan for rows, it
 * resets the chunk for them, and writes into the same vectors again, so what is to stay of the last ones
 * (states of aggregates, hash tables, sorted runs, materialised and streamed results, chunks that operators
 * gather) has been copied by then, texts included. Chunks that an operator has not done with are taken
 * up again before that. Recursion is over nested types, whose depth is limited where types are made.
 * Thread: any.
 */
#ifndef SQL_FILL_H
#define SQL_FILL_H

#include "duckdb.h"

#include "base/arena.h"
#include "format/arrow_read.h"
#include "format/type.h"

/* To be destroyed by the caller. */
void *fill_type(const struct duckdb *d, const struct type *type);

struct fill {
    const struct duckdb *duckdb;
    void *vector;
    size_t at; /* first row of the vector to write */
    size_t count;
    bool borrow; /* long texts may point into the node, which outlives the vector's use */
    bool whole;  /* the vector has and gets no other rows */
};

/* A column of a batch. */
struct fill_column {
    const struct arrow_read_node *node; /* NULL: the batch has it not yet */
    const uint8_t *codes; /* row i has value codes[i] of the node (text_codes.h); NULL: value i */
};

/* Rows [from, from + count) of a column of the type; of one that is not there nulls. Where it has codes, a
 * vector that is filled as a whole becomes a dictionary. Errors as of fill_values. */
MUST_USE enum errcode fill_from(const struct fill *f, const struct type *type,
                                const struct fill_column *column, size_t from, struct error *e);

/* Values [from, from + count) of the node, which is of the type. ERR_INVALID_ARGUMENT: a value that
 * DuckDB's type does not hold, or text that is not UTF-8. */
MUST_USE enum errcode fill_values(const struct fill *f, const struct type *type,
                                  const struct arrow_read_node *node, size_t from, struct error *e);
/* Ends what vectors borrow from the arena. With costly assertions on, all of its memory goes back to the
 * heap, so that using it afterwards shows. */
void fill_forget(struct arena *lent);
void fill_nulls(const struct fill *f, const struct type *type);
void fill_text(const struct fill *f, const char *text);

/* ---- single values ---- */

/* A TIME or TIMESTAMP in the unit of its Arrow column as DuckDB has it; false: it does not hold it. */
MUST_USE bool fill_time(const struct type *type, int64_t arrow, int64_t *ret);
/* In the width that DuckDB has for the type, of at most 16 bytes; false: it is beyond that. */
MUST_USE bool fill_decimal(const struct type *type, __int128 value, void *to);
/* Long ones are borrowed. */
struct duck_string fill_string(struct bytes value);

#endif
