/* The table of the toy server (toy.h): what it holds and what it answers. It checks what it is sent
 * and fails the test otherwise. */
#ifndef TEST_UNIT_CMD_TOY_TABLE_H
#define TEST_UNIT_CMD_TOY_TABLE_H

#include "toy_kv.h"

#include <pthread.h>

#include "format/batch.h"
#include "format/json.h"
#include "io/blocking.h"
#include "io/clock.h"
#include "rpc/api.h"
#include "rpc/frame.h"

#define TOY_BATCHES_MAX 8192
#define TOY_LINKS_MAX   32
#define TOY_TABLE_ID    77
#define TOY_WRITER_ID   4242

struct toy_bucket {
    struct bytes batches[TOY_BATCHES_MAX];
    int64_t offsets[TOY_BATCHES_MAX]; /* of their first rows */
    size_t count;
    int64_t end;
    int32_t sequence; /* of the last batch with a writer */
};

struct toy {
    pthread_mutex_t lock;
    struct arena arena; /* records */
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_t threads[TOY_LINKS_MAX];
    int fds[TOY_LINKS_MAX];
    size_t links;
    struct toy_bucket buckets[TOY_BUCKETS];
    struct toy_kv kv;     /* the rows, when the table has a primary key */
    int32_t bucket_count; /* 0: no table */
    int unknown_buckets;  /* so many produce requests fail with UNKNOWN_TABLE_OR_BUCKET first */
    int broken_after;     /* > 0: the so-manieth produce request fails with LOG_STORAGE */
    int produced;
    size_t projected; /* columns of the last fetch */
    char *argv[64];   /* of the last toy_options: a command to run stays there */
};

/* ---- answers ---- */

static void toy_metadata(struct toy *t, const struct msg_metadata_request *request,
                         struct msg_metadata_response *ret, struct arena *a)
{
    struct msg_pb_server_node *node = arena_new(a, struct msg_pb_server_node);
    struct msg_pb_table_metadata *table = arena_new(a, struct msg_pb_table_metadata);

    *node =
        (struct msg_pb_server_node){.node_id = 5, .host = bytes_str("127.0.0.1"), .port = t->port};
    ret->coordinator_server = node;
    ret->tablet_servers = node;
    ret->tablet_servers_count = 1;
    if (request->table_path_count == 0 || t->bucket_count == 0) {
        return;
    }
    table->table_path = request->table_path[0];
    table->table_id = TOY_TABLE_ID;
    table->table_json = bytes_str("{}");
    table->bucket_metadata_count = (size_t)t->bucket_count;
    table->bucket_metadata =
        arena_array(a, table->bucket_metadata_count, sizeof *table->bucket_metadata);
    for (int32_t i = 0; i < t->bucket_count; i++) {
        table->bucket_metadata[i] =
            (struct msg_pb_bucket_metadata){.bucket_id = i, .leader_id = 5, .has_leader_id = true};
    }
    ret->table_metadata = table;
    ret->table_metadata_count = 1;
}

static void toy_create(struct toy *t, const struct msg_create_table_request *request,
                       struct arena *a)
{
    const struct json *json;

    assert_int_equal(json_parse(request->table_json, NULL, a, &json, NULL), ERR_OK);
    assert_int_equal(json_get_i32(json, "bucket_count", &t->bucket_count, NULL), ERR_OK);
    assert_in_range(t->bucket_count, 1, TOY_BUCKETS);
    memset(t->buckets, 0, sizeof t->buckets);
    for (size_t i = 0; i < TOY_BUCKETS; i++) {
        t->buckets[i].sequence = -1;
    }
    toy_kv_clear(&t->kv);
}

static void toy_append(struct toy *t, const struct msg_pb_produce_log_req_for_bucket *request,
                       struct msg_pb_produce_log_resp_for_bucket *ret)
{
    struct toy_bucket *b = &t->buckets[request->bucket_id];
    struct batch_header header;
    struct bytes copy;

    ret->bucket_id = request->bucket_id;
    t->produced++;
    if (t->unknown_buckets > 0 || t->produced == t->broken_after) {
        enum errcode code = t->unknown_buckets > 0 ? ERR_UNKNOWN_TABLE_OR_BUCKET : ERR_LOG_STORAGE;

        t->unknown_buckets -= t->unknown_buckets > 0 ? 1 : 0;
        ret->error_code = error_fluss_code(code);
        ret->has_error_code = true;
        return;
    }
    assert_int_equal(batch_parse(request->records, &header, NULL), ERR_OK);
    assert_int_equal(batch_check_crc(&header, request->records, NULL), ERR_OK);
    assert_int_equal(header.size, request->records.len);
    if (header.writer_id != BATCH_NO_WRITER_ID) {
        assert_int_equal(header.writer_id, TOY_WRITER_ID);
        assert_int_equal(header.batch_sequence, b->sequence + 1);
        b->sequence++;
    }
    assert_true(b->count < TOY_BATCHES_MAX);
    copy = arena_copy(&t->arena, request->records);
    batch_assign((uint8_t *)(uintptr_t)copy.data, b->end, 1);
    b->batches[b->count] = copy;
    b->offsets[b->count++] = b->end;
    ret->base_offset = b->end;
    ret->has_base_offset = true;
    b->end += header.record_count;
}

static void toy_produce(struct toy *t, const struct msg_produce_log_request *request,
                        struct msg_produce_log_response *ret, struct arena *a)
{
    assert_int_equal(request->table_id, TOY_TABLE_ID);
    ret->buckets_resp_count = request->buckets_req_count;
    ret->buckets_resp = arena_array(a, ret->buckets_resp_count, sizeof *ret->buckets_resp);
    for (size_t i = 0; i < request->buckets_req_count; i++) {
        toy_append(t, &request->buckets_req[i], &ret->buckets_resp[i]);
    }
}

/* One batch per bucket; false when there is none anywhere. */
static bool toy_read(struct toy *t, const struct msg_pb_fetch_log_req_for_table *request,
                     struct msg_pb_fetch_log_resp_for_table *ret, struct arena *a)
{
    bool any = false;

    t->projected = request->projection_pushdown_enabled ? request->projected_fields_count : 0;
    ret->table_id = TOY_TABLE_ID;
    ret->buckets_resp_count = request->buckets_req_count;
    ret->buckets_resp = arena_array(a, ret->buckets_resp_count, sizeof *ret->buckets_resp);
    for (size_t i = 0; i < request->buckets_req_count; i++) {
        const struct msg_pb_fetch_log_req_for_bucket *in = &request->buckets_req[i];
        struct msg_pb_fetch_log_resp_for_bucket *out = &ret->buckets_resp[i];
        struct toy_bucket *b = &t->buckets[in->bucket_id];
        int64_t offset = in->fetch_offset < 0 ? 0 : in->fetch_offset;

        out->bucket_id = in->bucket_id;
        out->high_watermark = b->end;
        out->has_high_watermark = true;
        out->has_records = true;
        for (size_t k = 0; k < b->count && out->records.len == 0; k++) {
            if (b->offsets[k] >= offset) {
                out->records = b->batches[k];
                any = true;
            }
        }
    }
    return any;
}

static void toy_fetch(struct toy *t, const struct msg_fetch_log_request *request,
                      struct msg_fetch_log_response *ret, struct arena *a)
{
    int64_t until_us = clock_mono_us() + request->max_wait_ms * INT64_C(1000);

    ret->tables_resp = arena_array(a, 1, sizeof *ret->tables_resp);
    ret->tables_resp_count = 1;
    while (!toy_read(t, request->tables_req, ret->tables_resp, a) && clock_mono_us() < until_us) {
        (void)pthread_mutex_unlock(&t->lock);
        thread_sleep_us(500);
        (void)pthread_mutex_lock(&t->lock);
    }
}

static void toy_answer(struct toy *t, const struct rpc_request *header, void *request,
                       void *response, struct arena *a)
{
    switch (header->api_key) {
    case API_API_VERSIONS:
        rpc_api_versions(a, response);
        break;
    case API_GET_METADATA:
        toy_metadata(t, request, response, a);
        break;
    case API_CREATE_TABLE:
        toy_create(t, request, a);
        break;
    case API_DROP_TABLE:
        t->bucket_count = 0;
        break;
    case API_INIT_WRITER:
        ((struct msg_init_writer_response *)response)->writer_id = TOY_WRITER_ID;
        break;
    case API_PRODUCE_LOG:
        toy_produce(t, request, response, a);
        break;
    case API_FETCH_LOG:
        toy_fetch(t, request, response, a);
        break;
    case API_PUT_KV:
        toy_kv_put(&t->kv, request, response, a);
        break;
    case API_LOOKUP:
        toy_kv_lookup(&t->kv, request, response, a);
        break;
    case API_PREFIX_LOOKUP:
        toy_kv_prefix(&t->kv, request, response, a);
        break;
    case API_LIMIT_SCAN:
        toy_kv_limit(&t->kv, request, response, a);
        break;
    default:
        break;
    }
}

#endif
