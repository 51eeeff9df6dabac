/* Snapshots on a file system: the half of snapshot.h that blocks. */
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "io/file.h"

#define METADATA     "_METADATA"
#define SHARED       "shared"
#define SNAP         "snap-"
#define PATH_LEN_MAX 4096
#define COPY_BYTES   ((size_t)1 << 20)

static enum errcode join(char path[PATH_LEN_MAX], const char *dir, const char *name,
                         struct error *e)
{
    int len = snprintf(path, PATH_LEN_MAX, "%s/%s", dir, name);

    return len < PATH_LEN_MAX ? ERR_OK
                              : error_set(e, ERR_INVALID_ARGUMENT, "path too long: %s", dir);
}

/* ---- copying ---- */

struct copying {
    int64_t size;            /* expected; -1: whatever there is */
    const atomic_bool *stop; /* NULL: never */
    uint32_t checksum;       /* of what was copied */
};

/* to NULL: only reads. */
static enum errcode copy_contents(struct file *from, struct file *to, uint64_t size,
                                  struct copying *c, struct error *e)
{
    OWNED(mem_freep) uint8_t *buffer = mem_alloc(COPY_BYTES);

    for (uint64_t done = 0; done < size;) {
        size_t len = size - done < COPY_BYTES ? (size_t)(size - done) : COPY_BYTES;

        if (c->stop != NULL && atomic_load(c->stop)) {
            return error_set(e, ERR_STORAGE, "the copy of %s was given up", from->path);
        }
        TRY(file_read_at(from, done, buffer, len, e));
        if (to != NULL) {
            TRY(file_write_at(to, done, bytes_of(buffer, len), e));
        }
        c->checksum = crc32c_extend(c->checksum, bytes_of(buffer, len));
        done += len;
    }
    return to == NULL ? ERR_OK : file_sync(to, e);
}

/* size < 0: whatever there is. */
static enum errcode open_file(const char *path, int64_t size, struct file **ret, uint64_t *ret_size,
                              struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    TRY(file_open(path, FILE_READ, &file, e));
    TRY(file_size(file, ret_size, e));
    if (size >= 0 && *ret_size != (uint64_t)size) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: %llu bytes, expected %lld", path,
                         (unsigned long long)*ret_size, (long long)size);
    }
    *ret = TAKE(file);
    return ERR_OK;
}

static enum errcode copy_file(const char *from, const char *to, struct copying *c, struct error *e)
{
    OWNED(file_unrefp) struct file *in = NULL;
    OWNED(file_unrefp) struct file *out = NULL;
    uint64_t there = 0;

    c->checksum = crc32c(BYTES_EMPTY);
    TRY(open_file(from, c->size, &in, &there, e));
    if (to != NULL) {
        TRY(file_open(to, FILE_CREATE_NEW, &out, e));
    }
    return copy_contents(in, out, there, c, e);
}

enum errcode kv_snapshot_local_files(const char *dir, struct arena *arena,
                                     struct kv_local_file **ret, size_t *ret_count, struct error *e)
{
    struct dir_list list;
    struct kv_local_file *files;
    char path[PATH_LEN_MAX];

    TRY(dir_read(dir, arena, &list, e));
    files = arena_array(arena, list.count, sizeof *files);
    for (size_t i = 0; i < list.count; i++) {
        OWNED(file_unrefp) struct file *file = NULL;
        uint64_t size = 0;

        TRY(join(path, dir, list.entries[i].name, e));
        TRY(file_open(path, FILE_READ, &file, e));
        TRY(file_size(file, &size, e));
        files[i] = (struct kv_local_file){.name = list.entries[i].name, .size = (int64_t)size};
    }
    *ret = files;
    *ret_count = list.count;
    return ERR_OK;
}

static enum errcode copy_planned(const struct kv_snapshot_plan *plan, const char *checkpoint,
                                 const char *remote_dir, const atomic_bool *stop, struct error *e)
{
    char from[PATH_LEN_MAX];
    char to[PATH_LEN_MAX];

    for (size_t i = 0; i < plan->copy_count; i++) {
        struct copying c = {.size = -1, .stop = stop};

        TRY(join(from, checkpoint, plan->copies[i].name, e));
        TRY(join(to, remote_dir, plan->copies[i].path, e));
        TRY(copy_file(from, to, &c, e));
        plan->copies[i].file->has_checksum = true;
        plan->copies[i].file->checksum = c.checksum;
    }
    return ERR_OK;
}

static void snap_name(int64_t id, char name[64])
{
    (void)snprintf(name, 64, SNAP "%lld", (long long)id);
}

enum errcode kv_snapshot_upload(struct kv_snapshot_plan *plan, const char *checkpoint,
                                const char *remote_dir, const atomic_bool *stop, struct error *e)
{
    OWNED(json_writer_fini) struct json_writer json;
    char snap[PATH_LEN_MAX];
    char shared[PATH_LEN_MAX];
    char metadata[PATH_LEN_MAX];
    char name[64];

    json_writer_init(&json, NULL);
    snap_name(plan->snapshot.id, name);
    TRY(join(snap, remote_dir, name, e));
    TRY(join(shared, remote_dir, SHARED, e));
    TRY(join(metadata, snap, METADATA, e));
    TRY(path_remove_tree(snap, e)); /* of an attempt that failed */
    TRY(dir_create(snap, e));
    TRY(dir_create(shared, e));
    TRY(copy_planned(plan, checkpoint, remote_dir, stop, e));
    TRY(dir_sync(shared, e));
    kv_snapshot_format(&plan->snapshot, &json);
    return file_replace(metadata, json_writer_text(&json), e); /* syncs its directory, too */
}

/* ---- finding ---- */

/* "snap-12" -> 12; -1: something else. */
static int64_t snap_id(const char *name)
{
    char canonical[64];
    int64_t id;

    if (strncmp(name, SNAP, strlen(SNAP)) != 0) {
        return -1;
    }
    id = strtoll(name + strlen(SNAP), NULL, 10);
    snap_name(id, canonical);
    return id >= 0 && strcmp(canonical, name) == 0 ? id : -1;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

enum errcode kv_snapshot_list(const char *remote_dir, struct arena *arena, int64_t **ret,
                              size_t *ret_count, struct error *e)
{
    struct dir_list list;
    char snap[PATH_LEN_MAX];
    char path[PATH_LEN_MAX];
    size_t count = 0;
    int64_t *ids;

    TRY(dir_read(remote_dir, arena, &list, e));
    ids = arena_array(arena, list.count, sizeof *ids);
    for (size_t i = 0; i < list.count; i++) {
        int64_t id = snap_id(list.entries[i].name);

        if (id < 0) {
            continue;
        }
        TRY(join(snap, remote_dir, list.entries[i].name, e));
        TRY(join(path, snap, METADATA, e));
        if (path_exists(path)) {
            ids[count++] = id;
        }
    }
    if (count > 1) {
        qsort(ids, count, sizeof *ids, compare_ids);
    }
    *ret = ids;
    *ret_count = count;
    return ERR_OK;
}

enum errcode kv_snapshot_read(const char *remote_dir, int64_t id, struct arena *arena,
                              struct kv_snapshot *ret, struct error *e)
{
    struct bytes text = BYTES_EMPTY;
    char snap[PATH_LEN_MAX];
    char path[PATH_LEN_MAX];
    char name[64];
    bool exists = false;

    snap_name(id, name);
    TRY(join(snap, remote_dir, name, e));
    TRY(join(path, snap, METADATA, e));
    TRY(file_read_whole(path, KV_SNAPSHOT_SIZE_MAX, arena, &text, &exists, e));
    if (!exists) {
        return error_set(e, ERR_KV_SNAPSHOT_NOT_EXIST, "%s does not exist", path);
    }
    if (kv_snapshot_parse(text, arena, ret, e) != ERR_OK) {
        if (e != NULL) {
            error_wrap(e, "%s", path);
        }
        return ERR_CORRUPT_FILE;
    }
    return ERR_OK;
}

/* ---- removing ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
    const char **items;
    size_t count;
};

/* Names of all shared files of the kept snapshots, sorted. */
static enum errcode collect_names(const char *remote_dir, const int64_t *kept, size_t count,
                                  struct arena *arena, struct names *ret, struct error *e)
{
    struct kv_snapshot *snapshots = arena_array(arena, count, sizeof *snapshots);
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        TRY(kv_snapshot_read(remote_dir, kept[i], arena, &snapshots[i], e));
        total += snapshots[i].shared.count;
    }
    ret->items = arena_array(arena, total, sizeof *ret->items);
    ret->count = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < snapshots[i].shared.count; j++) {
            ret->items[ret->count++] = last_part(snapshots[i].shared.items[j].path);
        }
    }
    if (ret->count > 1) {
        qsort(ret->items, ret->count, sizeof *ret->items, compare_names);
    }
    return ERR_OK;
}

static bool is_kept(const int64_t *kept, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (kept[i] == id) {
            return true;
        }
    }
    return false;
}

static enum errcode remove_metadata(const char *snap, struct error *e)
{
    char path[PATH_LEN_MAX];

    TRY(join(path, snap, METADATA, e));
    if (path_exists(path)) {
        TRY(path_remove(path, e));
        TRY(dir_sync(snap, e));
    }
    return ERR_OK;
}

/* _METADATA goes first and for good, so that no snapshot is ever there without its files. */
static enum errcode remove_snapshot(const char *snap, struct error *e)
{
    TRY(remove_metadata(snap, e));
    return path_remove_tree(snap, e);
}

static enum errcode remove_snapshots(const char *remote_dir, const int64_t *kept, size_t count,
                                     struct arena *arena, struct error *e)
{
    struct dir_list list;
    char snap[PATH_LEN_MAX];

    TRY(dir_read(remote_dir, arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        int64_t id = snap_id(list.entries[i].name);

        if (id >= 0 && !is_kept(kept, count, id)) {
            TRY(join(snap, remote_dir, list.entries[i].name, e));
            TRY(remove_snapshot(snap, e));
        }
    }
    return ERR_OK;
}

static enum errcode remove_shared(const char *remote_dir, const struct names *named,
                                  struct arena *arena, struct error *e)
{
    struct dir_list list;
    char shared[PATH_LEN_MAX];
    char path[PATH_LEN_MAX];

    TRY(join(shared, remote_dir, SHARED, e));
    TRY(dir_read(shared, arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name;

        if (named->count == 0 || bsearch(&name, named->items, named->count, sizeof *named->items,
                                         compare_names) == NULL) {
            TRY(join(path, shared, name, e));
            TRY(path_remove(path, e));
        }
    }
    return ERR_OK;
}

enum errcode kv_snapshot_sweep(const char *remote_dir, const int64_t *kept, size_t count,
                               struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct names named;

    TRY(collect_names(remote_dir, kept, count, &arena, &named, e));
    TRY(remove_snapshots(remote_dir, kept, count, &arena, e));
    return remove_shared(remote_dir, &named, &arena, e);
}

enum errcode kv_snapshot_disown(const char *remote_dir, int64_t id, struct error *e)
{
    char snap[PATH_LEN_MAX];
    char name[64];

    snap_name(id, name);
    TRY(join(snap, remote_dir, name, e));
    return remove_metadata(snap, e);
}

/* ---- restoring ---- */

/* A path of this machine out of "file:///a", "file:/a" or "/a"; NULL: none. */
static const char *path_of(const char *uri)
{
    static const char file[] = "file:";
    const char *path = uri;

    if (strncmp(uri, file, strlen(file)) == 0) {
        path += strlen(file);
        path += strncmp(path, "//", 2) == 0 ? 2 : 0;
    }
    return path[0] == '/' ? path : NULL;
}

struct fetch {
    const char *origin; /* the remote directory when the snapshot was made; not terminated */
    size_t origin_len;
    const char *remote_dir; /* and now */
    const char *dir;        /* NULL: the files are not copied */
    bool whole;             /* but read */
};

/* Where a file is: what was below the directory then is below it now. */
static enum errcode find_file(const struct fetch *f, const char *uri, char path[PATH_LEN_MAX],
                              struct error *e)
{
    const char *elsewhere;

    if (f->origin_len > 0 && strncmp(uri, f->origin, f->origin_len) == 0 &&
        uri[f->origin_len] == '/') {
        return join(path, f->remote_dir, uri + f->origin_len + 1, e);
    }
    elsewhere = path_of(uri);
    if (elsewhere == NULL || strlen(elsewhere) >= PATH_LEN_MAX) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "%s is not a file of this machine", uri);
    }
    (void)snprintf(path, PATH_LEN_MAX, "%s", elsewhere);
    return ERR_OK;
}

static enum errcode fetch_file(const struct fetch *f, const struct kv_snapshot_file *file,
                               struct error *e)
{
    OWNED(file_unrefp) struct file *found = NULL;
    struct copying c = {.size = file->size};
    char from[PATH_LEN_MAX];
    char to[PATH_LEN_MAX] = "";
    uint64_t size = 0;

    TRY(find_file(f, file->path, from, e));
    if (!path_exists(from)) {
        return error_set(e, ERR_CORRUPT_FILE, "%s is missing", from);
    }
    if (f->dir == NULL && !f->whole) {
        return open_file(from, file->size, &found, &size, e);
    }
    if (f->dir != NULL) {
        TRY(join(to, f->dir, file->name, e));
    }
    TRY(copy_file(from, f->dir == NULL ? NULL : to, &c, e));
    if (file->has_checksum && file->checksum != c.checksum) {
        return error_set(e, ERR_CORRUPT_FILE, "%s is damaged: its checksum is wrong", from);
    }
    return ERR_OK;
}

static struct fetch fetch_of(const struct kv_snapshot *s, const char *remote_dir, const char *dir)
{
    return (struct fetch){
        .origin = s->location,
        .origin_len =
            (size_t)(last_part(s->location) - s->location) - (strchr(s->location, '/') != NULL),
        .remote_dir = remote_dir,
        .dir = dir,
    };
}

static enum errcode fetch_files(const struct kv_snapshot *s, const char *remote_dir,
                                const char *dir, struct error *e)
{
    const struct fetch f = fetch_of(s, remote_dir, dir);

    for (size_t i = 0; i < s->shared.count; i++) {
        TRY(fetch_file(&f, &s->shared.items[i], e));
    }
    for (size_t i = 0; i < s->own.count; i++) {
        TRY(fetch_file(&f, &s->own.items[i], e));
    }
    return ERR_OK;
}

enum errcode kv_snapshot_check(const struct kv_snapshot *s, const char *remote_dir, struct error *e)
{
    return fetch_files(s, remote_dir, NULL, e);
}

enum errcode kv_snapshot_check_file(const struct kv_snapshot *s,
                                    const struct kv_snapshot_file *file, const char *remote_dir,
                                    struct error *e)
{
    struct fetch f = fetch_of(s, remote_dir, NULL);

    f.whole = true;
    return fetch_file(&f, file, e);
}

enum errcode kv_snapshot_restore(const struct kv_snapshot *s, const char *remote_dir,
                                 const char *dir, struct error *e)
{
    TRY(path_remove_tree(dir, e));
    TRY(dir_create(dir, e));
    TRY(fetch_files(s, remote_dir, dir, e));
    return dir_sync(dir, e);
}
