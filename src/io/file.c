#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_PAGE 4096u

enum errcode file_open(const char *path, enum file_mode mode, struct file **ret, struct error *e)
{
    static const int flags[] = {
        [FILE_READ] = O_RDONLY,
        [FILE_WRITE] = O_RDWR,
        [FILE_CREATE] = O_RDWR | O_CREAT,
        [FILE_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL,
    };
    int fd;
    struct file *f;

    do {
        fd = open(path, flags[mode] | O_CLOEXEC, 0644);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return error_os(e, errno, "open %s", path);
    }
    f = mem_new(struct file);
    atomic_init(&f->refs, 1);
    f->fd = fd;
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
        (void)close(f->fd); /* whoever cares about the data has called file_sync */
        free(f->path);
        free(f);
    }
    return NULL;
}

enum errcode file_size(struct file *f, uint64_t *ret, struct error *e)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0) {
        return error_os(e, errno, "stat %s", f->path);
    }
    *ret = (uint64_t)st.st_size;
    return ERR_OK;
}

enum errcode file_read_some(struct file *f, uint64_t offset, void *buffer, size_t len, size_t *ret,
                            struct error *e)
{
    uint8_t *to = buffer;
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(f->fd, to + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return error_os(e, errno, "read %s at %llu", f->path, (unsigned long long)offset);
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *ret = done;
    return ERR_OK;
}

enum errcode file_read_cached(struct file *f, uint64_t offset, void *buffer, size_t len,
                              bool *ret_cached, struct error *e)
{
    uint8_t *to = buffer;
    size_t done = 0;

    *ret_cached = true;
    while (done < len) {
        struct iovec iov = {.iov_base = to + done, .iov_len = len - done};
        ssize_t n = preadv2(f->fd, &iov, 1, (off_t)(offset + done), RWF_NOWAIT);

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            *ret_cached = false;
            return ERR_OK;
        } else if (n == 0 || errno != EINTR) {
            /* the end of the file, an error, or no such mode here: the plain read tells */
            return file_read_at(f, offset + done, to + done, len - done, e);
        }
    }
    return ERR_OK;
}

/* Drops the first n bytes of the vector. */
static void iov_advance(struct iovec **iov, size_t *count, size_t n)
{
    while (*count > 0 && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        (*iov)++;
        (*count)--;
    }
    if (*count > 0) {
        (*iov)->iov_base = (uint8_t *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
    }
}

enum errcode file_write_runs(struct file *f, uint64_t offset, const struct bytes *runs,
                             size_t count, struct error *e)
{
    struct iovec vector[FILE_RUNS_MAX];
    struct iovec *iov = vector;

    ASSERT(count <= FILE_RUNS_MAX);
    for (size_t i = 0; i < count; i++) {
        vector[i] =
            (struct iovec){.iov_base = (void *)(uintptr_t)runs[i].data, .iov_len = runs[i].len};
    }
    iov_advance(&iov, &count, 0);
    while (count > 0) {
        ssize_t n = pwritev(f->fd, iov, (int)count, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return error_os(e, errno, "write %s at %llu", f->path, (unsigned long long)offset);
        }
        offset += (uint64_t)n;
        iov_advance(&iov, &count, (size_t)n);
    }
    return ERR_OK;
}

enum errcode file_truncate(struct file *f, uint64_t size, struct error *e)
{
    int rc;

    do {
        rc = ftruncate(f->fd, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? ERR_OK
                   : error_os(e, errno, "truncate %s to %llu", f->path, (unsigned long long)size);
}

enum errcode file_sync(struct file *f, struct error *e)
{
    return fdatasync(f->fd) == 0 ? ERR_OK : error_os(e, errno, "sync %s", f->path);
}

void file_write_back(struct file *f, uint64_t offset, uint64_t len)
{
    (void)sync_file_range(f->fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

/* Maps the pages around a range; the caller unmaps. */
static void *map_range(struct file *f, uint64_t offset, size_t len, size_t *ret_len)
{
    uint64_t from = offset & ~(uint64_t)(FILE_PAGE - 1);
    void *p;

    *ret_len = len + (size_t)(offset - from);
    p = mmap(NULL, *ret_len, PROT_READ, MAP_SHARED, f->fd, (off_t)from);
    return p == MAP_FAILED ? NULL : p;
}

bool file_resident(struct file *f, uint64_t offset, size_t len)
{
    unsigned char pages[4096]; /* 16 MiB at a time */
    size_t mapped;
    void *p;
    bool all = true;

    if (len == 0) {
        return true;
    }
    p = map_range(f, offset, len, &mapped);
    if (p == NULL) {
        return true; /* cannot tell: the read itself will */
    }
    for (size_t at = 0; all && at < mapped; at += sizeof pages * FILE_PAGE) {
        size_t n = mapped - at < sizeof pages * FILE_PAGE ? mapped - at : sizeof pages * FILE_PAGE;
        size_t count = (n + FILE_PAGE - 1) / FILE_PAGE;

        if (mincore((uint8_t *)p + at, n, pages) != 0) {
            break;
        }
        for (size_t i = 0; all && i < count; i++) {
            all = (pages[i] & 1) != 0;
        }
    }
    (void)munmap(p, mapped);
    return all;
}

void file_warm(struct file *f, uint64_t offset, size_t len)
{
    uint8_t scratch[64 * 1024];

    (void)posix_fadvise(f->fd, (off_t)offset, (off_t)len, POSIX_FADV_WILLNEED);
    while (len > 0) {
        size_t want = len < sizeof scratch ? len : sizeof scratch;
        ssize_t n = pread(f->fd, scratch, want, (off_t)offset);

        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return; /* the read that needed it reports the reason */
        }
        if (n > 0) {
            offset += (uint64_t)n;
            len -= (size_t)n;
        }
    }
}
