#include "../../support/dies.h"
#include "../../support/unit.h"
#include "cmd/options.h"
#include "io/file.h"

static enum errcode set(struct options *o, const char *key, const char *value, struct error *e)
{
    return options_set(o, bytes_str(key), bytes_str(value), "-D", e);
}

static void must_set(struct options *o, const char *key, const char *value)
{
    struct error e = {.message = ""};
    enum errcode code = set(o, key, value, &e);

    assert_string_equal(e.message, "");
    assert_int_equal(code, ERR_OK);
}

static void refused(const char *key, const char *value, const char *message)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    assert_int_equal(set(options_new(&arena), key, value, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, message);
}

static void the_table_is_sound(void **state)
{
    (void)state;
    assert_true(option_table_len > 150);
    for (size_t i = 0; i < option_table_len; i++) {
        const struct option *a = &option_table[i];

        assert_true(strlen(a->meaning) >= 5 && strlen(a->meaning) < 160);
        assert_true(strlen(a->key) <= OPTION_KEY_MAX);
        assert_true(a->type != OPTION_ENUM || a->limits != NULL);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(a->key, option_table[j].key);
        }
    }
    for (size_t i = 0; i < option_aliases_len; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;

        assert_false(options_is_set(options_new(&arena), option_aliases[i].key));
    }
}

static void defaults(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;
    size_t count;

    (void)state;
    assert_int_equal(options_check(o, &e), ERR_OK);
    assert_int_equal(options_int(o, "default.bucket.number"), 1);
    assert_int_equal(options_long(o, "log.flush.interval-messages"), INT64_MAX);
    assert_int_equal(options_bytes(o, "log.segment.file-size"), 1 << 30);
    assert_int_equal(options_duration_ms(o, "netty.connection.max-idle-time"), 600000);
    assert_true(options_bool(o, "allow.create.log.tables"));
    assert_true(options_double(o, "server.data-disk.write-limit-ratio") == 0.85);
    assert_string_equal(options_string(o, "log.durability"), "fsync");
    assert_string_equal(options_string(o, "log.format"), "text");
    assert_null(options_string(o, "data.dir"));
    assert_false(options_has(o, "eider.shards"));
    assert_true(options_has(o, "log.format"));
    assert_false(options_is_set(o, "log.format"));
    (void)options_list(o, "data.dirs", &count);
    assert_int_equal(count, 0);
    (void)options_settings(o, &arena, &count);
    assert_int_equal(count, 0);
    (void)options_without_effect(o, &arena, &count);
    assert_int_equal(count, 0);
}

static void later_sources_win(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;

    (void)state;
    assert_int_equal(options_read_yaml(o,
                                       bytes_str("default:\n  bucket.number: 3\n"
                                                 "log.format: json\ns3.endpoint: a\n"),
                                       "server.yaml", &e),
                     ERR_OK);
    must_set(o, "default.bucket.number", "4");
    must_set(o, "default.bucket.number", "5");
    must_set(o, "s3.endpoint", "b");
    assert_int_equal(options_int(o, "default.bucket.number"), 5);
    assert_string_equal(options_string(o, "log.format"), "json");
    assert_true(options_is_set(o, "log.format"));
}

static void errors_name_key_source_found_and_expected(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;

    (void)state;
    refused("log.segment.file-size", "huge",
            "log.segment.file-size (-D): found \"huge\", expected a memory size such as 512b, 64kb "
            "or 1gb");
    refused("log.segment.file-size", "2gb",
            "log.segment.file-size (-D): found \"2gb\", expected at most 2147483647 bytes");
    refused("log.durability", "maybe",
            "log.durability (-D): found \"maybe\", expected one of fsync|os");
    refused("log.segment.filesize", "1gb",
            "log.segment.filesize (-D): found an unknown option, expected one that 'eider config' "
            "lists, such as log.segment.file-size");
    refused("bindlisteners", "1",
            "bindlisteners (-D): found an unknown option, expected one that 'eider config' lists, "
            "such as bind.listeners");
    refused("table.log.ttl", "7d",
            "table.log.ttl (-D): found an option of tables, which belongs in CREATE TABLE; "
            "expected one of the server");
    refused("s3.", "1",
            "s3. (-D): found an unknown option, expected one that 'eider config' lists, such as "
            "data.dir");
    refused("a b", "1",
            "-D: found a key of 3 bytes that no option can have, expected letters, digits, dots "
            "and dashes");
    refused("s3.x", "\x01", "s3.x (-D): found control characters, expected text");
    assert_int_equal(options_read_yaml(o, bytes_str("\ndefault.bucket.number: 0\n"), "c.yaml", &e),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message,
                        "default.bucket.number (c.yaml:2): found \"0\", expected at least 1");
}

static void long_names_keep_their_end(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char path[600];
    struct error e;

    (void)state;
    memset(path, 'p', sizeof path);
    memcpy(path + sizeof path - 13, "/server.yaml", 13);
    assert_int_equal(options_read_yaml(options_new(&arena), bytes_str("nonsense: 1\n"), path, &e),
                     ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "/server.yaml:1"));
    assert_int_equal(options_read_yaml(options_new(&arena), bytes_str("- 1\n"), path, &e),
                     ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "/server.yaml:1"));
}

static void old_names(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;

    (void)state;
    must_set(o, "log.fetch.max-bytes", "1mb");
    must_set(o, "coordinator.io-pool.size", "3");
    must_set(o, "server.io-pool.size", "4");
    assert_int_equal(options_check(o, &e), ERR_OK);
    assert_int_equal(options_bytes(o, "log.replica.fetch.max-bytes"), 1 << 20);
    assert_true(options_is_set(o, "log.replica.fetch.max-bytes"));
    assert_int_equal(options_int(o, "server.io-pool.size"), 4);
    refused("coordinator.io-pool.size", "0",
            "coordinator.io-pool.size (-D): found \"0\", expected at least 1");
}

static void unsound(const char *key, const char *value, const char *message)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;

    must_set(o, "config.providers", "env");
    must_set(o, key, value);
    assert_int_equal(options_check(o, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, message);
}

static void relations(void **state)
{
    (void)state;
    unsound("authorizer.enabled", "true",
            "authorizer.enabled: found true, expected false: this version does not check "
            "permissions and does not serve as if it did");
    unsound("data.dirs", "/a,/b",
            "data.dirs: found 2 directories, expected one: this version serves one");
    unsound("server.data-disk.write-recover-ratio", "0.9",
            "server.data-disk.write-recover-ratio: found \"0.9\", expected less than "
            "server.data-disk.write-limit-ratio, \"0.85\"");
    unsound("data.dir", "${env:HOME}",
            "data.dir (-D): found ${...}, expected the value itself: this version does not resolve "
            "what config.providers names");
    unsound("s3.secret-key", "${env:KEY}",
            "s3.secret-key (-D): found ${...}, expected the value itself: this version does not "
            "resolve what config.providers names");
}

static void markers_are_plain_text_without_providers(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;

    (void)state;
    must_set(o, "tablet-server.rack", "${x}");
    assert_int_equal(options_check(o, &e), ERR_OK);
}

static void settings_mask_secrets(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    const struct meta_config *all;
    size_t count;

    (void)state;
    must_set(o, "s3.access-key", "AK");
    must_set(o, "s3.endpoint", "http://x");
    must_set(o, "fs.s3a.access.key", "AK");
    must_set(o, "security.sasl.listener.name.client.plain.jaas.config", "x");
    must_set(o, "security.sasl.plain.credentials", "u:p");
    must_set(o, "metrics.reporter.prometheus-push.password", "p");
    must_set(o, "default.bucket.number", "3");
    all = options_settings(o, &arena, &count);
    assert_int_equal(count, 7);
    assert_string_equal(all[0].key, "default.bucket.number");
    assert_string_equal(all[0].value, "3");
    for (size_t i = 1; i < count; i++) {
        bool open = strcmp(all[i].key, "s3.endpoint") == 0;

        assert_string_equal(all[i].value, open ? "http://x" : "******");
    }
    assert_true(option_is_secret("fs.azure.account.key.x"));
    assert_true(option_is_secret("fs.oss.accessKeyId"));
    assert_false(option_is_secret("kv.rocksdb.bloom-filter.bits-per-key"));
}

static void tells_what_has_no_effect(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    const char *const *keys;
    size_t count;

    (void)state;
    must_set(o, "netty.server.num-worker-threads", "8");
    must_set(o, "client.id", "x");
    must_set(o, "default.bucket.number", "3");
    must_set(o, "zookeeper.address", "localhost:2181");
    must_set(o, "s3.endpoint", "x");
    keys = options_without_effect(o, &arena, &count);
    assert_int_equal(count, 2);
    assert_string_equal(keys[0], "zookeeper.address");
    assert_string_equal(keys[1], "s3.endpoint");
}

static void bounds_what_stands_under_prefixes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct error e;

    (void)state;
    for (int i = 0; i < OPTION_EXTRA_MAX; i++) {
        must_set(o, arena_printf(&arena, "fs.k%d", i), "v");
    }
    must_set(o, "fs.k0", "w");
    assert_int_equal(set(o, "fs.one-more", "v", &e), ERR_INVALID_ARGUMENT);
}

static void reads_files(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    char *dir = NULL;
    struct error e;

    (void)state;
    assert_int_equal(dir_create_temporary("options", &arena, &dir, &e), ERR_OK);
    assert_int_equal(file_replace(arena_printf(&arena, "%s/server.yaml", dir),
                                  bytes_str("eider.shards: 3\n"), &e),
                     ERR_OK);
    assert_int_equal(options_read_file(o, arena_printf(&arena, "%s/server.yaml", dir), &e), ERR_OK);
    assert_int_equal(options_int(o, "eider.shards"), 3);
    assert_int_equal(options_read_file(o, arena_printf(&arena, "%s/none", dir), &e),
                     ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "/none: the option file does not exist"));
    assert_int_equal(options_read_file(o, dir, &e), ERR_INVALID_ARGUMENT);
    assert_int_equal(path_remove_tree(dir, &e), ERR_OK);
}

static void getters_insist_on_key_and_type(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);

    (void)state;
    assert_aborts(IGNORE(options_int(o, "no.such.key")));
    assert_aborts(IGNORE(options_int(o, "data.dir")));
    assert_aborts(IGNORE(options_int(o, "eider.shards")));
    assert_aborts(IGNORE(options_string(o, "eider.shards") == NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(defaults),
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(errors_name_key_source_found_and_expected),
        cmocka_unit_test(long_names_keep_their_end),
        cmocka_unit_test(old_names),
        cmocka_unit_test(relations),
        cmocka_unit_test(markers_are_plain_text_without_providers),
        cmocka_unit_test(settings_mask_secrets),
        cmocka_unit_test(tells_what_has_no_effect),
        cmocka_unit_test(bounds_what_stands_under_prefixes),
        cmocka_unit_test(reads_files),
        cmocka_unit_test(getters_insist_on_key_and_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
