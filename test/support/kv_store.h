/* Primary-key tables of a store (store.h): batches put, rows looked at as clients or writers see them.
 * Columns a INT, b STRING, c BIGINT; the key is a. */
#ifndef TEST_SUPPORT_KV_STORE_H
#define TEST_SUPPORT_KV_STORE_H

#include "store_ops.h"

#include "../../src/replica/kv_ops.h"
#include "../../src/replica/kv_tablet.h"
#include "base/hash.h"
#include "format/kv_batch.h"
#include "format/value_batch.h"

#define STORE_KV_COLUMNS                                                                           \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\",\"nullable\":false},\"id\":0},"           \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"},\"id\":1},"                               \
    "{\"name\":\"c\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":2}"
#define STORE_KV_SCHEMA(more, properties)                                                          \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":[" STORE_KV_COLUMNS                      \
    "],\"highest_field_id\":2,\"primary_key\":[\"a\"]" more                                        \
    "},\"partition_key\":[],\"bucket_count\":2,\"properties\":{" properties                        \
    "},\"custom_properties\":{}}"
#define STORE_KV(properties) STORE_KV_SCHEMA("", properties)

/* ---- rows and batches ---- */

static inline struct bytes kv_store_key(struct store *s, int32_t a)
{
    struct writer w = writer_of(arena_alloc(&s->arena, 10), 10);

    writer_varint64(&w, (uint32_t)a);
    return bytes_of(w.data, w.len);
}

/* b NULL and c INT64_MIN: null. */
static inline struct bytes kv_store_row(struct store *s, int64_t table, int32_t a, const char *b,
                                        int64_t c)
{
    const struct meta_table *t = meta_view_table_by_id(meta_current(s->meta), table);
    const struct type *row = t->schemas[0].schema->row;
    struct row_value values[3] = {{.integer = a},
                                  {.null = b == NULL, .bytes = bytes_str(b == NULL ? "" : b)},
                                  {.null = c == INT64_MIN, .integer = c}};
    struct row_format format = {.layout = ROW_COMPACTED, .row = row};
    struct bytes bytes;

    assert_int_equal(row_encode(format, values, &s->arena, &bytes, NULL), ERR_OK);
    return bytes;
}

struct kv_store_row {
    int32_t a;
    const char *b;
    int64_t c;
    bool remove;
};

struct kv_store_rows {
    const struct kv_store_row *rows;
    size_t count;
    bool idempotent; /* of writer 7 */
    int32_t sequence;
};

/* Of schema 1, in the store's arena. */
static inline struct bytes kv_store_batch(struct store *s, int64_t table, struct kv_store_rows r)
{
    struct kv_batch_writer w = {0};
    struct bytes batch;

    kv_batch_writer_begin(&w, 1);
    for (size_t i = 0; i < r.count; i++) {
        const struct kv_store_row *row = &r.rows[i];

        kv_batch_writer_add(&w, kv_store_key(s, row->a),
                            row->remove ? BYTES_EMPTY
                                        : kv_store_row(s, table, row->a, row->b, row->c));
    }
    batch = arena_copy(&s->arena, kv_batch_writer_finish(&w, r.idempotent ? 7 : -1,
                                                         r.idempotent ? r.sequence : -1));
    kv_batch_writer_fini(&w);
    return batch;
}

static inline struct bytes kv_store_one(struct store *s, int64_t table,
                                        const struct kv_store_row *row)
{
    return kv_store_batch(s, table, (struct kv_store_rows){.rows = row, .count = 1});
}

/* ---- puts ---- */

static inline void submit_put(struct replica_set *set, struct bucket_op *op)
{
    replica_put(set, container_of(op, struct put_op, op));
}

static inline struct put_op put_of(struct bucket_id id, struct bytes batch, int32_t acks)
{
    return (struct put_op){
        .op.id = id, .batch = batch, .ack = {.acks = acks, .timeout_us = PATIENCE_US}};
}

/* One row, acknowledged; the end offset. */
static inline int64_t store_put(struct store *s, struct bucket_id id, int32_t a, const char *b)
{
    struct kv_store_row row = {.a = a, .b = b, .c = a};
    struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), -1);

    if (store_op(s, &p.op, submit_put) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    return p.end_offset;
}

static inline int64_t store_remove(struct store *s, struct bucket_id id, int32_t a)
{
    struct kv_store_row row = {.a = a, .remove = true};
    struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), -1);

    if (store_op(s, &p.op, submit_put) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    return p.end_offset;
}

/* Rows a = from .. to - 1 with b = "row <a>", acknowledged. */
static inline void store_put_range(struct store *s, struct bucket_id id, int32_t from, int32_t to)
{
    struct kv_store_row *rows =
        arena_array(&s->arena, (size_t)(to - from), sizeof(struct kv_store_row));
    struct put_op p;

    for (int32_t a = from; a < to; a++) {
        rows[a - from] =
            (struct kv_store_row){.a = a, .b = arena_printf(&s->arena, "row %d", a), .c = a};
    }
    p = put_of(id,
               kv_store_batch(s, id.table_id,
                              (struct kv_store_rows){.rows = rows, .count = (size_t)(to - from)}),
               -1);
    if (store_op(s, &p.op, submit_put) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
}

struct kv_store_settling {
    struct kv_settled settled;
    struct gate *gate;
};

static inline void kv_store_settled(struct kv_settled *w)
{
    ASSERT(w->code == ERR_OK);
    bucket_job_end(((struct kv_tablet *)w->context)->bucket);
    gate_pass(container_of(w, struct kv_store_settling, settled)->gate);
}

static inline void kv_store_settle(struct kv_tablet *t, void *context)
{
    struct kv_store_settling *s = context;

    s->settled = (struct kv_settled){.done = kv_store_settled, .context = t};
    bucket_job_begin(t->bucket);
    kv_tablet_settle(t, &s->settled);
}

/* ---- looking ---- */

struct kv_store_call {
    struct store *store;
    struct bucket_id id;
    enum kv_sight sight;
    struct kv_key key;
    void (*look)(struct kv_tablet *t, void *context);
    void *context;
};

static inline void kv_store_get_run(void *context)
{
    struct kv_store_call *call = context;
    struct replica_set *set = call->store->sets[store_shard_of(call->store, call->id)];
    struct kv_tablet *t = bucket_find(set, &call->id)->kv;
    struct kv_lookup l = {
        .keys = &call->key, .count = 1, .sight = call->sight, .arena = &call->store->arena};
    struct error e;

    if (kv_lookup_begin(t->rows, &l)) {
        call->key.old = arena_copy(&call->store->arena, call->key.old);
    } else {
        assert_int_equal(kv_lookup_run(t->store, &l, &e), ERR_OK);
        kv_lookup_end(t->rows, &l);
    }
}

/* Column b of a value. */
static inline const char *store_text(struct store *s, int64_t table, struct bytes value)
{
    const struct meta_table *t = meta_view_table_by_id(meta_current(s->meta), table);
    const struct row_value *values;
    struct row_format format = {.layout = ROW_COMPACTED};

    if (value.len == 0) {
        return "";
    }
    format.row = meta_table_schema(t, value_schema_id(value))->schema->row;
    assert_int_equal(row_decode(format, value_row(value), &s->arena, &values, NULL), ERR_OK);
    return values[1].null ? "(null)"
                          : arena_strndup(&s->arena, values[1].bytes.data, values[1].bytes.len);
}

/* Column b of the row; NULL: there is none. The bucket is open. */
static inline const char *store_get(struct store *s, struct bucket_id id, int32_t a,
                                    enum kv_sight sight)
{
    struct kv_store_call call = {.store = s, .id = id, .sight = sight};

    call.key.key = kv_store_key(s, a);
    call.key.hash = hash_bytes(call.key.key);
    on_shard(s->shards[store_shard_of(s, id)], kv_store_get_run, &call);
    return call.key.old.len == 0 ? NULL : store_text(s, id.table_id, call.key.old);
}

static inline void kv_store_look_run(void *context)
{
    struct kv_store_call *call = context;
    struct replica_set *set = call->store->sets[store_shard_of(call->store, call->id)];

    call->look(bucket_find(set, &call->id)->kv, call->context);
}

/* Runs `look` on the shard of the bucket, which is open. */
static inline void store_look(struct store *s, struct bucket_id id,
                              void (*look)(struct kv_tablet *t, void *context), void *context)
{
    struct kv_store_call call = {.store = s, .id = id, .look = look, .context = context};

    on_shard(s->shards[store_shard_of(s, id)], kv_store_look_run, &call);
}

/* Everything put so far goes into the store. */
static inline void store_settle(struct store *s, struct bucket_id id)
{
    struct kv_store_settling settling = {.gate = gate_new(1)};

    store_look(s, id, kv_store_settle, &settling);
    gate_wait(settling.gate);
}

#endif
