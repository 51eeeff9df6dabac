/* The checkpoint files of the data directory. Buckets that were not opened in this run keep what
 * the run before wrote about them. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

static const char *const checkpoint_names[CHECKPOINT_COUNT] = {
    [CHECKPOINT_RECOVERY] = "recovery-point-offset-checkpoint",
    [CHECKPOINT_WATERMARK] = "high-watermark-checkpoint",
};

static int entry_compare(const void *a, const void *b)
{
    const struct checkpoint_entry *x = a;
    const struct checkpoint_entry *y = b;

    if (x->table_id != y->table_id) {
        return x->table_id < y->table_id ? -1 : 1;
    }
    if (x->partition_id != y->partition_id) {
        return x->partition_id < y->partition_id ? -1 : 1;
    }
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

static void checkpoint_sort(struct checkpoint *c)
{
    if (c->count > 1) {
        qsort(c->entries, c->count, sizeof *c->entries, entry_compare);
    }
}

/* A file that cannot be read only costs time: every log is then scanned from its start. */
static enum errcode load_one(struct server *s, int which, struct error *e)
{
    char *path = arena_printf(&s->arena, "%s/%s", s->data_dir, checkpoint_names[which]);
    enum errcode code = checkpoint_read(path, &s->arena, &s->hints[which], e);

    if (code == ERR_CORRUPT_FILE) {
        diag_warn("server", "all logs are scanned from their start: %s", e->message);
        s->hints[which] = (struct checkpoint){0};
        code = ERR_OK;
    }
    checkpoint_sort(&s->hints[which]);
    return code;
}

enum errcode checkpoints_load(struct server *s, struct error *e)
{
    TRY(load_one(s, CHECKPOINT_RECOVERY, e));
    return load_one(s, CHECKPOINT_WATERMARK, e);
}

static const struct checkpoint_entry *hint_find(const struct checkpoint *c,
                                                const struct checkpoint_entry *key)
{
    return c->count == 0 ? NULL
                         : bsearch(key, c->entries, c->count, sizeof *c->entries, entry_compare);
}

struct bucket_hint checkpoints_hint(void *context, const struct bucket_id *id)
{
    const struct server *s = context;
    struct checkpoint_entry key = {
        .table_id = id->table_id, .partition_id = id->partition_id, .bucket = id->bucket};
    const struct checkpoint_entry *found = hint_find(&s->hints[CHECKPOINT_RECOVERY], &key);

    return (struct bucket_hint){.recovery_point = found != NULL ? found->offset : 0};
}

/* ---- writing ---- */

/* What the shards say, gathered. */
struct gathering {
    struct server *server;
    struct replica_checkpoint_entry *entries[SERVER_SHARDS_MAX];
    size_t counts[SERVER_SHARDS_MAX];
};

static void gather(void *context, unsigned index)
{
    struct gathering *g = context;

    g->counts[index] = replica_checkpoint(g->server->replicas[index], &g->entries[index]);
}

static bool view_knows(const struct meta_view *v, const struct checkpoint_entry *entry)
{
    const struct meta_table *t = meta_view_table_by_id(v, entry->table_id);

    return t != NULL &&
           (entry->partition_id < 0 || meta_table_partition_by_id(t, entry->partition_id) != NULL);
}

static struct checkpoint_entry entry_of(const struct replica_checkpoint_entry *from, int which)
{
    return (struct checkpoint_entry){
        .table_id = from->id.table_id,
        .partition_id = from->id.partition_id,
        .bucket = from->id.bucket,
        .offset = which == CHECKPOINT_RECOVERY ? from->recovery_point : from->high_watermark,
    };
}

static struct checkpoint merge(const struct gathering *g, int which, struct arena *arena)
{
    const struct server *s = g->server;
    const struct checkpoint *hints = &s->hints[which];
    struct checkpoint merged = {0};
    struct checkpoint opened;
    size_t total = hints->count;

    for (unsigned i = 0; i < s->node.shard_count; i++) {
        total += g->counts[i];
    }
    merged.entries = arena_array(arena, total, sizeof *merged.entries);
    for (unsigned i = 0; i < s->node.shard_count; i++) {
        for (size_t j = 0; j < g->counts[i]; j++) {
            merged.entries[merged.count++] = entry_of(&g->entries[i][j], which);
        }
    }
    checkpoint_sort(&merged);
    opened = merged;
    for (size_t i = 0; i < hints->count; i++) {
        if (hint_find(&opened, &hints->entries[i]) == NULL &&
            view_knows(meta_current(s->meta), &hints->entries[i])) {
            merged.entries[merged.count++] = hints->entries[i];
        }
    }
    return merged;
}

/* Files whose contents would not change are left alone. */
static enum errcode write_one(const struct gathering *g, int which, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct server *s = g->server;
    struct checkpoint c = merge(g, which, &arena);
    struct bytes text = checkpoint_format(&c, &arena);
    struct bytes *written = &s->checkpoint_written[which];
    uint8_t *copy;

    if (bytes_equal(text, *written)) {
        return ERR_OK;
    }
    TRY(checkpoint_write(arena_printf(&arena, "%s/%s", s->data_dir, checkpoint_names[which]), &c,
                         e));
    copy = mem_alloc(text.len);
    memcpy(copy, text.data, text.len);
    free((void *)(uintptr_t)written->data);
    *written = bytes_of(copy, text.len);
    return ERR_OK;
}

enum errcode checkpoints_write(struct server *s, struct error *e)
{
    struct gathering *g = mem_new(struct gathering);
    enum errcode code;

    g->server = s;
    shards_call(s->shards, s->node.shard_count, gather, g);
    code = write_one(g, CHECKPOINT_RECOVERY, e);
    if (code == ERR_OK) {
        code = write_one(g, CHECKPOINT_WATERMARK, e);
    }
    for (unsigned i = 0; i < s->node.shard_count; i++) {
        free(g->entries[i]);
    }
    free(g);
    return code;
}

static void want_recovery_points(void *context, unsigned index)
{
    replica_want_recovery_points(((struct server *)context)->replicas[index]);
}

static void checkpoint_tick(struct timer *t)
{
    struct server *s = container_of(t, struct server, checkpoint_timer);
    int64_t now_us = shard_now_us(s->coordinator);
    struct error e;

    if (now_us - s->recovery_points_wanted_us >= s->config->recovery_point_us) {
        s->recovery_points_wanted_us = now_us;
        shards_call(s->shards, s->node.shard_count, want_recovery_points, s);
    }
    if (checkpoints_write(s, &e) != ERR_OK) {
        diag_warn("server", "the checkpoints stay as they are: %s", e.message);
    }
    meta_note(s->meta);
    timer_start(s->coordinator, t, s->config->checkpoint_us);
}

void checkpoints_start(struct server *s)
{
    timer_init(&s->checkpoint_timer, checkpoint_tick);
    timer_start(s->coordinator, &s->checkpoint_timer, s->config->checkpoint_us);
}

void checkpoints_free(struct server *s)
{
    for (int i = 0; i < CHECKPOINT_COUNT; i++) {
        free((void *)(uintptr_t)s->checkpoint_written[i].data);
        s->checkpoint_written[i] = BYTES_EMPTY;
    }
}
