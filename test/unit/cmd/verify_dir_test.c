#include "running.h"

#include "cmd/verify_dir.h"

static struct verify_report check(struct running *r, bool repair)
{
    struct verify_dir_options options = {.dir = r->dir, .repair = repair, .threads = 2};
    struct verify_report report = {.count = 0};

    if (verify_dir(&options, &report, &r->error) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
    return report;
}

/* Overwrites bytes of a file, which is created when it is missing. */
static void poke(const char *path, uint64_t position, const char *text)
{
    OWNED(file_unrefp) struct file *f = NULL;

    assert_int_equal(file_open(path, FILE_CREATE, &f, NULL), ERR_OK);
    assert_int_equal(file_write_at(f, position, bytes_str(text), NULL), ERR_OK);
}

/* A stopped server with rows; returns the directory of bucket 1. */
static char *fill(struct running *r)
{
    int64_t id;

    running_start(r);
    create_table(r, TABLE);
    id = find_table(r, TABLE).table_id;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(append(r, id, 1), i * ROWS);
    }
    assert_int_equal(append(r, id, 2), 0);
    assert_true(running_stop(r));
    return PATH_OF(r, "fluss/" TABLE "-%lld/log-1", (long long)id);
}

static void assert_one(const struct verify_report *r, enum verify_kind kind)
{
    if (r->count != 1 || r->findings[0].kind != kind) {
        for (size_t i = 0; i < r->count; i++) {
            print_message("%s: %s\n", r->findings[i].path, r->findings[i].what);
        }
        fail_msg("%zu findings", r->count);
    }
}

static void a_stopped_server_has_whole_data(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    (void)fill(r);
    report = check(r, false);
    assert_int_equal(report.count, 0);
    assert_int_equal(report.tables, 1);
    assert_int_equal(report.buckets, 2);
    assert_int_equal(report.batches, 31);
    assert_int_equal(report.records, 31 * ROWS);
}

static void a_directory_that_cannot_be_checked_is_an_error(void **state)
{
    struct running *r = *state;
    struct verify_dir_options options = {.dir = r->dir, .threads = 1};
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    assert_int_equal(verify_dir(&options, &report, &r->error), ERR_INVALID_ARGUMENT);
    assert_int_equal(dir_create(r->dir, NULL), ERR_OK);
    assert_int_equal(verify_dir(&options, &report, &r->error), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(r->error.message, "no catalog"));
    running_start(r);
    assert_int_equal(verify_dir(&options, &report, &r->error), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(r->error.message, "--server"));
    assert_true(running_stop(r));
    assert_int_equal(report.count, 0);
}

static void damaged_records_are_found(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    char *dir = fill(r);

    poke(arena_printf(&r->arena, "%s/00000000000000000000.log", dir), 100, "xyz");
    report = check(r, true);
    assert_one(&report, VERIFY_RECORDS);
    assert_int_equal(report.lost_offsets, ROWS);
    assert_true(verify_report_damaged(&report));
}

static void indexes_are_rebuilt_when_asked(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report before = {.count = 0};
    OWNED(verify_report_fini) struct verify_report repaired = {.count = 0};
    OWNED(verify_report_fini) struct verify_report after = {.count = 0};
    char *dir = fill(r);

    poke(arena_printf(&r->arena, "%s/00000000000000000000.index", dir), 0, "abcd5678");
    before = check(r, false);
    assert_one(&before, VERIFY_INDEX);
    repaired = check(r, true);
    assert_one(&repaired, VERIFY_INDEX);
    assert_false(verify_report_damaged(&repaired));
    after = check(r, false);
    assert_int_equal(after.count, 0);
}

static void checkpoints_and_the_catalog_are_looked_at(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report checkpoints = {.count = 0};
    OWNED(verify_report_fini) struct verify_report catalog = {.count = 0};

    (void)fill(r);
    poke(PATH_OF(r, "recovery-point-offset-checkpoint"), 0, "?");
    checkpoints = check(r, false);
    assert_one(&checkpoints, VERIFY_CHECKPOINTS);
    poke(PATH_OF(r, "recovery-point-offset-checkpoint"), 0, "0");
    poke(PATH_OF(r, "meta/journal-1"), 60, "??");
    catalog = check(r, false);
    assert_one(&catalog, VERIFY_CATALOG);
    assert_int_equal(catalog.batches, 31); /* the records are checked all the same */
}

static void a_high_watermark_beyond_the_log_is_found(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    const char *path = PATH_OF(r, "high-watermark-checkpoint");
    struct bytes text = BYTES_EMPTY;
    bool exists = false;

    (void)fill(r);
    assert_int_equal(file_read_whole(path, SIZE_MAX, &r->arena, &text, &exists, NULL), ERR_OK);
    poke(path, text.len - 1, "9\n");
    report = check(r, false);
    assert_one(&report, VERIFY_CHECKPOINTS);
}

static void partitions_and_leftovers_are_found(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    struct error e;

    (void)fill(r);
    assert_int_equal(dir_create(PATH_OF(r, "fluss/gone-77/day-p5/log-0"), &e), ERR_OK);
    assert_int_equal(dir_create(PATH_OF(r, "fluss/gone-77/other"), &e), ERR_OK);
    assert_int_equal(dir_create(PATH_OF(r, "fluss/none/log-0"), &e), ERR_OK);
    report = check(r, false);
    assert_one(&report, VERIFY_NOTICE);
    assert_int_equal(report.buckets, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(a_stopped_server_has_whole_data),
        RUNNING_TEST(a_directory_that_cannot_be_checked_is_an_error),
        RUNNING_TEST(damaged_records_are_found),
        RUNNING_TEST(indexes_are_rebuilt_when_asked),
        RUNNING_TEST(checkpoints_and_the_catalog_are_looked_at),
        RUNNING_TEST(a_high_watermark_beyond_the_log_is_found),
        RUNNING_TEST(partitions_and_leftovers_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
