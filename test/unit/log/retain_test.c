#include "fixture.h"

struct fixture {
    struct arena arena;
    char *dir;
    struct log *log;
    struct bytes batch;
};

/* Ten segments of one batch each, committed at 1000, 2000, ..., 10000. */
static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct log_options options = fixture_options;

    f->dir = fixture_dir(&f->arena);
    f->batch = fixture_batch(&f->arena, 1, 500, 1);
    options.segment_bytes_max = f->batch.len;
    f->log = fixture_open_with(f->dir, &options, false, 0, NULL);
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(fixture_append(f->log, f->batch, 1000 * i, NULL), ERR_OK);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    log_free(f->log);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static size_t expire(struct fixture *f, struct log_expiry expiry)
{
    struct log_trash trash;
    size_t count;
    struct error e;

    OK(log_expire(f->log, &expiry, &trash, &e));
    count = trash.count;
    for (size_t i = 0; i < count; i++) {
        assert_true(path_exists(trash.paths[i]));
        assert_non_null(strstr(trash.paths[i], ".deleted"));
    }
    log_trash_run(&trash);
    return count;
}

static void drops_what_is_older_than_its_time(void **state)
{
    struct fixture *f = *state;
    struct log_expiry expiry = {.now_ms = 5500, .ttl_ms = 2000, .limit_offset = 10};

    /* committed before 3500: segments 0, 1 and 2 with indexes and the snapshots of 1 and 2 */
    assert_int_equal(expire(f, expiry), 3 * 3 + 2);
    assert_int_equal(log_start_offset(f->log), 3);
    assert_int_equal(log_segment_count(f->log), 7);
    assert_false(fixture_exists(f->dir, 2, LOG_FILE_DATA));
    assert_false(fixture_exists(f->dir, 2, LOG_FILE_OFFSET_INDEX));
    assert_true(fixture_exists(f->dir, 3, LOG_FILE_DATA));
    assert_int_equal(expire(f, expiry), 0);
    assert_int_equal(fixture_read_all(f->log, 1 << 20, &f->arena).len, 7 * f->batch.len);
    log_free(f->log);
    f->log = fixture_open(f->dir);
    assert_int_equal(log_start_offset(f->log), 3);
    assert_int_equal(log_end_offset(f->log), 10);
}

static void keeps_what_it_is_told_to_keep(void **state)
{
    struct fixture *f = *state;
    struct log_expiry expiry = {.now_ms = 1000000, .ttl_ms = 0, .limit_offset = 10};

    assert_int_equal(expire(f, expiry), 0); /* no limit of time */
    expiry.ttl_ms = -1;
    assert_int_equal(expire(f, expiry), 0);
    expiry.ttl_ms = INT64_MAX;
    expiry.now_ms = INT64_MIN;
    assert_int_equal(expire(f, expiry), 0);
    expiry = (struct log_expiry){.now_ms = 1000000, .ttl_ms = 1, .limit_offset = 4};
    assert_true(expire(f, expiry) > 0);
    assert_int_equal(log_start_offset(f->log), 4); /* above the high watermark nothing goes */
    expiry.limit_offset = 10;
    assert_true(expire(f, expiry) > 0);
    assert_int_equal(log_start_offset(f->log), 9); /* the active one stays */
    assert_int_equal(log_segment_count(f->log), 1);
}

static void an_expired_active_segment_may_be_rolled(void **state)
{
    struct fixture *f = *state;
    struct log_expiry expiry = {
        .now_ms = 1000000, .ttl_ms = 1, .limit_offset = 9, .roll_active = true};
    struct log_appended appended;
    struct error e;

    assert_true(expire(f, expiry) > 0);
    assert_int_equal(log_start_offset(f->log), 9); /* it reaches above the high watermark */
    expiry.limit_offset = 10;
    assert_true(expire(f, expiry) > 0);
    assert_int_equal(log_start_offset(f->log), 10);
    assert_int_equal(log_end_offset(f->log), 10);
    assert_int_equal(expire(f, expiry), 0); /* empty: nothing to roll */
    OK(fixture_append(f->log, f->batch, 1000000, &appended));
    assert_int_equal(appended.base_offset, 10);
    assert_int_equal(log_max_timestamp(f->log), 1000000);
    fixture_sync(f->log);
    log_free(f->log);
    f->log = fixture_open(f->dir);
    assert_int_equal(log_start_offset(f->log), 10);
    assert_int_equal(log_end_offset(f->log), 11);
}

static void reads_survive_the_loss_of_their_segment(void **state)
{
    struct fixture *f = *state;
    struct log_expiry expiry = {.now_ms = 1000000, .ttl_ms = 1, .limit_offset = 10};
    struct log_read read = {.offset = 2, .limit_offset = 10, .max_bytes = 1 << 20, .min_one = true};
    struct log_range range;
    uint8_t *buffer = arena_alloc(&f->arena, f->batch.len);
    struct error e;

    OK(log_read(f->log, &read, &range, &e));
    assert_true(expire(f, expiry) > 0);
    OK(file_read_at(range.file, range.position, buffer, range.len, &e));
    (void)file_unref(range.file);
    assert_int_equal(log_read(f->log, &read, &range, &e), ERR_LOG_OFFSET_OUT_OF_RANGE);
    read.offset = 9;
    OK(log_read(f->log, &read, &range, &e));
    (void)file_unref(range.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(drops_what_is_older_than_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_what_it_is_told_to_keep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_expired_active_segment_may_be_rolled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_survive_the_loss_of_their_segment, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
