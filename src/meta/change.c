/* How a change is made: collected, stored, put in force, published (catalog.h). */
#include "catalog.h"

#include "base/utf8.h"

void change_begin(struct meta *m, struct change *c)
{
    *c = (struct change){.meta = m,
                         .view = view_edit(m->view),
                         .table_id_next = m->table_id_next,
                         .partition_id_next = m->partition_id_next};
    store_batch_init(&c->batch, &c->arena);
}

void change_fini(struct change *c)
{
    c->view = meta_view_unref(c->view);
    arena_fini(&c->arena);
}

static void change_counter(struct change *c, const char *path, int64_t before, int64_t next)
{
    if (next != before) {
        store_batch_set(&c->batch, path, znode_counter_encode(next, &c->arena));
    }
}

enum errcode change_commit(struct change *c, struct error *e)
{
    struct meta *m = c->meta;
    const struct meta_listener *listener = &m->options.listener;

    change_counter(c, ZNODE_TABLE_COUNTER, m->table_id_next, c->table_id_next);
    change_counter(c, ZNODE_PARTITION_COUNTER, m->partition_id_next, c->partition_id_next);
    TRY(store_batch_commit(m->store, &c->batch, e));
    m->table_id_next = c->table_id_next;
    m->partition_id_next = c->partition_id_next;
    (void)meta_view_unref(m->view);
    m->view = TAKE(c->view);
    if (listener->published != NULL) {
        listener->published(m->view, listener->context);
    }
    for (size_t i = 0; listener->dropped != NULL && i < c->dropped_count; i++) {
        listener->dropped(&c->dropped[i], listener->context);
    }
    if (c->dropped_count > 0) {
        leases_sweep(m);
    }
    return ERR_OK;
}

int64_t change_table_id(struct change *c) { return c->table_id_next++; }

int64_t change_partition_id(struct change *c) { return c->partition_id_next++; }

static const char *copy(const char *text, struct arena *arena)
{
    return text == NULL ? NULL : arena_strndup(arena, text, strlen(text));
}

/* The view that the texts come from is gone when the deletion is reported. */
static struct meta_deletion deletion_copy(const struct meta_deletion *d, struct arena *arena)
{
    return (struct meta_deletion){.table_id = d->table_id,
                                  .partition_id = d->partition_id,
                                  .database = copy(d->database, arena),
                                  .table = copy(d->table, arena),
                                  .partition = copy(d->partition, arena)};
}

void change_drop_assignment(struct change *c, const struct meta_deletion *d, bool create)
{
    bool partition = d->partition_id != META_NO_PARTITION;
    struct znode_assignment a = {.table_id = partition ? d->table_id : -1,
                                 .dropped_database = d->database,
                                 .dropped_table = d->table,
                                 .dropped_partition = d->partition};
    char *path = znode_assignment_path(&c->arena, d->table_id, d->partition_id);
    struct bytes document = znode_assignment_encode(&a, &c->arena);

    if (c->dropped_count == c->dropped_cap) {
        size_t cap = c->dropped_cap == 0 ? 8 : c->dropped_cap * 2;
        struct meta_deletion *list = arena_array(&c->arena, cap, sizeof *list);

        if (c->dropped_count > 0) {
            memcpy(list, c->dropped, c->dropped_count * sizeof *list);
        }
        c->dropped = list;
        c->dropped_cap = cap;
    }
    c->dropped[c->dropped_count++] = deletion_copy(d, &c->arena);
    if (!create) {
        store_batch_delete_tree(&c->batch, path); /* with the buckets' documents */
    }
    store_batch_create(&c->batch, path, document);
}

void change_assign_buckets(struct change *c, int64_t table_id, int64_t partition_id,
                           int32_t bucket_count)
{
    bool partition = partition_id != META_NO_PARTITION;
    struct znode_assignment a = {.table_id = partition ? table_id : -1,
                                 .bucket_count = bucket_count,
                                 .server_id = c->meta->options.server_id};
    struct znode_leader leader = {.leader = c->meta->options.server_id,
                                  .coordinator_epoch = c->meta->view->coordinator_epoch};
    struct bytes document = znode_leader_encode(&leader, &c->arena);

    store_batch_create(&c->batch, znode_assignment_path(&c->arena, table_id, partition_id),
                       znode_assignment_encode(&a, &c->arena));
    for (int32_t b = 0; b < bucket_count; b++) {
        store_batch_create(&c->batch, znode_leader_path(&c->arena, table_id, partition_id, b),
                           document);
    }
}

/* ---- what clients send ---- */

enum errcode text_take(struct bytes from, const char *what, enum errcode code, struct arena *arena,
                       const char **ret, struct error *e)
{
    if (!utf8_valid(from) || (from.len > 0 && memchr(from.data, '\0', from.len) != NULL)) {
        return error_set(e, code, "%s is not a text in UTF-8", what);
    }
    *ret = arena_strndup(arena, from.data, from.len);
    return ERR_OK;
}

enum errcode changes_check(const struct meta_change *changes, size_t count, struct error *e)
{
    static const char *const names[] = {[META_SET] = "SET",
                                        [META_DELETE] = "DELETE",
                                        [META_APPEND] = "APPEND",
                                        [META_SUBTRACT] = "SUBTRACT"};

    for (size_t i = 0; i < count; i++) {
        if (changes[i].op == META_APPEND || changes[i].op == META_SUBTRACT) {
            return error_set(e, ERR_INVALID_ARGUMENT,
                             "%s is not possible on properties, only SET and DELETE",
                             names[changes[i].op]);
        }
        if (changes[i].op != META_SET && changes[i].op != META_DELETE) {
            return error_set(e, ERR_INVALID_ARGUMENT, "property operation %d is unknown",
                             (int)changes[i].op);
        }
    }
    return ERR_OK;
}
