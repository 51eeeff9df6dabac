/* What a power cut leaves of the disk: see disk.h. */
#include "disk_inode.h"

#include <stdlib.h>
#include <string.h>

/* How this crash treats what is not on the device; the luck of one disk, so that a crash that loses
 * everything or nothing is as likely as one that mixes. */
struct luck {
    uint32_t keep; /* per million pages and directory changes */
    uint32_t tear; /* per million kept pages: only some sectors of it */
};

static struct luck draw_luck(struct disk *d)
{
    static const uint32_t keeps[] = {0, 100000, 500000, 900000, 1000000};
    static const uint32_t tears[] = {0, 0, 100000, 500000};

    return (struct luck){
        .keep = keeps[prng_below(&d->random, ARRAY_LEN(keeps))],
        .tear = tears[prng_below(&d->random, ARRAY_LEN(tears))],
    };
}

/* The size: old, new, or between, when there were several writes. */
static uint64_t crashed_size(struct disk *d, const struct inode *i, const struct luck *luck)
{
    uint64_t low = i->device.size < i->cache.size ? i->device.size : i->cache.size;
    uint64_t high = i->device.size < i->cache.size ? i->cache.size : i->device.size;

    if (low == high || prng_below(&d->random, 2) == 0) {
        return prng_chance(&d->random, luck->keep) ? i->cache.size : i->device.size;
    }
    return low + prng_below(&d->random, high - low + 1);
}

static bool all_on_device(const struct inode *i)
{
    return i->dirty_from == i->dirty_end && !i->apart && i->device.size == i->cache.size;
}

/* Returns the number of pages that were lost at least in part. */
static size_t crash_contents(struct disk *d, struct inode *i, const struct luck *luck)
{
    uint64_t per_page = DISK_PAGE / DISK_SECTOR;
    size_t lost = 0;
    uint64_t size = crashed_size(d, i, luck);

    contents_resize(&i->device, i->cache.cap > i->device.size ? i->cache.cap : i->device.size);
    for (uint64_t page = i->dirty_from / per_page; page * per_page < i->dirty_end; page++) {
        bool keep = prng_chance(&d->random, luck->keep);
        bool torn = prng_chance(&d->random, luck->tear);

        lost += !keep || torn;
        for (uint64_t s = page * per_page; s < (page + 1) * per_page; s++) {
            if (i->dirty[s] != 0 && (torn ? prng_below(&d->random, 2) == 0 : keep)) {
                memcpy(i->device.data + s * DISK_SECTOR, i->cache.data + s * DISK_SECTOR,
                       DISK_SECTOR);
            }
        }
    }
    contents_resize(&i->device, size);
    return lost;
}

/* The device's view becomes the only one. */
static void forget_cache(struct disk *d, struct inode *i)
{
    d->used = d->used - i->cache.size + i->device.size;
    contents_resize(&i->cache, i->device.size);
    if (i->cache.size > 0) {
        memcpy(i->cache.data, i->device.data, i->cache.size);
    }
    free(i->dirty);
    i->dirty = mem_zalloc(i->cache.cap / DISK_SECTOR + 1);
    i->dirty_from = 0;
    i->dirty_end = 0;
    i->apart = false;
}

static void crash_names(struct disk *d, struct inode *dir, const struct luck *luck)
{
    struct list *link;
    bool keep = true;

    while ((link = list_pop_front(&dir->changes)) != NULL) {
        struct change *c = container_of(link, struct change, link);

        keep = keep && prng_chance(&d->random, luck->keep);
        if (keep) {
            change_apply(&dir->durable, c);
        } else {
            trace_line(d->trace, "disk", "lost in directory %llu:%s%s%s%s",
                       (unsigned long long)dir->number, c->removed[0] == '\0' ? "" : " without ",
                       c->removed, c->added[0] == '\0' ? "" : " with ", c->added);
        }
        free(c);
    }
    names_copy(&dir->cached, &dir->durable);
}

void disk_crash(struct disk *d, bool calm)
{
    struct luck luck = draw_luck(d);
    size_t lost = 0;

    for (int h = 0; h < DISK_HANDLES; h++) {
        if (d->handles[h].inode != NULL) {
            disk_close(d, h);
        }
    }
    LIST_FOR_EACH(it, &d->inodes)
    {
        struct inode *i = container_of(it, struct inode, link);

        i->locked = false;
        if (calm) {
            continue;
        }
        if (i->is_dir) {
            crash_names(d, i, &luck);
        } else {
            if (!all_on_device(i)) {
                lost += crash_contents(d, i, &luck);
                forget_cache(d, i);
            }
            i->cold_end = d->faults.cold > 0 ? i->cache.size : 0;
        }
    }
    disk_sweep(d);
    trace_line(d->trace, "disk", calm ? "all of it stays" : "crash: %zu pages lost or torn", lost);
}
