#include "process.h"

#include "blocking.h"
#include "clock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_POLL_US 5000

extern char **environ;

enum errcode process_start(char *const argv[], int64_t *ret_pid, struct error *e)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int rc;

    ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    ASSERT(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0);
    ASSERT(posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) == 0);
    rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "cannot run %s: %s", argv[0], strerror(rc));
    }
    *ret_pid = pid;
    return ERR_OK;
}

void process_adopt(void) { ASSERT(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }

/* A small file of /proc as text; false when it is gone. */
static bool proc_read(int64_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t got;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%lld/%s", (long long)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    got = read(fd, text, size - 1);
    (void)close(fd);
    text[got < 0 ? 0 : got] = '\0';
    return got > 0;
}

/* The parent; 0 when the process is gone or only waits to be reaped. */
static int64_t parent_of(int64_t pid)
{
    char text[1024];
    char *end;

    if (!proc_read(pid, "stat", text, sizeof text)) {
        return 0;
    }
    end = strrchr(text, ')'); /* the name before it may contain anything */
    if (end == NULL || strlen(end) < 4 || end[2] == 'Z' || end[2] == 'X') {
        return 0;
    }
    return strtoll(end + 4, NULL, 10);
}

static bool descends(int64_t pid, int64_t ancestor)
{
    for (int depth = 0; depth < 64 && pid > 1; depth++) {
        pid = parent_of(pid);
        if (pid == ancestor) {
            return true;
        }
    }
    return false;
}

size_t process_descendants(int64_t *ret_pids, size_t max)
{
    DIR *proc = opendir("/proc");
    size_t count = 0;

    if (proc == NULL) {
        return 0;
    }
    for (struct dirent *entry; count < max && (entry = readdir(proc)) != NULL;) {
        int64_t pid =
            isdigit((unsigned char)entry->d_name[0]) ? strtoll(entry->d_name, NULL, 10) : 0;

        if (pid > 0 && descends(pid, getpid())) {
            ret_pids[count++] = pid;
        }
    }
    (void)closedir(proc);
    return count;
}

/* Children that ended are reaped on the way, others just have to be gone. */
static bool gone(int64_t pid)
{
    pid_t reaped = waitpid((pid_t)pid, NULL, WNOHANG);

    return reaped > 0 || (reaped < 0 && kill((pid_t)pid, 0) != 0);
}

static bool all_gone(const int64_t *pids, size_t count)
{
    bool all = true;

    for (size_t i = 0; i < count; i++) {
        all = gone(pids[i]) && all;
    }
    return all;
}

static void signal_all(const int64_t *pids, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        (void)kill((pid_t)pids[i], number);
    }
}

void process_end(const int64_t *pids, size_t count, int64_t timeout_us)
{
    int64_t deadline_us = clock_mono_us() + timeout_us;

    if (timeout_us > 0) {
        signal_all(pids, count, SIGTERM);
    }
    while (!all_gone(pids, count)) {
        if (clock_mono_us() >= deadline_us) {
            signal_all(pids, count, SIGKILL);
        }
        thread_sleep_us(END_POLL_US);
    }
}

/* The number behind "name:" of /proc/PID/status, kB there, bytes here. */
static uint64_t status_bytes(const char *status, const char *name)
{
    const char *line = strstr(status, name);

    return line == NULL ? 0 : strtoull(line + strlen(name), NULL, 10) * 1024;
}

enum errcode process_usage_of(int64_t pid, struct process_usage *ret, struct error *e)
{
    char status[4096];
    struct timespec cpu;
    clockid_t clock;

    if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0 ||
        !proc_read(pid, "status", status, sizeof status)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "no process %lld", (long long)pid);
    }
    *ret = (struct process_usage){
        .cpu_us = (int64_t)cpu.tv_sec * 1000000 + cpu.tv_nsec / 1000,
        .rss_bytes = status_bytes(status, "VmRSS:"),
        .rss_peak_bytes = status_bytes(status, "VmHWM:"),
    };
    return ERR_OK;
}

void process_reset_peak(int64_t pid)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%lld/clear_refs", (long long)pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ASSERT(write(fd, "5", 1) <= 1);
        (void)close(fd);
    }
}
