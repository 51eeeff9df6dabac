/* A whole server in this process, in a directory of its own, and a client of it: made from a command
 * line, as `eider server` makes it. It may be stopped and started as often as a test likes. */
#ifndef TEST_UNIT_CMD_RUNNING_H
#define TEST_UNIT_CMD_RUNNING_H

#include <stdio.h>
#include <stdlib.h>

#include "../../support/shards.h"
#include "base/diag.h"
#include "cmd/bench_rows.h"
#include "cmd/server_config.h"
#include "format/batch.h"
#include "io/file.h"
#include "rpc/client.h"

#define CALL_US     120000000
#define TABLE       "t"
#define ROWS        8 /* of one append */
#define BUCKETS     4
#define PARTITIONED "p" /* the name of the partitioned table */
#define PARTITIONED_JSON                                                                           \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"day\",\"data_type\":{\"type\":\"STRING\"},\"id\":0}],\"highest_field_id\":0},"    \
    "\"partition_key\":[\"day\"],\"bucket_count\":1,\"properties\":{},\"custom_properties\":{}}"

struct running {
    char *parent; /* removed with all its contents at the end */
    char *dir;    /* the data directory in it */
    struct arena arena;
    struct server_config config;
    struct server *server;
    struct rpc_client *client;
    struct error error; /* of the last start or call */
};

static void running_quiet(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

/* The configuration of a command line; --data-dir and --port 0 are added. */
UNUSED static void running_configure(struct running *r, const char *dir, const char *more)
{
    char *line = arena_printf(&r->arena, "server --data-dir %s --port 0 --shards 2%s", dir, more);
    char *argv[64];
    int argc = 0;
    struct server_args *args = arena_new(&r->arena, struct server_args);

    for (char *word; (word = strsep(&line, " ")) != NULL;) {
        argv[argc++] = word;
    }
    if (args_parse(argc, argv, &r->arena, args, &r->error) != ERR_OK ||
        server_config_make(args, &r->arena, &r->config, &r->error) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
}

UNUSED static int running_setup(void **state)
{
    struct running *r = mem_new(struct running);
    struct diag_sink sink = {.level = DIAG_ERROR, .write = running_quiet};

    diag_configure(&sink);
    assert_int_equal(dir_create_temporary("server-test", &r->arena, &r->parent, NULL), ERR_OK);
    r->dir = arena_printf(&r->arena, "%s/data", r->parent);
    running_configure(r, r->dir, "");
    *state = r;
    return 0;
}

UNUSED static bool running_stop(struct running *r)
{
    rpc_client_free(TAKE(r->client));
    return server_stop(TAKE(r->server));
}

UNUSED static int running_teardown(void **state)
{
    struct running *r = *state;

    if (r->server != NULL) {
        (void)running_stop(r);
    }
    assert_int_equal(path_remove_tree(r->parent, NULL), ERR_OK);
    arena_fini(&r->arena);
    mem_freep(state);
    return 0;
}

UNUSED static void running_start(struct running *r)
{
    if (server_start(&r->config, &r->server, &r->error) != ERR_OK ||
        rpc_client_open("127.0.0.1", r->server->listeners[0].port, &r->client, &r->error) !=
            ERR_OK ||
        rpc_client_handshake(r->client, "test", CALL_US, &r->error) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
}

/* What lies at dir/name, the name made as by printf, in the arena. */
#define PATH_OF(r, ...) running_path(r, arena_printf(&(r)->arena, __VA_ARGS__))
UNUSED static char *running_path(struct running *r, const char *name)
{
    return arena_printf(&r->arena, "%s/%s", r->dir, name);
}

UNUSED static bool is_clean(struct running *r)
{
    return path_exists(running_path(r, ".fluss_cleanshutdown"));
}

/* Waits until the path is there, or is gone. */
UNUSED static void await_path(const char *path, bool there)
{
    int64_t end_us = clock_mono_us() + PATIENCE_US;

    while (path_exists(path) != there) {
        if (clock_mono_us() > end_us) {
            fail_msg("%s %s", path, there ? "does not appear" : "stays");
        }
        thread_sleep_us(1000);
    }
}

/* ---- requests ---- */

UNUSED static enum errcode call(struct running *r, enum rpc_api_key key, const void *request,
                                void *response)
{
    struct rpc_call c = {.key = key, .request = request, .timeout_us = CALL_US};

    return rpc_client_call(r->client, &c, &r->arena, response, &r->error);
}

/* A call that must succeed. */
UNUSED static void call_ok(struct running *r, enum rpc_api_key key, const void *request,
                           void *response)
{
    if (call(r, key, request, response) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
}

static struct msg_pb_table_path table_path(const char *table)
{
    return (struct msg_pb_table_path){.database_name = bytes_str("fluss"),
                                      .table_name = bytes_str(table)};
}

/* The load generator's table. */
UNUSED static void create_table(struct running *r, const char *table)
{
    struct bench_options options = {.buckets = BUCKETS};
    struct msg_create_table_request request = {.table_path = table_path(table)};
    struct msg_create_table_response response;

    assert_int_equal(bench_descriptor(&options, &r->arena, &request.table_json, NULL), ERR_OK);
    call_ok(r, API_CREATE_TABLE, &request, &response);
}

UNUSED static void drop_table(struct running *r, const char *table)
{
    struct msg_drop_table_request request = {.table_path = table_path(table)};
    struct msg_drop_table_response response;

    call_ok(r, API_DROP_TABLE, &request, &response);
}

UNUSED static struct msg_pb_table_metadata find_table(struct running *r, const char *table)
{
    struct msg_pb_table_path path = table_path(table);
    struct msg_metadata_request request = {.table_path = &path, .table_path_count = 1};
    struct msg_metadata_response response;

    call_ok(r, API_GET_METADATA, &request, &response);
    assert_int_equal(response.table_metadata_count, 1);
    return response.table_metadata[0];
}

/* Appends ROWS rows and returns the offset of the first, acknowledged by all. */
UNUSED static int64_t append(struct running *r, int64_t table_id, int32_t bucket)
{
    struct bench_options options = {.rows = ROWS};
    struct bench_writer nobody = {BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE};
    OWNED(bench_rows_freep) struct bench_rows *rows = bench_rows_new(&options);
    struct bytes message = BYTES_EMPTY;
    struct msg_pb_produce_log_req_for_bucket one = {.bucket_id = bucket};
    struct msg_produce_log_request request = {.acks = -1,
                                              .table_id = table_id,
                                              .timeout_ms = 60000,
                                              .buckets_req = &one,
                                              .buckets_req_count = 1};
    struct msg_produce_log_response response;

    assert_int_equal(bench_rows_message(rows, 0, ROWS, &r->arena, &message, NULL), ERR_OK);
    one.records = bench_batch(message, ROWS, nobody, &r->arena);
    call_ok(r, API_PRODUCE_LOG, &request, &response);
    assert_int_equal(response.buckets_resp_count, 1);
    assert_false(response.buckets_resp[0].has_error_code);
    return response.buckets_resp[0].base_offset;
}

/* The offset behind the last acknowledged row. */
UNUSED static int64_t end_offset(struct running *r, int64_t table_id, int32_t bucket)
{
    struct msg_list_offsets_request request = {.follower_server_id = -1,
                                               .offset_type = 1,
                                               .table_id = table_id,
                                               .bucket_id = &bucket,
                                               .bucket_id_count = 1};
    struct msg_list_offsets_response response;

    call_ok(r, API_LIST_OFFSETS, &request, &response);
    assert_int_equal(response.buckets_resp_count, 1);
    assert_false(response.buckets_resp[0].has_error_code);
    return response.buckets_resp[0].offset;
}

#define RUNNING_TEST(f) cmocka_unit_test_setup_teardown(f, running_setup, running_teardown)

#endif
