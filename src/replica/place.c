/* Where a bucket lives and what its table asks of it: see bucket.h. Source of the layout: FlussPaths
 * of Apache Fluss. */
#include "bucket.h"

#include <stdio.h>

#define DIR_MAX 4096

static const struct meta_buckets *place_buckets(const struct meta_view *view,
                                                const struct bucket_id *id,
                                                const struct meta_table **ret_table,
                                                const struct meta_partition **ret_partition)
{
    const struct meta_table *table = meta_view_table_by_id(view, id->table_id);
    const struct meta_partition *partition = NULL;

    if (table == NULL || meta_table_partitioned(table) != (id->partition_id >= 0)) {
        return NULL;
    }
    if (id->partition_id >= 0) {
        partition = meta_table_partition_by_id(table, id->partition_id);
        if (partition == NULL) {
            return NULL;
        }
    }
    *ret_table = table;
    *ret_partition = partition;
    return partition != NULL ? &partition->buckets : &table->buckets;
}

const struct meta_table *place_table(const struct meta_view *view, const struct bucket_id *id)
{
    const struct meta_table *table;
    const struct meta_partition *partition;
    const struct meta_buckets *buckets = place_buckets(view, id, &table, &partition);

    return buckets != NULL && id->bucket >= 0 && id->bucket < buckets->count ? table : NULL;
}

static char *place_in(const struct meta_view *view, const char *root, const struct bucket_id *id,
                      const char *leaf)
{
    char path[DIR_MAX];
    const struct meta_table *table;
    const struct meta_partition *partition;

    if (place_buckets(view, id, &table, &partition) == NULL) {
        return NULL;
    }
    if (partition == NULL) {
        (void)snprintf(path, sizeof path, "%s/%s/%s-%lld/%s%d", root, table->database, table->name,
                       (long long)table->id, leaf, id->bucket);
    } else {
        (void)snprintf(path, sizeof path, "%s/%s/%s-%lld/%s-p%lld/%s%d", root, table->database,
                       table->name, (long long)table->id, partition->name, (long long)partition->id,
                       leaf, id->bucket);
    }
    return mem_strdup(path);
}

char *place_dir(const struct meta_view *view, const char *data_dir, const struct bucket_id *id)
{
    return place_in(view, data_dir, id, "log-");
}

char *place_kv_dir(const struct meta_view *view, const char *data_dir, const struct bucket_id *id)
{
    return place_in(view, data_dir, id, "kv-");
}
