/* Inside sql/: prepared statements and their results. See sql.h. */
#ifndef SQL_STATEMENT_H
#define SQL_STATEMENT_H

#include "copy.h"
#include "ddl.h"
#include "dml.h"
#include "predicate.h"
#include "session.h"
#include "spool.h"
#include "tail.h"
#include "value.h"

struct point;
struct point_value; /* point.h */

struct named_table {
    const struct meta_table *table; /* a reference */
    bool current;
};

enum statement_kind {
    STATEMENT_QUERY,
    STATEMENT_DDL,
    STATEMENT_DML,
    STATEMENT_COPY_FROM,
    STATEMENT_COPY_TO,
};

struct sql_statement {
    struct sql_session *session;
    struct arena arena;
    enum statement_kind kind;
    struct ddl ddl;         /* STATEMENT_DDL */
    struct dml dml;         /* STATEMENT_DML, _COPY_FROM: where the rows go that it gives */
    struct copy copy;       /* STATEMENT_COPY_FROM, _TO; its dml is the one above */
    uint64_t written;       /* rows, by the last execution */
    uint64_t shown_version; /* of the catalog that a SHOW has been made from; 0: it is none */
    const char *source;     /* of STATEMENT_DML, _COPY_FROM: as the client has it */
    void *prepared;         /* NULL: nothing is asked of DuckDB */
    const char *text;       /* as DuckDB has it */
    bool explain;
    size_t parameter_count;
    uint32_t *parameters; /* object ids */
    size_t column_count;
    size_t first_column; /* that clients see: of STATEMENT_DML behind those that are written */
    const char **names;
    struct sql_type *types;
    struct named_table *tables; /* heap: what it reads */
    size_t table_count;
    struct tail *tail;            /* in the arena; NULL: it has an end */
    struct predicates predicates; /* of the text */
    struct point *point;          /* it may be answered by a lookup; NULL: it may not */
};

struct sql_result {
    struct sql_statement *statement;
    void *pending;
    struct duck_result result;
    bool open; /* result is to be destroyed */
    void *chunk;
    bool borrowed; /* the chunk is not to be destroyed */
    const struct point_value
        *values;    /* of a lookup, in the place of the chunk; NULL: there is one */
    bool explained; /* of EXPLAIN: what was pushed has been told, too */
    size_t rows;    /* of an answer by lookup, still to be given */
    void **kept;    /* chunks, for RETURNING; given when it replays */
    size_t kept_count;
    size_t kept_at;
    size_t kept_bytes;
    bool replays;
    struct tail_run *tail; /* of a TAIL */
    struct spool file;     /* of COPY TO in Parquet, instead of rows: it is given in pieces */
    uint64_t file_at;
    struct buffer piece;
};

/* Its rows become one file. */
bool statement_is_file(const struct sql_statement *st);
/* The table that rows go to is still as it was, or the statement is made anew. */
MUST_USE bool statement_check_table(struct sql_statement *st, struct sql_error *e);
/* Runs the query of a statement without parameters, whatever its rows are for. */
MUST_USE bool statement_rows(struct sql_statement *st, struct sql_result **ret,
                             struct sql_error *e);

#endif
