/* A view: everything the catalog knows at one moment, immutable, shared by all shards.
 *
 * Every committed change makes a new view that shares unchanged entries with the one before. What
 * is found in a view lives as long as a reference to the view, or to the table itself, is held.
 * Names are in byte order. Thread: any.
 */
#ifndef META_VIEW_H
#define META_VIEW_H

#include <stdatomic.h>

#include "format/table_descriptor.h"
#include "format/table_options.h"

struct meta_database {
    const char *name;
    const char *comment; /* NULL: none */
    struct text_map properties;
    int64_t created_ms;
    int64_t modified_ms;

    atomic_uint refs; /* private */
    struct arena arena;
};

/* The buckets of a table or partition; this server leads all of them. */
struct meta_buckets {
    int32_t count;
    const int32_t *leader_epochs; /* per bucket; each start of the server raises them by one */
};

struct meta_partition {
    int64_t id;
    int64_t table_id;
    const char *name;            /* the values joined by '$' */
    struct text_list values;     /* in the order of the table's partition keys */
    const char *remote_data_dir; /* NULL: none */
    struct meta_buckets buckets;

    atomic_uint refs; /* private */
    struct arena arena;
};

struct meta_partitions {
    const struct meta_partition **by_name;
    const struct meta_partition **by_id; /* ascending */
    size_t count;

    atomic_uint refs; /* private */
};

struct meta_schema {
    int32_t id;
    const struct schema *schema;
    struct bytes json; /* as clients read it */
};

struct meta_table_body; /* what tables with other partitions but the same definition share */

struct meta_table {
    int64_t id;
    const char *database;
    const char *name;
    const struct table_descriptor *descriptor; /* with the latest schema and all defaults */
    const struct table_options *options;       /* its properties as values */
    struct bytes json;                         /* the descriptor as clients read it */
    const struct meta_schema *schemas;         /* ascending ids; the last one is in force */
    size_t schema_count;
    int64_t created_ms;
    int64_t modified_ms;
    const char *remote_data_dir;              /* NULL: none */
    struct meta_buckets buckets;              /* count 0 for a partitioned table */
    const struct meta_partitions *partitions; /* NULL: not partitioned */

    struct meta_table_body *body; /* private */
    atomic_uint refs;
};

struct meta_view {
    uint64_t version;                       /* rises with every view */
    int32_t coordinator_epoch;              /* rises with every start */
    const struct meta_database **databases; /* in name order */
    size_t database_count;
    const struct meta_table **tables; /* by database, then name */
    const struct meta_table **by_id;  /* the same tables, ascending ids */
    size_t table_count;

    atomic_uint refs; /* private */
};

struct meta_view *meta_view_ref(struct meta_view *v);
/* Returns NULL; accepts NULL. */
void *meta_view_unref(struct meta_view *v);
void meta_view_unrefp(struct meta_view **v); /* for OWNED */

/* A table may be kept beyond its view. */
const struct meta_table *meta_table_ref(const struct meta_table *t);
const void *meta_table_unref(const struct meta_table *t);

/* All of these give NULL when there is none. */
const struct meta_database *meta_view_database(const struct meta_view *v, struct bytes name);
const struct meta_table *meta_view_table(const struct meta_view *v, struct bytes database,
                                         struct bytes name);
const struct meta_table *meta_view_table_by_id(const struct meta_view *v, int64_t id);
/* Partition ids are unique in the cluster; the table is for the caller, may be NULL. */
const struct meta_partition *meta_view_partition(const struct meta_view *v, int64_t id,
                                                 const struct meta_table **ret_table);

struct meta_tables {
    const struct meta_table **items; /* in name order */
    size_t count;
};
struct meta_tables meta_view_tables_of(const struct meta_view *v, struct bytes database);

const struct meta_partition *meta_table_partition(const struct meta_table *t, struct bytes name);
const struct meta_partition *meta_table_partition_by_id(const struct meta_table *t, int64_t id);
const struct meta_schema *meta_table_schema(const struct meta_table *t, int32_t schema_id);
/* The schema in force. */
static inline const struct meta_schema *meta_table_latest(const struct meta_table *t)
{
    return &t->schemas[t->schema_count - 1];
}
static inline bool meta_table_partitioned(const struct meta_table *t)
{
    return t->partitions != NULL;
}

#endif
