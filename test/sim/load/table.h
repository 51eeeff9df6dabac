/* The tables of a simulation and their rows, to bytes of the protocol and back. What a row holds
 * follows from who wrote it, so that a reader can tell a row from what nobody wrote:
 *
 *   log table  writer BIGINT, number BIGINT, note STRING [, part STRING] [, x1 BIGINT ...]
 *   with keys  k BIGINT, [sub BIGINT,] a BIGINT, b BIGINT, c STRING [, x1 BIGINT ...]
 *
 * a, b and c are the values of history.h, c as a text with a tail that follows from the number. With
 * `sub` the key is k * TABLE_SUBS + sub, and k alone is the bucket key, for lookups by prefix.
 * Columns x... come by ALTER TABLE.
 */
#ifndef SIM_LOAD_TABLE_H
#define SIM_LOAD_TABLE_H

#include "prng.h"

#include "check/history.h"
#include "format/arrow_rows.h"
#include "format/key.h"
#include "format/kv_batch.h"

#define TABLE_SCHEMAS_MAX    6
#define TABLE_SUBS           4
#define TABLE_PARTITIONS_MAX 3

struct table_partition {
    const char *name;
    const char *full_name; /* "db.table/p0", as in the history */
    int64_t id;            /* -1: it does not exist, as far as is known */
    int64_t doomed;        /* an id that a DROP named: it may go at any time */
};

struct table {
    const char *database;
    const char *name;
    const char *full_name; /* "db.table" */
    enum engine engine;
    bool prefixed;
    int32_t bucket_count;
    int64_t keys; /* 0 .. keys-1 are used */
    struct table_partition partitions[TABLE_PARTITIONS_MAX];
    size_t partition_count; /* 0: not partitioned */
    struct bytes json;      /* the descriptor */
    struct table_descriptor *descriptor;
    struct table_options options;
    struct key_format primary;
    struct key_format bucket;
    struct schema *schemas[TABLE_SCHEMAS_MAX]; /* by schema id - 1 */
    struct schema *narrow;                     /* of a projection: writer, number, note */
    struct codec *codec;
    struct arrow_rows *rows[TABLE_SCHEMAS_MAX];
    struct kv_batch_writer kv_writer;
    int64_t id;             /* -1: not known yet */
    int32_t schema_id;      /* the highest that is known */
    struct bytes described; /* the description that a server gave last, in the arena */
    int64_t described_columns;
    struct arena arena;
};

/* A table of that number, its properties drawn. */
struct table *table_new(struct prng *prng, unsigned number);
void table_free(struct table *t);

static inline bool table_keyed(const struct table *t) { return t->engine != ENGINE_LOG; }

/* The column that ALTER TABLE adds as number `index`, from 1 on. */
const char *table_column(const struct table *t, int32_t index, struct arena *arena);

/* ---- writing; the bytes are in the arena ---- */

struct table_writer {
    int64_t id;       /* as the server gave it, or BATCH_NO_WRITER_ID */
    int32_t sequence; /* or BATCH_NO_BATCH_SEQUENCE */
};

struct table_run {
    int64_t writer;
    int64_t first;
    int32_t count;
    const char *partition; /* NULL: none */
};

struct bytes table_log_batch(struct table *t, const struct table_run *run,
                             struct table_writer writer, struct arena *arena);

struct table_put {
    int64_t key;
    bool remove;
    struct values values;
};

struct bytes table_kv_batch(struct table *t, const struct table_put *puts, size_t count,
                            struct table_writer writer, struct arena *arena);
/* Positions of the columns of a partial update, the key's included; mask as in struct op. */
size_t table_targets(const struct table *t, uint8_t mask, int32_t ret[static 2 + HISTORY_VALUES]);

struct bytes table_key(const struct table *t, int64_t key, struct arena *arena);
struct bytes table_prefix(const struct table *t, int64_t k, struct arena *arena);
int32_t table_bucket_of(const struct table *t, int64_t key);

/* ---- reading ---- */

/* All whole batches, narrow or with all columns. Rows that cannot be read are damaged ones. */
struct rows {
    struct row *items;
    size_t count;
    size_t cap;
};

void table_read_log(struct table *t, struct bytes batches, bool narrow, struct arena *arena,
                    struct rows *ret);
/* A value of a primary-key table: false: it is no row of it. */
bool table_read_value(struct table *t, struct bytes value, int64_t *ret_key, struct values *ret);

#endif
