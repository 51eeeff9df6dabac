/* Small reads (batch headers, index entries) that a shard does on the way to an answer. A shard
 * must not wait for a device: with `nowait` a read of bytes that are not in the page cache does not
 * happen, the probe says which bytes are missing, and the caller warms them in a pool and asks
 * again. Thread: the owner of the probe.
 */
#ifndef LOG_PROBE_H
#define LOG_PROBE_H

#include "io/file.h"

/* What a read returns that would have waited. Never leaves this module. */
#define PROBE_COLD ERR_OPERATION_NOT_ATTEMPTED

struct probe {
    bool nowait;
    struct file *file; /* a reference to what is cold; NULL when nothing is */
    uint64_t position;
    size_t len;
};

/* As file_read_some; PROBE_COLD as above. probe NULL: waits. */
MUST_USE enum errcode probe_read(struct probe *probe, struct file *file, uint64_t position,
                                 struct writer *to, struct error *e);

#endif
