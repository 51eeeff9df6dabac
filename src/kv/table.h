/* What the write path of a primary-key table knows about it: its schemas, formats and merge engine.
 * Immutable and reference-counted; a changed table gets a new one. Thread: any.
 */
#ifndef KV_TABLE_H
#define KV_TABLE_H

#include <stdatomic.h>

#include "format/row_cells.h"
#include "format/schema.h"
#include "format/table_options.h"

/* One schema of the table's history. */
struct kv_schema {
    int16_t id; /* >= 0 */
    struct schema *schema;
};

/* How a column is aggregated (merge engine AGGREGATION). */
struct kv_aggregation {
    enum agg_kind kind;
    struct bytes delimiter; /* of LISTAGG and STRING_AGG */
    bool declared_digits;   /* a decimal with more digits has no place in the changelog */
};

struct kv_table {
    enum row_layout layout;
    enum log_format log_format;
    enum arrow_codec arrow_codec;
    int32_t zstd_level;
    enum changelog_image image;
    enum merge_engine engine;
    enum delete_behavior delete_behavior; /* the engine's own when the table says nothing */
    uint32_t version_column;              /* of the engine VERSIONED */

    const struct schema *schema; /* the latest */
    int16_t schema_id;
    const struct row_plan *plan;               /* of the latest schema */
    const bool *is_key;                        /* per column of the latest schema */
    const struct kv_aggregation *aggregations; /* likewise; NULL but for AGGREGATION */
    const struct row_plan *const *plans;       /* by schema id; NULL: there is none */

    atomic_uint refs;
    struct kv_schema *schemas; /* references */
    size_t schema_count;
    struct arena arena;
};

/* One reference. schemas: at least one, by ascending id, each the one before with columns at its
 * end; references are taken. ERR_INVALID_TABLE when they are not, ERR_INVALID_CONFIG for a version
 * column that is none. */
MUST_USE enum errcode kv_table_new(const struct table_options *options,
                                   const struct kv_schema *schemas, size_t count,
                                   struct kv_table **ret, struct error *e);
struct kv_table *kv_table_ref(struct kv_table *table);
/* Returns NULL; accepts NULL. */
void *kv_table_unref(struct kv_table *table);
void kv_table_unrefp(struct kv_table **table); /* for OWNED */

/* The plan of rows of a schema; NULL: the table has no such schema. */
static inline const struct row_plan *kv_table_plan(const struct kv_table *table, int16_t schema_id)
{
    return schema_id < 0 || schema_id > table->schema_id ? NULL : table->plans[schema_id];
}

#endif
