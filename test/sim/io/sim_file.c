/* The half of io/file.h that works on open files, over the simulated disk. What is made of these calls
 * (src/io/compose.c) is the real thing. */
#include "sim_io.h"

#include <errno.h>
#include <stdlib.h>

#include "io/file.h"

/* What the device may take for an operation, stalls aside. */
#define SYNC_US_MAX 20000
#define READ_US_MAX 10000

static struct disk *disk_here(int64_t device_us_max)
{
    struct world *w = world_here();

    machine_operation(w, device_us_max);
    return w->disk;
}

enum errcode file_open(const char *path, enum file_mode mode, struct file **ret, struct error *e)
{
    static const enum disk_open modes[] = {
        [FILE_READ] = DISK_MUST_EXIST,
        [FILE_WRITE] = DISK_MUST_EXIST,
        [FILE_CREATE] = DISK_CREATE,
        [FILE_CREATE_NEW] = DISK_CREATE_NEW,
    };
    int handle = -1;
    int why = disk_open(disk_here(0), path, modes[mode], &handle);
    struct file *f;

    if (why != 0) {
        return error_os(e, why, "open %s", path);
    }
    f = mem_new(struct file);
    atomic_init(&f->refs, 1);
    f->fd = handle;
    f->path = mem_strdup(path);
    *ret = f;
    return ERR_OK;
}

struct file *file_ref(struct file *f)
{
    unsigned before = atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);

    ASSERT(before > 0);
    return f;
}

void *file_unref(struct file *f)
{
    if (f != NULL && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1) {
        disk_close(world_here()->disk, f->fd);
        free(f->path);
        free(f);
    }
    return NULL;
}

enum errcode file_size(struct file *f, uint64_t *ret, struct error *e)
{
    int why = disk_size(world_here()->disk, f->fd, ret);

    return why == 0 ? ERR_OK : error_os(e, why, "stat %s", f->path);
}

enum errcode file_read_some(struct file *f, uint64_t offset, void *buffer, size_t len, size_t *ret,
                            struct error *e)
{
    struct disk *d =
        disk_here(disk_resident(world_here()->disk, f->fd, offset, len) ? 0 : READ_US_MAX);
    int why = disk_read(d, f->fd, offset, buffer, &len);

    if (why != 0) {
        return error_os(e, why, "read %s at %llu", f->path, (unsigned long long)offset);
    }
    *ret = len;
    return ERR_OK;
}

enum errcode file_read_cached(struct file *f, uint64_t offset, void *buffer, size_t len,
                              bool *ret_cached, struct error *e)
{
    *ret_cached = disk_resident(disk_here(0), f->fd, offset, len);
    return *ret_cached ? file_read_at(f, offset, buffer, len, e) : ERR_OK;
}

enum errcode file_write_runs(struct file *f, uint64_t offset, const struct bytes *runs,
                             size_t count, struct error *e)
{
    struct disk *d = disk_here(0);

    ASSERT(count <= FILE_RUNS_MAX);
    for (size_t i = 0; i < count; i++) {
        int why = disk_write(d, f->fd, offset, runs[i]);

        if (why != 0) {
            return error_os(e, why, "write %s at %llu", f->path, (unsigned long long)offset);
        }
        offset += runs[i].len;
    }
    return ERR_OK;
}

enum errcode file_truncate(struct file *f, uint64_t size, struct error *e)
{
    int why = disk_truncate(disk_here(0), f->fd, size);

    return why == 0 ? ERR_OK
                    : error_os(e, why, "truncate %s to %llu", f->path, (unsigned long long)size);
}

enum errcode file_sync(struct file *f, struct error *e)
{
    int why = disk_sync(disk_here(SYNC_US_MAX), f->fd);

    return why == 0 ? ERR_OK : error_os(e, why, "sync %s", f->path);
}

void file_write_back(struct file *f, uint64_t offset, uint64_t len)
{
    (void)f;
    (void)offset;
    (void)len;
}

bool file_resident(struct file *f, uint64_t offset, size_t len)
{
    return disk_resident(world_here()->disk, f->fd, offset, len);
}

void file_warm(struct file *f, uint64_t offset, size_t len)
{
    (void)offset;
    (void)len;
    disk_warm(disk_here(READ_US_MAX), f->fd);
}
