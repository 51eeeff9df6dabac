#include "get.h"

#include <stdlib.h>

#include "format/value_batch.h"

#define LOOKUPS_MAX 5

struct looker {
    struct client client;
    struct table *table;
    struct target target;
    struct gets gets;
    struct op *end; /* LIST_OFFSETS that is under way */
    bool flying;
    struct call call;
};

static void landed(struct looker *l)
{
    l->flying = false;
    client_think(&l->client);
}

/* ---- keys ---- */

static void on_looked_up(struct call *call, const void *response, enum errcode error)
{
    struct looker *l = container_of(call, struct looker, call);

    if (response == NULL) {
        gets_end(&l->gets, &l->client, OP_UNKNOWN, error);
    } else {
        gets_take_lookup(&l->gets, &l->client, l->table, response);
    }
    landed(l);
}

static void look_up(struct looker *l)
{
    struct prng *prng = &l->client.prng;
    size_t want = (size_t)prng_between(prng, 1, LOOKUPS_MAX);

    for (size_t i = 0; i < want; i++) {
        int64_t key = prng_between(prng, 0, l->table->keys - 1);

        if (table_bucket_of(l->table, key) == l->target.place.bucket) {
            gets_add(&l->gets, &l->client, &l->target, key);
        }
    }
    if (l->gets.count == 0) {
        landed(l);
        return;
    }
    l->call.done = on_looked_up;
    gets_send_lookup(&l->gets, &l->client, l->table, &l->call);
}

/* ---- prefixes ---- */

static void on_prefix(struct call *call, const void *response, enum errcode error)
{
    struct looker *l = container_of(call, struct looker, call);
    const struct msg_prefix_lookup_response *m = response;
    bool good = m != NULL && m->buckets_resp_count == 1 && m->buckets_resp->error_code == 0;

    if (!good) {
        gets_end(&l->gets, &l->client, OP_UNKNOWN, error);
    } else if (m->buckets_resp->value_lists_count != 1) {
        client_wrong(&l->client, "lookup", "another number of lists than of prefixes", NULL);
        gets_end(&l->gets, &l->client, OP_UNKNOWN, error);
    } else {
        gets_take_rows(&l->gets, &l->client, l->table, m->buckets_resp->value_lists->values,
                       m->buckets_resp->value_lists->values_count);
    }
    landed(l);
}

static void look_up_prefix(struct looker *l)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t k = prng_between(&l->client.prng, 0, (l->table->keys - 1) / TABLE_SUBS);
    struct bytes prefix = table_prefix(l->table, k, &arena);
    struct msg_pb_prefix_lookup_req_for_bucket bucket = {.keys = &prefix, .keys_count = 1};
    struct msg_prefix_lookup_request request = {
        .table_id = l->table->id, .buckets_req = &bucket, .buckets_req_count = 1};

    l->target.place.bucket = table_bucket_of(l->table, k * TABLE_SUBS);
    bucket.bucket_id = l->target.place.bucket;
    for (int64_t sub = 0; sub < TABLE_SUBS; sub++) {
        gets_add(&l->gets, &l->client, &l->target, k * TABLE_SUBS + sub);
    }
    l->call.done = on_prefix;
    session_send(&l->client.session, &l->call, API_PREFIX_LOOKUP, &request, CALL_TIMEOUT_US);
}

/* ---- scans ---- */

static void take_scan(struct looker *l, struct bytes records)
{
    struct value_batch_iterator it = {0};
    struct bytes values[GETS_MAX];
    size_t count = 0;

    if (records.len > 0 && value_batch_parse(records, &it, NULL) != ERR_OK) {
        client_wrong(&l->client, "lookup", "a scan that cannot be read", l->gets.ops[0]);
    }
    while (records.len > 0 && it.left > 0 && count < GETS_MAX &&
           value_batch_next(&it, &values[count], NULL) == ERR_OK) {
        count++;
    }
    gets_take_rows(&l->gets, &l->client, l->table, values, count);
}

static void on_scanned(struct call *call, const void *response, enum errcode error)
{
    struct looker *l = container_of(call, struct looker, call);
    const struct msg_limit_scan_response *m = response;

    if (m == NULL || m->error_code != 0) {
        gets_end(&l->gets, &l->client, OP_UNKNOWN, m == NULL ? error : ERR_OK);
    } else {
        take_scan(l, m->records);
    }
    landed(l);
}

static void scan(struct looker *l)
{
    struct msg_limit_scan_request request = {
        .table_id = l->table->id, .bucket_id = l->target.place.bucket, .limit = GETS_MAX};

    for (int64_t key = 0; key < l->table->keys; key++) {
        if (table_bucket_of(l->table, key) == l->target.place.bucket) {
            gets_add(&l->gets, &l->client, &l->target, key);
        }
    }
    if (l->gets.count == 0) {
        landed(l);
        return;
    }
    l->call.done = on_scanned;
    session_send(&l->client.session, &l->call, API_LIMIT_SCAN, &request, CALL_TIMEOUT_US);
}

/* ---- ends ---- */

static void on_end(struct call *call, const void *response, enum errcode error)
{
    struct looker *l = container_of(call, struct looker, call);
    const struct msg_list_offsets_response *m = response;
    bool good = m != NULL && m->buckets_resp_count == 1 && m->buckets_resp->error_code == 0;

    l->end->end.offset = good ? m->buckets_resp->offset : 0;
    client_end(&l->client, l->end, good ? OP_OK : OP_UNKNOWN, error);
    l->end = NULL;
    landed(l);
}

static void ask_end(struct looker *l)
{
    int32_t bucket = l->target.place.bucket;
    struct msg_list_offsets_request request = {
        .follower_server_id = -1,
        .offset_type = 1,
        .table_id = l->target.place.table,
        .bucket_id = &bucket,
        .bucket_id_count = 1,
        .has_partition_id = l->target.place.partition >= 0,
        .partition_id = l->target.place.partition,
    };

    l->end = client_begin(&l->client, OP_END);
    l->end->place = l->target.place;
    l->end->engine = l->table->engine;
    l->call.done = on_end;
    session_send(&l->client.session, &l->call, API_LIST_OFFSETS, &request, CALL_TIMEOUT_US);
}

static void act(struct client *c)
{
    struct looker *l = container_of(c, struct looker, client);

    if (!c->session.open || l->flying || c->load->finishing) {
        return;
    }
    l->table = c->load->tables[prng_below(&c->prng, c->load->table_count)];
    if (!client_draw_target(c, l->table, &l->target)) {
        client_think(c);
        return;
    }
    l->flying = true;
    if (!table_keyed(l->table)) {
        ask_end(l);
        return;
    }
    switch (prng_below(&c->prng, 6)) {
    case 0:
        ask_end(l);
        return;
    case 1:
        scan(l);
        return;
    case 2:
        if (l->table->prefixed) {
            look_up_prefix(l);
            return;
        }
        look_up(l);
        return;
    default:
        look_up(l);
    }
}

static bool idle(const struct client *c)
{
    return c->load->finishing && !container_of(c, struct looker, client)->flying;
}

static void looker_free(struct client *c)
{
    client_fini(c);
    free(container_of(c, struct looker, client));
}

struct client *looker_new(struct load *load, uint32_t number)
{
    struct looker *l = mem_new(struct looker);

    client_init(&l->client, load, number, act);
    l->client.idle = idle;
    l->client.free = looker_free;
    return &l->client;
}
