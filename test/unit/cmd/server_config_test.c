#include "running.h"

static struct server_config config_of(struct running *r, const char *more)
{
    running_configure(r, "d", more);
    return r->config;
}

static void the_defaults_are_those_of_the_option_table(void **state)
{
    struct running *r = *state;
    struct server_config c = config_of(r, "");

    assert_string_equal(c.data_dir, "d");
    assert_int_equal(c.shards, 2);
    assert_int_equal(c.listener_count, 1);
    assert_string_equal(c.listeners[0].name, "FLUSS");
    assert_string_equal(c.listeners[0].host, "127.0.0.1");
    assert_int_equal(c.listeners[0].port, 0);
    assert_true(c.replicas.sync);
    assert_int_equal(c.replicas.log.segment_bytes_max, 1 << 30);
    assert_int_equal(c.front.frame_bytes_max, 100 << 20);
    assert_int_equal(c.front.idle_us, INT64_C(600000000));
    assert_true(c.meta.allow_log_tables && c.meta.allow_kv_tables);
    assert_true(c.memory_bytes > 0);
    assert_true(c.checkpoint_us > 0 && c.recovery_point_us > 0 && c.fetch_wait_us_max > 0);
    assert_true(c.replicas.retention_us > 0 && c.replicas.writer_check_us > 0);
    assert_true(c.disk_threads > 0 && c.sync_threads > 0);
}

static void options_reach_their_places(void **state)
{
    struct running *r = *state;
    struct server_config c =
        config_of(r, " -D log.durability=os -D tablet-server.id=7 -D tablet-server.rack=r1"
                     " -D log.segment.file-size=1mb -D netty.connection.max-idle-time=5s"
                     " -D default.bucket.number=3 -D max.partition.num=9 -D max.bucket.num=11"
                     " -D server.writer-id.expiration-time=2d -D allow.create.log.tables=false"
                     " -D eider.memory.budget=64mb -D log.retention.check-interval=3min");

    assert_false(c.replicas.sync);
    assert_int_equal(c.meta.server_id, 7);
    assert_string_equal(c.rack, "r1");
    assert_int_equal(c.replicas.log.segment_bytes_max, 1 << 20);
    assert_int_equal(c.front.idle_us, 5000000);
    assert_int_equal(c.meta.default_bucket_count, 3);
    assert_int_equal(c.meta.partition_count_max, 9);
    assert_int_equal(c.meta.bucket_count_max, 11);
    assert_int_equal(c.replicas.log.writer_expiry_ms, INT64_C(2) * 86400000);
    assert_false(c.meta.allow_log_tables);
    assert_int_equal(c.memory_bytes, 64 << 20);
    assert_int_equal(c.replicas.retention_us, INT64_C(180000000));
    assert_true(c.meta.config_count > 0); /* what DESCRIBE_CLUSTER_CONFIGS shows */
}

static void shards_are_limited(void **state)
{
    struct running *r = *state;

    assert_int_equal(config_of(r, " --shards 1").shards, 1);
    assert_int_equal(config_of(r, " --shards 256").shards, SERVER_SHARDS_MAX);
}

static void listeners_keep_what_clients_are_told(void **state)
{
    struct running *r = *state;
    struct server_args args;
    struct server_config c;
    char *argv[] = {"server",
                    "--data-dir",
                    "d",
                    "-D",
                    "bind.listeners=A://127.0.0.1:0,B://[::1]:9999",
                    "-D",
                    "advertised.listeners=B://example.org:80",
                    "-D",
                    "internal.listener.name=A"};

    assert_int_equal(args_parse(ARRAY_LEN(argv), argv, &r->arena, &args, &r->error), ERR_OK);
    assert_int_equal(server_config_make(&args, &r->arena, &c, &r->error), ERR_OK);
    assert_int_equal(c.listener_count, 2);
    assert_string_equal(c.listeners[1].host, "::1");
    assert_int_equal(c.listeners[1].port, 9999);
    assert_string_equal(c.listeners[1].advertised_host, "example.org");
    assert_int_equal(c.listeners[1].advertised_port, 80);
    assert_string_equal(c.listeners[0].advertised_host, "127.0.0.1");
}

static void ephemeral_has_no_directory(void **state)
{
    struct running *r = *state;
    struct server_args args;
    struct server_config c;
    char *argv[] = {"server", "--ephemeral"};

    assert_int_equal(args_parse(2, argv, &r->arena, &args, &r->error), ERR_OK);
    assert_int_equal(server_config_make(&args, &r->arena, &c, &r->error), ERR_OK);
    assert_null(c.data_dir);
    assert_true(c.shards >= 1); /* one per processor */
    assert_int_equal(c.listeners[0].port, 9123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(the_defaults_are_those_of_the_option_table),
        RUNNING_TEST(options_reach_their_places),
        RUNNING_TEST(shards_are_limited),
        RUNNING_TEST(listeners_keep_what_clients_are_told),
        RUNNING_TEST(ephemeral_has_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
