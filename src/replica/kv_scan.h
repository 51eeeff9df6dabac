/* Inside replica/: what others must tell the scanners of a set (kv_ops.h). Thread: shard. */
#ifndef REPLICA_KV_SCAN_H
#define REPLICA_KV_SCAN_H

#include "bucket.h"

struct kv_scans;

/* The state of the bucket is not to be read any more: its scanners end. Each has a job of the bucket
 * until its cursor is closed. */
void kv_scans_end(struct bucket *b);
/* The set is closing: no timer runs from now on. */
void kv_scans_stop(struct replica_set *set);
/* All scanners have ended. */
void kv_scans_free(struct replica_set *set);

#endif
