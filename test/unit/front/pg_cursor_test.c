#include <stdio.h>

#include "../../support/pg_peer.h"

#define PUT(p, type, body) peer_put(p, type, body, sizeof(body) - 1)

static void a_portion_at_a_time(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "begin; declare c cursor for select * from range(5)"),
                        "CCZ");
    assert_string_equal(peer_query(&p, "fetch 2 from c"), "TDDCZ");
    assert_string_equal(peer_query(&p, "select 1; fetch c; move c"), "TDCTDCCZ");
    assert_string_equal(peer_query(&p, "fetch all from c; fetch c"), "TDCTCZ");
    assert_string_equal(peer_query(&p, "close c; fetch c"), "CEZ");
    assert_string_equal(peer_query(&p, "rollback"), "CZ");
    peer_close(&p);
}

static void with_parameters_and_formats(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "begin"), "CZ");
    PUT(&p, 'P', "\0declare c cursor for select * from range($1::int)\0\0\0");
    PUT(&p, 'D', "S\0");
    PUT(&p, 'B', "\0\0\0\0\0\1\0\0\0\0015\0\0");
    PUT(&p, 'D', "P\0");
    PUT(&p, 'E', "\0\0\0\0\0");
    PUT(&p, 'D', "Pc\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "1tn2nCTZ");
    PUT(&p, 'P', "f\0fetch 4 from c\0\0\0");
    PUT(&p, 'D', "Sf\0");
    PUT(&p, 'B', "q\0f\0\0\0\0\0\0\1\0\1");
    PUT(&p, 'D', "Pq\0");
    PUT(&p, 'E', "q\0\0\0\0\3");
    PUT(&p, 'E', "q\0\0\0\0\3");
    PUT(&p, 'E', "c\0\0\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "1tT2TDDDsDCEZ");
    peer_close(&p);
}

static void transactions_end_them(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "declare c cursor for select 1"), "EZ");
    assert_string_equal(peer_query(&p, "begin; declare c cursor for select 1; commit"), "CCCZ");
    assert_string_equal(peer_query(&p, "fetch c"), "EZ");
    assert_string_equal(peer_query(&p, "declare h cursor with hold for select 1"), "CZ");
    assert_string_equal(peer_query(&p, "declare h cursor with hold for select 1"), "EZ");
    assert_string_equal(peer_query(&p, "begin; declare i cursor with hold for select 1"), "CCZ");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "Z");
    assert_string_equal(peer_query(&p, "rollback; fetch h"), "CTDCZ");
    assert_string_equal(peer_query(&p, "fetch i"), "EZ");
    assert_string_equal(peer_query(&p, "begin; declare i cursor with hold for select 1"), "CCZ");
    assert_string_equal(peer_query(&p, "commit; begin; rollback; fetch i"), "CCCTDCZ");
    assert_string_equal(peer_query(&p, "discard all; close h"), "CEZ");
    peer_close(&p);
}

/* A cursor gives back what it had beside the session. */
static void many_and_too_many(void **state)
{
    struct pg_peer p;
    char text[100];

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "begin"), "CZ");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "declare c%d cursor for select %d", i, i);
        assert_string_equal(peer_query(&p, text), "CZ");
    }
    assert_string_equal(peer_query(&p, "fetch c99; fetch c0"), "TDCTDCZ");
    assert_string_equal(peer_query(&p, "declare c cursor for select 1"), "EZ");
    assert_string_equal(peer_query(&p, "rollback; begin"), "CCZ");
    for (int i = 0; i < 200; i++) {
        assert_string_equal(peer_query(&p, "declare c cursor for select 1"), "CZ");
        assert_string_equal(peer_query(&p, i % 2 == 0 ? "close c" : "close all"), "CZ");
    }
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(a_portion_at_a_time),
        SQL_TEST(with_parameters_and_formats),
        SQL_TEST(transactions_end_them),
        SQL_TEST(many_and_too_many),
    };

    return cmocka_run_group_tests_name("front/pg_cursor", tests, NULL, NULL);
}
