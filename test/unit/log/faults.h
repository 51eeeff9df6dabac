/* A disk that fails on demand: stands between io and the kernel by defining the calls that io makes.
 * One test program, one thread. */
#ifndef TEST_LOG_FAULTS_H
#define TEST_LOG_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
    int write_errno;     /* 0: writes work */
    unsigned write_skip; /* that many work before */
    size_t write_torn;   /* bytes of the failing write that reach the file */
    int truncate_errno;
    int sync_errno;
    int create_errno; /* of files that do not exist */
    unsigned syncs;   /* fdatasync calls that worked */
    unsigned writes;  /* that worked */
} faults;

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    if (faults.write_errno != 0 && faults.write_skip == 0) {
        if (faults.write_torn > 0) {
            size_t len = iov[0].iov_len < faults.write_torn ? iov[0].iov_len : faults.write_torn;

            faults.write_torn = 0;
            return syscall(SYS_pwrite64, fd, iov[0].iov_base, len, offset);
        }
        errno = faults.write_errno;
        return -1;
    }
    faults.write_skip -= faults.write_skip > 0;
    faults.writes++;
    return syscall(SYS_pwritev, fd, iov, count, offset, 0);
}

int ftruncate(int fd, off_t size)
{
    if (faults.truncate_errno != 0) {
        errno = faults.truncate_errno;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
    if (faults.sync_errno != 0) {
        errno = faults.sync_errno;
        return -1;
    }
    faults.syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int open(const char *path, int flags, ...)
{
    if (faults.create_errno != 0 && (flags & O_CREAT) != 0 && access(path, F_OK) != 0) {
        errno = faults.create_errno;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

#endif
