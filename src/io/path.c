/* Directories, whole-file reads and atomic replacement: the path half of file.h. */
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

#define PATH_LEN_MAX 4096

/* The parent of path in a buffer: "a/b" -> "a", "b" -> ".", "/b" -> "/". */
static void path_parent(const char *path, char parent[PATH_LEN_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == NULL) {
        (void)snprintf(parent, PATH_LEN_MAX, ".");
    } else {
        (void)snprintf(parent, PATH_LEN_MAX, "%.*s", (int)(len == 0 ? 1 : len), path);
    }
}

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

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum errcode dir_create_one(const char *path, struct error *e)
{
    char parent[PATH_LEN_MAX];

    if (mkdir(path, 0755) != 0) {
        int why = errno;

        if (why == EEXIST && is_dir(path)) {
            return ERR_OK; /* someone else was faster */
        }
        return error_os(e, why, "create directory %s", path);
    }
    path_parent(path, parent);
    return dir_sync(parent, e);
}

enum errcode dir_create(const char *path, struct error *e)
{
    char part[PATH_LEN_MAX];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof part) {
        return error_set(e, ERR_INVALID_ARGUMENT, "path of %zu bytes", len);
    }
    for (size_t i = 1; i <= len; i++) {
        if ((path[i] == '/' || path[i] == '\0') && path[i - 1] != '/') {
            memcpy(part, path, i);
            part[i] = '\0';
            if (!is_dir(part)) {
                TRY(dir_create_one(part, e));
            }
        }
    }
    return ERR_OK;
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

/* "file://host/a" has another machine in it, and no path behind the slashes. */
const char *path_of_uri(const char *uri)
{
    static const char scheme[] = "file:";
    const char *path = uri;

    if (strncmp(uri, scheme, strlen(scheme)) == 0) {
        path += strlen(scheme);
        path += strncmp(path, "//", 2) == 0 ? 2 : 0;
    }
    return path[0] == '/' ? path : NULL;
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

/* Removes one entry of the tree: a file, or the deepest first directory on the way to one.
 * Iterative: `path` is extended while descending and cut back after each removal. */
static enum errcode remove_step(char path[PATH_LEN_MAX], size_t root_len, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct dir_list list;
    size_t len = strlen(path);

    TRY(dir_read(path, &arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        if (len + 1 + strlen(list.entries[i].name) >= PATH_LEN_MAX) {
            return error_set(e, ERR_INVALID_ARGUMENT, "path too long below %s", path);
        }
        (void)snprintf(path + len, PATH_LEN_MAX - len, "/%s", list.entries[i].name);
        if (list.entries[i].is_dir) {
            return ERR_OK; /* descend: the next step works on this directory */
        }
        TRY(path_remove(path, e));
        path[len] = '\0';
    }
    if (rmdir(path) != 0 && errno != ENOENT) {
        return error_os(e, errno, "remove directory %s", path);
    }
    if (len > root_len) {
        *strrchr(path, '/') = '\0'; /* back to the parent */
    } else {
        path[0] = '\0'; /* done */
    }
    return ERR_OK;
}

enum errcode path_remove_tree(const char *path, struct error *e)
{
    char at[PATH_LEN_MAX];
    size_t root_len = strlen(path);
    struct stat st;

    if (root_len == 0 || root_len >= sizeof at) {
        return error_set(e, ERR_INVALID_ARGUMENT, "path of %zu bytes", root_len);
    }
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return path_remove(path, e); /* a link goes, not what it points to */
    }
    memcpy(at, path, root_len + 1);
    while (at[0] != '\0') {
        TRY(remove_step(at, root_len, e));
    }
    return ERR_OK;
}

enum errcode file_read_whole(const char *path, size_t max_size, struct arena *arena,
                             struct bytes *ret, bool *ret_exists, struct error *e)
{
    OWNED(file_unrefp) struct file *f = NULL;
    uint64_t size = 0;
    uint8_t *data;
    struct error why;

    if (file_open(path, FILE_READ, &f, &why) != ERR_OK) {
        if (why.os_errno == ENOENT) {
            *ret = BYTES_EMPTY;
            *ret_exists = false;
            return ERR_OK;
        }
        if (e != NULL) {
            *e = why;
        }
        return why.code;
    }
    TRY(file_size(f, &size, e));
    if (size > max_size) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: %llu bytes, at most %zu expected", path,
                         (unsigned long long)size, max_size);
    }
    data = arena_alloc(arena, (size_t)size);
    TRY(file_read_at(f, 0, data, (size_t)size, e));
    *ret = bytes_of(data, (size_t)size);
    *ret_exists = true;
    return ERR_OK;
}

enum errcode file_replace(const char *path, struct bytes contents, struct error *e)
{
    OWNED(file_unrefp) struct file *f = NULL;
    char temporary[PATH_LEN_MAX];
    char parent[PATH_LEN_MAX];

    if (strlen(path) + 5 >= sizeof temporary) {
        return error_set(e, ERR_INVALID_ARGUMENT, "path of %zu bytes", strlen(path));
    }
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
    TRY(file_open(temporary, FILE_CREATE, &f, e));
    TRY(file_truncate(f, 0, e));
    TRY(file_write_at(f, 0, contents, e));
    TRY(file_sync(f, e));
    TRY(path_rename(temporary, path, e));
    path_parent(path, parent);
    return dir_sync(parent, e);
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
