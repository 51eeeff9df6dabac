/* Writer snapshots against the batches of the log, see verify_parts.h. */
#include "verify_parts.h"

#include <inttypes.h>
#include <stdio.h>

/* A batch that a snapshot remembers. */
struct verify_writer {
    int64_t id;
    int64_t snapshot; /* offset in its name */
    struct writer_batch batch;
};

void verify_writers_fini(struct verify_writers *w)
{
    map_fini(&w->by_offset);
    arena_fini(&w->arena);
}

static void report(struct verify *v, int64_t snapshot, const struct error *what)
{
    char path[LOG_PATH_MAX];
    struct log_finding finding = {.kind = LOG_FINDING_WRITERS, .path = path, .what = *what};

    log_path(path, v->params->dir, snapshot, LOG_FILE_WRITER_SNAPSHOT);
    verify_found(v, &finding);
}

static void remember(struct verify *v, struct verify_writers *w, const struct verify_writer *from)
{
    const struct verify_writer *before = map_get(&w->by_offset, (uint64_t)from->batch.last_offset);
    struct verify_writer *copy;
    struct error what;

    if (before == NULL) {
        copy = arena_new(&w->arena, struct verify_writer);
        *copy = *from;
        (void)map_put(&w->by_offset, (uint64_t)from->batch.last_offset, copy);
    } else if (before->id != from->id || before->batch.sequence != from->batch.sequence) {
        (void)error_set(&what, ERR_CORRUPT_FILE,
                        "offset %" PRId64 " is of writer %" PRId64 " sequence %" PRId32
                        ", in an earlier snapshot of writer %" PRId64 " sequence %" PRId32,
                        from->batch.last_offset, from->id, from->batch.sequence, before->id,
                        before->batch.sequence);
        report(v, from->snapshot, &what);
    }
}

static void remember_all(struct verify *v, struct verify_writers *w, const struct writers *from,
                         int64_t snapshot)
{
    LIST_FOR_EACH(it, &from->by_age)
    {
        const struct log_writer *writer = container_of(it, struct log_writer, link);

        for (uint32_t i = 0; i < writer->count; i++) {
            struct verify_writer one = {
                .id = writer->id, .snapshot = snapshot, .batch = writer->batches[i]};

            remember(v, w, &one);
        }
    }
}

enum errcode verify_writers_load(struct verify *v, struct verify_writers *w, const int64_t *offsets,
                                 size_t count, struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        OWNED(writers_fini) struct writers writers;
        bool valid = false;

        writers_init(&writers);
        TRY(snapshot_read(v->params->dir, offsets[i], &writers, &valid, e));
        if (valid) {
            remember_all(v, w, &writers, offsets[i]);
        } else {
            report(v, offsets[i], e);
        }
        w->newest = offsets[i] > w->newest ? offsets[i] : w->newest;
    }
    return ERR_OK;
}

void verify_writers_batch(struct verify *v, struct verify_writers *w, const struct verify_batch *b)
{
    const struct batch_header *h = &b->header;
    int64_t last_offset = batch_next_offset(h) - 1;
    const struct verify_writer *known = map_remove(&w->by_offset, (uint64_t)last_offset);
    struct error what;

    if (known == NULL || (known->id == h->writer_id && known->batch.sequence == h->batch_sequence &&
                          known->batch.offset_delta == h->last_offset_delta &&
                          known->batch.timestamp == h->commit_timestamp)) {
        return;
    }
    (void)error_set(&what, ERR_CORRUPT_FILE,
                    "offset %" PRId64 " is of writer %" PRId64 " sequence %" PRId32
                    ", the batch there of writer %" PRId64 " sequence %" PRId32,
                    last_offset, known->id, known->batch.sequence, h->writer_id, h->batch_sequence);
    report(v, known->snapshot, &what);
}

void verify_writers_skip(struct verify_writers *w, int64_t from, int64_t to)
{
    MAP_FOR_EACH(slot, &w->by_offset)
    {
        struct verify_writer *known = slot->value;

        if (known->batch.last_offset >= from && (to < 0 || known->batch.last_offset < to)) {
            known->id = BATCH_NO_WRITER_ID; /* not to be reported */
        }
    }
}

void verify_writers_end(struct verify *v, struct verify_writers *w, const struct log_verified *log)
{
    MAP_FOR_EACH(slot, &w->by_offset)
    {
        const struct verify_writer *known = slot->value;
        struct error what;

        if (known->batch.last_offset >= log->start_offset &&
            known->batch.last_offset < log->end_offset && known->id != BATCH_NO_WRITER_ID) {
            (void)error_set(&what, ERR_CORRUPT_FILE,
                            "writer %" PRId64 " sequence %" PRId32 " ends at offset %" PRId64
                            ", where no batch does",
                            known->id, known->batch.sequence, known->batch.last_offset);
            report(v, known->snapshot, &what);
        }
    }
}
