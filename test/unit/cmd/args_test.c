#include "../../support/unit.h"
#include "cmd/args.h"
#include "cmd/listeners.h"
#include "io/file.h"

#define WORDS_MAX 12

/* Parses "a b c" as the words behind "server". */
static enum errcode parse(const char *line, struct arena *arena, struct server_args *ret,
                          struct error *e)
{
    char *argv[WORDS_MAX] = {arena_strndup(arena, "server", 6)};
    char *rest = arena_strndup(arena, line, strlen(line));
    int argc = 1;
    char *word;

    e->message[0] = '\0';
    while ((word = strsep(&rest, " ")) != NULL) {
        if (word[0] != '\0') {
            assert_true(argc < WORDS_MAX);
            argv[argc++] = word;
        }
    }
    return args_parse(argc, argv, arena, ret, e);
}

static struct server_args good(const char *line, struct arena *arena)
{
    struct server_args a = {0};
    struct error e;
    enum errcode code = parse(line, arena, &a, &e);

    assert_string_equal(e.message, "");
    assert_int_equal(code, ERR_OK);
    return a;
}

static void bad(const char *line, const char *message)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct server_args a = {0};
    struct error e;

    assert_int_equal(parse(line, &arena, &a, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, message);
    assert_null(a.options);
}

static void reads_flags(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct server_args a = good("--data-dir d --port 0 --host ::1 --shards=3 "
                                "--remote-data-dir=file:///r",
                                &arena);
    struct listener_list l;
    struct error e;

    (void)state;
    assert_false(a.help || a.ephemeral);
    assert_string_equal(a.data_dir, "d");
    assert_null(a.config_path);
    assert_int_equal(options_int(a.options, "eider.shards"), 3);
    assert_string_equal(options_string(a.options, "remote.data.dir"), "file:///r");
    assert_string_equal(options_string(a.options, "data.dir"), "d");
    assert_int_equal(listeners_parse(a.options, &arena, &l, &e), ERR_OK);
    assert_string_equal(l.bind[0].host, "::1");
    assert_int_equal(l.bind[0].port, 0);
}

static void reads_settings(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct server_args a = good("--ephemeral -D default.bucket.number=2 -Dlog.format=json "
                                "-D default.bucket.number=7 -Ds3.query=a=b -D tablet-server.rack=",
                                &arena);
    size_t count;
    const struct meta_config *all = options_settings(a.options, &arena, &count);

    (void)state;
    assert_true(a.ephemeral);
    assert_null(a.data_dir);
    assert_int_equal(options_int(a.options, "default.bucket.number"), 7);
    assert_string_equal(options_string(a.options, "log.format"), "json");
    assert_string_equal(options_string(a.options, "tablet-server.rack"), "");
    assert_string_equal(all[count - 1].value, "a=b");
}

static void flags_win_over_settings_and_those_over_the_file(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct server_args a;
    char *dir = NULL;
    struct error e;

    (void)state;
    assert_int_equal(dir_create_temporary("args", &arena, &dir, &e), ERR_OK);
    assert_int_equal(file_replace(arena_printf(&arena, "%s/server.yaml", dir),
                                  bytes_str("eider.shards: 2\ndata.dirs: [from-file]\n"
                                            "max.bucket.num: 9\ndefault.bucket.number: 5\n"),
                                  &e),
                     ERR_OK);
    a = good(arena_printf(&arena,
                          "--shards 4 --config %s/server.yaml -D eider.shards=3 "
                          "-D max.bucket.num=10",
                          dir),
             &arena);
    assert_int_equal(options_int(a.options, "eider.shards"), 4);
    assert_int_equal(options_int(a.options, "max.bucket.num"), 10);
    assert_int_equal(options_int(a.options, "default.bucket.number"), 5);
    assert_string_equal(a.data_dir, "from-file");
    assert_non_null(a.config_path);
    a = good(arena_printf(&arena, "--data-dir flag --config=%s/server.yaml", dir), &arena);
    assert_string_equal(a.data_dir, "flag");
    a = good(arena_printf(&arena, "--ephemeral --config=%s/server.yaml", dir), &arena);
    assert_null(a.data_dir);
    assert_int_equal(path_remove_tree(dir, &e), ERR_OK);
}

static void help_ends_the_reading(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_true(good("--help --nonsense", &arena).help);
    assert_true(good("--ephemeral -h", &arena).help);
    assert_non_null(strstr(args_server_usage, "--ephemeral"));
}

static void refuses(void **state)
{
    (void)state;
    bad("--nonsense", "found \"--nonsense\", expected a flag that 'eider server --help' lists");
    bad("--ephemeral=1", "found \"--ephemeral=1\", expected a flag that 'eider server --help' "
                         "lists");
    bad("data", "found \"data\", expected a flag that 'eider server --help' lists");
    bad("--data-dir", "--data-dir: expected a value after it");
    bad("-D", "-D: expected a value after it");
    bad("-D x", "-D: found \"x\", expected KEY=VALUE");
    bad("-D =x", "-D: found \"=x\", expected KEY=VALUE");
    bad("--ephemeral --port x", "--port: found \"x\", expected 0 to 65535");
    bad("--ephemeral --port 70000", "--port: found \"70000\", expected 0 to 65535");
    bad("--ephemeral --port -1", "--port: found \"-1\", expected 0 to 65535");
    bad("--ephemeral --shards 0", "eider.shards (--shards): found \"0\", expected at least 1");
    bad("--ephemeral -D authorizer.enabled=true",
        "authorizer.enabled: found true, expected false: this version does not check permissions "
        "and does not serve as if it did");
    bad("--ephemeral -D bind.listeners=x",
        "bind.listeners: found \"x\", expected NAME://host:port, an IPv6 address in brackets");
    bad("--ephemeral --data-dir d", "found --data-dir and --ephemeral, expected one of them");
    bad("", "where is the data? Expected --data-dir DIR, the option data.dir, or --ephemeral");
    bad("--data-dir=",
        "where is the data? Expected --data-dir DIR, the option data.dir, or --ephemeral");
    bad("--ephemeral --config /nonexistent/server.yaml",
        "/nonexistent/server.yaml: the option file does not exist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_flags),
        cmocka_unit_test(reads_settings),
        cmocka_unit_test(flags_win_over_settings_and_those_over_the_file),
        cmocka_unit_test(help_ends_the_reading),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
