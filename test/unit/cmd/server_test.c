#include "running.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void data_and_catalog_survive_a_clean_restart(void **state)
{
    struct running *r = *state;
    int64_t id;

    running_start(r);
    assert_false(r->server->clean); /* there was no run before */
    create_table(r, TABLE);
    id = find_table(r, TABLE).table_id;
    assert_int_equal(append(r, id, 1), 0);
    assert_false(is_clean(r));
    assert_true(running_stop(r));
    assert_true(is_clean(r));

    running_start(r);
    assert_true(r->server->clean);
    assert_false(is_clean(r));
    assert_int_equal(find_table(r, TABLE).table_id, id);
    assert_int_equal(end_offset(r, id, 1), ROWS);
    assert_int_equal(append(r, id, 1), ROWS);
    assert_true(running_stop(r));
}

static void ids_and_epochs_rise_with_each_start(void **state)
{
    struct running *r = *state;
    struct msg_init_writer_request request = {0};
    struct msg_init_writer_response writer;
    int32_t epoch = -1;
    int64_t writer_id = -1;
    int64_t table_id = -1;

    for (int round = 0; round < 3; round++) {
        struct msg_pb_table_metadata t;

        running_start(r);
        assert_int_equal(meta_current(r->server->meta)->coordinator_epoch, round);
        create_table(r, arena_printf(&r->arena, "t%d", round));
        t = find_table(r, "t0");
        assert_true(t.bucket_metadata[0].leader_epoch > epoch);
        epoch = t.bucket_metadata[0].leader_epoch;
        assert_true(find_table(r, arena_printf(&r->arena, "t%d", round)).table_id > table_id);
        table_id = find_table(r, arena_printf(&r->arena, "t%d", round)).table_id;
        call_ok(r, API_INIT_WRITER, &request, &writer);
        assert_true(writer.writer_id > writer_id);
        writer_id = writer.writer_id;
        assert_true(running_stop(r));
    }
}

/* What a killed process had acknowledged is there, and the next start knows that it was killed. */
static void acknowledged_rows_survive_a_crash(void **state)
{
    struct running *r = *state;
    int status = 0;
    int64_t id;
    pid_t child = fork();

    if (child == 0) {
        running_start(r);
        create_table(r, TABLE);
        id = find_table(r, TABLE).table_id;
        ASSERT(append(r, id, 0) == 0 && append(r, id, 0) == ROWS && append(r, id, 3) == 0);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    running_start(r);
    assert_false(r->server->clean);
    id = find_table(r, TABLE).table_id;
    assert_int_equal(end_offset(r, id, 0), 2 * ROWS);
    assert_int_equal(end_offset(r, id, 3), ROWS);
    assert_int_equal(append(r, id, 3), ROWS);
    assert_true(running_stop(r));
}

static void every_listener_is_served(void **state)
{
    struct running *r = *state;
    OWNED(rpc_client_freep) struct rpc_client *second = NULL;

    r->config.listener_count = 2;
    r->config.listeners[1] = (struct server_listener){
        .name = "SECOND", .host = "127.0.0.1", .advertised_host = "elsewhere"};
    running_start(r);
    assert_string_equal(r->server->listeners[0].host, "127.0.0.1");
    assert_string_equal(r->server->listeners[1].host, "elsewhere");
    assert_int_not_equal(r->server->listeners[0].port, r->server->listeners[1].port);
    assert_int_equal(rpc_client_open("127.0.0.1", r->server->listeners[1].port, &second, &r->error),
                     ERR_OK);
    assert_int_equal(rpc_client_handshake(second, "test", CALL_US, &r->error), ERR_OK);
}

static void two_servers_live_in_one_process(void **state)
{
    struct running *r = *state;
    struct running *other = NULL;
    int64_t id;

    assert_int_equal(running_setup((void **)&other), 0);
    running_start(r);
    running_start(other);
    create_table(r, TABLE);
    create_table(other, "u");
    create_table(other, TABLE);
    id = find_table(other, TABLE).table_id;
    assert_int_equal(append(other, id, 2), 0);
    assert_true(running_stop(r));
    assert_int_equal(append(other, id, 2), ROWS);
    assert_true(running_stop(other));
    assert_int_equal(running_teardown((void **)&other), 0);
}

/* ---- starts that fail ---- */

static void fails_with(struct running *r, enum errcode code, const char *part)
{
    assert_int_equal(server_start(&r->config, &r->server, &r->error), code);
    assert_null(r->server);
    if (strstr(r->error.message, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, r->error.message);
    }
}

static size_t entries_of(struct running *r, const char *dir)
{
    struct dir_list list = {0};

    assert_int_equal(dir_read(dir, &r->arena, &list, NULL), ERR_OK);
    return list.count;
}

static void a_taken_port_leaves_nothing_behind(void **state)
{
    struct running *r = *state;
    struct running *other = NULL;
    char *port;

    assert_int_equal(running_setup((void **)&other), 0);
    running_start(r);
    other->config.listeners[0].port = r->server->listeners[0].port;
    port = arena_printf(&r->arena, "127.0.0.1:%u", r->server->listeners[0].port);
    fails_with(other, ERR_NETWORK, port);
    assert_int_equal(entries_of(r, other->parent), 0);
    assert_int_equal(running_teardown((void **)&other), 0);
}

static void a_failed_start_keeps_the_marker_of_a_clean_stop(void **state)
{
    struct running *r = *state;
    OWNED(file_unrefp) struct file *journal = NULL;
    struct dir_list list = {0};

    running_start(r);
    assert_true(running_stop(r));
    assert_int_equal(dir_read(PATH_OF(r, "meta"), &r->arena, &list, NULL), ERR_OK);
    for (size_t i = 0; i < list.count; i++) {
        journal = file_unref(journal);
        assert_int_equal(
            file_open(PATH_OF(r, "meta/%s", list.entries[i].name), FILE_WRITE, &journal, NULL),
            ERR_OK);
        assert_int_equal(file_write_at(journal, 4, bytes_str("\x01\xfe garbage"), NULL), ERR_OK);
    }
    fails_with(r, ERR_CORRUPT_FILE, "meta");
    assert_true(is_clean(r));
}

static void a_data_directory_has_one_server(void **state)
{
    struct running *r = *state;
    struct running second = {.config = r->config};
    int status = 0;
    pid_t child;

    running_start(r);
    fails_with(&second, ERR_INVALID_ARGUMENT, "is locked by another process");
    child = fork(); /* it may not touch the threads that it does not have */
    if (child == 0) {
        struct server *s = NULL;

        _exit(server_start(&second.config, &s, &second.error) == ERR_INVALID_ARGUMENT ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    create_table(r, TABLE); /* the first one does not mind */
    assert_true(running_stop(r));
}

/* ---- temporary data ---- */

static void temporary_data_is_removed(void **state)
{
    struct running *r = *state;
    char *data;

    assert_int_equal(setenv("TMPDIR", r->parent, 1), 0);
    r->config.data_dir = NULL;
    running_start(r);
    data = mem_strdup(r->server->data_dir);
    assert_int_equal(strncmp(data, r->parent, strlen(r->parent)), 0);
    create_table(r, TABLE);
    assert_int_equal(append(r, find_table(r, TABLE).table_id, 0), 0);
    assert_true(path_exists(data));
    assert_true(running_stop(r));
    assert_false(path_exists(data));
    free(data);

    r->config.listeners[0].host = "no.such.host.invalid";
    assert_int_not_equal(server_start(&r->config, &r->server, &r->error), ERR_OK);
    assert_int_equal(entries_of(r, r->parent), 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(acknowledged_rows_survive_a_crash),
        RUNNING_TEST(data_and_catalog_survive_a_clean_restart),
        RUNNING_TEST(ids_and_epochs_rise_with_each_start),
        RUNNING_TEST(every_listener_is_served),
        RUNNING_TEST(two_servers_live_in_one_process),
        RUNNING_TEST(a_taken_port_leaves_nothing_behind),
        RUNNING_TEST(a_failed_start_keeps_the_marker_of_a_clean_stop),
        RUNNING_TEST(a_data_directory_has_one_server),
        RUNNING_TEST(temporary_data_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
