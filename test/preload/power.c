/* Preloaded into a server by tests (harness/power.py): when record logs reach the device, and how much
 * of them has. An fdatasync of a file named *.log
 *   takes POWER_DELAY_MS longer and does not begin while the file POWER_HOLD exists,
 *   then leaves the size it had before in the folder POWER_SYNCED, in a file named after its inode:
 *   what a power failure would leave of it at least. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool is_record_log(int fd)
{
    char link[64];
    char path[4096];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path);
    return len > 4 && memcmp(path + len - 4, ".log", 4) == 0;
}

static void pause_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static void await_release(void)
{
    const char *hold = getenv("POWER_HOLD");
    const char *delay = getenv("POWER_DELAY_MS");

    if (delay != NULL) {
        pause_ms(strtol(delay, NULL, 10));
    }
    while (hold != NULL && access(hold, F_OK) == 0) {
        pause_ms(1);
    }
}

static void note_synced(const struct stat *st)
{
    const char *folder = getenv("POWER_SYNCED");
    char path[4096];
    char size[32];
    int len;
    int fd;

    if (folder == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s/%lu", folder, (unsigned long)st->st_ino);
    len = snprintf(size, sizeof size, "%020lld", (long long)st->st_size);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || pwrite(fd, size, (size_t)len, 0) != len) {
        abort();
    }
    close(fd);
}

int fdatasync(int fd)
{
    struct stat before;
    bool watched = is_record_log(fd) && fstat(fd, &before) == 0;
    int rc;

    if (watched) {
        await_release();
    }
    rc = (int)syscall(SYS_fdatasync, fd);
    if (watched && rc == 0) {
        note_synced(&before);
    }
    return rc;
}
