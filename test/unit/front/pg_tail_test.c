#include "../../support/pg_peer.h"
#include "io/gate.h"

/* What a connection does on its shard, shards[0], while a query waits. */
struct place {
    struct pg_peer *peer;
    struct gate *gate;
    enum pg_step step;
};

static void done(void *context) { gate_pass(((struct place *)context)->gate); }

static void step_there(void *context, unsigned index)
{
    struct place *p = context;
    struct store *store = p->peer->store->store;
    const struct sql_lookup_wait wait = {.shard = store->shards[0], .done = done, .context = p};

    (void)index;
    p->step = pg_session_quick(p->peer->session, meta_current(store->meta), &p->peer->in,
                               &p->peer->out, &wait);
}

/* A quick step; false: a step in a pool is next. */
static bool waits(struct place *p)
{
    p->gate = gate_new(1);
    shards_call(p->peer->store->store->shards, 1, step_there, p);
    if (p->step != PG_LOOKS_UP) {
        gate_pass(p->gate);
        gate_wait(p->gate);
    }
    return p->step == PG_LOOKS_UP;
}

/* Until a step may have something to do; its answers. */
static const char *wait_and_step(struct place *p)
{
    while (waits(p)) {
        gate_wait(p->gate);
    }
    assert_int_equal(p->step, PG_NEEDS_STEP);
    return peer_step(p->peer);
}

static void interrupt_there(void *context, unsigned index)
{
    struct place *p = context;

    (void)index;
    pg_session_interrupt(p->peer->session, PG_INTERRUPT_USER);
}

static void rows_wake_it_until_the_limit(void **state)
{
    struct pg_peer p;
    struct place place = {.peer = &p};
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);

    peer_start(&p, q);
    assert_string_equal(peer_query(&p, "select a from tail('t') limit 3; select 1"), "T");
    assert_int_equal(p.step, PG_HAS_MORE);
    assert_true(waits(&place));
    sql_append(q, bucket_of(t, 0), 0, 1);
    gate_wait(place.gate);
    assert_string_equal(wait_and_step(&place), "D");
    sql_append(q, bucket_of(t, 2), 1, 9);
    assert_string_equal(wait_and_step(&place), "DDCTDCZ");
    assert_int_equal(p.step, PG_WANTS_INPUT);
    peer_close(&p);
}

static void it_can_be_ended(void **state)
{
    struct pg_peer p;
    struct place place = {.peer = &p};
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    peer_start(&p, q);
    assert_string_equal(peer_query(&p, "select a from tail('t')"), "T");
    assert_true(waits(&place));
    shards_call(q->store->shards, 1, interrupt_there, &place);
    gate_wait(place.gate);
    assert_string_equal(wait_and_step(&place), "EZ");
    assert_string_equal(peer_query(&p, "set statement_timeout = 1500"), "CZ");
    assert_string_equal(peer_query(&p, "select a from tail('t')"), "T");
    assert_string_equal(wait_and_step(&place), "EZ");
    assert_string_equal(peer_query(&p, "set statement_timeout = 0"), "CZ");
    assert_string_equal(peer_query(&p, "select a from tail('t')"), "T");
    assert_true(waits(&place));
    store_drop_table(q->store, "t");
    gate_wait(place.gate);
    assert_string_equal(wait_and_step(&place), "EZ");
    peer_close(&p);
}

static void clients_may_go_or_send_too_much(void **state)
{
    static const uint8_t zeros[1 << 16] = {0};
    struct pg_peer p;
    struct place place = {.peer = &p};
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    peer_start(&p, q);
    assert_string_equal(peer_query(&p, "select a from tail('t')"), "T");
    assert_true(waits(&place));
    gate_wait(place.gate); /* a tick */
    for (int i = 0; i < 20; i++) {
        buffer_bytes(&p.in, bytes_of(zeros, sizeof zeros));
    }
    assert_false(waits(&place));
    assert_int_equal(place.step, PG_ENDS);
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_wake_it_until_the_limit),
        SQL_TEST(it_can_be_ended),
        SQL_TEST(clients_may_go_or_send_too_much),
    };

    return cmocka_run_group_tests_name("front/pg_tail", tests, NULL, NULL);
}
