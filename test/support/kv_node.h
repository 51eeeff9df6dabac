/* Primary-key tables of a small server (node.h, kv_store.h). */
#ifndef TEST_SUPPORT_KV_NODE_H
#define TEST_SUPPORT_KV_NODE_H

#include "kv_store.h"
#include "node.h"

/* A table with 20 buckets, so that every shard has some. */
#define NODE_KV                                                                                    \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":[" STORE_KV_COLUMNS                      \
    "],\"highest_field_id\":2,\"primary_key\":[\"a\"]},\"partition_key\":[],"                      \
    "\"bucket_count\":20,\"properties\":{},\"custom_properties\":{}}"

/* Rows from .. to - 1 in every bucket. */
static inline void node_fill(struct test_node *n, int64_t table, int32_t from, int32_t to)
{
    for (int32_t b = 0; b < 20; b++) {
        store_put_range(n->store, bucket_of(table, b), from, to);
    }
}

#endif
