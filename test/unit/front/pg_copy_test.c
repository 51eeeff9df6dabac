#include "../../support/pg_peer.h"

#define PUT(p, type, body) peer_put(p, type, body, sizeof body - 1)

static void data_go_in_and_out(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "create table t (a int, b text)"), "CZ");
    assert_string_equal(peer_query(&p, "copy t from stdin; select 1"), "G");
    PUT(&p, 'd', "1\tx\n2");
    PUT(&p, 'H', "");
    PUT(&p, 'd', "\ty\n");
    assert_string_equal(peer_step(&p), "");
    PUT(&p, 'c', "");
    assert_string_equal(peer_step(&p), "CTDCZ"); /* and what stands behind it */
    assert_string_equal(peer_query(&p, "copy t to stdout csv header"), "HdddcCZ");
    assert_string_equal(peer_query(&p, "copy (select 1 where false) to stdout"), "HcCZ");
    peer_close(&p);
}

static void the_extended_protocol(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "create table t (a int)"), "CZ");
    PUT(&p, 'P', "\0copy t from stdin\0\0\0");
    PUT(&p, 'D', "S\0");
    PUT(&p, 'B', "\0\0\0\0\0\0\0\0");
    PUT(&p, 'E', "\0\0\0\0\0");
    PUT(&p, 'S', "");
    PUT(&p, 'd', "7\n");
    PUT(&p, 'c', "");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "1tn2GCZ");
    PUT(&p, 'P', "\0copy t to stdout\0\0\0");
    PUT(&p, 'B', "\0\0\0\0\0\0\0\0");
    PUT(&p, 'E', "\0\0\0\0\1"); /* a limit is none */
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "12HdcCZ");
    peer_close(&p);
}

static void errors_end_it(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "create table t (a int)"), "CZ");
    assert_string_equal(peer_query(&p, "copy t from stdin"), "G");
    PUT(&p, 'f', "no more\0");
    assert_string_equal(peer_step(&p), "EZ");
    assert_string_equal(peer_query(&p, "copy t from stdin"), "G");
    PUT(&p, 'd', "1\t2\n");
    PUT(&p, 'd', "3\n"); /* is passed over */
    PUT(&p, 'c', "");
    assert_string_equal(peer_step(&p), "EZ");
    assert_string_equal(peer_query(&p, "copy t from stdin"), "G");
    assert_string_equal(peer_query(&p, "select 1"), "EZ");
    assert_string_equal(peer_query(&p, "copy t from stdin"),
                        "G"); /* and it goes away in the middle */
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(data_go_in_and_out),
        SQL_TEST(the_extended_protocol),
        SQL_TEST(errors_end_it),
    };

    return cmocka_run_group_tests_name("front/pg_copy", tests, NULL, NULL);
}
