#include "fixture.h"

#include "log/internal.h"

struct fixture {
    struct arena arena;
    char *dir;
    struct log_options options;
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);

    f->dir = fixture_dir(&f->arena);
    f->options = fixture_options;
    f->options.segment_bytes_max = 400; /* five batches of 78 bytes */
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* Sequences 0 .. count - 1 of writer 3. */
static struct log *fill(struct fixture *f, int32_t count)
{
    struct log *log = fixture_open_with(f->dir, &f->options, false, 0, NULL);

    for (int32_t i = 0; i < count; i++) {
        assert_int_equal(fixture_append(log, fixture_writer_batch(&f->arena, 3, i, 30), 1000, NULL),
                         ERR_OK);
    }
    return log;
}

/* The last five of `count` are duplicates, the one before is not. */
static void check(struct log *log, int32_t count)
{
    writers_begin(&log->writers);
    for (int32_t s = count - 5; s < count; s++) {
        struct writer_batch batch = {0};

        assert_int_equal(writers_check(&log->writers, 3, s, &batch), WRITER_DUPLICATE);
        assert_int_equal(batch.last_offset, s);
    }
    assert_int_equal(writers_check(&log->writers, 3, count - 6, NULL), WRITER_OUT_OF_ORDER);
    assert_int_equal(writers_check(&log->writers, 3, count, NULL), WRITER_NEXT);
}

static void remembers_all_five_after_any_stop(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, 23);
    struct error e;

    log_free(log); /* a crash: from the snapshot of the last roll and the batches behind it */
    log = fixture_open_with(f->dir, &f->options, false, 0, NULL);
    check(log, 23);
    OK(log_close(log, &e));
    log_free(log);
    log = fixture_open_with(f->dir, &f->options, true, 23, NULL);
    check(log, 23);
    assert_int_equal(log->snapshot_offset, 23);
    log_free(log);
}

static void falls_back_to_older_snapshots(void **state)
{
    struct fixture *f = *state;

    log_free(fill(f, 23));
    fixture_truncate(f->dir, 20, LOG_FILE_WRITER_SNAPSHOT, 60);
    fixture_poke(f->dir, 15, LOG_FILE_WRITER_SNAPSHOT, 0, bytes_str("[]"));
    for (int i = 0; i < 2; i++) {
        struct log *log = fixture_open_with(f->dir, &f->options, false, 0, NULL);

        check(log, 23);
        log_free(log);
    }
    assert_false(fixture_exists(f->dir, 15, LOG_FILE_WRITER_SNAPSHOT));
    assert_true(fixture_exists(f->dir, 10, LOG_FILE_WRITER_SNAPSHOT));
    assert_true(fixture_exists(f->dir, 23, LOG_FILE_WRITER_SNAPSHOT));
}

static void works_without_any_snapshot(void **state)
{
    struct fixture *f = *state;
    struct log *log;

    log_free(fill(f, 23));
    for (int64_t base = 5; base <= 20; base += 5) {
        fixture_truncate(f->dir, base, LOG_FILE_WRITER_SNAPSHOT, 0);
    }
    log = fixture_open_with(f->dir, &f->options, false, 0, NULL);
    check(log, 23);
    log_free(log);
}

static void snapshots_of_lost_batches_go(void **state)
{
    struct fixture *f = *state;
    struct log *log;

    log_free(fill(f, 23));
    fixture_truncate(f->dir, 10, LOG_FILE_DATA, 100); /* one batch of it is left */
    log = fixture_open_with(f->dir, &f->options, false, 0, NULL);
    assert_int_equal(log_end_offset(log), 11);
    check(log, 11);
    assert_false(fixture_exists(f->dir, 15, LOG_FILE_WRITER_SNAPSHOT));
    assert_false(fixture_exists(f->dir, 20, LOG_FILE_WRITER_SNAPSHOT));
    log_free(log);
}

static void strays_go_except_the_newest(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, 23);
    struct bytes text = fixture_file(&f->arena, f->dir, 20, LOG_FILE_WRITER_SNAPSHOT);

    log_free(log);
    fixture_poke(f->dir, 7, LOG_FILE_WRITER_SNAPSHOT, 0, text);
    fixture_poke(f->dir, 22, LOG_FILE_WRITER_SNAPSHOT, 0, text); /* lacks 20 and 21 */
    log = fixture_open_with(f->dir, &f->options, false, 0, NULL);
    assert_false(fixture_exists(f->dir, 7, LOG_FILE_WRITER_SNAPSHOT));
    assert_false(fixture_exists(f->dir, 22, LOG_FILE_WRITER_SNAPSHOT)); /* replaced by 23 */
    assert_true(fixture_exists(f->dir, 23, LOG_FILE_WRITER_SNAPSHOT));
    assert_true(fixture_exists(f->dir, 20, LOG_FILE_WRITER_SNAPSHOT));
    log_free(log);
}

/* The next header is looked for in the middle of a batch then. */
static void a_damaged_length_hides_no_batch_behind_it(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, 23);
    uint8_t length;

    log_want_recovery_point(log);
    fixture_sync(log);
    log_free(log);
    for (int64_t base = 15; base <= 23; base++) {
        if (fixture_exists(f->dir, base, LOG_FILE_WRITER_SNAPSHOT)) {
            fixture_truncate(f->dir, base, LOG_FILE_WRITER_SNAPSHOT, 0);
        }
    }
    length = fixture_file(&f->arena, f->dir, 15, LOG_FILE_DATA).data[8] + 2;
    fixture_poke(f->dir, 15, LOG_FILE_DATA, 8, bytes_of(&length, 1));
    log = fixture_open_with(f->dir, &f->options, false, 23, NULL);
    assert_int_equal(log_end_offset(log), 23);
    check(log, 23);
    log_free(log);
}

static void forgets_expired_writers(void **state)
{
    struct fixture *f = *state;
    struct log *log;

    log_free(fill(f, 3));
    f->options.writer_expiry_ms = -1; /* opened at 1000, written at 1000 */
    log = fixture_open_with(f->dir, &f->options, false, 0, NULL);
    assert_int_equal(writers_count(&log->writers), 0);
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers_all_five_after_any_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(falls_back_to_older_snapshots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(works_without_any_snapshot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(snapshots_of_lost_batches_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strays_go_except_the_newest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_length_hides_no_batch_behind_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(forgets_expired_writers, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
