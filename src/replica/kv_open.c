/* Opening the state of a bucket: the store as some write left it, then the part of the log that it
 * has not seen. README.md of kv/ has the rules of recovery. Everything here runs in a pool, and what
 * is replayed is on the device before: the store is never ahead of it. */
#include "kv_snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/mutant.h"

#define DB_NAME        "db"
#define READ_BYTES     ((size_t)1 << 20) /* of the log at a time */
#define PATH_BYTES_MAX 4096
/* What may be handed over to the bucket, in spills: as much as waits for the device at most times. */
#define REPLAYED_SPILLS 2

/* ---- the store ---- */

static struct kv_state first_state(const struct kv_open *o)
{
    return (struct kv_state){
        .offset = 0, .row_count = o->meta->options->changelog_image == CHANGELOG_WAL ? -1 : 0};
}

static enum errcode sync_log(struct log *log, struct error *e)
{
    struct log_sync sync;

    if (log_durable_offset(log) < log_end_offset(log) && log_sync_begin(log, &sync)) {
        struct error why;
        enum errcode code;

        log_sync_run(&sync);
        code = sync.code;
        why = sync.error;
        log_sync_end(log, &sync);
        if (code != ERR_OK) {
            *e = why;
            return code;
        }
    }
    return ERR_OK;
}

/* Whether the log can bring the store to its end. */
static bool follows(const struct kv_store *s, const struct log *log, char *why, size_t size)
{
    int64_t offset = kv_store_state(s).offset;

    if (offset >= log_start_offset(log) && offset <= log_end_offset(log)) {
        return true;
    }
    (void)snprintf(why, size, "it is of offset %lld, the log has %lld to %lld", (long long)offset,
                   (long long)log_start_offset(log), (long long)log_end_offset(log));
    return false;
}

/* What is in the directory, if it is of use; else *ret is NULL and the directory is gone. What may
 * pass (a full disk, too many open files) is an error. */
static enum errcode open_local(const struct kv_open *o, const struct kv_open_params *params,
                               struct kv_store **ret, struct error *e)
{
    char why[sizeof e->message];
    struct error ignored;
    enum errcode code;

    *ret = NULL;
    if (!path_exists(params->dir)) {
        return ERR_OK;
    }
    if (o->damaged) {
        diag_warn("replica", "%s: the state is made anew: its files are damaged", o->name);
        return path_remove_tree(params->dir, e);
    }
    code = kv_store_open(o->env, params, ret, e);
    if (code == ERR_OK && follows(*ret, o->log, why, sizeof why)) {
        return ERR_OK;
    }
    if (code == ERR_OK) {
        IGNORE(kv_store_close(TAKE(*ret), &ignored) != ERR_OK);
    } else if (code == ERR_CORRUPT_FILE) {
        (void)snprintf(why, sizeof why, "%s", e->message);
    } else {
        return code;
    }
    diag_warn("replica", "%s: the state is made anew: %s", o->name, why);
    return path_remove_tree(params->dir, e);
}

static enum errcode open_store(const struct kv_open *o, struct kv_tablet *t, struct error *e)
{
    char dir[PATH_BYTES_MAX];
    struct kv_open_params params = {.dir = dir, .state = first_state(o)};
    const struct kv_restore restore = {
        .id = o->id,
        .dir = o->dir,
        .remote_dir = o->remote_dir,
        .start_offset = log_start_offset(o->log),
        .end_offset = log_end_offset(o->log),
        .again = o->again,
        .env = o->env,
    };
    struct kv_restored restored = {0};

    (void)snprintf(dir, sizeof dir, "%s/" DB_NAME, o->dir);
    TRY(kv_restore_clean(o->dir, e));
    TRY(open_local(o, &params, &t->store, e));
    if (t->store != NULL) {
        return ERR_OK;
    }
    TRY(kv_restore_newest(&restore, &restored, e));
    t->snapshot_broken = restored.broken;
    if (restored.found) {
        return kv_store_open(o->env, &params, &t->store, e);
    }
    if (log_start_offset(o->log) > 0) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "%s: there is no state, and its log begins at offset %lld", o->name,
                         (long long)log_start_offset(o->log));
    }
    return kv_store_open(o->env, &params, &t->store, e);
}

/* ---- the log ---- */

/* Changes gather in memory like those of puts. The store gets the older ones of very many; the rest is
 * handed over to the bucket, so that a lookup need not wait for a write. */
struct replay {
    const struct kv_open *open;
    struct kv_tablet *tablet;
    struct kv_replay *batches;
    struct kv_pending *pending;
    struct kv_state state; /* of what has been replayed */
    struct buffer data;
    struct arena arena; /* of one batch */
};

static void no_more_cached(void *context, const struct kv_change *change, size_t prefix_len)
{
    (void)context;
    (void)change;
    (void)prefix_len;
}

/* Numbers of rows that were inserted are never given again. */
static void pass_ids(struct replay *r, int64_t id_max)
{
    const struct schema *schema = r->tablet->table->schema;
    struct kv_state *state = &r->state;

    if (id_max == INT64_MIN) {
        return;
    }
    if (!state->has_ids) {
        state->has_ids = true;
        state->ids = (struct kv_id_range){
            .column_id = schema->columns[schema->auto_increment].id, .start = 1, .end = 0};
    }
    if (id_max >= state->ids.start) {
        state->ids.start = id_max + 1;
    }
    if (id_max > state->ids.end) {
        state->ids.end = id_max; /* numbers of a range that was taken later: the rest is lost */
    }
}

static enum errcode replay_write(struct replay *r, struct error *e)
{
    const struct kv_release release = {.released = no_more_cached};
    struct kv_pending_spill taken;
    struct kv_state state = r->state;
    enum errcode code;

    if (!kv_pending_take(r->pending, r->tablet->budgets.spill_bytes, &taken)) {
        return ERR_OK;
    }
    while (!kv_pending_collect(r->pending, &taken, SIZE_MAX)) {
    }
    state.offset = taken.end_offset;
    state.row_count = state.row_count < 0 ? -1 : state.row_count + taken.delta;
    code = kv_store_write(r->tablet->store, taken.changes, taken.count, &state, e);
    if (code != ERR_OK) {
        kv_pending_untake(r->pending, &taken);
        return code;
    }
    while (!kv_pending_release(r->pending, &taken, SIZE_MAX, &release)) {
    }
    return ERR_OK;
}

static enum errcode replay_batch(struct replay *r, const struct batch *batch, struct error *e)
{
    struct kv_replayed replayed;
    int64_t end = batch_next_offset(&batch->header);

    if (end <= kv_pending_end_offset(r->pending)) {
        return ERR_OK; /* the read began before the offset asked for */
    }
    if (batch->header.base_offset > kv_pending_end_offset(r->pending)) {
        diag_error("replica",
                   "%s: the log has no changes from offset %lld to %lld: rows are missing",
                   r->open->name, (long long)kv_pending_end_offset(r->pending),
                   (long long)batch->header.base_offset);
    }
    arena_reset(&r->arena);
    TRY(kv_replay_batch(r->batches, &batch->header, batch->data, &r->arena, &replayed, e));
    kv_pending_add(r->pending, replayed.changes, replayed.change_count, end, replayed.row_delta);
    kv_pending_show(r->pending, end);
    pass_ids(r, replayed.id_max);
    return kv_pending_shown_bytes(r->pending) > REPLAYED_SPILLS * r->tablet->budgets.spill_bytes
               ? replay_write(r, e)
               : ERR_OK;
}

static enum errcode replay_range(struct replay *r, const struct log_range *range, struct error *e)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    buffer_clear(&r->data);
    TRY(file_read_at(range->file, range->position, buffer_room(&r->data, range->len), range->len,
                     e));
    batch_iterator_init(&it, buffer_view(&r->data));
    while (true) {
        TRY(batch_next(&it, &batch, &found, e));
        if (!found) {
            return ERR_OK;
        }
        TRY(replay_batch(r, &batch, e));
    }
}

static enum errcode replay_log(struct replay *r, struct error *e)
{
    struct log *log = r->open->log;
    struct log_read read = {.offset = r->state.offset,
                            .limit_offset = log_end_offset(log),
                            .max_bytes = READ_BYTES,
                            .min_one = true};

    while (read.offset < read.limit_offset) {
        struct log_range range;
        enum errcode code;

        TRY(log_read(log, &read, &range, e));
        code = range.len == 0 ? ERR_OK : replay_range(r, &range, e);
        range.file = file_unref(range.file);
        TRY(code);
        if (range.next_offset > range.end_offset) {
            range.end_offset = range.next_offset;
        }
        if (range.end_offset <= read.offset) {
            return error_set(e, ERR_CORRUPT_FILE, "%s: the log has nothing at offset %lld",
                             r->open->name, (long long)read.offset);
        }
        read.offset = range.end_offset; /* of no bytes: behind damage at the end of the log */
    }
    return ERR_OK;
}

static enum errcode replay(const struct kv_open *o, struct kv_tablet *t, struct error *e)
{
    struct replay r = {.open = o, .tablet = t, .state = kv_store_state(t->store)};
    int64_t late = MUTANT(REPLAY_LATE) && r.state.offset + 2 <= log_end_offset(o->log) ? 2 : 0;
    enum errcode code = ERR_OK;

    if (r.state.offset < log_end_offset(o->log)) {
        r.batches = kv_replay_new(t->table, &t->key);
        r.pending = kv_pending_new(r.state.offset + late, kv_tablet_prefix(t), &t->prefix);
        code = replay_log(&r, e);
        kv_replay_free(r.batches);
        buffer_fini(&r.data);
        arena_fini(&r.arena);
    }
    t->replayed = r.pending;
    t->has_ids = r.state.has_ids;
    if (t->has_ids) {
        t->ids = r.state.ids;
    }
    return code;
}

/* ---- the tablet ---- */

static void close_freep(struct kv_tablet **t)
{
    struct error ignored;

    if (*t != NULL) {
        IGNORE(kv_tablet_close(*t, &ignored) != ERR_OK);
        kv_tablet_free(*t);
    }
}

static enum errcode open_state(const struct kv_open *o, struct kv_tablet *t, struct error *e)
{
    if (!o->sync && o->cut) {
        TRY(kv_restore_disown(o->remote_dir, log_end_offset(o->log), e));
    }
    TRY(open_store(o, t, e));
    return replay(o, t, e);
}

/* The log is there, whatever has become of the state. */
static void fail_open(struct kv_tablet *t, enum errcode code, const struct error *why)
{
    struct error ignored;

    IGNORE(kv_tablet_close(t, &ignored) != ERR_OK);
    kv_pending_free(TAKE(t->replayed));
    t->failed = code;
    t->why = *why;
}

enum errcode kv_tablet_open(const struct kv_open *o, struct kv_tablet **ret, struct error *e)
{
    struct kv_budgets budgets = kv_env_budgets(o->env);
    OWNED(close_freep) struct kv_tablet *t = kv_tablet_new(&budgets);
    struct error why;
    enum errcode code;

    TRY(kv_tablet_set_table(t, o->meta, e));
    if (o->sync) {
        TRY(sync_log(o->log, e));
    }
    code = open_state(o, t, &why);
    if (code != ERR_OK) {
        fail_open(t, code, &why);
    }
    *ret = TAKE(t);
    return ERR_OK;
}
