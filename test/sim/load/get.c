#include "get.h"

void gets_add(struct gets *g, struct client *c, const struct target *target, int64_t key)
{
    struct op *op = client_begin(c, OP_GET);

    ASSERT(g->count < GETS_MAX);
    op->place = target->place;
    op->engine = target->table->engine;
    op->get.key = key;
    op->get.last = g->last;
    g->ops[g->count++] = op;
}

void gets_end(struct gets *g, struct client *c, enum op_status status, enum errcode error)
{
    for (size_t i = 0; i < g->count; i++) {
        client_end(c, g->ops[i], status, error);
    }
    g->count = 0;
}

void gets_send_lookup(struct gets *g, struct client *c, struct table *table, struct call *call)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes keys[GETS_MAX];
    struct msg_pb_lookup_req_for_bucket bucket = {
        .bucket_id = g->ops[0]->place.bucket, .keys = keys, .keys_count = g->count};
    struct msg_lookup_request request = {
        .table_id = g->ops[0]->place.table, .buckets_req = &bucket, .buckets_req_count = 1};

    for (size_t i = 0; i < g->count; i++) {
        keys[i] = table_key(table, g->ops[i]->get.key, &arena);
    }
    session_send(&c->session, call, API_LOOKUP, &request, CALL_TIMEOUT_US);
}

static void fill(struct client *c, struct op *op, struct table *table, struct bytes value)
{
    int64_t key;

    op->get.present = true;
    if (!table_read_value(table, value, &key, &op->get.values) || key != op->get.key) {
        client_wrong(c, "lookup", "a value that nobody wrote", op);
    }
}

void gets_take_lookup(struct gets *g, struct client *c, struct table *table,
                      const struct msg_lookup_response *m)
{
    const struct msg_pb_lookup_resp_for_bucket *b = m->buckets_resp;

    if (m->buckets_resp_count != 1 || (b->has_error_code && b->error_code != 0)) {
        gets_end(g, c, OP_UNKNOWN,
                 m->buckets_resp_count == 1 ? error_from_fluss(b->error_code) : ERR_NETWORK);
        return;
    }
    if (b->values_count != g->count) {
        client_wrong(c, "lookup", "another number of values than of keys", g->ops[0]);
        gets_end(g, c, OP_UNKNOWN, ERR_OK);
        return;
    }
    for (size_t i = 0; i < g->count; i++) {
        if (b->values[i].has_values && b->values[i].values.len > 0) {
            fill(c, g->ops[i], table, b->values[i].values);
        }
    }
    gets_end(g, c, OP_OK, ERR_OK);
}

void gets_take_rows(struct gets *g, struct client *c, struct table *table,
                    const struct bytes *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct op *found = NULL;
        struct values ignored;
        int64_t key = -1;

        IGNORE(table_read_value(table, values[i], &key, &ignored));
        for (size_t k = 0; k < g->count; k++) {
            found = g->ops[k]->get.key == key ? g->ops[k] : found;
        }
        if (found == NULL || found->get.present) {
            client_wrong(c, "lookup", "a row of another bucket, or twice",
                         g->count > 0 ? g->ops[0] : NULL);
        } else {
            fill(c, found, table, values[i]);
        }
    }
    gets_end(g, c, OP_OK, ERR_OK);
}
