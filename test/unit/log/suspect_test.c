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
    assert_true(suspect_is_marked(NULL, f->dir));
    log_free(f->log);
    f->log = NULL;
}

static void what_was_not_synced_is_written_again(void **state)
{
    struct fixture *f = *state;
    struct bytes before;
    struct bytes after;

    assert_false(suspect_is_marked(NULL, f->dir));
    break_sync(f);
    before = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    faults.writes = 0;
    f->log = fixture_open(f->dir);
    assert_true(faults.writes >= f->batch.len / (64 << 10)); /* the data file at least */
    after = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    assert_true(bytes_equal(before, after));
    assert_false(suspect_is_marked(NULL, f->dir));
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
    assert_true(suspect_is_marked(NULL, f->dir));
    faults.sync_errno = 0;
    f->log = fixture_open(f->dir);
    assert_false(suspect_is_marked(NULL, f->dir));
}

static void a_close_that_fails_leaves_it(void **state)
{
    struct fixture *f = *state;
    struct error e;

    assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_OK);
    faults.sync_errno = EIO;
    assert_int_equal(log_close(f->log, &e), ERR_LOG_STORAGE);
    assert_true(suspect_is_marked(NULL, f->dir));
}

/* ---- syncs that were under way when the process ended ---- */

/* The data directory is the one above. */
static char *below(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->dir, name);
}

static void end_sync(struct suspects *s, const char *dir, enum errcode code)
{
    struct suspect_sync sync;
    struct error e;

    OK(suspect_begin(s, dir, &sync, &e));
    suspect_end(&sync, code);
}

/* Whether the process after the one that ended like this suspects the log. */
static bool next_suspects(struct fixture *f, struct suspects *ended, const char *dir)
{
    struct suspects *next;
    bool ret;

    suspects_free(ended, false);
    next = suspects_new(f->dir);
    ret = suspect_is_marked(next, dir);
    suspects_free(next, false);
    return ret;
}

static void a_sync_under_way_is_suspected_by_the_next_process(void **state)
{
    struct fixture *f = *state;
    struct suspects *s = suspects_new(f->dir);
    struct suspect_sync sync;
    struct error e;

    OK(suspect_begin(s, below(f, "a"), &sync, &e));
    assert_false(suspect_is_marked(s, below(f, "a")));
    assert_false(next_suspects(f, s, below(f, "b")));
    assert_true(next_suspects(f, NULL, below(f, "a")));
    s = suspects_new(f->dir);
    OK(suspect_clear(s, below(f, "b"), &e));
    assert_true(suspect_is_marked(s, below(f, "a")));
    OK(suspect_clear(s, below(f, "a"), &e));
    assert_false(suspect_is_marked(s, below(f, "a")));
    assert_false(next_suspects(f, s, below(f, "a")));
}

static void syncs_at_once_are_all_suspected(void **state)
{
    struct fixture *f = *state;
    struct suspects *s = suspects_new(f->dir);
    struct suspect_sync sync[3];
    struct error e;

    OK(suspect_begin(s, below(f, "a"), &sync[0], &e));
    OK(suspect_begin(s, below(f, "b"), &sync[1], &e));
    OK(suspect_begin(s, below(f, "c"), &sync[2], &e));
    assert_true(next_suspects(f, s, below(f, "a")));
    assert_true(next_suspects(f, NULL, below(f, "b")));
    assert_true(next_suspects(f, NULL, below(f, "c")));
    /* of another process that does not come to open them, too */
    s = suspects_new(f->dir);
    OK(suspect_begin(s, below(f, "d"), &sync[0], &e));
    assert_true(next_suspects(f, s, below(f, "a")));
    assert_true(next_suspects(f, NULL, below(f, "d")));
}

static void the_next_sync_takes_the_place_of_one_that_went_well(void **state)
{
    struct fixture *f = *state;
    struct suspects *s = suspects_new(f->dir);

    end_sync(s, below(f, "a"), ERR_OK);
    faults.writes = 0;
    end_sync(s, below(f, "a"), ERR_OK);
    assert_int_equal(faults.writes, 0); /* it stands there */
    end_sync(s, below(f, "b"), ERR_OK);
    assert_int_equal(faults.writes, 1);
    assert_false(suspect_is_marked(s, below(f, "b")));
    assert_false(next_suspects(f, s, below(f, "a")));
}

static void a_clean_stop_leaves_no_suspects(void **state)
{
    struct fixture *f = *state;
    struct suspects *s = suspects_new(f->dir);

    end_sync(s, below(f, "a"), ERR_OK);
    suspects_free(s, true);
    assert_false(next_suspects(f, NULL, below(f, "a")));
}

static void a_data_directory_may_move(void **state)
{
    struct fixture *f = *state;
    struct suspects *s;
    struct suspect_sync sync;
    struct error e;

    OK(dir_create(below(f, "old"), &e));
    s = suspects_new(below(f, "old"));
    OK(suspect_begin(s, below(f, "old/log-0"), &sync, &e));
    suspects_free(s, false);
    OK(path_rename(below(f, "old"), below(f, "new"), &e));
    s = suspects_new(below(f, "new"));
    assert_true(suspect_is_marked(s, below(f, "new/log-0")));
    suspects_free(s, false);
}

static void a_failure_that_takes_no_mark_keeps_its_word(void **state)
{
    struct fixture *f = *state;
    struct suspects *s = suspects_new(f->dir);

    faults.create_errno = ENOSPC;
    end_sync(s, below(f, "a"), ERR_LOG_STORAGE);
    end_sync(s, below(f, "b"), ERR_OK);
    faults.create_errno = 0;
    assert_true(suspect_is_marked(s, below(f, "a")));
    assert_false(suspect_is_marked(s, below(f, "b")));
    assert_true(next_suspects(f, s, below(f, "a")));
}

static void without_the_file_the_mark_is_made_beforehand(void **state)
{
    struct fixture *f = *state;
    struct suspect_sync sync;
    struct suspects *s;
    struct error e;

    faults.create_errno = ENOSPC;
    s = suspects_new(f->dir);
    OK(suspect_begin(s, f->dir, &sync, &e)); /* a full disk is no reason not to sync */
    suspect_end(&sync, ERR_OK);
    suspect_end(&sync, ERR_LOG_STORAGE); /* which can only be told */
    assert_false(suspect_is_marked(s, f->dir));
    faults.create_errno = EIO;
    assert_int_equal(suspect_begin(s, f->dir, &sync, &e), ERR_LOG_STORAGE);
    faults.create_errno = 0;
    OK(suspect_begin(s, f->dir, &sync, &e));
    assert_true(suspect_is_marked(s, f->dir));
    suspect_end(&sync, ERR_OK);
    assert_false(suspect_is_marked(s, f->dir));
    end_sync(s, f->dir, ERR_LOG_STORAGE);
    assert_true(suspect_is_marked(s, f->dir));
    end_sync(s, f->dir, ERR_OK); /* of an opening, which has more to write again */
    assert_true(suspect_is_marked(s, f->dir));
    suspects_free(s, false);
}

static void a_word_that_cannot_be_written_becomes_a_mark(void **state)
{
    struct fixture *f = *state;
    struct suspects *s = suspects_new(f->dir);
    struct suspect_sync sync;
    struct error e;

    faults.write_errno = EIO;
    OK(suspect_begin(s, f->dir, &sync, &e));
    faults.write_errno = 0;
    assert_true(suspect_is_marked(NULL, f->dir));
    suspect_end(&sync, ERR_OK);
    assert_false(suspect_is_marked(NULL, f->dir));
    suspects_free(s, false);
}

static void what_cannot_be_read_makes_suspects_of_all(void **state)
{
    struct fixture *f = *state;
    struct suspects *s;
    struct error e;

    OK(dir_create(below(f, ".syncs_under_way"), &e));
    s = suspects_new(f->dir);
    assert_true(suspect_is_marked(s, below(f, "a")));
    suspects_free(s, true);
}

static void words_short_of_some_are_completed(void **state)
{
    struct fixture *f = *state;
    OWNED(file_unrefp) struct file *file = NULL;
    struct suspects *s;
    struct suspect_sync sync;
    uint64_t size = 0;
    struct error e;

    s = suspects_new(f->dir);
    OK(suspect_begin(s, below(f, "a"), &sync, &e));
    suspects_free(s, false);
    OK(file_open(below(f, ".syncs_under_way"), FILE_WRITE, &file, &e));
    OK(file_truncate(file, 13, &e));
    s = suspects_new(f->dir);
    assert_true(suspect_is_marked(s, below(f, "a")));
    OK(file_size(file, &size, &e));
    assert_int_equal(size, 4096);
    suspects_free(s, false);
}

/* What was read of the file counts, although no more can be written to it. */
static void suspects_without_their_file_can_be_cleared(void **state)
{
    struct fixture *f = *state;
    OWNED(file_unrefp) struct file *file = NULL;
    struct suspects *s = suspects_new(f->dir);
    struct suspect_sync sync;
    struct error e;

    OK(suspect_begin(s, below(f, "a"), &sync, &e));
    suspects_free(s, false);
    OK(file_open(below(f, ".syncs_under_way"), FILE_WRITE, &file, &e));
    OK(file_truncate(file, 13, &e));
    faults.write_errno = EIO;
    s = suspects_new(f->dir);
    faults.write_errno = 0;
    assert_true(suspect_is_marked(s, below(f, "a")));
    OK(suspect_clear(s, below(f, "a"), &e));
    suspects_free(s, true);
}

/* Only what no earlier sync covers is written again. */
static void below_the_recovery_point_nothing_is_written_again(void **state)
{
    struct fixture *f = *state;
    struct log_open_report report;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_OK);
    }
    log_want_recovery_point(f->log);
    fixture_sync(f->log);
    break_sync(f);
    faults.writes = 0;
    f->log = fixture_open_with(f->dir, &fixture_options, false, 4, &report);
    assert_int_equal(log_end_offset(f->log), 5);
    assert_in_range(faults.writes, f->batch.len / (64 << 10), 2 * f->batch.len / (64 << 10) + 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_synced_is_written_again),
        TEST(the_mark_stays_until_a_sync_works),
        TEST(a_close_that_fails_leaves_it),
        TEST(a_sync_under_way_is_suspected_by_the_next_process),
        TEST(syncs_at_once_are_all_suspected),
        TEST(the_next_sync_takes_the_place_of_one_that_went_well),
        TEST(a_clean_stop_leaves_no_suspects),
        TEST(a_data_directory_may_move),
        TEST(a_failure_that_takes_no_mark_keeps_its_word),
        TEST(without_the_file_the_mark_is_made_beforehand),
        TEST(a_word_that_cannot_be_written_becomes_a_mark),
        TEST(what_cannot_be_read_makes_suspects_of_all),
        TEST(words_short_of_some_are_completed),
        TEST(suspects_without_their_file_can_be_cleared),
        TEST(below_the_recovery_point_nothing_is_written_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
