/* Other processes of this machine: starting them, ending them, what they use.
 *
 * Made for load generators: a server is a command whose descendants may be several processes that
 * left it (process_adopt makes them ours). CPU times are those of the kernel's scheduler, exact to
 * the microsecond and over all threads, ended ones included. Thread: any.
 */
#ifndef IO_PROCESS_H
#define IO_PROCESS_H

#include "base/bytes.h"
#include "base/error.h"

#define PROCESS_DESCENDANTS_MAX 256

/* Runs argv (NULL-terminated, found in PATH) with our environment and standard error; standard
 * output goes to standard error, standard input is empty. ERR_INVALID_ARGUMENT: cannot be run. */
MUST_USE enum errcode process_start(char *const argv[], int64_t *ret_pid, struct error *e);

/* From now on orphans among our descendants become our children and so stay visible. */
void process_adopt(void);
/* All living descendants of this process, at most max; returns their number. */
size_t process_descendants(int64_t *ret_pids, size_t max);
/* Asks with SIGTERM, waits up to timeout_us, then kills; 0 kills at once. Reaps our children among
 * them. */
void process_end(const int64_t *pids, size_t count, int64_t timeout_us);

struct process_usage {
    int64_t cpu_us;
    uint64_t rss_bytes;
    uint64_t rss_peak_bytes; /* since its start or process_reset_peak */
};

/* ERR_INVALID_ARGUMENT: no such process. */
MUST_USE enum errcode process_usage_of(int64_t pid, struct process_usage *ret, struct error *e);
/* Best effort: the peak starts again from what is resident now. */
void process_reset_peak(int64_t pid);

#endif
