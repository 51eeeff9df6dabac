/* A bucket's state on disk, looked at while no server has it open, and not changed: every block of
 * every table file is read and its checksum compared. Thread: any; blocks. */
#ifndef KV_INSPECT_H
#define KV_INSPECT_H

#include "store.h"

struct kv_inspect;

/* ERR_CORRUPT_FILE: damaged, or no state of ours. env must outlive it. */
MUST_USE enum errcode kv_inspect_open(struct kv_env *env, const char *dir, struct kv_inspect **ret,
                                      struct error *e);
void kv_inspect_close(struct kv_inspect *i);
void kv_inspect_closep(struct kv_inspect **i); /* for OWNED */
/* What the rows are of. */
struct kv_state kv_inspect_state(const struct kv_inspect *i);
/* Shows all rows in key order; what visit returns does not matter. ERR_CORRUPT_FILE. */
MUST_USE enum errcode kv_inspect_visit(struct kv_inspect *i, kv_visit_fn visit, void *context,
                                       struct error *e);

#endif
