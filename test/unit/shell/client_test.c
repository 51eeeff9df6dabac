#include <signal.h>

#include "../../support/pg_fake.h"
#include "io/terminal.h"

static void a_statement_is_answered(void **state)
{
    static const char *const rows[] = {"1", "22", NULL};
    struct arena arena = ARENA_INIT;
    struct client *c = NULL;
    struct client_column *columns;
    struct client_cell *cells;
    struct client_options options;
    struct client_event event;
    struct pg_fake fake;
    struct error e;
    size_t count;

    (void)state;
    fake_greets(&fake);
    fake_answers(&fake, "n", 23, rows);
    options = fake_options(&fake);
    assert_int_equal(client_open(&options, &c, &e), ERR_OK);
    assert_string_equal(client_setting(c, "Server_Version"), "14.0");
    assert_null(client_setting(c, "nothing"));
    assert_int_equal(client_query(c, bytes_str("select"), &e), ERR_OK);
    assert_int_equal(client_next(c, &event, &e), ERR_OK);
    assert_int_equal(event.kind, CLIENT_COLUMNS);
    assert_int_equal(client_columns(&event, &arena, &columns, &count, &e), ERR_OK);
    assert_int_equal(count, 1);
    assert_string_equal(columns[0].name, "n");
    assert_int_equal(columns[0].type, 23);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(client_next(c, &event, &e), ERR_OK);
        assert_int_equal(client_cells(&event, &arena, &cells, &count, &e), ERR_OK);
        assert_true(bytes_equal_str(cells[0].text, rows[i]));
    }
    assert_int_equal(client_next(c, &event, &e), ERR_OK);
    assert_string_equal(event.tag, "SELECT");
    assert_int_equal(client_next(c, &event, &e), ERR_OK);
    assert_int_equal(event.kind, CLIENT_READY);
    assert_int_equal(client_next(c, &event, &e), ERR_OK);
    assert_int_equal(event.kind, CLIENT_TICK);
    client_close(c);
    arena_fini(&arena);
    fake_fini(&fake);
}

static void an_error_has_its_fields(void **state)
{
    struct client *c = NULL;
    struct client_options options;
    struct client_event event;
    struct pg_fake fake;
    struct error e;

    (void)state;
    fake_greets(&fake);
    fake_fails(&fake);
    options = fake_options(&fake);
    assert_int_equal(client_open(&options, &c, &e), ERR_OK);
    assert_int_equal(client_next(c, &event, &e), ERR_OK);
    assert_int_equal(event.kind, CLIENT_ERROR);
    assert_string_equal(event.problem.state, "42601");
    assert_string_equal(event.problem.message, "wrong");
    assert_string_equal(event.problem.hint, "right");
    assert_null(event.problem.detail);
    assert_int_equal(event.problem.position, 3);
    client_close(c);
    fake_fini(&fake);
}

static void an_interrupt_becomes_a_cancel(void **state)
{
    static const uint8_t expected[16] = {0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 7, 0, 0, 0, 9};
    struct client *c = NULL;
    struct client_options options;
    struct client_event event;
    struct pg_fake fake;
    struct error e;
    uint8_t got[32];
    int interrupt;

    (void)state;
    fake_greets(&fake);
    options = fake_options(&fake);
    assert_int_equal(client_open(&options, &c, &e), ERR_OK);
    interrupt = interrupt_open();
    client_watch(c, interrupt);
    assert_int_equal(client_query(c, bytes_str("select"), &e), ERR_OK);
    assert_false(client_cancelled(c));
    assert_int_equal(kill(getpid(), SIGINT), 0);
    assert_int_equal(client_next(c, &event, &e), ERR_OK);
    assert_true(client_cancelled(c));
    assert_int_equal(fake.dials, 2);
    assert_int_equal(read(fake.peers[1], got, sizeof got), 16);
    assert_memory_equal(got, expected, 16);
    client_close(c);
    (void)close(interrupt);
    fake_fini(&fake);
}

static void who_speaks_otherwise_is_left(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum errcode code;
    } cases[] = {
        {"HTTP/1.1 400 Bad", 16, ERR_CORRUPT_MESSAGE},
        {"R\0\0\0\2xxxx", 9, ERR_CORRUPT_MESSAGE},
        {"R\0\0\0\10\0\0\0\3", 9, ERR_AUTHENTICATE},
        {"E\0\0\0\14Mno\0\0\0\0\0", 13, ERR_AUTHENTICATE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pg_fake fake = {.dials = 0};
        struct client_options options = fake_options(&fake);
        struct client *c = NULL;
        struct error e;

        assert_int_equal(client_open(&options, &c, &e), ERR_NETWORK);
        buffer_bytes(&fake.says, bytes_of(cases[i].bytes, cases[i].len));
        assert_int_equal(client_open(&options, &c, &e), cases[i].code);
        fake_fini(&fake);
    }
}

static void malformed_rows_are_errors(void **state)
{
    struct client_event event = {.body = bytes_of("\0\2\0\0\0\1x", 7)};
    struct arena arena = ARENA_INIT;
    struct client_column *columns;
    struct client_cell *cells;
    struct error e;
    size_t count;

    (void)state;
    assert_int_equal(client_cells(&event, &arena, &cells, &count, &e), ERR_CORRUPT_MESSAGE);
    assert_int_equal(client_columns(&event, &arena, &columns, &count, &e), ERR_CORRUPT_MESSAGE);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_is_answered),
        cmocka_unit_test(an_error_has_its_fields),
        cmocka_unit_test(an_interrupt_becomes_a_cancel),
        cmocka_unit_test(who_speaks_otherwise_is_left),
        cmocka_unit_test(malformed_rows_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
