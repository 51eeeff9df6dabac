#include "../../support/pg_peer.h"
#include "io/gate.h"

/* A quick step on a shard of the store, until it has nothing to wait for any more. */
struct quick {
    struct pg_peer *peer;
    struct shard *shard;
    struct gate *gate;
    enum pg_step step;
    unsigned waited;
};

static void done(void *context) { gate_pass(((struct quick *)context)->gate); }

static void step_there(void *context, unsigned index)
{
    struct quick *q = context;
    const struct sql_lookup_wait wait = {.shard = q->shard, .done = done, .context = q};

    (void)index;
    q->step = pg_session_quick(q->peer->session, meta_current(q->peer->store->store->meta),
                               &q->peer->in, &q->peer->out, &wait);
}

static const char *quick_step(struct pg_peer *p, struct quick *q)
{
    struct bytes out;
    struct pg_message m;
    size_t count = 0;

    *q = (struct quick){.peer = p, .shard = p->store->store->shards[0]};
    buffer_clear(&p->out);
    for (;;) {
        q->gate = gate_new(1);
        shards_call(&q->shard, 1, step_there, q);
        if (q->step != PG_LOOKS_UP) {
            gate_pass(q->gate);
            gate_wait(q->gate);
            break;
        }
        gate_wait(q->gate);
        q->waited++;
    }
    out = buffer_view(&p->out);
    while (count + 1 < sizeof p->kinds && pg_take(&out, false, &m) == PG_MESSAGE) {
        p->kinds[count++] = (char)m.type;
    }
    p->kinds[count] = '\0';
    return p->kinds;
}

#define PUT(p, type, text) peer_put(p, type, text, sizeof(text) - 1)

static void bind_key(struct pg_peer *p, const char *digit)
{
    char body[] = "\0s\0\0\0\0\1\0\0\0\1x\0\0";

    body[11] = *digit;
    peer_put(p, 'B', body, sizeof body - 1);
    PUT(p, 'D', "P\0");
    PUT(p, 'E', "\0\0\0\0\0");
    PUT(p, 'S', "");
}

static void rows_by_key(void **state)
{
    struct sql_store *store = sql_ready(state);
    int64_t t = store_create_table(store->store, "k", STORE_KV(""));
    struct pg_peer p;
    struct quick q;
    unsigned waited = 0;

    for (int32_t i = 0; i < 2; i++) {
        store_put_range(store->store, bucket_of(t, i), 0, 10);
    }
    peer_start(&p, store);
    PUT(&p, 'P', "s\0select a, b from k where a = $1\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(quick_step(&p, &q), "");
    assert_int_equal(q.step, PG_NEEDS_STEP);
    assert_string_equal(peer_step(&p), "1Z");
    for (const char *key = "0123456789"; *key != '\0'; key++) {
        bind_key(&p, key);
        assert_string_equal(quick_step(&p, &q), "2TDCZ");
        assert_int_equal(q.step, PG_WANTS_INPUT);
        assert_int_equal(p.in.len, 0);
        waited += q.waited;
    }
    assert_true(waited > 0); /* some keys are on the other shard */
    bind_key(&p, "1");
    bind_key(&p, "2");
    assert_string_equal(quick_step(&p, &q), "2TDCZ2TDCZ");
    bind_key(&p, "x"); /* no number: the pool's step says so */
    assert_string_equal(quick_step(&p, &q), "2T");
    assert_int_equal(q.step, PG_NEEDS_STEP);
    assert_string_equal(peer_step(&p), "EZ");
    peer_close(&p);
}

/* Whose rows are asked for, so that the connection can go there. */
static void the_owner_is_known(void **state)
{
    struct sql_store *store = sql_ready(state);
    int64_t t = store_create_table(store->store, "k", STORE_KV(""));
    struct shard *const *shards = store->store->shards;
    struct pg_peer p;
    struct quick q;
    unsigned count = 0;

    store_put_range(store->store, bucket_of(t, 0), 0, 10);
    peer_start(&p, store);
    PUT(&p, 'P', "s\0select a, b from k where a = $1\0\0\0");
    assert_string_equal(peer_step(&p), "1");
    assert_null(pg_session_owner(p.session, &count));
    for (unsigned i = 1; i <= 3; i++) {
        struct shard *owner;

        bind_key(&p, "7");
        assert_string_equal(quick_step(&p, &q), "2TDCZ");
        owner = pg_session_owner(p.session, &count);
        assert_true(owner == shards[0] || owner == shards[1]);
        assert_int_equal(owner != shards[0], q.waited > 0);
        assert_int_equal(count, i);
    }
    peer_close(&p);
}

static void everything_else_takes_a_step(void **state)
{
    struct sql_store *store = sql_ready(state);
    struct pg_peer p;
    struct quick q;

    peer_open(&p, store);
    PUT(&p, 'Q', "select 1\0");
    assert_string_equal(quick_step(&p, &q), "");
    assert_int_equal(q.step, PG_NEEDS_STEP);
    p.in.len = 0;
    peer_close(&p);
    peer_start(&p, store);
    PUT(&p, 'Q', "select 1\0");
    assert_string_equal(quick_step(&p, &q), "");
    assert_int_equal(q.step, PG_NEEDS_STEP);
    assert_string_equal(peer_step(&p), "TDCZ");
    PUT(&p, 'B', "\0none\0\0\0\0\0\0\0");
    assert_string_equal(quick_step(&p, &q), "");
    assert_int_equal(q.step, PG_NEEDS_STEP);
    assert_string_equal(peer_step(&p), "E");
    assert_string_equal(quick_step(&p, &q), "");
    assert_int_equal(q.step, PG_NEEDS_STEP); /* until Sync, everything is skipped */
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(rows_by_key), SQL_TEST(the_owner_is_known),
                                       SQL_TEST(everything_else_takes_a_step)};

    return cmocka_run_group_tests_name("front/pg_quick", tests, NULL, NULL);
}
