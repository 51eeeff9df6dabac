/* Directories: see disk.h. */
#include "disk_inode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_AFTER 64 /* names gone */

/* ---- names in order ---- */

/* Where the name is or belongs. */
static size_t names_seek(const struct names *n, const char *name)
{
    size_t low = 0;
    size_t high = n->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(n->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct inode *names_get(const struct names *n, const char *name)
{
    size_t at = names_seek(n, name);

    return at < n->count && strcmp(n->entries[at].name, name) == 0 ? n->entries[at].inode : NULL;
}

static void name_set(char to[DISK_NAME], const char *name)
{
    ASSERT(strlen(name) < DISK_NAME);
    memset(to, 0, DISK_NAME);
    memcpy(to, name, strlen(name));
}

void names_put(struct names *n, const char *name, struct inode *inode)
{
    size_t at = names_seek(n, name);

    if (at < n->count && strcmp(n->entries[at].name, name) == 0) {
        n->entries[at].inode = inode;
        return;
    }
    if (n->count == n->cap) {
        n->cap = n->cap == 0 ? 8 : n->cap * 2;
        n->entries = mem_realloc(n->entries, n->cap * sizeof *n->entries);
    }
    memmove(n->entries + at + 1, n->entries + at, (n->count - at) * sizeof *n->entries);
    n->count++;
    name_set(n->entries[at].name, name);
    n->entries[at].inode = inode;
}

void names_remove(struct names *n, const char *name)
{
    size_t at = names_seek(n, name);

    if (at < n->count && strcmp(n->entries[at].name, name) == 0) {
        n->count--;
        memmove(n->entries + at, n->entries + at + 1, (n->count - at) * sizeof *n->entries);
    }
}

void names_copy(struct names *to, const struct names *from)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        names_put(to, from->entries[i].name, from->entries[i].inode);
    }
}

void names_fini(struct names *n) { free(n->entries); }

void change_apply(struct names *n, const struct change *c)
{
    if (c->removed[0] != '\0') {
        names_remove(n, c->removed);
    }
    if (c->added[0] != '\0') {
        names_put(n, c->added, c->inode);
    }
}

/* ---- paths ---- */

/* Copies the next name of the path; returns what follows, NULL: there is none. */
static const char *next_name(const char *path, char ret[DISK_NAME])
{
    size_t len;

    while (*path == '/') {
        path++;
    }
    len = strcspn(path, "/");
    if (len == 0) {
        return NULL;
    }
    ASSERT(len < DISK_NAME);
    memcpy(ret, path, len);
    ret[len] = '\0';
    return path + len;
}

struct inode *disk_find(struct disk *d, const char *path)
{
    struct inode *at = d->root;
    char name[DISK_NAME];

    while (at != NULL && (path = next_name(path, name)) != NULL) {
        at = at->is_dir ? names_get(&at->cached, name) : NULL;
    }
    return at;
}

/* The directory that has, or would have, the path's last name; NULL: it is missing. */
static struct inode *find_parent(struct disk *d, const char *path, char ret_name[DISK_NAME])
{
    struct inode *at = d->root;
    const char *rest = next_name(path, ret_name);
    char following[DISK_NAME];

    ASSERT(rest != NULL);
    while ((rest = next_name(rest, following)) != NULL) {
        at = names_get(&at->cached, ret_name);
        if (at == NULL || !at->is_dir) {
            return NULL;
        }
        memcpy(ret_name, following, sizeof following);
    }
    return at;
}

/* ---- changes ---- */

static void change_dir(struct inode *dir, const char *removed, const char *added,
                       struct inode *inode)
{
    struct change *c = mem_new(struct change);

    name_set(c->removed, removed);
    name_set(c->added, added);
    c->inode = inode;
    change_apply(&dir->cached, c);
    list_push_back(&dir->changes, &c->link);
}

static int name_fault(struct disk *d, const char *what, const char *path)
{
    if (disk_fault(d, d->faults.name_error)) {
        trace_line(d->trace, "disk", "%s %s fails", what, path);
        return EIO;
    }
    return 0;
}

int disk_create(struct disk *d, const char *path, bool is_dir)
{
    char name[DISK_NAME];
    struct inode *dir = find_parent(d, path, name);
    int rc = name_fault(d, "create", path);

    if (dir == NULL || rc != 0) {
        return dir == NULL ? ENOENT : rc;
    }
    if (names_get(&dir->cached, name) != NULL) {
        return EEXIST;
    }
    if (disk_full(d)) {
        return ENOSPC;
    }
    change_dir(dir, "", name, inode_new(d, is_dir));
    return 0;
}

int disk_mkdir(struct disk *d, const char *path) { return disk_create(d, path, true); }

static int remove_name(struct disk *d, const char *path, bool is_dir)
{
    char name[DISK_NAME];
    struct inode *dir = find_parent(d, path, name);
    struct inode *i = dir == NULL ? NULL : names_get(&dir->cached, name);
    int rc = name_fault(d, "remove", path);

    if (i == NULL || rc != 0) {
        return i == NULL ? ENOENT : rc;
    }
    if (i->is_dir != is_dir) {
        return is_dir ? ENOTDIR : EISDIR;
    }
    if (is_dir && i->cached.count > 0) {
        return ENOTEMPTY;
    }
    change_dir(dir, name, "", NULL);
    if (++d->gone > SWEEP_AFTER) {
        disk_sweep(d);
    }
    return 0;
}

int disk_rmdir(struct disk *d, const char *path) { return remove_name(d, path, true); }

int disk_unlink(struct disk *d, const char *path) { return remove_name(d, path, false); }

int disk_rename(struct disk *d, const char *from, const char *to)
{
    char old_name[DISK_NAME];
    char new_name[DISK_NAME];
    struct inode *old_dir = find_parent(d, from, old_name);
    struct inode *new_dir = find_parent(d, to, new_name);
    struct inode *i = old_dir == NULL ? NULL : names_get(&old_dir->cached, old_name);
    struct inode *replaced = new_dir == NULL ? NULL : names_get(&new_dir->cached, new_name);
    int rc = name_fault(d, "rename", from);

    if (i == NULL || new_dir == NULL || rc != 0) {
        return rc != 0 ? rc : ENOENT;
    }
    if (replaced != NULL && (replaced->is_dir || i->is_dir)) {
        return EEXIST; /* what of directories POSIX allows is not used */
    }
    if (old_dir == new_dir) {
        change_dir(old_dir, old_name, new_name, i);
    } else {
        change_dir(new_dir, "", new_name, i);
        change_dir(old_dir, old_name, "", NULL);
    }
    return 0;
}

int disk_sync_dir(struct disk *d, const char *path)
{
    struct inode *dir = disk_find(d, path);
    struct list *link;
    int rc = name_fault(d, "sync of directory", path);

    if (dir == NULL || !dir->is_dir || rc != 0) {
        return rc != 0 ? rc : ENOENT;
    }
    while ((link = list_pop_front(&dir->changes)) != NULL) {
        struct change *c = container_of(link, struct change, link);

        change_apply(&dir->durable, c);
        free(c);
    }
    return 0;
}

enum disk_kind disk_kind(struct disk *d, const char *path)
{
    const struct inode *i = disk_find(d, path);

    return i == NULL ? DISK_NOTHING : i->is_dir ? DISK_DIR : DISK_FILE;
}

const struct inode *disk_dir(struct disk *d, const char *path)
{
    const struct inode *dir = disk_find(d, path);

    return dir != NULL && dir->is_dir ? dir : NULL;
}

const char *disk_entry(const struct inode *dir, size_t index, bool *ret_dir)
{
    if (index >= dir->cached.count) {
        return NULL;
    }
    *ret_dir = dir->cached.entries[index].inode->is_dir;
    return dir->cached.entries[index].name;
}
