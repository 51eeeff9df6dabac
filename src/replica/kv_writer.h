/* Inside replica/: what the preparation of a put needs. It is large (buffers of a batch, state of a
 * codec) and keeps its memory from put to put, so the buckets of a shard share a few: a put has one to
 * itself from its begin to its append. Thread: shard.
 */
#ifndef REPLICA_KV_WRITER_H
#define REPLICA_KV_WRITER_H

#include "base/list.h"
#include "kv/kv.h"

struct kv_writer {
    struct list link;
    struct kv_table *table; /* a reference */
    struct kv_prepare *prepare;
    struct arena scratch; /* of one put */
};

/* Those that nobody uses, the one used last in front. */
struct kv_writers {
    struct list idle;
    uint32_t count;
};

void kv_writers_init(struct kv_writers *w);
/* Also now and then, while nobody puts: memory is taken again when it is needed. */
void kv_writers_trim(struct kv_writers *w);

/* One for rows of the table; its scratch is empty. */
struct kv_writer *kv_writer_take(struct kv_writers *w, struct kv_table *table);
void kv_writer_give(struct kv_writers *w, struct kv_writer *writer);

#endif
