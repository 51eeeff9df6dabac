/* What time does to what is on the device: see disk.h. */
#include "disk_inode.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8 /* of directories */

struct listing {
    struct arena *arena;
    const char **paths;
    size_t count;
    size_t cap;
};

static void add_path(struct listing *l, const char *path)
{
    if (l->count == l->cap) {
        l->cap = l->cap == 0 ? 64 : l->cap * 2;
        l->paths = mem_realloc(l->paths, l->cap * sizeof *l->paths);
    }
    l->paths[l->count++] = path;
}

static void list_files(struct listing *l, const struct inode *dir, const char *path, unsigned depth)
{
    ASSERT(depth < DEPTH_MAX);
    for (size_t i = 0; i < dir->durable.count; i++) {
        const struct entry *entry = &dir->durable.entries[i];
        const char *name = arena_printf(l->arena, "%s/%s", path, entry->name);

        if (entry->inode->is_dir) {
            list_files(l, entry->inode, name, depth + 1);
        } else {
            add_path(l, name);
        }
    }
}

size_t disk_files(struct disk *d, struct arena *arena, const char ***ret)
{
    struct listing l = {.arena = arena};

    list_files(&l, d->root, "", 0);
    *ret = arena_array(arena, l.count + 1, sizeof **ret);
    for (size_t i = 0; i < l.count; i++) {
        (*ret)[i] = l.paths[i];
    }
    free(l.paths);
    return l.count;
}

/* By durable names. NULL: there is none, or it is a directory. */
static struct inode *find_file(struct disk *d, const char *path)
{
    struct inode *at = d->root;
    char name[DISK_NAME];

    while (at != NULL && *path != '\0') {
        size_t len = strcspn(++path, "/");

        ASSERT(len < DISK_NAME);
        memcpy(name, path, len);
        name[len] = '\0';
        path += len;
        at = at->is_dir ? names_get(&at->durable, name) : NULL;
    }
    return at == NULL || at->is_dir ? NULL : at;
}

struct bytes disk_device(struct disk *d, const char *path)
{
    const struct inode *i = find_file(d, path);

    return i == NULL ? BYTES_EMPTY : bytes_of(i->device.data, (size_t)i->device.size);
}

static bool is_synced(const struct inode *i, uint64_t from, uint64_t end)
{
    if (end > i->device.size || end > i->cache.size || i->apart) {
        return false;
    }
    for (uint64_t s = from / DISK_SECTOR; s * DISK_SECTOR < end; s++) {
        if (i->dirty[s] != 0) {
            return false;
        }
    }
    return true;
}

bool disk_rot(struct disk *d, const char *path, const struct disk_rot *rot)
{
    struct inode *i = find_file(d, path);

    if (i == NULL || !is_synced(i, rot->from, rot->from + rot->len)) {
        return false;
    }
    for (uint64_t at = rot->from; at < rot->from + rot->len; at++) {
        uint8_t was = i->device.data[at];

        i->device.data[at] = rot->flip == 0 ? 0 : was ^ rot->flip;
        if (!rot->hidden) {
            i->cache.data[at] = i->device.data[at];
        }
    }
    i->apart = rot->hidden;
    trace_line(d->trace, "disk", "%llu bytes at %llu of %s decay%s", (unsigned long long)rot->len,
               (unsigned long long)rot->from, path, rot->hidden ? ", hidden for now" : "");
    return true;
}
