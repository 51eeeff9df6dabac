/* What drops leave behind: assignments marked as dropped, until the directories of their buckets
 * are removed. The marks survive restarts, so a crash between drop and removal loses nothing. */
#include "catalog.h"

#include <stdlib.h>

/* Collected in two passes: counting first, with list NULL. */
struct found {
    struct meta_deletion *list;
    size_t count;
};

static void found_add(struct found *f, const struct znode_assignment *a, int64_t table_id,
                      int64_t partition_id)
{
    if (f->list != NULL) {
        f->list[f->count] = (struct meta_deletion){.table_id = table_id,
                                                   .partition_id = partition_id,
                                                   .database = a->dropped_database,
                                                   .table = a->dropped_table,
                                                   .partition = a->dropped_partition};
    }
    f->count++;
}

static enum errcode scan(struct meta *m, const char *folder, struct arena *arena, struct found *f,
                         struct error *e)
{
    bool partitions = strcmp(folder, ZNODE_PARTITION_ASSIGNMENTS) == 0;
    struct store_names names = {0};

    TRY(store_children(m->store, folder, arena, &names, e));
    for (size_t i = 0; i < names.count; i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, names.names[i]);
        int64_t id = strtoll(names.names[i], NULL, 10);
        struct znode_assignment a = {0};
        struct store_node node = {0};
        bool exists = false;

        TRY(store_get(m->store, path, arena, &node, &exists, e));
        if (node.data.len == 0) {
            continue; /* only a parent of other documents */
        }
        TRY(znode_assignment_decode(node.data, path, arena, &a, e));
        if (a.dropped_database != NULL) {
            found_add(f, &a, partitions ? a.table_id : id, partitions ? id : META_NO_PARTITION);
        }
    }
    return ERR_OK;
}

enum errcode meta_pending_deletions(struct meta *m, struct arena *arena, struct meta_deletion **ret,
                                    size_t *ret_count, struct error *e)
{
    struct found f = {0};

    TRY(scan(m, ZNODE_TABLE_ASSIGNMENTS, arena, &f, e));
    TRY(scan(m, ZNODE_PARTITION_ASSIGNMENTS, arena, &f, e));
    f.list = arena_array(arena, f.count, sizeof *f.list);
    f.count = 0;
    TRY(scan(m, ZNODE_TABLE_ASSIGNMENTS, arena, &f, e));
    TRY(scan(m, ZNODE_PARTITION_ASSIGNMENTS, arena, &f, e));
    *ret = f.list;
    *ret_count = f.count;
    return ERR_OK;
}

enum errcode deletion_done(struct meta *m, int64_t table_id, int64_t partition_id, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = znode_assignment_path(&arena, table_id, partition_id);
    struct znode_assignment a = {0};
    struct store_node node = {0};
    struct store_batch batch;
    bool exists = false;

    TRY(store_get(m->store, path, &arena, &node, &exists, e));
    if (!exists) {
        return ERR_OK; /* reported twice */
    }
    TRY(znode_assignment_decode(node.data, path, &arena, &a, e));
    if (a.dropped_database == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s is not being deleted", path);
    }
    store_batch_init(&batch, &arena);
    store_batch_delete_tree(&batch, path);
    return store_batch_commit(m->store, &batch, e);
}
