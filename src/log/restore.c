/* Writer state after a restart. */
#include "damage.h"
#include "recover.h"

#include "base/mutant.h"

static enum errcode remove_file(const struct log *log, int64_t offset, struct error *e)
{
    char path[LOG_PATH_MAX];

    log_path(path, log->dir, offset, LOG_FILE_WRITER_SNAPSHOT);
    return path_remove(path, e);
}

static bool starts_segment(const struct log *log, int64_t offset)
{
    for (size_t i = 0; i < log->segment_count; i++) {
        if (log->segments[i]->base_offset == offset) {
            return true;
        }
    }
    return false;
}

/* Reads the newest snapshot that is valid. The log before it was synced with it or earlier, so one
 * that lies beyond the end speaks of batches that are gone. */
static enum errcode choose_snapshot(struct log *log, const struct snapshot_list *snapshots,
                                    struct error *e)
{
    for (size_t i = snapshots->count; i-- > 0;) {
        int64_t offset = snapshots->offsets[i];
        bool valid = false;

        if (log->snapshot_offset >= 0) {
            valid = starts_segment(log, offset);
        } else if (offset <= log_end_offset(log)) {
            TRY(snapshot_read(log->dir, offset, &log->writers, &valid, e));
            log->snapshot_offset = valid ? offset : -1;
        }
        if (!valid) {
            TRY(remove_file(log, offset, e));
        }
    }
    return ERR_OK;
}

static void replay_batch(struct log *log, const struct batch_header *header)
{
    struct writer_batch batch = {
        .last_offset = batch_next_offset(header) - 1,
        .timestamp = header->commit_timestamp,
        .sequence = header->batch_sequence,
        .offset_delta = header->last_offset_delta,
    };

    if (header->writer_id != BATCH_NO_WRITER_ID && header->batch_sequence >= 0) {
        writers_add(&log->writers, header->writer_id, &batch);
    }
}

static void hop(const struct segment *s, struct walk *w)
{
    const struct segment_damage *damage = damage_at(s, w->position);

    while (damage != NULL && damage->from.position <= w->position) {
        w->position = damage->to.position;
        damage = damage_at(s, w->position);
    }
}

static enum errcode replay_walk(struct log *log, struct segment *s, struct walk *w, int64_t from,
                                uint64_t *replayed, struct error *e)
{
    struct batch_header header = {0};
    bool found = true;

    for (;;) {
        hop(s, w);
        TRY(walk_peek(w, &header, &found, e));
        if (!found) {
            return ERR_OK;
        }
        if (header.base_offset >= from) {
            replay_batch(log, &header);
            ++*replayed;
        }
        walk_skip(w, &header);
    }
}

/* The batches of one segment from offset `from` on. *ret_mapped: it has damage below the recovery point,
 * which nobody had looked at so far. The length of a damaged batch may have led the walk astray. */
static enum errcode replay_segment(struct log *log, struct segment *s, int64_t from,
                                   uint64_t *replayed, bool *ret_mapped, struct error *e)
{
    size_t window_size = s->size < WALK_WINDOW_LARGE ? WALK_WINDOW_SMALL : WALK_WINDOW_LARGE;
    OWNED(mem_freep) uint8_t *window = mem_alloc(window_size);
    struct segment_place end = {.position = s->size, .offset = s->end_offset};
    struct segment_place at = {0};
    struct walk w;
    enum errcode code;

    TRY(segment_checkpoint(s, from, &at, e));
    walk_init(&w, s->file, at.position, s->size, writer_of(window, window_size));
    code = replay_walk(log, s, &w, from, replayed, e);
    if (code == ERR_CORRUPT_RECORD) {
        TRY(damage_map(s, &end, NULL, e));
        *ret_mapped = true;
    }
    return code;
}

static enum errcode replay_all(struct log *log, uint64_t *ret_replayed, bool *ret_mapped,
                               struct error *e)
{
    int64_t from =
        log->snapshot_offset > log_start_offset(log) ? log->snapshot_offset : log_start_offset(log);

    *ret_replayed = 0;
    for (size_t i = 0; i < log->segment_count; i++) {
        struct segment *s = log->segments[i];
        enum errcode code;

        if (s->end_offset <= from) {
            continue;
        }
        code = replay_segment(log, s, from, ret_replayed, ret_mapped, e);
        if (s != log_active(log)) {
            s->file = file_unref(s->file);
        }
        if (code != ERR_CORRUPT_RECORD) { /* else the rest of that segment stays unread */
            TRY(code);
        }
    }
    return ERR_OK;
}

/* As the snapshot says, or nothing. */
static enum errcode begin_again(struct log *log, struct error *e)
{
    bool valid;

    writers_fini(&log->writers);
    writers_init(&log->writers);
    return log->snapshot_offset < 0
               ? ERR_OK
               : snapshot_read(log->dir, log->snapshot_offset, &log->writers, &valid, e);
}

enum errcode restore_writers(struct log *log, const struct snapshot_list *snapshots,
                             uint64_t *ret_replayed, struct error *e)
{
    bool mapped = false;

    TRY(choose_snapshot(log, snapshots, e));
    if (MUTANT(FORGET_WRITERS)) {
        writers_fini(&log->writers);
        writers_init(&log->writers);
        *ret_replayed = 0;
        return ERR_OK;
    }
    TRY(replay_all(log, ret_replayed, &mapped, e));
    if (mapped) { /* once more, around the damage: of what was read behind it nothing is believed */
        TRY(begin_again(log, e));
        TRY(replay_all(log, ret_replayed, &mapped, e));
    }
    return ERR_OK;
}
