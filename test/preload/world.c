/* Preloaded into a server by tests (harness/world.py): another clock and a slower disk, changed while it
 * runs. WORLD_FILE holds three little-endian i64:
 *   seconds that the wall clock differs, milliseconds that a sync takes longer, that a write does */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum setting { CLOCK_S, SYNC_MS, WRITE_MS, SETTINGS };

static const volatile int64_t *world;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("WORLD_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return;
    }
    world = mmap(NULL, SETTINGS * sizeof *world, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (world == MAP_FAILED) {
        abort();
    }
}

static void take_longer(enum setting what)
{
    int64_t ms = world == NULL ? 0 : world[what];
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int rc = (int)syscall(SYS_clock_gettime, id, ret);

    if (rc == 0 && id == CLOCK_REALTIME && world != NULL) {
        ret->tv_sec += world[CLOCK_S];
    }
    return rc;
}

int fdatasync(int fd)
{
    take_longer(SYNC_MS);
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    take_longer(SYNC_MS);
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwritev(int fd, const struct iovec *runs, int count, off_t offset)
{
    take_longer(WRITE_MS);
    return syscall(SYS_pwritev, fd, runs, count, offset, 0L);
}
