/* The calls of file.h that are made of the others: no system call stands here, so a simulation that
 * has its own file.c and path.c runs this file as it is. */
#include "file.h"
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- files ---- */

void file_unrefp(struct file **f) { *f = file_unref(*f); }

enum errcode file_read_at(struct file *f, uint64_t offset, void *buffer, size_t len,
                          struct error *e)
{
    size_t got = 0;

    TRY(file_read_some(f, offset, buffer, len, &got, e));
    if (got != len) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "%s: %zu bytes at %llu expected, the file ends after "
                         "%zu",
                         f->path, len, (unsigned long long)offset, got);
    }
    return ERR_OK;
}

enum errcode file_write_at(struct file *f, uint64_t offset, struct bytes b, struct error *e)
{
    return file_write_runs(f, offset, &b, 1, e);
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

void pieces_fini(struct pieces *p)
{
    for (size_t i = 0; i < p->count; i++) {
        (void)chunk_unref(p->items[i].owner);
        (void)file_unref(p->items[i].file);
    }
    p->count = 0;
    p->len = 0;
}

/* ---- directories ---- */

static enum errcode dir_create_one(const char *path, struct error *e)
{
    char parent[PATH_LEN_MAX];
    struct error why;

    if (dir_make(path, &why) != ERR_OK) {
        if (why.os_errno == EEXIST && path_is_dir(path, true)) {
            return ERR_OK; /* someone else was faster */
        }
        if (e != NULL) {
            *e = why;
        }
        return why.code;
    }
    path_parent(path, parent);
    return dir_sync(parent, e);
}

/* Whoever made the directory may not yet have synced its parent, or may have been killed before; it
 * has entries only after that. */
static enum errcode dir_settle(const char *path, struct error *e)
{
    char parent[PATH_LEN_MAX];
    struct error why;

    if (!dir_is_empty(path)) {
        return ERR_OK;
    }
    path_parent(path, parent);
    if (dir_sync(parent, &why) != ERR_OK && why.os_errno != EACCES) {
        if (e != NULL) {
            *e = why;
        }
        return why.code;
    }
    return ERR_OK; /* also when it is not ours to sync: then we have not made it */
}

enum errcode dir_create(const char *path, struct error *e)
{
    char part[PATH_LEN_MAX];
    char last[PATH_LEN_MAX] = ""; /* the longest part that was there */
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof part) {
        return error_set(e, ERR_INVALID_ARGUMENT, "path of %zu bytes", len);
    }
    for (size_t i = 1; i <= len; i++) {
        if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (path_is_dir(part, true)) {
            memcpy(last, part, i + 1);
            continue;
        }
        TRY(last[0] == '\0' ? ERR_OK : dir_settle(last, e));
        last[0] = '\0';
        TRY(dir_create_one(part, e));
    }
    return last[0] == '\0' ? ERR_OK : dir_settle(last, e);
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
    TRY(dir_remove(path, e));
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

    if (root_len == 0 || root_len >= sizeof at) {
        return error_set(e, ERR_INVALID_ARGUMENT, "path of %zu bytes", root_len);
    }
    if (!path_is_dir(path, false)) {
        return path_remove(path, e); /* a link goes, not what it points to */
    }
    memcpy(at, path, root_len + 1);
    while (at[0] != '\0') {
        TRY(remove_step(at, root_len, e));
    }
    return ERR_OK;
}
