#include "../../support/pg_peer.h"

#define PUT(p, type, body) peer_put(p, type, body, sizeof body - 1)

static void a_statement_is_used_again(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    PUT(&p, 'P', "s\0select $1 + 1\0\0\1\0\0\0\027");
    PUT(&p, 'D', "Ss\0");
    PUT(&p, 'B',
        "\0s\0\0\0\0\1\0\0\0\1"
        "5\0\0");
    PUT(&p, 'E', "\0\0\0\0\0");
    PUT(&p, 'B', "\0s\0\0\1\0\1\0\1\0\0\0\4\0\0\0\7\0\1\0\1");
    PUT(&p, 'D', "P\0");
    PUT(&p, 'E', "\0\0\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "1tT2DC2TDCZ");
    PUT(&p, 'P', "s\0select 2\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "EZ"); /* there is one of the name */
    PUT(&p, 'C', "Ss\0");
    PUT(&p, 'B', "\0s\0\0\0\0\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "3EZ");
    peer_close(&p);
}

static void a_portal_is_suspended(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    PUT(&p, 'P', "\0select * from range(5)\0\0\0");
    PUT(&p, 'B', "a\0\0\0\0\0\0\0\0");
    PUT(&p, 'E', "a\0\0\0\0\2");
    PUT(&p, 'E', "a\0\0\0\0\2");
    PUT(&p, 'E', "a\0\0\0\0\2");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "12DDsDDsDCZ");
    peer_close(&p);
}

static void a_later_statement_ends_a_portal(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "begin"), "CZ");
    PUT(&p, 'P', "s\0select * from range(5)\0\0\0");
    PUT(&p, 'B', "a\0s\0\0\0\0\0\0\0");
    PUT(&p, 'B', "b\0s\0\0\0\0\0\0\0");
    PUT(&p, 'E', "a\0\0\0\0\2");
    PUT(&p, 'E', "b\0\0\0\0\0");
    PUT(&p, 'E', "a\0\0\0\0\2");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "122DDsDDDDDCEZ");
    peer_close(&p);
}

static void what_is_malformed_is_an_error(void **state)
{
    static const struct bytes bad[] = {
        {(const uint8_t *)"B\0missing\0\0\0\0\0\0\0", 17},
        {(const uint8_t *)"Dx\0", 3},
        {(const uint8_t *)"Emissing\0\0\0\0\0", 13},
        {(const uint8_t *)"P", 1},
        {(const uint8_t *)"P\0select 1; select 2\0\0\0", 23},
        {(const uint8_t *)"P\0select 1\0\377\377", 13},
        {(const uint8_t *)"C", 1},
        {(const uint8_t *)"F", 1},
        {(const uint8_t *)"!", 1},
    };
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        peer_put(&p, (char)bad[i].data[0], bad[i].data + 1, bad[i].len - 1);
        PUT(&p, 'E', "\0\0\0\0\0");
        PUT(&p, 'S', "");
        assert_string_equal(peer_step(&p), "EZ");
    }
    assert_string_equal(peer_query(&p, "select 1"), "TDCZ");
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(a_statement_is_used_again),
        SQL_TEST(a_portal_is_suspended),
        SQL_TEST(a_later_statement_ends_a_portal),
        SQL_TEST(what_is_malformed_is_an_error),
    };

    return cmocka_run_group_tests_name("front/pg_extended", tests, NULL, NULL);
}
