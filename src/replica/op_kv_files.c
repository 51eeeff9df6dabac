/* The files of a snapshot: see kv_files.h. The document that names them is read in the pool. */
#include "bucket.h"
#include "kv_files.h"

#include "io/file.h"
#include "kv/kv.h"

/* The directory that "<dir>/snap-<id>/_METADATA" is in. */
static enum errcode remote_dir(const struct kv_files_op *op, struct arena *arena, const char **ret,
                               struct error *e)
{
    const char *path = path_of_uri(op->metadata_path);
    char *end = arena_printf(arena, "/snap-%lld/_METADATA", (long long)op->snapshot_id);
    size_t len = path == NULL ? 0 : strlen(path);

    if (len <= strlen(end) || strcmp(path + len - strlen(end), end) != 0) {
        return error_set(e, ERR_KV_SNAPSHOT_NOT_EXIST, "%s is no document of this machine",
                         op->metadata_path);
    }
    *ret = arena_strndup(arena, path, len - strlen(end));
    return ERR_OK;
}

static struct kv_file *add_files(struct kv_file *at, const struct kv_snapshot_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        *at++ = (struct kv_file){.remote_path = files->items[i].path, .name = files->items[i].name};
    }
    return at;
}

static enum errcode read_files(struct kv_files_op *op, struct error *e)
{
    struct kv_snapshot s = {0};
    const char *dir = NULL;

    TRY(remote_dir(op, op->arena, &dir, e));
    TRY(kv_snapshot_read(dir, op->snapshot_id, op->arena, &s, e));
    op->log_offset = s.checkpoint.state.offset;
    op->file_count = s.own.count + s.shared.count;
    op->files = arena_array(op->arena, op->file_count, sizeof *op->files);
    (void)add_files(add_files(op->files, &s.own), &s.shared);
    return ERR_OK;
}

static void files_work(struct pool_job *job)
{
    struct kv_files_op *op = container_of(job, struct kv_files_op, job);

    op->code = read_files(op, &op->error);
    if (op->code != ERR_OK) {
        op->code = ERR_KV_SNAPSHOT_NOT_EXIST;
        op->error.code = ERR_KV_SNAPSHOT_NOT_EXIST;
    }
}

static void files_end(struct message *m)
{
    struct kv_files_op *op = container_of(m, struct kv_files_op, job.done);
    struct replica_set *set = op->set;

    op->done(op);
    set->jobs--;
    if (set->closing) {
        close_step(set);
    }
}

void replica_kv_files(struct replica_set *set, struct kv_files_op *op)
{
    op->set = set;
    op->job = (struct pool_job){.work = files_work, .home = set->shard, .done.run = files_end};
    set->jobs++;
    pool_submit(set->config.disk, &op->job);
}
