/* Merge engines: what becomes of the row under a key when a row, or a delete, arrives. Pure.
 *
 *   none         the new row. With target columns: those from the new row, the others from the old
 *                one; a delete sets the targets to null, and removes the row once nothing but
 *                targets had a value
 *   FIRST_ROW    the old row if there is one
 *   VERSIONED    the new row unless its version column is smaller; null is the smallest version
 *   AGGREGATION  per column what its function makes of both (aggregate.h), for the target columns if
 *                there are any; the first row is taken as it is
 * Merge mode OVERWRITE is the engine "none" with deletes allowed, whatever the table has.
 * Rows keep the schema they were written with until they are merged; then they have the latest.
 * Source: RowMerger and its implementations, PartialUpdater of Apache Fluss. Thread: owner.
 */
#ifndef KV_MERGE_H
#define KV_MERGE_H

#include "table.h"

enum kv_merge_mode { KV_MERGE_DEFAULT, KV_MERGE_OVERWRITE };

/* A row and its cells: as many as the plan has columns. */
struct kv_row {
    const struct row_plan *plan;
    struct bytes bytes;
    struct row_cell *cells;
    int16_t schema_id;
};

enum merge_outcome {
    MERGE_KEEP,   /* the old row stays, nothing has happened */
    MERGE_TAKE,   /* the new row as it is */
    MERGE_BUILD,  /* a new row: its cells are in the merger */
    MERGE_REMOVE, /* the key has no row any more */
};

/* The engine as one request needs it. */
struct merger {
    const struct kv_table *table;
    enum merge_engine engine;
    enum delete_behavior delete_behavior;
    const bool *targets;    /* per column of the latest schema; NULL: all columns */
    bool keys_only;         /* the targets are the primary key */
    struct row_cell *cells; /* of a row that was built, of the latest schema */
    struct arena *arena;    /* where cells get values that are in neither row */
};

struct merge_request {
    enum kv_merge_mode mode;
    const int32_t *target_columns; /* positions in the latest schema */
    size_t target_count;           /* 0: all columns */
};

/* Memory comes from the arena, which serves one request. ERR_INVALID_TARGET_COLUMN: targets without
 * a primary key column, beyond the columns, or of a table with a NOT NULL column besides the key;
 * ERR_UNSUPPORTED_OPERATION: targets for an engine that has no partial update. */
MUST_USE enum errcode merger_init(struct merger *m, const struct kv_table *table,
                                  const struct merge_request *request, struct arena *arena,
                                  struct error *e);

/* Whether the outcome of an upsert depends on the old row at all. */
bool merger_needs_old(const struct merger *m);

/* A row arrives. old NULL: there is none. With MERGE_BUILD m->cells borrow from both rows and the
 * arena. ERR_CORRUPT_RECORD for a bitmap that is none, ERR_RECORD_TOO_LARGE for a text that gets
 * too long. */
MUST_USE enum errcode merger_upsert(struct merger *m, const struct kv_row *old,
                                    const struct kv_row *new, enum merge_outcome *ret,
                                    struct error *e);
/* A delete arrives for an existing row, of a table that allows it. MERGE_REMOVE or MERGE_BUILD. */
enum merge_outcome merger_delete(struct merger *m, const struct kv_row *old);

#endif
