#include "fixture.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "log/internal.h"

static bool resident = true;
static unsigned preads;

/* Stands in for the page cache: io asks it here. */
int mincore(void *address, size_t len, unsigned char *pages)
{
    (void)address;
    memset(pages, resident ? 1 : 0, (len + 4095) / 4096);
    return 0;
}

ssize_t pread(int fd, void *buffer, size_t len, off_t offset)
{
    preads++;
    return syscall(SYS_pread64, fd, buffer, len, offset);
}

struct fixture {
    struct arena arena;
    char *dir;
    struct log *log;
    struct bytes batch;
};

/* 100 batches of two records, ten to a segment; committed at 1000, 1010, ... */
static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct log_options options = fixture_options;

    f->dir = fixture_dir(&f->arena);
    f->batch = fixture_batch(&f->arena, 2, 500, 1);
    options.segment_bytes_max = 10 * f->batch.len;
    f->log = fixture_open_with(f->dir, &options, false, 0, NULL);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(fixture_append(f->log, f->batch, 1000 + 10 * i, NULL), ERR_OK);
    }
    *state = f;
    resident = true;
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

static struct log_range read_at(struct fixture *f, int64_t offset, int64_t limit, size_t max_bytes)
{
    struct log_read read = {
        .offset = offset, .limit_offset = limit, .max_bytes = max_bytes, .min_one = true};
    struct log_range range;
    struct error e;

    OK(log_read(f->log, &read, &range, &e));
    (void)file_unref(range.file); /* the tests look at numbers */
    return range;
}

static void returns_whole_batches_within_the_limits(void **state)
{
    struct fixture *f = *state;
    size_t size = f->batch.len;
    struct log_range range = read_at(f, 0, 200, 1 << 20);

    assert_int_equal(range.len, 10 * size); /* to the end of the segment */
    assert_int_equal(range.next_offset, 20);
    assert_int_equal(range.end_offset, 20);
    range = read_at(f, 3, 200, 3 * size + 1);
    assert_int_equal(range.base_offset, 2);
    assert_int_equal(range.position, size);
    assert_int_equal(range.len, 3 * size);
    assert_int_equal(range.end_offset, 8);
    assert_int_equal(range.next_offset, -1);
    range = read_at(f, 2, 6, 1 << 20);
    assert_int_equal(range.len, 2 * size);
    assert_int_equal(range.end_offset, 6);
    range = read_at(f, 2, 5, 1 << 20); /* inside a batch: before it */
    assert_int_equal(range.len, size);
    range = read_at(f, 199, 200, 1 << 20);
    assert_int_equal(range.len, size);
    assert_int_equal(range.next_offset, -1); /* no segment follows */
}

static void gives_one_batch_above_the_limit(void **state)
{
    struct fixture *f = *state;
    struct log_read read = {.offset = 5, .limit_offset = 200, .max_bytes = 10};
    struct log_range range = read_at(f, 5, 200, 10);
    struct error e;

    assert_int_equal(range.len, f->batch.len);
    assert_int_equal(range.end_offset, 6);
    range = read_at(f, 18, 200, 0);
    assert_int_equal(range.len, f->batch.len);
    assert_int_equal(range.next_offset, 20);
    OK(log_read(f->log, &read, &range, &e));
    assert_int_equal(range.len, 0);
    assert_null(range.file);
}

static void knows_its_range(void **state)
{
    struct fixture *f = *state;
    struct log_read read = {.offset = -1, .limit_offset = 200, .max_bytes = 10};
    struct log_range range;
    struct error e;

    assert_int_equal(log_read(f->log, &read, &range, &e), ERR_LOG_OFFSET_OUT_OF_RANGE);
    read.offset = 201;
    assert_int_equal(log_read(f->log, &read, &range, &e), ERR_LOG_OFFSET_OUT_OF_RANGE);
    assert_int_equal(read_at(f, 200, 200, 10).len, 0);
    assert_int_equal(read_at(f, 50, 50, 10).len, 0);
    assert_int_equal(read_at(f, 60, 50, 10).len, 0);
}

static void reading_on_looks_at_no_file(void **state)
{
    struct fixture *f = *state;
    struct log_range range = read_at(f, 185, 190, 1 << 20);

    preads = 0;
    range = read_at(f, range.end_offset, 200, 1 << 20);
    assert_int_equal(range.base_offset, 190);
    assert_int_equal(range.end_offset, 200);
    assert_int_equal(preads, 0);
    /* a consumer at the end, and the durable offset as limit */
    fixture_sync(f->log);
    assert_int_equal(fixture_append(f->log, f->batch, 9000, NULL), ERR_OK);
    preads = 0;
    assert_int_equal(read_at(f, 200, 200, 1 << 20).len, 0);
    assert_int_equal(read_at(f, 200, 202, 1 << 20).len, f->batch.len);
    assert_int_equal(preads, 0);
}

static void names_what_is_cold_instead_of_waiting(void **state)
{
    struct fixture *f = *state;
    struct log_read read = {.offset = 13,
                            .limit_offset = 200,
                            .max_bytes = 2 * f->batch.len,
                            .min_one = true,
                            .nowait = true};
    struct log_range range;
    struct error e;
    int rounds = 0;

    resident = false;
    OK(log_read(f->log, &read, &range, &e));
    assert_true(range.cold);
    assert_non_null(range.file);
    assert_true(range.len > 0);
    while (range.cold) {
        file_warm(range.file, range.position, range.len);
        (void)file_unref(range.file);
        resident = true;
        OK(log_read(f->log, &read, &range, &e));
        assert_true(++rounds < 5);
    }
    assert_int_equal(range.base_offset, 12);
    assert_int_equal(range.len, 2 * f->batch.len);
    (void)file_unref(range.file);
    /* where the last read ended is known: nothing to warm but the data itself */
    resident = false;
    read.offset = range.end_offset;
    read.max_bytes = 1 << 20;
    OK(log_read(f->log, &read, &range, &e));
    assert_false(range.cold);
    assert_int_equal(range.base_offset, 16);
    (void)file_unref(range.file);
}

static void few_files_stay_open(void **state)
{
    struct fixture *f = *state;
    size_t open = 0;

    for (int64_t offset = 0; offset < 200; offset += 7) {
        (void)read_at(f, offset, 200, 1 << 20);
    }
    for (size_t i = 0; i < f->log->segment_count; i++) {
        open += f->log->segments[i]->file != NULL;
    }
    assert_int_equal(f->log->segment_count, 10);
    assert_int_equal(open, LOG_OPEN_SEGMENTS_MAX + 1);
}

static void finds_offsets_by_time(void **state)
{
    struct fixture *f = *state;
    int64_t offset = 0;
    struct error e;

    for (int64_t t = 990; t < 2000; t += 3) {
        int64_t batch = t <= 1000 ? 0 : (t - 1000 + 9) / 10;

        OK(log_offset_at(f->log, t, NULL, &offset, &e));
        assert_int_equal(offset, batch > 99 ? 200 : 2 * batch);
    }
    OK(log_offset_at(f->log, INT64_MAX, NULL, &offset, &e));
    assert_int_equal(offset, 200);
    OK(log_offset_at(f->log, INT64_MIN, NULL, &offset, &e));
    assert_int_equal(offset, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(returns_whole_batches_within_the_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_one_batch_above_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_its_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_on_looks_at_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_what_is_cold_instead_of_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_files_stay_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_offsets_by_time, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
