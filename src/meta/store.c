/* Transactions collected operation by operation (store.h). */
#include "store.h"

static struct store_op *batch_add(struct store_batch *b)
{
    if (b->count == b->cap) {
        size_t cap = b->cap == 0 ? 16 : b->cap * 2;
        struct store_op *ops = arena_array(b->arena, cap, sizeof *ops);

        if (b->count > 0) {
            memcpy(ops, b->ops, b->count * sizeof *ops);
        }
        b->ops = ops;
        b->cap = cap;
    }
    return &b->ops[b->count++];
}

void store_batch_init(struct store_batch *b, struct arena *arena)
{
    *b = (struct store_batch){.arena = arena};
}

void store_batch_create(struct store_batch *b, const char *path, struct bytes data)
{
    *batch_add(b) = (struct store_op){.kind = STORE_CREATE, .path = path, .data = data};
}

void store_batch_set(struct store_batch *b, const char *path, struct bytes data)
{
    *batch_add(b) = (struct store_op){
        .kind = STORE_SET, .version = STORE_VERSION_ANY, .path = path, .data = data};
}

void store_batch_delete_tree(struct store_batch *b, const char *path)
{
    *batch_add(b) = (struct store_op){
        .kind = STORE_DELETE, .recursive = true, .version = STORE_VERSION_ANY, .path = path};
}

enum errcode store_batch_commit(struct store *s, const struct store_batch *b, struct error *e)
{
    return store_multi(s, b->ops, b->count, e);
}
