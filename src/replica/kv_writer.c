#include "kv_writer.h"

#include <stdlib.h>

#define IDLE_MAX 8u

void kv_writers_init(struct kv_writers *w)
{
    list_init(&w->idle);
    w->count = 0;
}

static void writer_free(struct kv_writer *writer)
{
    kv_prepare_free(writer->prepare);
    arena_fini(&writer->scratch);
    (void)kv_table_unref(writer->table);
    free(writer);
}

void kv_writers_trim(struct kv_writers *w)
{
    struct list *link;

    while ((link = list_pop_front(&w->idle)) != NULL) {
        writer_free(container_of(link, struct kv_writer, link));
    }
    w->count = 0;
}

struct kv_writer *kv_writer_take(struct kv_writers *w, struct kv_table *table)
{
    struct kv_writer *writer;

    LIST_FOR_EACH(it, &w->idle)
    {
        writer = container_of(it, struct kv_writer, link);
        if (writer->table == table) {
            list_remove(it);
            w->count--;
            arena_reset(&writer->scratch);
            return writer;
        }
    }
    writer = mem_new(struct kv_writer);
    list_init(&writer->link);
    writer->table = kv_table_ref(table);
    writer->prepare = kv_prepare_new(table);
    return writer;
}

void kv_writer_give(struct kv_writers *w, struct kv_writer *writer)
{
    list_push_front(&w->idle, &writer->link);
    if (++w->count > IDLE_MAX) {
        struct list *oldest = w->idle.prev;

        list_remove(oldest);
        w->count--;
        writer_free(container_of(oldest, struct kv_writer, link));
    }
}
