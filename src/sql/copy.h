/* Inside sql/: COPY, as it is read.
 *
 *   COPY t [(a, ...)] FROM STDIN [[WITH] options]
 *   COPY t [(a, ...)] | (query) TO STDOUT [[WITH] options]
 *
 * options: (FORMAT text | csv | binary | parquet, DELIMITER 'c', NULL 's', HEADER [bool], QUOTE 'c', ESCAPE 'c',
 * ENCODING 'utf8'), or as in older versions CSV, HEADER, DELIMITER [AS] 'c' and so on without brackets.
 * Rows that come in are texts: DuckDB casts them to the types of the columns (copy_in.h). A file of
 * Parquet is for DuckDB as a whole (parquet.h).
 */
#ifndef SQL_COPY_H
#define SQL_COPY_H

#include "dml.h"

enum copy_kind { COPY_KIND_TEXT, COPY_KIND_CSV, COPY_KIND_BINARY, COPY_KIND_PARQUET };

struct copy_format {
    enum copy_kind kind;
    bool header;
    char delimiter;
    char quote;
    char escape;
    const char *null;
};

struct copy {
    bool from;
    struct copy_format format;
    struct dml dml;    /* FROM: where the rows go */
    bool all_columns;  /* FROM: it names none */
    const char *query; /* TO: what gives them; FROM: what casts texts; NULL: there are none */
};

bool copy_is(struct bytes statement);
/* Texts lie in the arena. After an error, too, dml_fini of its dml. */
MUST_USE bool copy_parse(struct bytes statement, struct sql_session *s, struct arena *arena,
                         struct copy *ret, struct sql_error *e);

#endif
