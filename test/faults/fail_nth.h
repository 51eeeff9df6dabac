/* A disk of which one call fails: stands between io and the kernel by defining the calls that io makes.
 * A test does the same once for each call that it makes, until none is left to fail:
 *
 *   for (unsigned n = 0; fail_nth(n, EIO); n++) {
 *       ... set up; fail_begin(); ... what is tested; fail_end(); ... judge ...
 *   }
 *
 * Calls of other threads work. Syncs do not wait for a device. */
#ifndef TEST_FAULTS_FAIL_NTH_H
#define TEST_FAULTS_FAIL_NTH_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FAIL_NTH_MAX 5000 /* a test that makes more calls than that is not what this is for */

static struct {
    bool fired;
    unsigned left; /* calls that work before the one that does not */
    int code;
} failing;

static _Thread_local bool failing_here;

/* Chooses the call that fails next. false: the last round came to its end without a failure. */
static inline bool fail_nth(unsigned n, int code)
{
    bool more = n == 0 || failing.fired;

    failing_here = false;
    failing.fired = false;
    failing.left = n;
    failing.code = code;
    return more && n < FAIL_NTH_MAX;
}

static inline void fail_begin(void) { failing_here = true; }
static inline void fail_end(void) { failing_here = false; }

static inline bool fails_now(void)
{
    if (!failing_here || failing.fired || failing.left-- > 0) {
        return false;
    }
    failing.fired = true;
    errno = failing.code;
    return true;
}

ssize_t pread(int fd, void *buffer, size_t len, off_t offset)
{
    return fails_now() ? -1 : syscall(SYS_pread64, fd, buffer, len, offset);
}

/* A write that fails has done a part of its work. */
ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    if (fails_now()) {
        if (iov[0].iov_len > 1) {
            (void)!syscall(SYS_pwrite64, fd, iov[0].iov_base, iov[0].iov_len / 2, offset);
        }
        errno = failing.code;
        return -1;
    }
    return syscall(SYS_pwritev, fd, iov, count, offset, 0);
}

int open(const char *path, int flags, ...)
{
    return fails_now() ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

int ftruncate(int fd, off_t size)
{
    return fails_now() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
    (void)fd;
    return fails_now() ? -1 : 0;
}

int fsync(int fd)
{
    (void)fd;
    return fails_now() ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    return fails_now() ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    return fails_now() ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
    return fails_now() ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

DIR *opendir(const char *path)
{
    int fd = fails_now()
                 ? -1
                 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    return fd < 0 ? NULL : fdopendir(fd);
}

#endif
