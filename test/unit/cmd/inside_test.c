#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "cmd/inside.h"
#include "io/blocking.h"
#include "io/file.h"

static void a_directory_of_nobody_is_refused(void **state)
{
    struct inside in;
    struct error e;

    (void)state;
    assert_int_equal(inside_start("/proc/no/such", &in, &e), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "/proc/no/such"));
    inside_stop(&in);
}

static void it_talks_through_a_pair_of_sockets(void **state)
{
    static const uint8_t wants_ssl[] = {0, 0, 0, 8, 4, 210, 22, 47};
    struct bytes run = bytes_of(wants_ssl, sizeof wants_ssl);
    struct socket_interest item = {.fd = -1};
    struct arena arena = ARENA_INIT;
    char *dir = NULL;
    struct file *lock = NULL;
    struct inside in;
    struct error e;
    char answer = 0;
    size_t len = 0;

    (void)state;
    assert_int_equal(dir_create_temporary("inside", &arena, &dir, &e), ERR_OK);
    assert_int_equal(file_lock(arena_printf(&arena, "%s/.lock", dir), &lock, &e), ERR_OK);
    assert_int_equal(inside_start(dir, &in, &e), ERR_INVALID_ARGUMENT); /* in use */
    inside_stop(&in);
    lock = file_unref(lock);
    assert_int_equal(inside_start(dir, &in, &e), ERR_OK);
    assert_int_equal(in.server->node.listener_count, 0);
    assert_int_equal(in.server->sql_listener_count, 0);
    assert_int_equal(inside_dial(&in, &item.fd, &e), ERR_OK);
    assert_int_equal(socket_send_runs(item.fd, &run, 1, &len, &e), ERR_OK);
    socket_wait(&item, 1, -1);
    assert_int_equal(socket_recv_some(item.fd, &answer, 1, &len, &e), ERR_OK);
    assert_int_equal(answer, 'N');
    (void)close(item.fd);
    inside_stop(&in);
    assert_int_equal(path_remove_tree(dir, &e), ERR_OK);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_of_nobody_is_refused),
        cmocka_unit_test(it_talks_through_a_pair_of_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
