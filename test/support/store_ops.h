/* Changes of the catalog and operations on buckets of a store (store.h), waited for. */
#ifndef TEST_SUPPORT_STORE_OPS_H
#define TEST_SUPPORT_STORE_OPS_H

#include "store.h"

#include "format/batch.h"

/* ---- the catalog ---- */

struct store_job {
    union {
        struct meta_job job;
        struct meta_create_table create_table;
        struct meta_drop_table drop_table;
        struct meta_create_partition create_partition;
        struct meta_drop_partition drop_partition;
    };
    struct store *store;
    struct gate *gate;
};

static inline void store_job_done(struct meta_job *job)
{
    gate_pass(container_of(job, struct store_job, job)->gate);
}

static inline void store_job_submit(void *context)
{
    struct store_job *j = context;

    meta_submit(j->store->meta, &j->job);
}

static inline void store_change(struct store *s, struct store_job *j, enum meta_job_kind kind)
{
    j->job.kind = kind;
    j->job.done = store_job_done;
    j->store = s;
    j->gate = gate_new(1);
    on_shard(s->shards[0], store_job_submit, j);
    gate_wait(j->gate);
    if (j->job.code != ERR_OK) {
        fail_msg("%s", j->job.error.message);
    }
}

/* The id. */
static inline int64_t store_create_table(struct store *s, const char *name, const char *json)
{
    struct store_job j = {.create_table = {.database = bytes_str("fluss"),
                                           .table = bytes_str(name),
                                           .json = bytes_str(json)}};

    store_change(s, &j, META_CREATE_TABLE);
    return meta_view_table(meta_current(s->meta), bytes_str("fluss"), bytes_str(name))->id;
}

static inline void store_drop_table(struct store *s, const char *name)
{
    struct store_job j = {.drop_table = {.database = bytes_str("fluss"), .table = bytes_str(name)}};

    store_change(s, &j, META_DROP_TABLE);
}

/* Of a table partitioned by column b; the id. */
static inline int64_t store_create_partition(struct store *s, const char *table, const char *value)
{
    struct meta_spec spec = {.key = bytes_str("b"), .value = bytes_str(value)};
    struct store_job j = {.create_partition = {.database = bytes_str("fluss"),
                                               .table = bytes_str(table),
                                               .spec = &spec,
                                               .spec_count = 1}};

    store_change(s, &j, META_CREATE_PARTITION);
    return meta_table_partition(
               meta_view_table(meta_current(s->meta), bytes_str("fluss"), bytes_str(table)),
               bytes_str(value))
        ->id;
}

/* ---- operations ---- */

struct store_op {
    struct replica_set *set;
    struct bucket_op *op;
    void (*submit)(struct replica_set *set, struct bucket_op *op);
};

static inline void store_op_done(struct bucket_op *op) { gate_pass(op->context); }

static inline void store_op_run(void *context)
{
    struct store_op *call = context;

    call->submit(call->set, call->op);
}

static inline unsigned store_shard_of(const struct store *s, struct bucket_id id)
{
    return bucket_shard(&id, s->count);
}

/* Submits the operation on the shard of its bucket; op->context is passed when it is done. */
static inline void store_op_start(struct store *s, struct bucket_op *op, struct gate *gate,
                                  void (*submit)(struct replica_set *set, struct bucket_op *op))
{
    unsigned shard = store_shard_of(s, op->id);
    struct store_op call = {.set = s->sets[shard], .op = op, .submit = submit};

    op->done = store_op_done;
    op->context = gate;
    on_shard(s->shards[shard], store_op_run, &call);
}

static inline enum errcode store_op(struct store *s, struct bucket_op *op,
                                    void (*submit)(struct replica_set *set, struct bucket_op *op))
{
    struct gate *gate = gate_new(1);

    store_op_start(s, op, gate, submit);
    gate_wait(gate);
    s->error = op->error;
    return op->code;
}

static inline void submit_append(struct replica_set *set, struct bucket_op *op)
{
    replica_append(set, container_of(op, struct append_op, op));
}

static inline void submit_fetch(struct replica_set *set, struct bucket_op *op)
{
    replica_fetch(set, container_of(op, struct fetch_op, op));
}

static inline void submit_last(struct replica_set *set, struct bucket_op *op)
{
    struct fetch_op *f = container_of(op, struct fetch_op, op);

    replica_fetch_last(set, f, f->limit);
}

static inline void submit_offset(struct replica_set *set, struct bucket_op *op)
{
    replica_list_offset(set, container_of(op, struct offset_op, op));
}

static inline void submit_stats(struct replica_set *set, struct bucket_op *op)
{
    replica_stats(set, container_of(op, struct stats_op, op));
}

static inline struct bucket_id bucket_of(int64_t table, int32_t bucket)
{
    return (struct bucket_id){.table_id = table, .partition_id = -1, .bucket = bucket};
}

/* An append of a copy that lives as long as the store's arena. */
static inline struct append_op append_of(struct store *s, struct bucket_id id, struct bytes batches,
                                         int32_t acks)
{
    struct bytes copy = arena_copy(&s->arena, batches);

    return (struct append_op){.op.id = id,
                              .data = (uint8_t *)(uintptr_t)copy.data,
                              .len = copy.len,
                              .ack = {.acks = acks, .timeout_us = PATIENCE_US}};
}

/* With acks = -1. The base offset; the test fails when it is refused. */
static inline int64_t store_append(struct store *s, struct bucket_id id, struct bytes batches)
{
    struct append_op a = append_of(s, id, batches, -1);

    if (store_op(s, &a.op, submit_append) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    return a.appended.base_offset;
}

/* A batch of `records` records with a body of `size` bytes that `seed` determines. */
static inline struct bytes store_batch(struct store *s, int32_t records, size_t size, uint32_t seed)
{
    uint8_t *body = arena_alloc(&s->arena, size);
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = records,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID,
                              .body = bytes_of(body, size)};

    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        body[i] = (uint8_t)(seed >> 24);
    }
    return batch_build(&spec, &s->arena);
}

/* ---- what came back ---- */

/* The bytes of pieces, file ranges read, in the arena. */
static inline struct bytes pieces_read(const struct pieces *p, struct arena *arena)
{
    struct writer w = writer_of(arena_alloc(arena, p->len), p->len);

    for (size_t i = 0; i < p->count; i++) {
        const struct piece *piece = &p->items[i];

        if (piece->data != NULL) {
            writer_bytes(&w, bytes_of(piece->data, piece->len));
        } else {
            assert_int_equal(file_read_at(piece->file, piece->file_offset,
                                          writer_room(&w, piece->len), piece->len, NULL),
                             ERR_OK);
        }
    }
    return bytes_of(w.data, w.len);
}

/* Whole batches from the offset on; fails the test on errors. The arena is the store's. */
static inline struct bytes store_fetch(struct store *s, struct bucket_id id, int64_t offset,
                                       size_t max_bytes)
{
    struct fetch_op f = {.op.id = id, .offset = offset, .max_bytes = max_bytes, .min_one = true};
    struct bytes got;

    pieces_init(&f.pieces, &s->arena);
    if (store_op(s, &f.op, submit_fetch) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    got = pieces_read(&f.pieces, &s->arena);
    pieces_fini(&f.pieces);
    return got;
}

#endif
