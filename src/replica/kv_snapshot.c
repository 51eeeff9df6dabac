#include "kv_snapshot.h"

#include <stdlib.h>

#include "base/diag.h"
#include "io/clock.h"
#include "io/file.h"

#define CHECKPOINT "checkpoint"
#define METADATA   "_METADATA"

enum snapshots_state {
    SNAPSHOTS_IDLE,
    SNAPSHOTS_LISTING,
    SNAPSHOTS_SETTLING,
    SNAPSHOTS_COPYING,
    SNAPSHOTS_COMMITTING,
    SNAPSHOTS_RETIRING,
    SNAPSHOTS_SWEEPING,
};

#define TO(state) (1u << (state))
static const uint32_t allowed[] = {
    [SNAPSHOTS_IDLE] = TO(SNAPSHOTS_LISTING) | TO(SNAPSHOTS_SETTLING),
    [SNAPSHOTS_LISTING] = TO(SNAPSHOTS_IDLE) | TO(SNAPSHOTS_SETTLING),
    [SNAPSHOTS_SETTLING] = TO(SNAPSHOTS_IDLE) | TO(SNAPSHOTS_COPYING) | TO(SNAPSHOTS_RETIRING),
    [SNAPSHOTS_COPYING] = TO(SNAPSHOTS_IDLE) | TO(SNAPSHOTS_COMMITTING),
    [SNAPSHOTS_COMMITTING] = TO(SNAPSHOTS_IDLE) | TO(SNAPSHOTS_SWEEPING),
    [SNAPSHOTS_RETIRING] = TO(SNAPSHOTS_IDLE) | TO(SNAPSHOTS_SWEEPING),
    [SNAPSHOTS_SWEEPING] = TO(SNAPSHOTS_IDLE),
};

/* What went wrong is said once, and again when it is something else, or has been right meanwhile. */
enum complaint { COMPLAINT_ATTEMPT, COMPLAINT_SWEEP, COMPLAINT_BASE, COMPLAINT_COUNT };

struct kv_snapshots {
    struct kv_tablet *tablet;
    enum snapshots_state state;
    struct timer timer;
    bool stopped;
    atomic_bool give_up; /* the same for the pool */
    char *checkpoint;    /* directory of one, on the file system of the store */
    char *remote_dir;
    char *remote_uri; /* the same as clients are told it */

    bool listed;  /* what follows is as the catalog has it */
    int64_t *ids; /* of the snapshots that exist, ascending; heap */
    size_t count;
    int64_t newest_offset; /* of the last of them; -1: there is none */
    int64_t used_id;       /* no other attempt may use it or an earlier one; -1: none */
    bool untidy;           /* remote storage may have what no snapshot names */
    bool broken;           /* the newest is of no use, whatever it looks like */
    enum errcode said[COMPLAINT_COUNT]; /* ERR_OK: nothing to complain of */

    /* ---- of an attempt ---- */
    bool due;    /* not only the list is wanted */
    bool moved;  /* there is something new */
    bool repeat; /* there is not, but the newest snapshot may be made again */
    bool made;   /* one was copied */
    bool failed;
    struct arena arena;
    struct kv_settled settled;
    struct pool_job job;
    struct meta_list_snapshots list;
    struct meta_add_snapshot add;
    struct kv_snapshot_plan plan;
    enum errcode code;
    struct error error;
};

static void begin(struct kv_snapshots *s, bool due);
static void finish(struct kv_snapshots *s);
static void list_begin(struct kv_snapshots *s);
static void settle_begin(struct kv_snapshots *s);
static void copy_begin(struct kv_snapshots *s);
static void commit_begin(struct kv_snapshots *s);
static void retire_begin(struct kv_snapshots *s);
static void sweep_begin(struct kv_snapshots *s);

static struct replica_set *set_of(const struct kv_snapshots *s) { return s->tablet->bucket->set; }

static const struct bucket_id *id_of(const struct kv_snapshots *s)
{
    return &s->tablet->bucket->id;
}

/* ---- life ---- */

char *kv_remote_path(const char *root, const struct meta_table *table, const struct bucket_id *id)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *path = arena_printf(&arena, "%s/kv/%s/%s-%lld", root, table->database, table->name,
                              (long long)table->id);

    if (id->partition_id >= 0) {
        const struct meta_partition *p = meta_table_partition_by_id(table, id->partition_id);

        ASSERT(p != NULL);
        path = arena_printf(&arena, "%s/%s-p%lld", path, p->name, (long long)p->id);
    }
    return mem_strdup(arena_printf(&arena, "%s/%d", path, id->bucket));
}

static void tick(struct timer *t)
{
    struct kv_snapshots *s = container_of(t, struct kv_snapshots, timer);
    const struct replica_set *set = set_of(s);

    if (set->closing) {
        return;
    }
    if (set->snapshots.unsure || s->tablet->failed != ERR_OK) {
        timer_start(set->shard, t, set->config.snapshot_interval_us);
    } else {
        begin(s, true);
    }
}

struct kv_snapshots *kv_snapshots_start(struct kv_tablet *t)
{
    struct bucket *b = t->bucket;
    const struct replica_config *config = &b->set->config;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(mem_freep) char *dir = NULL;
    struct kv_snapshots *s;

    if (config->snapshot_interval_us <= 0 || b->set->snapshots.quiet || b->set->closing) {
        return NULL;
    }
    dir = place_kv_dir(b->set->view, config->data_dir, &b->id);
    if (dir == NULL) {
        return NULL; /* dropped; the bucket is about to hear of it */
    }
    s = mem_new(struct kv_snapshots);
    s->tablet = t;
    s->checkpoint = mem_strdup(arena_printf(&arena, "%s/" CHECKPOINT, dir));
    s->remote_dir = kv_remote_path(config->remote_dir, t->meta, &b->id);
    s->remote_uri = kv_remote_path(config->remote_uri, t->meta, &b->id);
    s->newest_offset = -1;
    s->used_id = -1;
    s->untidy = true;
    s->broken = t->snapshot_broken;
    timer_init(&s->timer, tick);
    begin(s, false);
    return s;
}

void kv_snapshots_stop(struct kv_snapshots *s)
{
    if (s != NULL) {
        s->stopped = true;
        atomic_store(&s->give_up, true);
        timer_stop(&s->timer);
    }
}

void kv_snapshots_free(struct kv_snapshots *s)
{
    if (s == NULL) {
        return;
    }
    ASSERT(s->state == SNAPSHOTS_IDLE);
    timer_stop(&s->timer);
    free(s->ids);
    free(s->remote_uri);
    free(s->remote_dir);
    free(s->checkpoint);
    free(s);
}

/* ---- the states ---- */

static void move(struct kv_snapshots *s, enum snapshots_state to)
{
    ASSERT(allowed[s->state] & TO(to));
    s->state = to;
}

static void begin(struct kv_snapshots *s, bool due)
{
    s->due = due;
    s->failed = false;
    s->arena = (struct arena)ARENA_INIT;
    bucket_job_begin(s->tablet->bucket);
    set_of(s)->snapshots.running++;
    if (s->listed) {
        settle_begin(s);
    } else {
        list_begin(s);
    }
}

static void finish(struct kv_snapshots *s)
{
    struct bucket *b = s->tablet->bucket;
    struct replica_set *set = b->set;
    int64_t interval = set->config.snapshot_interval_us;

    move(s, SNAPSHOTS_IDLE);
    arena_fini(&s->arena);
    if (!s->failed) {
        s->said[COMPLAINT_ATTEMPT] = ERR_OK;
    }
    if (!s->stopped && !set->closing) {
        /* the first one at any moment of the interval, so that buckets do not go together */
        timer_start(set->shard, &s->timer,
                    s->due ? interval : (int64_t)(random_u64() % (uint64_t)interval));
    }
    set->jobs++; /* the bucket may go, the set stays */
    bucket_job_end(b);
    set->jobs--;
    kv_snapshots_release(set);
    if (set->closing) {
        close_step(set);
    }
}

static enum diag_level complain(struct kv_snapshots *s, enum complaint what, enum errcode code)
{
    enum diag_level level = s->said[what] == code ? DIAG_DEBUG : DIAG_WARN;

    s->said[what] = code;
    return level;
}

static void fail(struct kv_snapshots *s, const char *what, const struct error *why)
{
    char name[96];

    s->untidy = true;
    s->failed = true;
    if (!s->stopped) {
        diag_line(complain(s, COMPLAINT_ATTEMPT, why->code), "replica",
                  "%s: %s, to be tried again: %s", bucket_name(id_of(s), name), what, why->message);
    }
    finish(s);
}

/* ---- listing ---- */

/* The snapshots of the bucket, by ascending id, as of now, and the offsets of the last two of them.
 * When there are two, the log stays for both: a start may find the newest damaged. */
static void remember(struct kv_snapshots *s, const int64_t *ids, size_t count, int64_t before,
                     int64_t offset)
{
    free(s->ids);
    s->ids = mem_alloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        s->ids[i] = ids[i];
    }
    s->count = count;
    s->newest_offset = offset;
    s->listed = true;
    if (count > 0) {
        s->used_id = ids[count - 1] > s->used_id ? ids[count - 1] : s->used_id;
        s->tablet->retain_offset = count > 1 ? before : offset;
    }
}

static void list_done(struct meta_job *job)
{
    struct kv_snapshots *s = container_of(job, struct kv_snapshots, list.job);
    size_t count = s->list.count;
    int64_t *ids;

    if (job->code != ERR_OK) {
        fail(s, "the list of its snapshots cannot be had", &job->error);
        return;
    }
    ids = arena_array(&s->arena, count, sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = s->list.snapshots[i].id;
    }
    remember(s, ids, count, count > 1 ? s->list.snapshots[count - 2].log_offset : -1,
             count > 0 ? s->list.snapshots[count - 1].log_offset : -1);
    s->used_id = s->list.next_id - 1 > s->used_id ? s->list.next_id - 1 : s->used_id;
    if (s->due && !s->stopped) {
        settle_begin(s);
    } else {
        finish(s);
    }
}

static void list_begin(struct kv_snapshots *s)
{
    const struct bucket_id *id = id_of(s);

    move(s, SNAPSHOTS_LISTING);
    s->list = (struct meta_list_snapshots){
        .job = {.kind = META_LIST_SNAPSHOTS, .done = list_done},
        .table_id = id->table_id,
        .partition_id = id->partition_id,
        .bucket = id->bucket,
        .arena = &s->arena,
    };
    meta_submit(set_of(s)->config.meta, &s->list.job);
}

/* ---- settling ---- */

static void settle_done(struct kv_settled *w)
{
    struct kv_snapshots *s = container_of(w, struct kv_snapshots, settled);

    if (w->code != ERR_OK) {
        fail(s, "there is no state to make a snapshot of", &w->error);
    } else if (s->stopped) {
        finish(s);
    } else {
        copy_begin(s);
    }
}

static void settle_begin(struct kv_snapshots *s)
{
    struct kv_tablet *t = s->tablet;
    int64_t shown = kv_bucket_shown_offset(t->rows);

    move(s, SNAPSHOTS_SETTLING);
    s->moved = shown > 0 && shown > s->newest_offset;
    s->repeat = s->count > 0 && shown == s->newest_offset;
    if (!s->moved && !s->untidy) {
        if (s->count > 1) {
            retire_begin(s);
        } else {
            finish(s);
        }
        return;
    }
    s->settled = (struct kv_settled){.done = settle_done};
    kv_tablet_settle(t, &s->settled);
}

/* ---- copying ---- */

/* The newest snapshot, whose files need not be copied again; NULL: none can be read. */
static const struct kv_snapshot *read_base(struct kv_snapshots *s)
{
    struct kv_snapshot *base = arena_new(&s->arena, struct kv_snapshot);
    struct error e;
    char name[96];

    if (s->count == 0 || s->broken) {
        return NULL;
    }
    if (kv_snapshot_read(s->remote_dir, s->ids[s->count - 1], &s->arena, base, &e) != ERR_OK ||
        kv_snapshot_check(base, s->remote_dir, &e) != ERR_OK) {
        diag_line(complain(s, COMPLAINT_BASE, e.code), "replica",
                  "%s: its newest snapshot is of no use: %s", bucket_name(id_of(s), name),
                  e.message);
        return NULL;
    }
    s->said[COMPLAINT_BASE] = ERR_OK;
    return base;
}

static enum errcode copy(struct kv_snapshots *s, const struct kv_snapshot *base, struct error *e)
{
    struct kv_snapshot_request r = {
        .table_id = id_of(s)->table_id,
        .partition_id = id_of(s)->partition_id,
        .bucket = id_of(s)->bucket,
        .id = s->used_id,
        .remote = s->remote_uri,
        .base = base,
        .random = random_u64,
    };
    struct kv_local_file *files = NULL;

    TRY(path_remove_tree(s->checkpoint, e)); /* of an attempt that was cut short */
    TRY(kv_store_checkpoint(s->tablet->store, s->checkpoint, &r.checkpoint, e));
    TRY(kv_snapshot_local_files(s->checkpoint, &s->arena, &files, &r.file_count, e));
    r.files = files;
    kv_snapshot_make_plan(&r, &s->arena, &s->plan);
    return kv_snapshot_upload(&s->plan, s->checkpoint, s->remote_dir, &s->give_up, e);
}

static void sweep(struct kv_snapshots *s)
{
    struct error e;
    char name[96];

    e.code = kv_snapshot_sweep(s->remote_dir, s->ids, s->count, &e);
    s->untidy = e.code != ERR_OK;
    if (s->untidy) {
        diag_line(complain(s, COMPLAINT_SWEEP, e.code), "replica",
                  "%s: files of old snapshots stay in %s: %s", bucket_name(id_of(s), name),
                  s->remote_dir, e.message);
    } else {
        s->said[COMPLAINT_SWEEP] = ERR_OK;
    }
}

static void copy_work(struct pool_job *job)
{
    struct kv_snapshots *s = container_of(job, struct kv_snapshots, job);
    const struct kv_snapshot *base;
    struct error e;

    if (s->untidy) {
        sweep(s);
    }
    base = read_base(s);
    s->code = ERR_OK;
    /* one that clients cannot read, or not where remote storage is now, is made again */
    s->made = s->moved || (s->repeat && (base == NULL || !kv_snapshot_is_of(base, s->remote_uri)));
    if (s->made) {
        s->code = copy(s, base, &s->error);
        IGNORE(path_remove_tree(s->checkpoint, &e) != ERR_OK); /* the next attempt does it again */
    }
}

static void copy_done(struct message *m)
{
    struct kv_snapshots *s = container_of(m, struct kv_snapshots, job.done);

    if (s->code != ERR_OK) {
        fail(s, "no snapshot was made", &s->error);
    } else if (!s->made || s->stopped) {
        s->untidy = s->untidy || s->made;
        finish(s);
    } else {
        commit_begin(s);
    }
}

static void copy_begin(struct kv_snapshots *s)
{
    move(s, SNAPSHOTS_COPYING);
    s->used_id++;
    s->job = (struct pool_job){.work = copy_work, .home = set_of(s)->shard, .done.run = copy_done};
    pool_submit(set_of(s)->config.snapshot_pool, &s->job);
}

/* ---- committing ---- */

static void commit_failed(struct kv_snapshots *s, const struct error *why)
{
    char name[96];

    s->listed = false;
    if (why->code != ERR_UNKNOWN_TABLE_OR_BUCKET && why->code != ERR_INVALID_ARGUMENT &&
        why->code != ERR_DISK_FULL) {
        diag_error("replica",
                   "%s: it is not known whether its snapshot %lld is recorded; no snapshots are "
                   "made until the next start: %s",
                   bucket_name(id_of(s), name), (long long)s->used_id, why->message);
        set_of(s)->snapshots.unsure = true;
        finish(s);
    } else {
        fail(s, "its snapshot was not recorded", why);
    }
}

static void commit_done(struct meta_job *job)
{
    struct kv_snapshots *s = container_of(job, struct kv_snapshots, add.job);

    if (job->code != ERR_OK) {
        commit_failed(s, &job->error);
        return;
    }
    s->broken = false;
    remember(s, s->add.kept, s->add.kept_count, s->newest_offset, s->add.log_offset);
    ASSERT(s->count > 0 && s->ids[s->count - 1] == s->used_id);
    if (s->stopped) {
        finish(s);
    } else {
        sweep_begin(s);
    }
}

static void commit_begin(struct kv_snapshots *s)
{
    const struct bucket_id *id = id_of(s);

    move(s, SNAPSHOTS_COMMITTING);
    s->add = (struct meta_add_snapshot){
        .job = {.kind = META_ADD_SNAPSHOT, .done = commit_done},
        .bucket = {.table_id = id->table_id,
                   .partition_id = id->partition_id,
                   .bucket = id->bucket},
        .snapshot_id = s->used_id,
        .log_offset = s->plan.snapshot.checkpoint.state.offset,
        .metadata_path = arena_printf(&s->arena, "%s/" METADATA, s->plan.snapshot.location),
        .arena = &s->arena,
    };
    meta_submit(set_of(s)->config.meta, &s->add.job);
}

/* ---- retiring ---- */

static void retire_done(struct meta_job *job)
{
    struct kv_snapshots *s = container_of(job, struct kv_snapshots, add.job);
    size_t before = s->count;

    if (job->code != ERR_OK) {
        s->listed = false;
        fail(s, "snapshots whose lease has ended stay", &job->error);
        return;
    }
    remember(s, s->add.kept, s->add.kept_count, s->tablet->retain_offset, s->newest_offset);
    if (s->count == before || s->stopped) {
        s->untidy = s->untidy || s->count != before;
        finish(s);
    } else {
        sweep_begin(s);
    }
}

static void retire_begin(struct kv_snapshots *s)
{
    const struct bucket_id *id = id_of(s);

    move(s, SNAPSHOTS_RETIRING);
    s->add = (struct meta_add_snapshot){
        .job = {.kind = META_RETIRE_SNAPSHOTS, .done = retire_done},
        .bucket = {.table_id = id->table_id,
                   .partition_id = id->partition_id,
                   .bucket = id->bucket},
        .arena = &s->arena,
    };
    meta_submit(set_of(s)->config.meta, &s->add.job);
}

/* ---- sweeping ---- */

static void sweep_work(struct pool_job *job) { sweep(container_of(job, struct kv_snapshots, job)); }

static void sweep_done(struct message *m)
{
    finish(container_of(m, struct kv_snapshots, job.done));
}

static void sweep_begin(struct kv_snapshots *s)
{
    move(s, SNAPSHOTS_SWEEPING);
    s->job =
        (struct pool_job){.work = sweep_work, .home = set_of(s)->shard, .done.run = sweep_done};
    pool_submit(set_of(s)->config.snapshot_pool, &s->job);
}

/* ---- the set ---- */

static void settle_quiet(struct replica_set *set)
{
    struct kv_snapshot_set *all = &set->snapshots;

    if (all->running == 0 && all->quieted != NULL) {
        TAKE(all->quieted)(all->quieted_context);
    }
}

bool kv_snapshots_hold(struct replica_set *set)
{
    if (set->snapshots.quiet) {
        return false;
    }
    set->snapshots.running++;
    return true;
}

void kv_snapshots_release(struct replica_set *set)
{
    set->snapshots.running--;
    settle_quiet(set);
}

void replica_set_quiet(struct replica_set *set, void (*done)(void *context), void *context)
{
    ASSERT_ON(set->shard);
    set->snapshots.quiet = true;
    set->snapshots.quieted = done;
    set->snapshots.quieted_context = context;
    LIST_FOR_EACH(it, &set->buckets)
    {
        struct kv_tablet *t = container_of(it, struct bucket, link)->kv;

        kv_snapshots_stop(t != NULL ? t->snapshots : NULL);
    }
    settle_quiet(set);
}
