/* Starting from a snapshot: see kv_snapshot.h. The database is made and read through in a directory
 * of its own, and takes its place by a rename, so that no crash leaves half of one. */
#include "kv_snapshot.h"

#include <stdlib.h>

#include "base/diag.h"
#include "io/file.h"

#define DATABASE   "db"
#define RESTORED   "restored"
#define CHECKPOINT "checkpoint"
#define PASS_ROWS  1024u
#define PASS_BYTES ((size_t)1 << 20)

static void cursor_freep(struct kv_cursor **c) { kv_cursor_close(*c); }

static char *below(struct arena *arena, const char *dir, const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name);
}

/* Reads every row, so that a damaged file is found before the bucket depends on it. */
static enum errcode check_rows(struct kv_store *store, struct error *e)
{
    OWNED(cursor_freep) struct kv_cursor *c = NULL;
    struct kv_items items;

    TRY(kv_cursor_open(store, &c, e));
    do {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;

        TRY(kv_cursor_next(c, PASS_ROWS, PASS_BYTES, &arena, &items, e));
    } while (items.count > 0);
    return ERR_OK;
}

static enum errcode unpack(const struct kv_restore *r, const struct kv_snapshot *s, const char *dir,
                           struct error *e)
{
    const struct kv_open_params params = {.dir = dir, .state = s->checkpoint.state};
    struct kv_store *store = NULL;
    struct error ignored;
    enum errcode code;

    TRY(kv_snapshot_restore(s, r->remote_dir, dir, e));
    TRY(kv_store_open(r->env, &params, &store, e));
    code = check_rows(store, e);
    if (code != ERR_OK) {
        IGNORE(kv_store_close(store, &ignored) != ERR_OK);
        return code;
    }
    return kv_store_close(store, e);
}

static enum errcode check_snapshot(const struct kv_restore *r, const struct kv_snapshot *s,
                                   struct error *e)
{
    int64_t offset = s->checkpoint.state.offset;

    if (s->table_id != r->id.table_id || s->partition_id != r->id.partition_id ||
        s->bucket != r->id.bucket) {
        return error_set(e, ERR_CORRUPT_FILE, "it is of table %lld partition %lld bucket %d",
                         (long long)s->table_id, (long long)s->partition_id, s->bucket);
    }
    if (offset < r->start_offset || offset > r->end_offset) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "its offset %lld is not in the log, which has %lld to %lld",
                         (long long)offset, (long long)r->start_offset, (long long)r->end_offset);
    }
    return ERR_OK;
}

static enum errcode restore_one(const struct kv_restore *r, int64_t id, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *restored = below(&arena, r->dir, RESTORED);
    char *database = below(&arena, r->dir, DATABASE);
    struct kv_snapshot s;

    TRY(kv_snapshot_read(r->remote_dir, id, &arena, &s, e));
    TRY(check_snapshot(r, &s, e));
    TRY(unpack(r, &s, restored, e));
    TRY(path_remove_tree(database, e));
    TRY(path_rename(restored, database, e));
    return dir_sync(r->dir, e);
}

enum errcode kv_restore_newest(const struct kv_restore *r, struct kv_restored *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t *ids = NULL;
    enum diag_level level = r->again ? DIAG_DEBUG : DIAG_WARN;
    size_t count = 0;
    char name[96];

    *ret = (struct kv_restored){0};
    if (kv_snapshot_list(r->remote_dir, &arena, &ids, &count, e) != ERR_OK) {
        diag_line(level, "replica", "%s: its snapshots cannot be had: %s",
                  bucket_name(&r->id, name), e->message);
        return ERR_OK; /* the log may do without; if it does not, the bucket is opened again */
    }
    while (count > 0) {
        int64_t id = ids[--count];
        enum errcode code = restore_one(r, id, e);

        if (code == ERR_OK) {
            diag_info("replica", "%s starts from its snapshot %lld", bucket_name(&r->id, name),
                      (long long)id);
            ret->found = true;
            return ERR_OK;
        }
        if (code == ERR_DISK_FULL) {
            return code;
        }
        diag_line(level, "replica", "%s cannot start from its snapshot %lld: %s",
                  bucket_name(&r->id, name), (long long)id, e->message);
        ret->broken = true;
    }
    return ERR_OK;
}

enum errcode kv_restore_clean(const char *dir, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    TRY(path_remove_tree(below(&arena, dir, RESTORED), e));
    return path_remove_tree(below(&arena, dir, CHECKPOINT), e);
}

enum errcode kv_restore_disown(const char *remote_dir, int64_t end_offset, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t *ids = NULL;
    size_t count = 0;

    TRY(kv_snapshot_list(remote_dir, &arena, &ids, &count, e));
    for (size_t i = 0; i < count; i++) {
        struct kv_snapshot s;

        if (kv_snapshot_read(remote_dir, ids[i], &arena, &s, e) != ERR_OK ||
            s.checkpoint.state.offset <= end_offset) {
            continue; /* unreadable already, or in order */
        }
        TRY(kv_snapshot_disown(remote_dir, ids[i], e));
        diag_warn("replica",
                  "%s: snapshot %lld is given up: it reaches offset %lld, the log ends at %lld",
                  remote_dir, (long long)ids[i], (long long)s.checkpoint.state.offset,
                  (long long)end_offset);
    }
    return ERR_OK;
}
