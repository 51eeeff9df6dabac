#include "../../support/unit.h"
#include "base/bytes.h"
#include "cmd/bench_options.h"

#define WORDS(...) ((char *[]){"bench", __VA_ARGS__, NULL})

static enum errcode parse(char **argv, struct bench_options *ret, struct error *e)
{
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    return bench_options_parse(argc, argv, ret, e);
}

static struct bench_options good(char **argv)
{
    struct bench_options o = {0};
    struct error e;

    if (parse(argv, &o, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return o;
}

static void assert_bad(char **argv, const char *message)
{
    struct bench_options o;
    struct error e = {0};

    assert_int_equal(parse(argv, &o, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, message);
}

static void test_defaults(void **state)
{
    struct bench_options o = good(WORDS("produce"));

    (void)state;
    assert_int_equal(o.mode, BENCH_PRODUCE);
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(o.port, 9123);
    assert_int_equal(o.outstanding, 5);
    assert_int_equal(o.seconds_us, 10000000);
    assert_int_equal(good(WORDS("fetch")).outstanding, 1);
    assert_int_equal(good(WORDS("fetch")).passes, 1);
    assert_int_equal(good(WORDS("fetch")).seconds_us, 0);
    assert_int_equal(good(WORDS("fetch", "--duration", "1s")).passes, INT32_MAX);
    assert_int_equal(good(WORDS("project")).column_count, 1);
    assert_int_equal(good(WORDS("latency")).rows, 1);
    assert_int_equal(good(WORDS("produce", "--requests", "9")).seconds_us, 0);
}

static void test_values(void **state)
{
    struct bench_options o =
        good(WORDS("produce", "--server", "::1:77", "--database", "d", "--table", "t", "--keep",
                   "--server-pids", "1,22,333", "--timeout", "5s", "--buckets", "4", "--rows", "7",
                   "--compression", "zstd", "--zstd-level", "9", "--property", "a=b", "--property",
                   "c=d", "--connections", "2", "--outstanding", "8", "--acks", "1", "--idempotent",
                   "--duration", "2 min", "--bytes", "3mb", "--requests", "11"));

    (void)state;
    assert_string_equal(o.host, "::1");
    assert_int_equal(o.port, 77);
    assert_string_equal(o.table, "t");
    assert_true(o.keep && o.idempotent);
    assert_int_equal(o.pid_count, 3);
    assert_int_equal(o.pids[2], 333);
    assert_int_equal(o.timeout_us, 5000000);
    assert_int_equal(o.codec, ARROW_CODEC_ZSTD);
    assert_int_equal(o.property_count, 2);
    assert_int_equal(o.acks, 1);
    assert_int_equal(o.seconds_us, 120000000);
    assert_int_equal(o.bytes_max, 3 << 20);
    assert_int_equal(o.requests_max, 11);
    o = good(WORDS("project", "--columns", "0,2,4", "--fetch-bytes", "64kb"));
    assert_int_equal(o.column_count, 3);
    assert_int_equal(o.columns[2], 4);
    assert_int_equal(o.fetch_bytes, 65536);
    o = good(WORDS("start", "--idle", "1s", "--", "sleep", "5"));
    assert_string_equal(o.command[0], "sleep");
    assert_string_equal(o.command[1], "5");
}

static void test_keys(void **state)
{
    struct bench_options o = good(WORDS("upsert"));

    (void)state;
    assert_int_equal(o.mode, BENCH_UPSERT);
    assert_int_equal(o.keys, 1000000);
    assert_int_equal(o.outstanding, 5);
    assert_int_equal(o.codec, ARROW_CODEC_ZSTD);
    assert_int_equal(o.seconds_us, 10000000);
    o = good(WORDS("upsert", "--passes", "2", "--compression", "none"));
    assert_int_equal(o.seconds_us, 0);
    assert_int_equal(o.codec, ARROW_CODEC_NONE);
    o = good(WORDS("lookup", "--keys", "500", "--working-set", "20", "--keys-per-request", "3"));
    assert_int_equal(o.keys, 500);
    assert_int_equal(o.working_set, 20);
    assert_int_equal(o.keys_per_request, 3);
    assert_int_equal(o.outstanding, 4);
    o = good(WORDS("lookup", "--keys", "500", "--working-set", "2000"));
    assert_int_equal(o.working_set, 500);
    o = good(WORDS("limit", "--limit", "10", "--working-set", "2"));
    assert_int_equal(o.limit, 10);
    assert_int_equal(o.working_set, o.keys);
    o = good(WORDS("prefix", "--prefix-rows", "10"));
    assert_int_equal(o.prefix_rows, 10);
    o = good(WORDS("start", "--lookup", "--kill", "--", "sleep"));
    assert_true(o.lookup && o.kill);
}

static void test_mistakes(void **state)
{
    struct bench_options o;
    char *nothing[] = {"bench", NULL};

    (void)state;
    assert_bad(nothing, "a mode is expected");
    assert_bad(
        WORDS("walk"),
        "found mode 'walk', expected produce, fetch, project, latency, upsert, lookup, prefix, "
        "limit or start");
    assert_bad(WORDS("fetch", "--what"), "unknown option --what");
    assert_bad(WORDS("fetch", "--rows"), "--rows: a value is expected");
    assert_bad(WORDS("fetch", "--rows", "0"), "--rows: found 0, expected 1 to 1000000");
    assert_bad(WORDS("fetch", "--server", "here"), "--server: found 'here', expected HOST:PORT");
    assert_bad(WORDS("fetch", "--compression", "gzip"),
               "--compression: found 'gzip', expected none, lz4 or zstd");
    assert_bad(WORDS("fetch", "--columns", "1,,2"),
               "--columns: found '1,,2', expected at most 16 numbers separated by commas");
    assert_bad(WORDS("fetch", "--property", "x"),
               "--property: found 'x', expected at most 16 of KEY=VALUE");
    assert_bad(WORDS("produce", "--connections", "2"),
               "--connections: found 2, expected at most one per bucket");
    assert_bad(WORDS("lookup", "--connections", "2"),
               "--connections: found 2, expected at most one per bucket");
    assert_bad(WORDS("fetch", "--connections", "2"),
               "--connections: found 2, expected at most one per reader");
    assert_bad(WORDS("prefix"), "prefix: expected --prefix-rows");
    assert_bad(WORDS("upsert", "--keys", "7", "--prefix-rows", "2"),
               "--keys: found 7, expected a multiple of --prefix-rows");
    assert_bad(WORDS("start"), "start: expected -- and a command at the end");
    assert_int_not_equal(parse(WORDS("fetch", "--duration", "5"), &o, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
