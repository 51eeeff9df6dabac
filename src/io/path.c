/* What the system does with paths: half of file.h, and what compose.c makes the rest of. */
#include "path.h"

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum errcode dir_sync(const char *path, struct error *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;
    int why;

    if (fd < 0) {
        return error_os(e, errno, "open directory %s", path);
    }
    rc = fsync(fd);
    why = errno;
    (void)close(fd);
    return rc == 0 ? ERR_OK : error_os(e, why, "sync directory %s", path);
}

enum errcode dir_make(const char *path, struct error *e)
{
    return mkdir(path, 0755) == 0 ? ERR_OK : error_os(e, errno, "create directory %s", path);
}

enum errcode dir_remove(const char *path, struct error *e)
{
    return rmdir(path) == 0 || errno == ENOENT ? ERR_OK
                                               : error_os(e, errno, "remove directory %s", path);
}

bool path_is_dir(const char *path, bool follow)
{
    struct stat st;

    return (follow ? stat(path, &st) : lstat(path, &st)) == 0 && S_ISDIR(st.st_mode);
}

static int dir_entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct dir_entry *)a)->name, ((const struct dir_entry *)b)->name);
}

static void closedirp(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

bool dir_is_empty(const char *path)
{
    OWNED(closedirp) DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            return false;
        }
    }
    return dir != NULL;
}

static bool entry_is_dir(const char *path, const struct dirent *entry)
{
    char child[PATH_LEN_MAX];
    struct stat st;

    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_DIR;
    }
    (void)snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
    return lstat(child, &st) == 0 && S_ISDIR(st.st_mode);
}

enum errcode dir_read(const char *path, struct arena *arena, struct dir_list *ret, struct error *e)
{
    OWNED(closedirp) DIR *dir = opendir(path);
    struct dir_list list = {0};
    size_t cap = 0;
    struct dirent *entry;

    if (dir == NULL && errno == ENOENT) {
        *ret = list;
        return ERR_OK;
    }
    if (dir == NULL) {
        return error_os(e, errno, "open directory %s", path);
    }
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (list.count == cap) {
            struct dir_entry *grown = arena_array(arena, cap == 0 ? 16 : cap * 2, sizeof *grown);

            if (list.count > 0) {
                memcpy(grown, list.entries, list.count * sizeof *grown);
            }
            list.entries = grown;
            cap = cap == 0 ? 16 : cap * 2;
        }
        list.entries[list.count++] = (struct dir_entry){
            .name = arena_strndup(arena, entry->d_name, strlen(entry->d_name)),
            .is_dir = entry_is_dir(path, entry),
        };
    }
    if (errno != 0) {
        return error_os(e, errno, "read directory %s", path);
    }
    if (list.count > 1) {
        qsort(list.entries, list.count, sizeof *list.entries, dir_entry_compare);
    }
    *ret = list;
    return ERR_OK;
}

enum errcode path_absolute(const char *path, struct arena *arena, char **ret, struct error *e)
{
    OWNED(mem_freep) char *resolved = realpath(path, NULL);

    if (resolved == NULL) {
        return error_os(e, errno, "path of %s", path);
    }
    *ret = arena_strndup(arena, resolved, strlen(resolved));
    return ERR_OK;
}

bool path_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

enum errcode path_rename(const char *from, const char *to, struct error *e)
{
    return rename(from, to) == 0 ? ERR_OK : error_os(e, errno, "rename %s to %s", from, to);
}

enum errcode path_remove(const char *path, struct error *e)
{
    return unlink(path) == 0 || errno == ENOENT ? ERR_OK : error_os(e, errno, "remove %s", path);
}

enum errcode file_lock(const char *path, struct file **ret, struct error *e)
{
    OWNED(file_unrefp) struct file *f = NULL;

    TRY(file_open(path, FILE_CREATE, &f, e));
    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? error_set(e, ERR_INVALID_ARGUMENT, "%s is locked by another process", path)
                   : error_os(e, errno, "lock %s", path);
    }
    *ret = TAKE(f);
    return ERR_OK;
}

enum errcode disk_usage(const char *path, struct disk_usage *ret, struct error *e)
{
    struct statvfs st;

    if (statvfs(path, &st) != 0) {
        return error_os(e, errno, "file system of %s", path);
    }
    ret->total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
    ret->free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return ERR_OK;
}

enum errcode dir_create_temporary(const char *prefix, struct arena *arena, char **ret,
                                  struct error *e)
{
    const char *base = getenv("TMPDIR");
    char *name = arena_printf(arena, "%s/%s-XXXXXX",
                              base != NULL && base[0] != '\0' ? base : "/tmp", prefix);

    if (mkdtemp(name) == NULL) {
        return error_os(e, errno, "create temporary directory %s", name);
    }
    *ret = name;
    return ERR_OK;
}
