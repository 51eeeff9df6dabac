#include "../../support/pg_peer.h"

static void encryption_is_refused_and_cancels_are_told(void **state)
{
    struct pg_peer p;

    peer_open(&p, *state);
    peer_put(&p, 0, "\004\322\026/", 4);
    (void)peer_step(&p);
    assert_int_equal(p.out.len, 1);
    assert_int_equal(p.out.data[0], 'N');
    peer_put(&p, 0, "\004\322\026.\0\0\0\007\0\0\0\011", 12);
    (void)peer_step(&p);
    assert_int_equal(p.step, PG_CANCELS);
    assert_int_equal(pg_session_cancel(p.session).pid, 7);
    assert_int_equal(pg_session_cancel(p.session).secret, 9);
    peer_close(&p);
}

static void queries_and_errors(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "select 1; select 2"), "TDCTDCZ");
    assert_string_equal(peer_query(&p, "selec; select 1"), "EZ");
    assert_string_equal(peer_query(&p, ""), "IZ");
    assert_string_equal(peer_query(&p, "begin; select x; select 1"), "CEZ");
    assert_int_equal(p.out.data[p.out.len - 1], 'E');
    assert_string_equal(peer_query(&p, "rollback; show datestyle"), "CTDCZ");
    assert_string_equal(peer_query(&p, "set statement_timeout to '2s'"), "CZ");
    assert_int_equal(pg_session_timeout_ms(p.session), 2000);
    peer_put(&p, 'X', "", 0);
    (void)peer_step(&p);
    assert_int_equal(p.step, PG_ENDS);
    peer_close(&p);
}

static void large_results_come_in_steps(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct pg_peer p;
    unsigned steps = 0;
    enum pg_step step;

    peer_start(&p, q);
    peer_put(&p, 'Q', "select repeat('x', 1000) from range(5000)", 42);
    do {
        buffer_clear(&p.out);
        step = pg_session_step(p.session, meta_current(q->store->meta), &p.in, &p.out);
        assert_true(p.out.len < 600000);
        assert_int_equal(pg_session_running(p.session), step == PG_HAS_MORE);
        steps++;
    } while (step == PG_HAS_MORE);
    assert_true(steps > 10);
    peer_close(&p);
}

static void strangers(void **state)
{
    struct pg_peer p;

    peer_open(&p, *state);
    buffer_bytes(&p.in, bytes_str("GET / HTTP/1.1\r\n\r\n"));
    assert_string_equal(peer_step(&p), "E");
    assert_int_equal(p.step, PG_ENDS);
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(encryption_is_refused_and_cancels_are_told),
        SQL_TEST(queries_and_errors),
        SQL_TEST(large_results_come_in_steps),
        SQL_TEST(strangers),
    };

    return cmocka_run_group_tests_name("front/pg_session", tests, NULL, NULL);
}
