/* The half of io/file.h that works on paths, over the simulated disk. */
#include "sim_io.h"

#include <errno.h>
#include <string.h>

#include "io/file.h"
#include "io/path.h"

#define SYNC_US_MAX 20000

static struct disk *disk_here(int64_t device_us_max)
{
    struct world *w = world_here();

    machine_operation(w, device_us_max);
    return w->disk;
}

enum errcode dir_sync(const char *path, struct error *e)
{
    int why = disk_sync_dir(disk_here(SYNC_US_MAX), path);

    return why == 0 ? ERR_OK : error_os(e, why, "sync directory %s", path);
}

enum errcode dir_make(const char *path, struct error *e)
{
    int why = disk_mkdir(disk_here(0), path);

    return why == 0 ? ERR_OK : error_os(e, why, "create directory %s", path);
}

enum errcode dir_remove(const char *path, struct error *e)
{
    int why = disk_rmdir(disk_here(0), path);

    return why == 0 || why == ENOENT ? ERR_OK : error_os(e, why, "remove directory %s", path);
}

bool dir_is_empty(const char *path)
{
    const struct inode *dir = disk_dir(world_here()->disk, path);
    bool is_dir;

    return dir != NULL && disk_entry(dir, 0, &is_dir) == NULL;
}

bool path_is_dir(const char *path, bool follow)
{
    (void)follow; /* there are no links */
    return disk_kind(world_here()->disk, path) == DISK_DIR;
}

enum errcode dir_read(const char *path, struct arena *arena, struct dir_list *ret, struct error *e)
{
    struct disk *d = disk_here(0);
    const struct inode *dir = disk_dir(d, path);
    struct dir_list list = {0};
    bool is_dir = false;

    if (disk_kind(d, path) == DISK_FILE) {
        return error_os(e, ENOTDIR, "open directory %s", path);
    }
    while (dir != NULL && disk_entry(dir, list.count, &is_dir) != NULL) {
        list.count++;
    }
    list.entries = arena_array(arena, list.count, sizeof *list.entries);
    for (size_t i = 0; i < list.count; i++) {
        const char *name = disk_entry(dir, i, &is_dir);

        list.entries[i].name = arena_strndup(arena, name, strlen(name));
        list.entries[i].is_dir = is_dir;
    }
    *ret = list;
    return ERR_OK;
}

enum errcode path_absolute(const char *path, struct arena *arena, char **ret, struct error *e)
{
    if (disk_kind(disk_here(0), path) == DISK_NOTHING) {
        return error_os(e, ENOENT, "path of %s", path);
    }
    *ret = arena_printf(arena, path[0] == '/' ? "%s" : "/%s", path);
    return ERR_OK;
}

bool path_exists(const char *path) { return disk_kind(world_here()->disk, path) != DISK_NOTHING; }

enum errcode path_rename(const char *from, const char *to, struct error *e)
{
    int why = disk_rename(disk_here(0), from, to);

    return why == 0 ? ERR_OK : error_os(e, why, "rename %s to %s", from, to);
}

enum errcode path_remove(const char *path, struct error *e)
{
    int why = disk_unlink(disk_here(0), path);

    return why == 0 || why == ENOENT ? ERR_OK : error_os(e, why, "remove %s", path);
}

enum errcode file_lock(const char *path, struct file **ret, struct error *e)
{
    OWNED(file_unrefp) struct file *f = NULL;

    TRY(file_open(path, FILE_CREATE, &f, e));
    if (disk_lock(world_here()->disk, f->fd) != 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s is locked by another process", path);
    }
    *ret = TAKE(f);
    return ERR_OK;
}

enum errcode disk_usage(const char *path, struct disk_usage *ret, struct error *e)
{
    struct disk *d = world_here()->disk;

    (void)path;
    (void)e;
    *ret = (struct disk_usage){.total_bytes = INT64_MAX, .free_bytes = INT64_MAX - disk_used(d)};
    return ERR_OK;
}

enum errcode dir_create_temporary(const char *prefix, struct arena *arena, char **ret,
                                  struct error *e)
{
    *ret = arena_printf(arena, "/tmp-%s-%llu", prefix,
                        (unsigned long long)prng_u64(&world_here()->machine.random));
    return dir_make(*ret, e);
}
