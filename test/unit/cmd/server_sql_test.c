#include "running.h"

static int dial(const struct running *r)
{
    int fd = -1;

    assert_int_equal(socket_connect("127.0.0.1", r->server->sql_listeners[0].port, &fd, NULL),
                     ERR_OK);
    return fd;
}

static void connections_of_both_protocols(void **state)
{
    struct running *r = *state;
    int fds[5];

    running_configure(r, r->dir, " -D postgres.listeners=127.0.0.1:0");
    running_start(r);
    assert_int_equal(r->server->sql_listener_count, 1);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial(r);
    }
    for (size_t i = 0; i + 1 < ARRAY_LEN(fds); i++) {
        socket_close(fds[i]);
    }
    assert_true(running_stop(r)); /* with a connection that says nothing */
    socket_close(fds[ARRAY_LEN(fds) - 1]);
}

static void a_taken_port_matters_when_it_was_asked_for(void **state)
{
    struct running *r = *state;
    struct server *other = NULL;
    uint16_t port = 0;
    int fd = -1;

    assert_int_equal(socket_listen("127.0.0.1", 0, &fd, &port, NULL), ERR_OK);
    running_configure(r, r->dir,
                      arena_printf(&r->arena, " -D postgres.listeners=127.0.0.1:%u", port));
    assert_int_equal(server_start(&r->config, &other, &r->error), ERR_NETWORK);
    r->config.sql_may_miss = true;
    running_start(r);
    assert_int_equal(r->server->sql_listener_count, 0);
    assert_true(running_stop(r));
    socket_close(fd);
}

static void nowhere(void **state)
{
    struct running *r = *state;

    running_configure(r, r->dir, " -D postgres.listeners=none");
    running_start(r);
    assert_int_equal(r->server->sql_listener_count, 0);
    assert_true(running_stop(r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connections_of_both_protocols, running_setup,
                                        running_teardown),
        cmocka_unit_test_setup_teardown(a_taken_port_matters_when_it_was_asked_for, running_setup,
                                        running_teardown),
        cmocka_unit_test_setup_teardown(nowhere, running_setup, running_teardown),
    };

    return cmocka_run_group_tests_name("cmd/server_sql", tests, NULL, NULL);
}
