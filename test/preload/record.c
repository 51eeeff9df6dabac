/* Preloaded into a server by the power-cut tests (test/system/powercut): writes down, in the order in
 * which they take effect, all changes of files and directories under RECORD_ROOT.
 *
 * The record RECORD_FILE is appended to, one write for each entry, so that clients can add entries of
 * their own (what was acknowledged). An entry, little-endian:
 *   u32 payload length | u8 kind | 3 zero bytes | u64 inode | u64 a | payload
 * and by kind:
 *   WRITE       a: offset; payload: the bytes
 *   TRUNCATE    a: size
 *   SYNC_BEGIN  a: number of the sync; entries after it are not covered by it
 *   SYNC_END    a: number of the sync
 *   CREATE, MAKE_DIR, REMOVE    payload: path
 *   RENAME, LINK                payload: path, zero byte, new path
 * A change and its entry are made under one lock; SIGUSR2 kills the program while nobody has it, so that no
 * change is without its entry. Syncs do not reach the device, they take a random time
 * of at most RECORD_SYNC_US: what is on a device is what the reader of the record makes of it.
 * Seen is what the program and RocksDB call; not seen are files written through stdio (RocksDB's
 * diagnostics). Whoever reads the record compares what it makes of all of it with the directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
    WRITE = 1,
    TRUNCATE,
    SYNC_BEGIN,
    SYNC_END,
    CREATE,
    MAKE_DIR,
    REMOVE,
    RENAME,
    LINK,
};

struct entry {
    uint32_t len;
    uint8_t kind;
    uint8_t zero[3];
    uint64_t inode;
    uint64_t a;
};
_Static_assert(sizeof(struct entry) == 24, "as described above");

#define RUNS_MAX 66

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;
static char root[PATH_MAX];
static size_t root_len;
static uint64_t syncs;
static uint64_t chance = 88172645463325252U;
static uint64_t sync_us;

static void *await_end(void *signals)
{
    int got;

    (void)sigwait(signals, &got);
    (void)pthread_mutex_lock(&lock);
    (void)kill(getpid(), SIGKILL);
    return NULL;
}

__attribute__((constructor)) static void start(void)
{
    static sigset_t signals;
    pthread_t thread;
    const char *file = getenv("RECORD_FILE");
    const char *us = getenv("RECORD_SYNC_US");
    const char *seed = getenv("RECORD_SEED");

    if (file == NULL || getenv("RECORD_ROOT") == NULL ||
        realpath(getenv("RECORD_ROOT"), root) == NULL) {
        return;
    }
    root_len = strlen(root);
    sync_us = us == NULL ? 0 : strtoull(us, NULL, 10);
    chance ^= seed == NULL ? 0 : strtoull(seed, NULL, 10) * 0x9E3779B97F4A7C15U;
    record =
        (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGUSR2);
    if (record < 0 || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0 ||
        pthread_create(&thread, NULL, await_end, &signals) != 0) {
        abort();
    }
}

/* With the lock held. */
static uint64_t next_random(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance;
}

static bool inside(const char *path)
{
    return record >= 0 && strncmp(path, root, root_len) == 0 &&
           (path[root_len] == '/' || path[root_len] == '\0');
}

/* The inode of a file or directory under the root; 0: it is none. */
static uint64_t watched(int fd)
{
    char link[64];
    char path[PATH_MAX];
    struct stat st;
    ssize_t len;

    if (record < 0) {
        return 0;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    if (len <= 0) {
        return 0;
    }
    path[len] = '\0';
    return inside(path) && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* The path from the root of the file system; links are not resolved. */
static bool absolute(const char *path, char full[PATH_MAX])
{
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    int len =
        snprintf(full, PATH_MAX, "%s%s%s", here == NULL ? "" : here, here == NULL ? "" : "/", path);

    free(here);
    return len < PATH_MAX && inside(full);
}

static void note(struct entry entry, const struct iovec *runs, int count)
{
    struct iovec all[RUNS_MAX + 1] = {{.iov_base = &entry, .iov_len = sizeof entry}};
    size_t len = 0;

    if (count > RUNS_MAX) {
        abort();
    }
    for (int i = 0; i < count; i++) {
        all[i + 1] = runs[i];
        len += runs[i].iov_len;
    }
    entry.len = (uint32_t)len;
    if (syscall(SYS_writev, record, all, count + 1) != (long)(len + sizeof entry)) {
        abort(); /* a record with a gap would prove nothing */
    }
}

static void note_path(enum kind kind, uint64_t inode, const char *path)
{
    struct iovec run = {.iov_base = (void *)(uintptr_t)path, .iov_len = strlen(path)};

    note((struct entry){.kind = (uint8_t)kind, .inode = inode}, &run, 1);
}

static void note_paths(enum kind kind, const char *from, const char *to)
{
    struct iovec runs[2] = {{.iov_base = (void *)(uintptr_t)from, .iov_len = strlen(from) + 1},
                            {.iov_base = (void *)(uintptr_t)to, .iov_len = strlen(to)}};

    note((struct entry){.kind = (uint8_t)kind}, runs, 2);
}

/* ---- contents ---- */

/* Writes the runs, at offset or (offset < 0) where the file stands, and notes what was written. */
static ssize_t write_runs(int fd, const struct iovec *runs, int count, off_t offset)
{
    uint64_t inode = watched(fd);
    struct iovec kept[RUNS_MAX];
    ssize_t n;
    size_t left;
    int used = 0;

    if (inode != 0) {
        (void)pthread_mutex_lock(&lock);
    }
    n = offset < 0 ? syscall(SYS_writev, fd, runs, count)
                   : syscall(SYS_pwritev, fd, runs, count, offset, 0L);
    if (inode == 0) {
        return n;
    }
    if (n > 0) {
        for (left = (size_t)n; left > 0 && used < RUNS_MAX; used++) {
            kept[used] = runs[used];
            kept[used].iov_len = left < runs[used].iov_len ? left : runs[used].iov_len;
            left -= kept[used].iov_len;
        }
        offset = offset < 0 ? lseek(fd, 0, SEEK_CUR) - n : offset;
        note((struct entry){.kind = WRITE, .inode = inode, .a = (uint64_t)offset}, kept, used);
    }
    (void)pthread_mutex_unlock(&lock);
    return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
    struct iovec run = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};

    return write_runs(fd, &run, 1, -1);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    struct iovec run = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};

    return write_runs(fd, &run, 1, offset);
}

ssize_t writev(int fd, const struct iovec *runs, int count)
{
    return write_runs(fd, runs, count, -1);
}

ssize_t pwritev(int fd, const struct iovec *runs, int count, off_t offset)
{
    return write_runs(fd, runs, count, offset);
}

int ftruncate(int fd, off_t size)
{
    uint64_t inode = watched(fd);
    int rc;

    (void)pthread_mutex_lock(&lock);
    rc = (int)syscall(SYS_ftruncate, fd, size);
    if (inode != 0 && rc == 0) {
        note((struct entry){.kind = TRUNCATE, .inode = inode, .a = (uint64_t)size}, NULL, 0);
    }
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

static int sync_file(int fd, long number)
{
    uint64_t inode = watched(fd);
    struct entry entry = {.kind = SYNC_BEGIN, .inode = inode};
    struct timespec pause = {0};

    if (inode == 0) {
        return (int)syscall(number, fd);
    }
    (void)pthread_mutex_lock(&lock);
    entry.a = ++syncs | (uint64_t)getpid() << 32;
    note(entry, NULL, 0);
    pause.tv_nsec = sync_us == 0 ? 0 : (long)(next_random() % sync_us) * 1000;
    (void)pthread_mutex_unlock(&lock);
    (void)nanosleep(&pause, NULL);
    entry.kind = SYNC_END;
    (void)pthread_mutex_lock(&lock);
    note(entry, NULL, 0);
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

int fsync(int fd) { return sync_file(fd, SYS_fsync); }

/* ---- names ---- */

int open(const char *path, int flags, ...)
{
    char full[PATH_MAX];
    bool ours = (flags & (O_CREAT | O_TRUNC)) != 0 && absolute(path, full);
    struct stat st;
    mode_t mode = 0;
    va_list more;
    bool there;
    int fd;

    va_start(more, flags);
    if ((flags & O_CREAT) != 0) {
        mode = (mode_t)va_arg(more, unsigned);
    }
    va_end(more);
    if (!ours) {
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }
    (void)pthread_mutex_lock(&lock);
    there = syscall(SYS_newfstatat, AT_FDCWD, full, &st, 0) == 0;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && !there && fstat(fd, &st) == 0) {
        note_path(CREATE, st.st_ino, full);
    } else if (fd >= 0 && (flags & O_TRUNC) != 0) {
        note((struct entry){.kind = TRUNCATE, .inode = st.st_ino}, NULL, 0);
    }
    (void)pthread_mutex_unlock(&lock);
    return fd;
}

int rename(const char *from, const char *to)
{
    char old[PATH_MAX];
    char new[PATH_MAX];
    bool ours = absolute(from, old) && absolute(to, new);
    int rc;

    (void)pthread_mutex_lock(&lock);
    rc = (int)syscall(SYS_rename, from, to);
    if (ours && rc == 0) {
        note_paths(RENAME, old, new);
    }
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

int link(const char *from, const char *to)
{
    char old[PATH_MAX];
    char new[PATH_MAX];
    bool ours = absolute(from, old) && absolute(to, new);
    int rc;

    (void)pthread_mutex_lock(&lock);
    rc = (int)syscall(SYS_link, from, to);
    if (ours && rc == 0) {
        note_paths(LINK, old, new);
    }
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

static int take_away(const char *path, long number)
{
    char full[PATH_MAX];
    bool ours = absolute(path, full);
    int rc;

    (void)pthread_mutex_lock(&lock);
    rc = (int)syscall(number, path);
    if (ours && rc == 0) {
        note_path(REMOVE, 0, full);
    }
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

int unlink(const char *path) { return take_away(path, SYS_unlink); }

int rmdir(const char *path) { return take_away(path, SYS_rmdir); }

int mkdir(const char *path, mode_t mode)
{
    char full[PATH_MAX];
    bool ours = absolute(path, full);
    struct stat st;
    int rc;

    (void)pthread_mutex_lock(&lock);
    rc = (int)syscall(SYS_mkdir, path, mode);
    if (ours && rc == 0 && stat(full, &st) == 0) {
        note_path(MAKE_DIR, st.st_ino, full);
    }
    (void)pthread_mutex_unlock(&lock);
    return rc;
}
