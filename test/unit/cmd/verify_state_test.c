#include "running.h"

#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/verify_dir.h"
#include "cmd/verify_state.h"

#define KEYS 3000

/* The load generator's primary-key table, every row once replaced. What it prints goes nowhere. */
static void upsert(struct running *r)
{
    char *line = arena_printf(
        &r->arena, "bench upsert --server 127.0.0.1:%u --keys %d --rows 200 --passes 1 --keep",
        r->server->listeners[0].port, KEYS);
    char *argv[16];
    int argc = 0;
    int out = dup(STDOUT_FILENO);

    for (char *word; (word = strsep(&line, " ")) != NULL;) {
        argv[argc++] = word;
    }
    (void)fflush(stdout);
    assert_non_null(freopen("/dev/null", "w", stdout));
    assert_int_equal(cmd_bench(argc, argv), 0);
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)close(out);
}

/* The directory of the state, of a stopped server. */
static char *fill(struct running *r)
{
    running_start(r);
    upsert(r);
    assert_true(running_stop(r));
    return PATH_OF(r, "bench/load-0/kv-0/db");
}

static struct verify_report check(struct running *r)
{
    struct verify_dir_options options = {.dir = r->dir, .threads = 1};
    struct verify_report report = {.count = 0};

    if (verify_dir(&options, &report, &r->error) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
    return report;
}

static void assert_state(const struct verify_report *r, const char *text)
{
    assert_int_equal(r->by_kind[VERIFY_STATE], r->count);
    assert_true(r->count >= 1);
    if (strstr(r->findings[0].what, text) == NULL) {
        fail_msg("found: %s", r->findings[0].what);
    }
}

struct some_rows {
    struct arena arena;
    struct kv_change changes[3];
    size_t count;
};

/* Removes the first row, gives the second one the value of the third, and has a new one. */
static bool take_row(void *context, struct bytes key, struct bytes value)
{
    struct some_rows *rows = context;

    if (rows->count < 3) {
        rows->changes[rows->count].key = arena_copy(&rows->arena, key);
        rows->changes[rows->count].value = arena_copy(&rows->arena, value);
        rows->count++;
    }
    return rows->count < 3;
}

static void spoil(const char *dir)
{
    const struct kv_env_options small = {.memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1};
    struct kv_env *env = kv_env_new(&small);
    struct kv_open_params params = {.dir = dir};
    struct some_rows rows = {.count = 0};
    struct kv_store *s = NULL;
    struct kv_cursor *c = NULL;
    struct kv_state state;
    bool more = false;

    assert_int_equal(kv_rocksdb_open(env, &params, &s, NULL), ERR_OK);
    assert_int_equal(kv_cursor_open(s, &c, NULL), ERR_OK);
    assert_int_equal(kv_cursor_visit(c, take_row, &rows, &more, NULL), ERR_OK);
    kv_cursor_close(c);
    rows.changes[0].value = BYTES_EMPTY;
    rows.changes[1].value = rows.changes[2].value;
    rows.changes[2].key = bytes_str("a key that nobody has put");
    state = kv_store_state(s);
    assert_int_equal(kv_store_write(s, rows.changes, 3, &state, NULL), ERR_OK);
    assert_int_equal(kv_store_close(s, NULL), ERR_OK);
    arena_fini(&rows.arena);
    kv_env_free(env);
}

static void the_state_is_what_its_changelog_says(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    (void)fill(r);
    report = check(r);
    if (report.count > 0) {
        fail_msg("%s: %s", report.findings[0].path, report.findings[0].what);
    }
    assert_true(report.records > 2 * KEYS); /* inserts, and two records of each update */
}

static void rows_that_differ_are_counted(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    spoil(fill(r));
    report = check(r);
    assert_int_equal(report.count, 1); /* as many rows as before */
    assert_state(&report, "1 rows are missing, 1 differ, 1 are too many");
}

static void a_damaged_store_is_found(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    char *dir = fill(r);

    assert_int_equal(file_replace(arena_printf(&r->arena, "%s/CURRENT", dir),
                                  bytes_str("MANIFEST-000099\n"), NULL),
                     ERR_OK);
    report = check(r);
    assert_int_equal(report.count, 1);
    assert_state(&report, "MANIFEST-000099");
}

static void a_state_that_the_log_does_not_reach_is_found(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    (void)fill(r);
    assert_int_equal(path_remove(PATH_OF(r, "recovery-point-offset-checkpoint"), NULL), ERR_OK);
    assert_int_equal(path_remove_tree(PATH_OF(r, "bench/load-0/log-0"), NULL), ERR_OK);
    assert_int_equal(dir_create(PATH_OF(r, "bench/load-0/log-0"), NULL), ERR_OK);
    report = check(r);
    assert_int_equal(report.by_kind[VERIFY_STATE], 1);
}

static void no_state_is_no_finding(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    assert_int_equal(path_remove_tree(fill(r), NULL), ERR_OK);
    report = check(r);
    assert_int_equal(report.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(the_state_is_what_its_changelog_says),
        RUNNING_TEST(rows_that_differ_are_counted),
        RUNNING_TEST(a_damaged_store_is_found),
        RUNNING_TEST(a_state_that_the_log_does_not_reach_is_found),
        RUNNING_TEST(no_state_is_no_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
