/* What drops leave behind: assignments marked as dropped, until the directories of their buckets
 * are removed. The marks survive restarts, so a crash between drop and removal loses nothing. */
#include "catalog.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/diag.h"

static enum errcode scan(struct meta *m, const char *folder, bool partitions, struct arena *arena,
                         struct meta_deletion *list, size_t *count, struct error *e)
{
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
        if (a.dropped_database == NULL) {
            continue;
        }
        if (list != NULL) {
            list[*count] =
                (struct meta_deletion){.table_id = partitions ? a.table_id : id,
                                       .partition_id = partitions ? id : META_NO_PARTITION,
                                       .database = a.dropped_database,
                                       .table = a.dropped_table,
                                       .partition = a.dropped_partition};
        }
        (*count)++;
    }
    return ERR_OK;
}

enum errcode meta_pending_deletions(struct meta *m, struct arena *arena, struct meta_deletion **ret,
                                    size_t *ret_count, struct error *e)
{
    struct meta_deletion *list;
    size_t count = 0;

    TRY(scan(m, ZNODE_TABLE_ASSIGNMENTS, false, arena, NULL, &count, e));
    TRY(scan(m, ZNODE_PARTITION_ASSIGNMENTS, true, arena, NULL, &count, e));
    list = arena_array(arena, count, sizeof *list);
    count = 0;
    TRY(scan(m, ZNODE_TABLE_ASSIGNMENTS, false, arena, list, &count, e));
    TRY(scan(m, ZNODE_PARTITION_ASSIGNMENTS, true, arena, list, &count, e));
    *ret = list;
    *ret_count = count;
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
