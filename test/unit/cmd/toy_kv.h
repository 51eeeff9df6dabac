/* The rows of the toy server's primary-key table (toy.h): what it holds and what it answers. It
 * checks what it is sent and fails the test otherwise. Searches are linear: tables are small. */
#ifndef TEST_UNIT_CMD_TOY_KV_H
#define TEST_UNIT_CMD_TOY_KV_H

#include "../../support/unit.h"
#include "format/kv_batch.h"
#include "format/value_batch.h"
#include "rpc/api.h"

#define TOY_BUCKETS  4
#define TOY_ROWS_MAX 4096
#define TOY_SCHEMA   1

struct toy_rows {
    struct bytes keys[TOY_ROWS_MAX]; /* in order */
    struct bytes values[TOY_ROWS_MAX];
    size_t count;
    int32_t sequence; /* of the last batch with a writer */
};

struct toy_kv {
    struct toy_rows buckets[TOY_BUCKETS];
    struct arena arena;
    int batches;
    int upserts;
    int refusals; /* so many batches are refused first */
    int lost;     /* > 0: the so-manieth row in order of keys of bucket 0 is not found */
};

static void toy_kv_clear(struct toy_kv *kv)
{
    for (size_t i = 0; i < TOY_BUCKETS; i++) {
        kv->buckets[i].count = 0;
        kv->buckets[i].sequence = -1;
    }
    kv->batches = 0;
    kv->upserts = 0;
}

/* Where the key is, or belongs. */
static size_t toy_kv_find(const struct toy_rows *rows, struct bytes key)
{
    size_t at = 0;

    while (at < rows->count && bytes_compare(rows->keys[at], key) < 0) {
        at++;
    }
    return at;
}

static void toy_kv_upsert(struct toy_kv *kv, struct toy_rows *rows, struct kv_record record)
{
    size_t at = toy_kv_find(rows, record.key);
    uint8_t *value = arena_alloc(&kv->arena, VALUE_HEADER_SIZE + record.row.len);

    assert_true(record.row.len > 0);
    put_i16le(value, TOY_SCHEMA);
    memcpy(value + VALUE_HEADER_SIZE, record.row.data, record.row.len);
    if (at == rows->count || !bytes_equal(rows->keys[at], record.key)) {
        assert_true(rows->count < TOY_ROWS_MAX);
        for (size_t i = rows->count++; i > at; i--) {
            rows->keys[i] = rows->keys[i - 1];
            rows->values[i] = rows->values[i - 1];
        }
        rows->keys[at] = arena_copy(&kv->arena, record.key);
    }
    rows->values[at] = bytes_of(value, VALUE_HEADER_SIZE + record.row.len);
    kv->upserts++;
}

static void toy_kv_put(struct toy_kv *kv, const struct msg_put_kv_request *request,
                       struct msg_put_kv_response *ret, struct arena *a)
{
    const struct msg_pb_put_kv_req_for_bucket *in = request->buckets_req;
    struct toy_rows *rows = &kv->buckets[in->bucket_id];
    struct kv_batch_iterator it;
    struct kv_record record;
    struct kv_batch batch;

    assert_int_equal(request->buckets_req_count, 1);
    ret->buckets_resp = arena_new(a, struct msg_pb_put_kv_resp_for_bucket);
    ret->buckets_resp_count = 1;
    ret->buckets_resp->bucket_id = in->bucket_id;
    if (kv->refusals > 0) {
        kv->refusals--;
        ret->buckets_resp->error_code = error_fluss_code(ERR_STORAGE_BACKPRESSURE);
        ret->buckets_resp->has_error_code = true;
        return;
    }
    assert_int_equal(kv_batch_parse(in->records, &batch, NULL), ERR_OK);
    assert_int_equal(batch.schema_id, TOY_SCHEMA);
    if (batch.writer_id >= 0) {
        assert_int_equal(batch.batch_sequence, ++rows->sequence);
    }
    kv_batch_iterator_init(&it, &batch);
    for (int32_t i = 0; i < batch.record_count; i++) {
        assert_int_equal(kv_batch_next(&it, &record, NULL), ERR_OK);
        toy_kv_upsert(kv, rows, record);
    }
    kv->batches++;
}

static void toy_kv_lookup(const struct toy_kv *kv, const struct msg_lookup_request *request,
                          struct msg_lookup_response *ret, struct arena *a)
{
    const struct msg_pb_lookup_req_for_bucket *in = request->buckets_req;
    const struct toy_rows *rows = &kv->buckets[in->bucket_id];
    struct msg_pb_lookup_resp_for_bucket *out = arena_new(a, struct msg_pb_lookup_resp_for_bucket);

    ret->buckets_resp = out;
    ret->buckets_resp_count = 1;
    out->bucket_id = in->bucket_id;
    out->values = arena_array(a, in->keys_count, sizeof *out->values);
    out->values_count = in->keys_count;
    for (size_t i = 0; i < in->keys_count; i++) {
        size_t at = toy_kv_find(rows, in->keys[i]);

        if (at < rows->count && bytes_equal(rows->keys[at], in->keys[i]) &&
            (kv->lost == 0 || at + 1 != (size_t)kv->lost)) {
            out->values[i] = (struct msg_pb_value){.values = rows->values[at], .has_values = true};
        }
    }
}

static void toy_kv_prefix(const struct toy_kv *kv, const struct msg_prefix_lookup_request *request,
                          struct msg_prefix_lookup_response *ret, struct arena *a)
{
    const struct msg_pb_prefix_lookup_req_for_bucket *in = request->buckets_req;
    const struct toy_rows *rows = &kv->buckets[in->bucket_id];
    struct msg_pb_prefix_lookup_resp_for_bucket *out =
        arena_new(a, struct msg_pb_prefix_lookup_resp_for_bucket);

    ret->buckets_resp = out;
    ret->buckets_resp_count = 1;
    out->bucket_id = in->bucket_id;
    out->value_lists = arena_array(a, in->keys_count, sizeof *out->value_lists);
    out->value_lists_count = in->keys_count;
    for (size_t i = 0; i < in->keys_count; i++) {
        size_t len = in->keys[i].len;
        size_t from = toy_kv_find(rows, in->keys[i]);
        size_t to = from;

        while (to < rows->count && rows->keys[to].len >= len &&
               memcmp(rows->keys[to].data, in->keys[i].data, len) == 0) {
            to++;
        }
        out->value_lists[i] = (struct msg_pb_value_list){
            .values = (struct bytes *)(uintptr_t)&rows->values[from], .values_count = to - from};
    }
}

static void toy_kv_limit(const struct toy_kv *kv, const struct msg_limit_scan_request *request,
                         struct msg_limit_scan_response *ret, struct arena *a)
{
    const struct toy_rows *rows = &kv->buckets[request->bucket_id];
    struct buffer out = BUFFER_INIT;

    value_batch_begin(&out);
    for (size_t i = 0; i < rows->count && i < (size_t)request->limit; i++) {
        value_batch_add(&out, rows->values[i]);
    }
    value_batch_finish(&out);
    ret->records = arena_copy(a, buffer_view(&out));
    ret->has_records = true;
    buffer_fini(&out);
}

#endif
