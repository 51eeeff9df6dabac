/* A small server without sockets: the services of a few shards over a store (store_ops.h). Requests
 * are encoded, dispatched on a shard as if a connection there had received them, and their answers
 * encoded and decoded again, so that tests see what clients see. */
#ifndef TEST_SUPPORT_NODE_H
#define TEST_SUPPORT_NODE_H

#include "store_ops.h"

#include "service/service.h"

struct test_node {
    struct store *store;
    struct node node;
    struct service *services[STORE_SHARDS];
    struct node_listener listener;
    struct arena arena; /* of requests, answers and whatever a test makes */
    struct error error; /* of the last answer */
};

/* ---- life ---- */

static inline void node_give_view(void *context, unsigned index, struct meta_view *view)
{
    struct test_node *n = context;
    struct store *s = n->store;

    if (n->services[index] == NULL) {
        n->services[index] = service_new(&n->node, s->shards[index], s->sets[index]);
    }
    service_set_view(n->services[index], meta_view_ref(view));
}

static inline struct test_node *node_new(unsigned shards)
{
    struct test_node *n = mem_new(struct test_node);
    struct store *s = store_new(shards);

    n->store = s;
    n->listener = (struct node_listener){.name = "FLUSS", .host = "here", .port = 9123};
    n->node = (struct node){
        .shard_count = shards,
        .services = n->services,
        .shards = s->shards,
        .meta = s->meta,
        .server_id = 3,
        .rack = "r1",
        .listeners = &n->listener,
        .listener_count = 1,
        .wait_us_max = PATIENCE_US,
    };
    s->give_view = node_give_view;
    s->give_context = n;
    store_open_sets(s);
    return n;
}

static inline void node_free(struct test_node *n)
{
    store_close_sets(n->store);
    for (unsigned i = 0; i < n->store->count; i++) {
        service_free(n->services[i]);
    }
    store_free(n->store);
    arena_fini(&n->arena);
    free(n);
}

static inline int node_setup(void **state)
{
    *state = node_new(STORE_SHARDS);
    return 0;
}

static inline int node_teardown(void **state)
{
    node_free(*state);
    return 0;
}

/* ---- requests ---- */

struct node_call {
    struct request request;
    struct test_node *node;
    struct message start;
    struct gate *gate;
    struct pieces out;
    atomic_bool answered;
};

static inline void node_call_done(struct request *r)
{
    struct node_call *c = container_of(r, struct node_call, request);

    ASSERT_ON(r->service->shard);
    ASSERT(!atomic_exchange(&c->answered, true));
    pieces_init(&c->out, &r->arena);
    if (r->code == ERR_OK) {
        rpc_encode(r->api->response, r->response, &c->out);
    }
    gate_pass(c->gate);
}

static inline void node_call_run(struct message *m)
{
    service_dispatch(&container_of(m, struct node_call, start)->request);
}

static inline struct node_call *node_start_bytes(struct test_node *n, unsigned shard,
                                                 enum rpc_api_key key, int16_t version,
                                                 struct bytes body)
{
    struct node_call *c = mem_new(struct node_call);
    struct request *r = &c->request;

    request_init(r);
    r->service = n->services[shard];
    r->listener = &n->listener;
    r->api = rpc_api_find((int16_t)key);
    r->version = version;
    r->body = arena_copy(&n->arena, body);
    r->done = node_call_done;
    c->node = n;
    c->gate = gate_new(1);
    c->start.run = node_call_run;
    shard_send(n->store->shards[shard], &c->start);
    return c;
}

static inline struct bytes node_encode(struct test_node *n, enum rpc_api_key key,
                                       const void *message)
{
    struct pieces out;

    pieces_init(&out, &n->arena);
    rpc_encode(rpc_api_find((int16_t)key)->request, message, &out);
    return pieces_read(&out, &n->arena);
}

/* Sends a request to a shard; node_wait must follow. */
static inline struct node_call *node_start(struct test_node *n, unsigned shard,
                                           enum rpc_api_key key, const void *message)
{
    return node_start_bytes(n, shard, key, rpc_api_find((int16_t)key)->version_max,
                            node_encode(n, key, message));
}

static inline bool node_answered(const struct node_call *c) { return atomic_load(&c->answered); }

/* The outcome; *ret (may be NULL) is the decoded response on success. */
static inline enum errcode node_wait(struct node_call *c, void **ret)
{
    struct test_node *n = c->node;
    struct request *r = &c->request;
    enum errcode code;

    gate_wait(c->gate);
    code = r->code;
    n->error = r->error;
    if (code == ERR_OK && ret != NULL) {
        *ret = arena_zalloc(&n->arena, r->api->response->size);
        assert_int_equal(
            rpc_decode(r->api->response, pieces_read(&c->out, &n->arena), &n->arena, *ret, NULL),
            ERR_OK);
    }
    pieces_fini(&c->out);
    request_fini(r);
    free(c);
    return code;
}

/* A request to shard 0, waited for. Fails the test when the request does. */
static inline void *node_ask(struct test_node *n, enum rpc_api_key key, const void *message)
{
    void *response = NULL;

    if (node_wait(node_start(n, 0, key, message), &response) != ERR_OK) {
        fail_msg("%s", n->error.message);
    }
    return response;
}

static inline enum errcode node_refused(struct test_node *n, enum rpc_api_key key,
                                        const void *message)
{
    return node_wait(node_start(n, 0, key, message), NULL);
}

/* ---- what many tests need ---- */

static inline struct msg_pb_table_path node_path(const char *table)
{
    return (struct msg_pb_table_path){.database_name = bytes_str("fluss"),
                                      .table_name = bytes_str(table)};
}

/* A bucket of the table that shard `shard` owns. */
static inline int32_t bucket_on(const struct test_node *n, int64_t table, unsigned shard)
{
    struct bucket_id id = bucket_of(table, 0);

    while (bucket_shard(&id, n->store->count) != shard) {
        id.bucket++;
    }
    return id.bucket;
}

/* Memory charged to the shards' budgets: 0 when nothing is under way. */
static inline size_t node_charged(const struct test_node *n)
{
    size_t sum = 0;

    for (unsigned i = 0; i < n->store->count; i++) {
        sum += atomic_load(&shard_budget(n->store->shards[i])->used);
    }
    return sum;
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, node_setup, node_teardown)

#endif
