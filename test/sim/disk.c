/* Contents of files: see disk.h. */
#include "disk_inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

struct disk *disk_new(struct prng random, struct trace *trace)
{
    struct disk *d = mem_new(struct disk);

    d->random = random;
    d->trace = trace;
    list_init(&d->inodes);
    d->root = inode_new(d, true);
    return d;
}

struct inode *inode_new(struct disk *d, bool is_dir)
{
    struct inode *i = mem_new(struct inode);

    i->number = ++d->next_number;
    i->is_dir = is_dir;
    list_init(&i->changes);
    list_push_back(&d->inodes, &i->link);
    return i;
}

static void inode_free(struct disk *d, struct inode *i)
{
    struct list *link;

    while ((link = list_pop_front(&i->changes)) != NULL) {
        free(container_of(link, struct change, link));
    }
    d->used -= i->cache.size;
    names_fini(&i->cached);
    names_fini(&i->durable);
    free(i->cache.data);
    free(i->device.data);
    free(i->dirty);
    list_remove(&i->link);
    free(i);
}

void disk_free(struct disk *d)
{
    if (d == NULL) {
        return;
    }
    LIST_FOR_EACH(it, &d->inodes) { inode_free(d, container_of(it, struct inode, link)); }
    free(d);
}

/* Marks what the directory leads to; returns how many were not marked before. */
static size_t mark_children(struct inode *dir)
{
    const struct names *views[] = {&dir->cached, &dir->durable};
    size_t fresh = 0;

    for (size_t v = 0; v < ARRAY_LEN(views); v++) {
        for (size_t i = 0; i < views[v]->count; i++) {
            fresh += !views[v]->entries[i].inode->marked;
            views[v]->entries[i].inode->marked = true;
        }
    }
    LIST_FOR_EACH(it, &dir->changes)
    {
        struct change *c = container_of(it, struct change, link);

        if (c->inode != NULL) {
            fresh += !c->inode->marked;
            c->inode->marked = true;
        }
    }
    return fresh;
}

void disk_sweep(struct disk *d)
{
    size_t fresh = 1;

    d->gone = 0;
    LIST_FOR_EACH(it, &d->inodes)
    {
        struct inode *i = container_of(it, struct inode, link);

        i->marked = i->handles > 0 || i == d->root;
    }
    while (fresh > 0) { /* once for each level of directories */
        fresh = 0;
        LIST_FOR_EACH(it, &d->inodes)
        {
            struct inode *i = container_of(it, struct inode, link);

            fresh += i->marked && i->is_dir ? mark_children(i) : 0;
        }
    }
    LIST_FOR_EACH(it, &d->inodes)
    {
        struct inode *i = container_of(it, struct inode, link);

        if (!i->marked) {
            inode_free(d, i);
        }
    }
}

/* ---- faults ---- */

void disk_set_faults(struct disk *d, const struct disk_faults *faults)
{
    d->faults = *faults;
    if (faults->no_space == 0) {
        d->full_until_us = 0;
    }
    if (faults->bad_forever == 0) {
        LIST_FOR_EACH(it, &d->inodes)
        {
            struct inode *i = container_of(it, struct inode, link);

            i->bad_read = false;
            i->bad_write = false;
        }
    }
}

void disk_at(struct disk *d, int64_t now_us) { d->now_us = now_us; }

bool disk_fault(struct disk *d, uint32_t chance)
{
    return chance > 0 && prng_chance(&d->random, chance);
}

bool disk_full(struct disk *d)
{
    if (disk_fault(d, d->faults.no_space)) {
        d->full_until_us = d->now_us + prng_skewed(&d->random, 0, d->faults.no_space_us_max);
        trace_line(d->trace, "disk", "full until %lld.%06lld",
                   (long long)(d->full_until_us / 1000000),
                   (long long)(d->full_until_us % 1000000));
    }
    return d->now_us < d->full_until_us;
}

/* An error of this file, once or from now on. */
static bool file_fault(struct disk *d, uint32_t chance, bool *bad)
{
    if (*bad) {
        return true;
    }
    if (!disk_fault(d, chance)) {
        return false;
    }
    *bad = disk_fault(d, d->faults.bad_forever);
    return true;
}

/* ---- contents ---- */

void contents_resize(struct contents *c, uint64_t size)
{
    if (size > c->cap) {
        uint64_t cap = c->cap * 2 > size ? c->cap * 2 : size;

        cap = (cap + DISK_PAGE - 1) / DISK_PAGE * DISK_PAGE;
        c->data = mem_realloc(c->data, cap);
        memset(c->data + c->cap, 0, cap - c->cap);
        c->cap = cap;
    }
    if (size < c->size) {
        memset(c->data + size, 0, c->size - size);
    }
    c->size = size;
}

static void cache_resize(struct disk *d, struct inode *i, uint64_t size)
{
    uint64_t sectors = i->cache.cap / DISK_SECTOR;

    d->used = d->used - i->cache.size + size;
    contents_resize(&i->cache, size);
    if (i->cache.cap / DISK_SECTOR > sectors) {
        i->dirty = mem_realloc(i->dirty, i->cache.cap / DISK_SECTOR);
        memset(i->dirty + sectors, 0, i->cache.cap / DISK_SECTOR - sectors);
    }
}

/* Bytes [from, end) of the page cache differ from the device. */
static void make_dirty(struct inode *i, uint64_t from, uint64_t end)
{
    uint64_t first = from / DISK_SECTOR;
    uint64_t last = (end + DISK_SECTOR - 1) / DISK_SECTOR;

    if (from >= end) {
        return;
    }
    memset(i->dirty + first, 1, last - first);
    if (i->dirty_from == i->dirty_end) {
        i->dirty_from = first;
        i->dirty_end = last;
    }
    i->dirty_from = first < i->dirty_from ? first : i->dirty_from;
    i->dirty_end = last > i->dirty_end ? last : i->dirty_end;
}

static struct inode *of(struct disk *d, int handle)
{
    ASSERT(handle >= 0 && handle < DISK_HANDLES && d->handles[handle].inode != NULL);
    return d->handles[handle].inode;
}

int disk_open(struct disk *d, const char *path, enum disk_open mode, int *ret_handle)
{
    struct inode *i = disk_find(d, path);

    if (i == NULL && mode != DISK_MUST_EXIST) {
        int rc = disk_create(d, path, false);

        if (rc != 0) {
            return rc;
        }
        i = disk_find(d, path);
    } else if (i == NULL) {
        return ENOENT;
    } else if (mode == DISK_CREATE_NEW) {
        return EEXIST;
    } else if (i->is_dir) {
        return EISDIR;
    }
    for (int n = 0; n < DISK_HANDLES; n++) {
        int at = (d->handle_next + n) % DISK_HANDLES;

        if (d->handles[at].inode == NULL) {
            d->handles[at] = (struct handle){.inode = i};
            d->handle_next = (at + 1) % DISK_HANDLES;
            i->handles++;
            *ret_handle = at;
            return 0;
        }
    }
    return EMFILE;
}

void disk_close(struct disk *d, int handle)
{
    struct inode *i = of(d, handle);

    i->handles--;
    if (d->handles[handle].locks) {
        i->locked = false;
    }
    d->handles[handle] = (struct handle){0};
}

int disk_size(struct disk *d, int handle, uint64_t *ret)
{
    *ret = of(d, handle)->cache.size;
    return 0;
}

int disk_read(struct disk *d, int handle, uint64_t offset, void *buffer, size_t *len)
{
    struct inode *i = of(d, handle);
    size_t have = offset < i->cache.size ? (size_t)(i->cache.size - offset) : 0;
    size_t n = *len < have ? *len : have;

    if (file_fault(d, d->faults.read_error, &i->bad_read)) {
        trace_line(d->trace, "disk", "a read of file %llu fails", (unsigned long long)i->number);
        return EIO;
    }
    if (n > 0) {
        memcpy(buffer, i->cache.data + offset, n);
    }
    *len = n;
    return 0;
}

/* How much of a write is done, and what it then says. */
static int write_fault(struct disk *d, struct inode *i, uint64_t end, size_t *len)
{
    int rc = 0;

    if (file_fault(d, d->faults.write_error, &i->bad_write)) {
        rc = EIO;
    } else if (end > i->cache.size &&
               (disk_full(d) || (d->faults.capacity_bytes > 0 &&
                                 d->used + end - i->cache.size > d->faults.capacity_bytes))) {
        rc = ENOSPC;
    }
    if (rc != 0) {
        trace_line(d->trace, "disk", "a write to file %llu fails: %s",
                   (unsigned long long)i->number, strerror(rc));
        *len = (size_t)prng_below(&d->random, *len + 1);
    }
    return rc;
}

int disk_write(struct disk *d, int handle, uint64_t offset, struct bytes b)
{
    struct inode *i = of(d, handle);
    size_t len = b.len;
    int rc = write_fault(d, i, offset + b.len, &len);

    if (len > 0) {
        uint64_t old = i->cache.size;

        if (offset + len > old) {
            cache_resize(d, i, offset + len);
            make_dirty(i, old, offset + len);
        }
        memcpy(i->cache.data + offset, b.data, len);
        make_dirty(i, offset, offset + len);
    }
    return rc;
}

int disk_truncate(struct disk *d, int handle, uint64_t size)
{
    struct inode *i = of(d, handle);
    uint64_t old = i->cache.size;

    if (size > old && disk_full(d)) {
        return ENOSPC;
    }
    if (file_fault(d, d->faults.write_error, &i->bad_write)) {
        return EIO;
    }
    cache_resize(d, i, size);
    make_dirty(i, size < old ? size : old, size < old ? old : size);
    return 0;
}

int disk_sync(struct disk *d, int handle)
{
    struct inode *i = of(d, handle);
    bool failed = file_fault(d, d->faults.sync_error, &i->bad_write);

    if (failed) {
        i->apart = true;
        trace_line(d->trace, "disk", "a sync of file %llu fails", (unsigned long long)i->number);
    } else {
        contents_resize(&i->device, i->cache.size);
    }
    for (uint64_t s = i->dirty_from; s < i->dirty_end; s++) {
        if (i->dirty[s] != 0 && !failed && s * DISK_SECTOR < i->device.cap) {
            memcpy(i->device.data + s * DISK_SECTOR, i->cache.data + s * DISK_SECTOR, DISK_SECTOR);
        }
        i->dirty[s] = 0;
    }
    i->dirty_from = 0;
    i->dirty_end = 0;
    return failed ? EIO : 0;
}

bool disk_resident(struct disk *d, int handle, uint64_t offset, size_t len)
{
    struct inode *i = of(d, handle);

    (void)len;
    if (disk_fault(d, d->faults.cold)) {
        i->cold_end = i->cache.size;
    }
    return offset >= i->cold_end;
}

void disk_warm(struct disk *d, int handle) { of(d, handle)->cold_end = 0; }

int disk_lock(struct disk *d, int handle)
{
    struct inode *i = of(d, handle);

    if (i->locked) {
        return EWOULDBLOCK;
    }
    i->locked = true;
    d->handles[handle].locks = true;
    return 0;
}

uint64_t disk_used(const struct disk *d) { return d->used; }
