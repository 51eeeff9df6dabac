/* Tables as the catalog has them, for fuzz targets. */
#ifndef TEST_FUZZ_CATALOG_TABLE_H
#define TEST_FUZZ_CATALOG_TABLE_H

#include "meta/catalog.h"

#define FUZZ_BUCKETS 3

static inline struct meta_partition *fuzz_partition(const char *name, int64_t table_id, int64_t id)
{
    static const int32_t epochs[FUZZ_BUCKETS];
    const struct znode_partition registration = {.table_id = table_id, .partition_id = id};
    const struct partition_source source = {.name = name,
                                            .registration = &registration,
                                            .key_count = 1,
                                            .leader_epochs = epochs,
                                            .bucket_count = FUZZ_BUCKETS};
    struct meta_partition *p = NULL;
    struct error e;

    ASSERT(load_partition(&source, &p, &e) == ERR_OK);
    return p;
}

/* A table of FUZZ_BUCKETS buckets, with the partitions "x" and "y" when it is partitioned. The reference
 * is the caller's. json: its descriptor. */
static inline struct meta_table *fuzz_catalog_table(const char *name, int64_t id, const char *json)
{
    static const int32_t epochs[FUZZ_BUCKETS];
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(table_descriptor_unrefp) struct table_descriptor *d = NULL;
    struct table_source source = {
        .database = "fluss", .name = name, .schema_count = 1, .bucket_count = FUZZ_BUCKETS};
    struct meta_table *table = NULL;
    struct znode_table registration;
    struct bytes schema;
    struct error e;

    ASSERT(table_descriptor_parse(bytes_str(json), &d, &e) == ERR_OK);
    registration = table_registration(d, id);
    schema = schema_document(d->def.schema, &arena);
    source.registration = &registration;
    source.schemas = &schema;
    source.leader_epochs = table_is_partitioned(d) ? NULL : epochs;
    ASSERT(load_table(&source, &table, &e) == ERR_OK);
    if (table->partitions != NULL) {
        struct meta_partition *added[] = {fuzz_partition("x", id, id * 10),
                                          fuzz_partition("y", id, id * 10 + 1)};
        const struct partitions_edit edit = {.added = added, .added_count = ARRAY_LEN(added)};
        struct meta_table *whole =
            view_table_with_partitions(table, view_partitions_new(NULL, &edit));

        (void)meta_table_unref(table);
        table = whole;
    }
    return table;
}

#endif
