/* The primary-key table of the load and its rows: 7 columns with 100 bytes of data.
 *
 *   id BIGINT, item INT, user_name STRING(16), session STRING(16), price DOUBLE,
 *   event_time TIMESTAMP(3), note STRING(40)
 *
 * Rows are numbered from 0 to --keys - 1. The primary key is id, which is the number; with
 * --prefix-rows P it is (id, item), id = number / P and item = number % P, and the bucket key is
 * id, so that the rows of an id are looked up together. A row comes in versions that differ in all
 * columns but the key; its event time tells which one it is. Thread: main. */
#ifndef CMD_BENCH_KV_H
#define CMD_BENCH_KV_H

#include "bench_options.h"

#define BENCH_KV_COLUMNS      7
#define BENCH_KV_VERSIONS_MAX (1 << 20)

struct bench_kv;

/* ERR_INVALID_ARGUMENT: a property without a key, or one that a table does not have. */
MUST_USE enum errcode bench_kv_new(const struct bench_options *options, struct bench_kv **ret,
                                   struct error *e);
void bench_kv_free(struct bench_kv *kv);
void bench_kv_freep(struct bench_kv **kv); /* for OWNED */

/* The table's descriptor as JSON, borrowed. */
struct bytes bench_kv_descriptor(const struct bench_kv *kv);

/* The i-th of `count` numbers in an order without one: each number once. */
int64_t bench_kv_shuffled(int64_t count, int64_t i);
/* Ids that have rows. */
int64_t bench_kv_ids(const struct bench_kv *kv);

/* All in the arena. */
MUST_USE enum errcode bench_kv_key(const struct bench_kv *kv, int64_t number, struct arena *arena,
                                   struct bytes *ret, struct error *e);
/* The bucket key of an id: what rows are looked up by together. */
MUST_USE enum errcode bench_kv_prefix(const struct bench_kv *kv, int64_t id, struct arena *arena,
                                      struct bytes *ret, struct error *e);
/* The row as a value of the table's kv format. */
struct bench_kv_version {
    int64_t number;
    uint32_t version; /* below BENCH_KV_VERSIONS_MAX */
};
MUST_USE enum errcode bench_kv_row(const struct bench_kv *kv, struct bench_kv_version which,
                                   struct arena *arena, struct bytes *ret, struct error *e);
/* The bucket of a row, of `count`. */
MUST_USE enum errcode bench_kv_bucket(const struct bench_kv *kv, int64_t number, int32_t count,
                                      int32_t *ret, struct error *e);

/* Whether the value, with the schema id in front, is some version of the row.
 * ERR_CORRUPT_RECORD: it is not. */
MUST_USE enum errcode bench_kv_check(const struct bench_kv *kv, int64_t number, struct bytes value,
                                     struct error *e);

#endif
