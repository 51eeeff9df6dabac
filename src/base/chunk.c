#include "chunk.h"

#include <stdlib.h>

bool budget_take(struct budget *b, size_t size)
{
    size_t used = atomic_load_explicit(&b->used, memory_order_relaxed);

    if (used != 0 && (used >= b->limit || size > b->limit - used)) {
        return false;
    }
    atomic_fetch_add_explicit(&b->used, size, memory_order_relaxed);
    return true;
}

void budget_overdraw(struct budget *b, size_t size)
{
    atomic_fetch_add_explicit(&b->used, size, memory_order_relaxed);
}

void budget_give(struct budget *b, size_t size)
{
    size_t before = atomic_fetch_sub_explicit(&b->used, size, memory_order_relaxed);

    ASSERT(before >= size);
}

bool budget_full(struct budget *b)
{
    return atomic_load_explicit(&b->used, memory_order_relaxed) >= b->limit;
}

struct chunk *chunk_new(size_t len)
{
    struct chunk *c = mem_alloc(sizeof *c + len);

    atomic_init(&c->refs, 1);
    c->budget = NULL;
    c->charged = 0;
    c->len = len;
    return c;
}

static void chunk_note_charge(struct chunk *c, struct budget *b, size_t size)
{
    ASSERT(c->budget == NULL || c->budget == b);
    ASSERT(size <= c->len - c->charged);
    c->budget = b;
    c->charged += size;
}

bool chunk_charge(struct chunk *c, struct budget *b, size_t size)
{
    if (!budget_take(b, size)) {
        return false;
    }
    chunk_note_charge(c, b, size);
    return true;
}

void chunk_overdraw(struct chunk *c, struct budget *b, size_t size)
{
    budget_overdraw(b, size);
    chunk_note_charge(c, b, size);
}

struct chunk *chunk_ref(struct chunk *c)
{
    unsigned before = atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);

    ASSERT(before > 0);
    return c;
}

void *chunk_unref(struct chunk *c)
{
    if (c != NULL && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) {
        if (c->budget != NULL) {
            budget_give(c->budget, c->charged);
        }
        free(c);
    }
    return NULL;
}

void chunk_unrefp(struct chunk **c) { *c = chunk_unref(*c); }

void pieces_init(struct pieces *p, struct arena *arena) { *p = (struct pieces){.arena = arena}; }

static struct piece *pieces_next(struct pieces *p, size_t len)
{
    if (p->count == p->cap) {
        size_t cap = p->cap == 0 ? 8 : p->cap * 2;
        struct piece *items = arena_array(p->arena, cap, sizeof *items);

        if (p->count > 0) {
            memcpy(items, p->items, p->count * sizeof *items);
        }
        p->items = items;
        p->cap = cap;
    }
    p->len += len;
    p->items[p->count] = (struct piece){.len = len};
    return &p->items[p->count++];
}

void pieces_add_bytes(struct pieces *p, struct bytes b)
{
    if (b.len > 0) {
        pieces_next(p, b.len)->data = b.data;
    }
}

void pieces_add_chunk(struct pieces *p, struct chunk *owner, struct bytes b)
{
    struct piece *item;

    if (b.len == 0) {
        (void)chunk_unref(owner);
        return;
    }
    item = pieces_next(p, b.len);
    item->data = b.data;
    item->owner = owner;
}

void pieces_add_file(struct pieces *p, struct file *file, uint64_t offset, size_t len)
{
    struct piece *item = pieces_next(p, len);

    item->file = file;
    item->file_offset = offset;
}

void pieces_move(struct pieces *p, struct pieces *from)
{
    for (size_t i = 0; i < from->count; i++) {
        *pieces_next(p, from->items[i].len) = from->items[i];
    }
    from->count = 0;
    from->len = 0;
}
