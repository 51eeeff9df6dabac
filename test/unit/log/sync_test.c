#include "faults.h"
#include "fixture.h"

#include "log/internal.h"

struct fixture {
    struct arena arena;
    char *dir;
    struct log *log;
    struct bytes batch;
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct log_options options = fixture_options;

    memset(&faults, 0, sizeof faults);
    f->dir = fixture_dir(&f->arena);
    f->batch = fixture_batch(&f->arena, 1, 1000, 1);
    options.segment_bytes_max = 3 * f->batch.len;
    f->log = fixture_open_with(f->dir, &options, false, 0, NULL);
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

static void append(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_OK);
    }
}

static void makes_durable_what_it_began_with(void **state)
{
    struct fixture *f = *state;
    struct log_sync sync;

    assert_false(log_sync_begin(f->log, &sync));
    append(f, 1);
    assert_int_equal(log_durable_offset(f->log), 0);
    assert_true(log_sync_begin(f->log, &sync));
    assert_int_equal(sync.end_offset, 1);
    append(f, 1); /* meanwhile */
    log_sync_run(&sync);
    assert_int_equal(log_durable_offset(f->log), 0);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_durable_offset(f->log), 1);
    assert_true(log_sync_begin(f->log, &sync));
    log_sync_run(&sync);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_durable_offset(f->log), 2);
    assert_int_equal(faults.syncs, 2); /* the data file, once each */
    assert_false(log_sync_begin(f->log, &sync));
}

static bool covers(const struct log_sync *sync, const char *dir, int64_t offset,
                   enum log_file_kind kind)
{
    char path[LOG_PATH_MAX];

    log_path(path, dir, offset, kind);
    for (size_t i = 0; i < sync->other_count; i++) {
        if (strcmp(sync->others[i]->path, path) == 0) {
            return true;
        }
    }
    return sync->active != NULL && strcmp(sync->active->path, path) == 0;
}

static void covers_everything_a_roll_leaves_behind(void **state)
{
    struct fixture *f = *state;
    struct log_sync sync;

    append(f, 7); /* segments 0, 3 and 6 */
    assert_true(log_sync_begin(f->log, &sync));
    for (int64_t base = 0; base < 6; base += 3) {
        assert_true(covers(&sync, f->dir, base, LOG_FILE_DATA));
        assert_true(covers(&sync, f->dir, base, LOG_FILE_OFFSET_INDEX));
        assert_true(covers(&sync, f->dir, base, LOG_FILE_TIME_INDEX));
        assert_true(covers(&sync, f->dir, base + 3, LOG_FILE_WRITER_SNAPSHOT));
    }
    assert_true(covers(&sync, f->dir, 6, LOG_FILE_DATA));
    assert_false(covers(&sync, f->dir, 6, LOG_FILE_OFFSET_INDEX));
    assert_string_equal(sync.dir, f->dir);
    append(f, 5); /* rolls twice while the sync runs */
    log_sync_run(&sync);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_durable_offset(f->log), 7);
    assert_true(log_sync_begin(f->log, &sync));
    assert_true(covers(&sync, f->dir, 6, LOG_FILE_DATA));
    assert_true(covers(&sync, f->dir, 9, LOG_FILE_DATA));
    log_sync_run(&sync);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_durable_offset(f->log), 12);
}

static void moves_the_recovery_point_when_asked(void **state)
{
    struct fixture *f = *state;
    struct log_sync sync;

    log_want_recovery_point(f->log); /* it is at the end already */
    assert_false(log_sync_begin(f->log, &sync));
    append(f, 2);
    fixture_sync(f->log);
    assert_int_equal(log_recovery_point(f->log), 0);
    log_want_recovery_point(f->log);
    assert_true(log_sync_begin(f->log, &sync));
    assert_null(sync.active); /* synced before */
    assert_true(covers(&sync, f->dir, 0, LOG_FILE_OFFSET_INDEX));
    assert_true(covers(&sync, f->dir, 0, LOG_FILE_TIME_INDEX));
    assert_true(covers(&sync, f->dir, 2, LOG_FILE_WRITER_SNAPSHOT));
    assert_non_null(sync.dir);
    log_sync_run(&sync);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_recovery_point(f->log), 2);
    assert_false(log_sync_begin(f->log, &sync));
}

static void a_snapshot_goes_when_a_newer_one_is_durable(void **state)
{
    struct fixture *f = *state;
    struct log_sync sync;

    append(f, 1);
    log_want_recovery_point(f->log);
    fixture_sync(f->log);
    append(f, 1);
    log_want_recovery_point(f->log);
    assert_true(log_sync_begin(f->log, &sync));
    assert_true(fixture_exists(f->dir, 1, LOG_FILE_WRITER_SNAPSHOT));
    append(f, 2); /* rolls: a third snapshot, while the second is not durable */
    log_sync_run(&sync);
    assert_true(fixture_exists(f->dir, 1, LOG_FILE_WRITER_SNAPSHOT));
    log_sync_end(f->log, &sync);
    assert_false(fixture_exists(f->dir, 1, LOG_FILE_WRITER_SNAPSHOT));
    assert_true(fixture_exists(f->dir, 2, LOG_FILE_WRITER_SNAPSHOT));
    assert_true(fixture_exists(f->dir, 3, LOG_FILE_WRITER_SNAPSHOT));
    fixture_sync(f->log);
    assert_false(fixture_exists(f->dir, 2, LOG_FILE_WRITER_SNAPSHOT));
    append(f, 6);
    fixture_sync(f->log);
    assert_true(fixture_exists(f->dir, 3, LOG_FILE_WRITER_SNAPSHOT)); /* starts a segment */
}

static void moves_the_recovery_point_by_itself(void **state)
{
    struct fixture *f = *state;
    struct bytes large = fixture_batch(&f->arena, 1, 1 << 20, 1);

    for (int i = 0; i < 40; i++) {
        assert_int_equal(fixture_append(f->log, large, 1, NULL), ERR_OK);
        fixture_sync(f->log);
        assert_true(log_end_offset(f->log) - log_recovery_point(f->log) <= 17);
    }
    assert_true(log_recovery_point(f->log) >= 30);
}

static void a_failed_sync_ends_writing(void **state)
{
    struct fixture *f = *state;
    struct log_sync sync;

    append(f, 1);
    fixture_sync(f->log);
    append(f, 1);
    assert_true(log_sync_begin(f->log, &sync));
    faults.sync_errno = EIO;
    log_sync_run(&sync);
    faults.sync_errno = 0;
    assert_int_equal(sync.code, ERR_LOG_STORAGE);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_failed(f->log), ERR_LOG_STORAGE);
    assert_int_equal(log_durable_offset(f->log), 1);
    assert_false(log_sync_begin(f->log, &sync));
    assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_LOG_STORAGE);
    log_assume_durable(f->log);
    assert_int_equal(log_durable_offset(f->log), 1);
}

static void a_full_disk_only_delays_the_recovery_point(void **state)
{
    struct fixture *f = *state;
    struct log_sync sync;

    append(f, 2);
    log_want_recovery_point(f->log);
    faults.write_errno = ENOSPC;
    assert_true(log_sync_begin(f->log, &sync));
    assert_false(sync.recovery_point);
    faults.write_errno = 0;
    log_sync_run(&sync);
    log_sync_end(f->log, &sync);
    assert_int_equal(log_durable_offset(f->log), 2);
    assert_int_equal(log_recovery_point(f->log), 0);
    fixture_sync(f->log);
    assert_int_equal(log_recovery_point(f->log), 2);
}

/* What it left has been cut off, but on the device it may still be, and would be taken for a torn end. */
static void a_write_that_failed_is_off_the_device_before_the_log_goes_on(void **state)
{
    struct fixture *f = *state;
    struct segment *first = log_active(f->log);
    struct log_sync sync;
    bool found = false;
    struct error e;

    append(f, 2);
    fixture_sync(f->log);
    for (int rolls = 0; rolls < 2; rolls++) {
        faults.write_errno = ENOSPC;
        faults.write_torn = 500;
        assert_int_equal(fixture_append(f->log, f->batch, 1, NULL), ERR_DISK_FULL);
        faults.write_errno = 0;
        if (rolls > 0) {
            OK(log_roll(f->log, &e));
        }
        assert_true(log_sync_begin(f->log, &sync));
        assert_true(rolls > 0 || sync.active != NULL);
        for (size_t i = 0; rolls > 0 && i < sync.other_count; i++) {
            found = found || strstr(sync.others[i]->path, "00000000000000000000.log") != NULL;
        }
        log_sync_run(&sync);
        log_sync_end(f->log, &sync);
    }
    assert_true(found);
    assert_ptr_not_equal(first, log_active(f->log));
    assert_false(log_sync_begin(f->log, &sync));
}

static void the_page_cache_may_count_as_durable(void **state)
{
    struct fixture *f = *state;

    append(f, 8);
    log_assume_durable(f->log);
    assert_int_equal(log_durable_offset(f->log), 8);
    assert_int_equal(log_recovery_point(f->log), 0);
    log_want_recovery_point(f->log);
    fixture_sync(f->log);
    assert_int_equal(log_recovery_point(f->log), 8);
    assert_int_equal(f->log->unsynced.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_durable_what_it_began_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(covers_everything_a_roll_leaves_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_the_recovery_point_when_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_goes_when_a_newer_one_is_durable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(moves_the_recovery_point_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_sync_ends_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_only_delays_the_recovery_point, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_write_that_failed_is_off_the_device_before_the_log_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_page_cache_may_count_as_durable, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
