#include "faults.h"
#include "fixture.h"

#include "log/suspect.h"

struct fixture {
    struct arena arena;
    char *dir;
    struct log *log;
    struct bytes batch;
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);

    memset(&faults, 0, sizeof faults);
    f->dir = fixture_dir(&f->arena);
    f->batch = fixture_batch(&f->arena, 1, 200000, 1);
    f->log = fixture_open(f->dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    memset(&faults, 0, sizeof faults);
    log_free(f->log);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* Leaves a log that ends with a batch of which the sync failed, and is not open. */
static void break_sync(struct fixture *f)
{
    struct log_sync sync;

    assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_OK);
    assert_true(log_sync_begin(f->log, &sync));
    faults.sync_errno = EIO;
    log_sync_run(&sync);
    faults.sync_errno = 0;
    log_sync_end(f->log, &sync);
    assert_true(suspect_is_marked(f->dir));
    log_free(f->log);
    f->log = NULL;
}

static void what_was_not_synced_is_written_again(void **state)
{
    struct fixture *f = *state;
    struct bytes before;
    struct bytes after;

    assert_false(suspect_is_marked(f->dir));
    break_sync(f);
    before = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    faults.writes = 0;
    f->log = fixture_open(f->dir);
    assert_true(faults.writes >= f->batch.len / (64 << 10)); /* the data file at least */
    after = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    assert_true(bytes_equal(before, after));
    assert_false(suspect_is_marked(f->dir));
    assert_int_equal(log_end_offset(f->log), 1);
    log_free(f->log);
    faults.writes = 0;
    f->log = fixture_open(f->dir);
    assert_in_range(faults.writes, 0, f->batch.len / (64 << 10) - 1);
}

static void the_mark_stays_until_a_sync_works(void **state)
{
    struct fixture *f = *state;
    struct log_open_params params = {.dir = f->dir, .options = &fixture_options};
    struct log_open_report report;
    struct error e;

    break_sync(f);
    faults.sync_errno = EIO;
    assert_int_equal(log_open(&params, &f->log, &report, &e), ERR_LOG_STORAGE);
    assert_true(suspect_is_marked(f->dir));
    faults.sync_errno = 0;
    f->log = fixture_open(f->dir);
    assert_false(suspect_is_marked(f->dir));
}

static void a_close_that_fails_leaves_it(void **state)
{
    struct fixture *f = *state;
    struct error e;

    assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_OK);
    faults.sync_errno = EIO;
    assert_int_equal(log_close(f->log, &e), ERR_LOG_STORAGE);
    assert_true(suspect_is_marked(f->dir));
}

static void a_disk_that_takes_no_mark_is_survived(void **state)
{
    struct fixture *f = *state;

    faults.create_errno = EIO;
    suspect_mark(f->dir);
    assert_false(suspect_is_marked(f->dir));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_synced_is_written_again),
        TEST(the_mark_stays_until_a_sync_works),
        TEST(a_close_that_fails_leaves_it),
        TEST(a_disk_that_takes_no_mark_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
