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

/* A statement of two parameters and one column, and what must not be bound to it. */
static void a_binding_that_does_not_fit_is_an_error(void **state)
{
#define TWO(bytes) bytes, sizeof bytes - 1
    static const struct {
        const char *body;
        size_t len;
        const char *sqlstate;
    } bad[] = {
        {TWO("\0s\0\0\0\0\1\0\0\0\1"
             "5\0\0"),
         "08P01"}, /* one value */
        {TWO("\0s\0\0\3\0\0\0\0\0\0\0\2\0\0\0\1"
             "5\0\0\0\1"
             "6\0\0"),
         "08P01"}, /* three formats */
        {TWO("\0s\0\0\1\0\2\0\2\0\0\0\1"
             "5\0\0\0\1"
             "6\0\0"),
         "08P01"}, /* format 2 */
        {TWO("\0s\0\0\0\0\2\0\0\0\1"
             "5\0\0\0\7"
             "6"),
         "08P01"}, /* cut short */
        {TWO("\0s\0\0\1\0\1\0\2\0\0\0\1"
             "5\0\0\0\1"
             "6\0\0"),
         "22P03"}, /* binary integers of one byte */
        {TWO("\0s\0\0\0\0\2\0\0\0\1"
             "5\0\0\0\1"
             "6\0\2\0\0\0\0"),
         "08P01"}, /* two formats of one column */
        {TWO("\0s\0\0\0\0\2\0\0\0\1"
             "5\0\0\0\1"
             "6\0\1\0\1\0\0"),
         NULL}, /* right, in binary */
    };
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    PUT(&p, 'P', "s\0select $1 + $2\0\0\2\0\0\0\027\0\0\0\027");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        peer_put(&p, 'B', bad[i].body, bad[i].len);
        PUT(&p, 'E', "\0\0\0\0\0");
        PUT(&p, 'S', "");
        (void)peer_step(&p);
        if (bad[i].sqlstate != NULL) {
            assert_string_equal(p.kinds, i == 0 ? "1EZ" : "EZ");
            assert_non_null(memmem(p.out.data, p.out.len, bad[i].sqlstate, 5));
        } else {
            assert_string_equal(p.kinds, "2DCZ");
        }
    }
    PUT(&p, 'B', "a\0s\0\0\0\0\2\377\377\377\377\377\377\377\377\0\0");
    PUT(&p, 'B', "a\0s\0\0\0\0\2\377\377\377\377\377\377\377\377\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "2EZ"); /* there is a portal of the name */
    PUT(&p, 'D', "Pnone\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "EZ");
    PUT(&p, 'C', "Xs\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "EZ");
    peer_close(&p);
#undef TWO
}

static void transactions_and_statements_are_commands(void **state)
{
    struct pg_peer p;

    peer_start(&p, sql_ready(state));
    assert_string_equal(peer_query(&p, "commit"), "NCZ");
    assert_string_equal(peer_query(&p, "begin"), "CZ");
    assert_string_equal(peer_query(&p, "begin"), "NCZ");
    assert_string_equal(peer_query(&p, "select nothing"), "EZ");
    assert_string_equal(peer_query(&p, "select 1"), "EZ"); /* until it ends */
    PUT(&p, 'P', "\0select 1\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "EZ");
    assert_string_equal(peer_query(&p, "commit"), "CZ");
    assert_non_null(memmem(p.out.data, p.out.len, "ROLLBACK", 8));
    PUT(&p, 'P', "a\0select 1\0\0\0");
    PUT(&p, 'P', "b\0select 2\0\0\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "11Z");
    assert_string_equal(peer_query(&p, "deallocate a"), "CZ");
    PUT(&p, 'D', "Sa\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "EZ");
    PUT(&p, 'D', "Sb\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "tTZ");
    assert_string_equal(peer_query(&p, "deallocate all"), "CZ");
    PUT(&p, 'D', "Sb\0");
    PUT(&p, 'S', "");
    assert_string_equal(peer_step(&p), "EZ");
    assert_string_equal(peer_query(&p, "set application_name = 'it''s'"), "SCZ");
    assert_string_equal(peer_query(&p, "show application_name"), "TDCZ");
    assert_non_null(memmem(p.out.data, p.out.len, "it's", 4));
    assert_string_equal(peer_query(&p, "set statement_timeout = 'soon'"), "EZ");
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(a_statement_is_used_again),
        SQL_TEST(a_portal_is_suspended),
        SQL_TEST(a_later_statement_ends_a_portal),
        SQL_TEST(what_is_malformed_is_an_error),
        SQL_TEST(a_binding_that_does_not_fit_is_an_error),
        SQL_TEST(transactions_and_statements_are_commands),
    };

    return cmocka_run_group_tests_name("front/pg_extended", tests, NULL, NULL);
}
