/* Numbers of auto-increment columns: a counter per column, the last number given (catalog.h). */
#include "catalog.h"

#include <inttypes.h>

enum errcode ids_allocate(struct meta *m, struct meta_allocate_ids *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct meta_table *t = meta_view_table_by_id(m->view, job->table_id);
    struct store_node node = {0};
    struct store_batch batch;
    const char *path;
    int64_t last = 0;
    int64_t next;
    bool exists = false;

    ASSERT(job->count > 0);
    if (t == NULL) {
        return error_set(e, ERR_TABLE_NOT_EXIST, "table %" PRId64 " does not exist", job->table_id);
    }
    path = znode_auto_increment_path(&arena, t->database, t->name, job->column_id);
    TRY(store_get(m->store, path, &arena, &node, &exists, e));
    if (exists) {
        TRY(znode_counter_decode(node.data, path, &last, e));
    }
    if (__builtin_add_overflow(last, job->count, &next)) {
        return error_set(e, ERR_UNKNOWN_SERVER_ERROR,
                         "the auto-increment column of table %s.%s has no numbers left",
                         t->database, t->name);
    }
    store_batch_init(&batch, &arena);
    if (exists) {
        store_batch_set(&batch, path, znode_counter_encode(next, &arena));
    } else {
        store_batch_create(&batch, path, znode_counter_encode(next, &arena));
    }
    TRY(store_batch_commit(m->store, &batch, e));
    job->first = last + 1;
    return ERR_OK;
}
