#include "writers.h"

#include <stdlib.h>
#include <string.h>

void writers_init(struct writers *w)
{
    *w = (struct writers){0};
    map_init(&w->by_id);
    list_init(&w->by_age);
}

static struct log_writer *of_link(struct list *link)
{
    return container_of(link, struct log_writer, link);
}

static void forget(struct writers *w, struct log_writer *writer)
{
    void *removed = map_remove(&w->by_id, (uint64_t)writer->id);

    ASSERT(removed == writer);
    list_remove(&writer->link);
    free(writer);
}

void writers_fini(struct writers *w)
{
    if (w->by_age.next == NULL) {
        return; /* zeroed, never initialised */
    }
    LIST_FOR_EACH(it, &w->by_age) { free(of_link(it)); }
    list_init(&w->by_age);
    map_fini(&w->by_id);
}

size_t writers_count(const struct writers *w) { return w->by_id.count; }

static struct log_writer *find(const struct writers *w, int64_t id)
{
    return map_get(&w->by_id, (uint64_t)id);
}

/* As the longest idle one: it moves back with its first batch, and a writer that was checked but
 * never appended makes room first. */
static struct log_writer *create(struct writers *w, int64_t id)
{
    struct log_writer *writer;

    if (w->by_id.count >= WRITERS_MAX) {
        forget(w, of_link(w->by_age.next));
    }
    writer = mem_new(struct log_writer);
    writer->id = id;
    list_push_front(&w->by_age, &writer->link);
    (void)map_put(&w->by_id, (uint64_t)id, writer);
    return writer;
}

void writers_begin(struct writers *w) { w->round++; }

static const struct writer_batch *remembered(const struct log_writer *writer, int32_t sequence)
{
    for (uint32_t i = 0; i < writer->count; i++) {
        if (writer->batches[i].sequence == sequence) {
            return &writer->batches[i];
        }
    }
    return NULL;
}

static int32_t newest_sequence(const struct log_writer *writer)
{
    return writer->count == 0 ? WRITER_NO_SEQUENCE : writer->batches[writer->count - 1].sequence;
}

static bool is_next(int32_t last, int32_t sequence)
{
    return last == INT32_MAX ? sequence == 0 : sequence == last + 1;
}

enum writer_verdict writers_check(struct writers *w, int64_t id, int32_t sequence,
                                  struct writer_batch *ret)
{
    struct log_writer *writer = find(w, id);
    const struct writer_batch *before = writer == NULL ? NULL : remembered(writer, sequence);
    int32_t last = WRITER_NO_SEQUENCE;

    if (before != NULL) {
        if (ret != NULL) {
            *ret = *before;
        }
        return WRITER_DUPLICATE;
    }
    if (writer != NULL) {
        last =
            writer->checked_round == w->round ? writer->checked_sequence : newest_sequence(writer);
    }
    if (!is_next(last, sequence)) {
        return WRITER_OUT_OF_ORDER;
    }
    if (writer == NULL) {
        writer = create(w, id);
    }
    writer->checked_round = w->round;
    writer->checked_sequence = sequence;
    return WRITER_NEXT;
}

void writers_add(struct writers *w, int64_t id, const struct writer_batch *batch)
{
    struct log_writer *writer = find(w, id);

    if (writer == NULL) {
        writer = create(w, id);
    }
    if (writer->count == WRITER_BATCHES_MAX) {
        memmove(writer->batches, writer->batches + 1,
                (WRITER_BATCHES_MAX - 1) * sizeof writer->batches[0]);
        writer->count--;
    }
    writer->batches[writer->count++] = *batch;
    list_remove(&writer->link);
    list_push_back(&w->by_age, &writer->link);
}

void writers_expire(struct writers *w, int64_t now_ms, int64_t expiry_ms)
{
    LIST_FOR_EACH(it, &w->by_age)
    {
        struct log_writer *writer = of_link(it);
        int64_t idle_ms;

        if (writer->count > 0 &&
            (__builtin_sub_overflow(now_ms, writer->batches[writer->count - 1].timestamp,
                                    &idle_ms) ||
             idle_ms <= expiry_ms)) {
            continue;
        }
        forget(w, writer);
    }
}

int32_t writers_last_sequence(const struct writers *w, int64_t id)
{
    const struct log_writer *writer = find(w, id);

    return writer == NULL ? WRITER_NO_SEQUENCE : newest_sequence(writer);
}
