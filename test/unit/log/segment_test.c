#include "fixture.h"

#include "log/segment.h"

#define BATCHES 200

struct fixture {
    struct arena arena;
    char *dir;
    struct segment *s;
    uint64_t positions[BATCHES + 1];
};

static const struct segment_limits limits = {
    .bytes_max = 1 << 20, .index_bytes_max = 1 << 20, .index_interval = 300};

/* Offsets from 1000, two per batch; timestamp 50 + n / 3. */
static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct error e;

    f->dir = fixture_dir(&f->arena);
    OK(segment_create(f->dir, 1000, &f->s, &e));
    for (uint32_t n = 0; n < BATCHES; n++) {
        struct bytes batch = fixture_batch(&f->arena, 2, n % 90, n);
        struct segment_append append = {.batches = batch,
                                        .base_offset = 1000 + 2 * (int64_t)n,
                                        .end_offset = 1002 + 2 * (int64_t)n,
                                        .timestamp = 50 + n / 3};

        batch_assign((uint8_t *)(uintptr_t)batch.data, append.base_offset, append.timestamp);
        OK(segment_append(f->s, &append, &limits, &e));
        f->positions[n + 1] = f->positions[n] + batch.len;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    segment_free(f->s);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void locates_every_offset(void **state)
{
    struct fixture *f = *state;
    struct batch_header header = {0};
    uint64_t position = 0;
    struct error e;

    assert_true(index_count(&f->s->offsets) > 20);
    for (int64_t offset = 1000; offset < f->s->end_offset; offset++) {
        OK(segment_locate(f->s, offset, NULL, &position, &header, &e));
        assert_int_equal(position, f->positions[(offset - 1000) / 2]);
        assert_int_equal(header.base_offset, offset & ~INT64_C(1));
    }
}

static void finds_boundaries(void **state)
{
    struct fixture *f = *state;
    struct segment_place place;
    struct error e;

    for (size_t from = 0; from < BATCHES; from += 7) {
        for (uint64_t limit = f->positions[from]; limit <= f->s->size; limit += 101) {
            size_t n = from;

            OK(segment_boundary(f->s, f->positions[from], limit, NULL, &place, &e));
            while (n < BATCHES && f->positions[n + 1] <= limit) {
                n++;
            }
            assert_int_equal(place.position, f->positions[n]);
            assert_int_equal(place.offset, 1000 + 2 * n);
        }
    }
}

static void finds_timestamps(void **state)
{
    struct fixture *f = *state;
    int64_t offset = 0;
    struct error e;

    for (int64_t t = 0; t < 50 + BATCHES / 3 + 5; t++) {
        int64_t expected = t <= 50 ? 1000 : 1000 + 6 * (t - 50);

        OK(segment_offset_at(f->s, t, NULL, &offset, &e));
        assert_int_equal(offset, expected < f->s->end_offset ? expected : f->s->end_offset);
    }
}

static void is_full_by_any_measure(void **state)
{
    struct fixture *f = *state;
    struct segment_limits tight = limits;
    struct segment *empty = segment_new(f->dir, 0);

    assert_false(segment_is_full(f->s, &limits, 100, f->s->end_offset + 1));
    assert_true(segment_is_full(f->s, &limits, 1 << 20, f->s->end_offset + 1));
    assert_true(segment_is_full(f->s, &limits, SIZE_MAX, f->s->end_offset + 1));
    assert_false(segment_is_full(f->s, &limits, 1, 1000 + (int64_t)INT32_MAX + 1));
    assert_true(segment_is_full(f->s, &limits, 1, 1000 + (int64_t)INT32_MAX + 2));
    tight.index_bytes_max = 8 * index_count(&f->s->offsets);
    assert_true(segment_is_full(f->s, &tight, 1, f->s->end_offset + 1));
    tight.index_bytes_max = 12 * (index_count(&f->s->times) + 1);
    assert_true(segment_is_full(f->s, &tight, 1, f->s->end_offset + 1));
    assert_false(segment_is_full(empty, &tight, SIZE_MAX, INT64_MAX));
    segment_free(empty);
}

/* The index files by appending and by scanning are the same, one batch per append. */
static void a_scan_rebuilds_what_appending_built(void **state)
{
    struct fixture *f = *state;
    struct bytes offsets;
    struct bytes times;
    struct error e;

    OK(index_write(&f->s->offsets, NULL, &e));
    OK(index_write(&f->s->times, NULL, &e));
    offsets = fixture_file(&f->arena, f->dir, 1000, LOG_FILE_OFFSET_INDEX);
    times = fixture_file(&f->arena, f->dir, 1000, LOG_FILE_TIME_INDEX);
    for (int64_t from = 1000; from < f->s->end_offset; from += 33) {
        OWNED(segment_freep) struct segment *s = segment_new(f->dir, 1000);
        struct segment_scan scan = {.check = true, .offset_end = INT64_MAX};
        bool whole = false;

        OK(index_load(&s->offsets, INT32_MAX, &whole, &e));
        OK(index_load(&s->times, INT32_MAX, &whole, &e));
        s->size = f->s->size;
        OK(segment_checkpoint(s, from, &scan.at, &e));
        assert_true(scan.at.offset <= from);
        OK(segment_scan(s, &limits, &scan, &e));
        assert_int_equal(scan.why.code, ERR_OK);
        assert_int_equal(s->size, f->s->size);
        assert_int_equal(s->end_offset, f->s->end_offset);
        assert_int_equal(s->max_timestamp, f->s->max_timestamp);
        assert_int_equal(s->since_index, f->s->since_index);
        OK(index_write(&s->offsets, NULL, &e));
        OK(index_write(&s->times, NULL, &e));
        assert_true(
            bytes_equal(offsets, fixture_file(&f->arena, f->dir, 1000, LOG_FILE_OFFSET_INDEX)));
        assert_true(bytes_equal(times, fixture_file(&f->arena, f->dir, 1000, LOG_FILE_TIME_INDEX)));
    }
}

static void a_scan_stops_at_what_does_not_continue(void **state)
{
    struct fixture *f = *state;
    struct segment_scan scan = {.check = true, .offset_end = 1100};
    struct bytes data = fixture_file(&f->arena, f->dir, 1000, LOG_FILE_DATA);
    struct error e;

    scan.at.offset = 1000;
    OK(segment_scan(f->s, &limits, &scan, &e));
    assert_int_equal(scan.why.code, ERR_CORRUPT_RECORD);
    assert_int_equal(f->s->end_offset, 1100);
    assert_int_equal(f->s->size, f->positions[50]);
    /* a batch twice */
    fixture_poke(f->dir, 1000, LOG_FILE_DATA, f->positions[100],
                 bytes_slice(data, f->positions[99], f->positions[100] - f->positions[99]));
    scan = (struct segment_scan){.check = true, .offset_end = INT64_MAX, .at = {.offset = 1000}};
    OK(segment_scan(f->s, &limits, &scan, &e));
    assert_int_equal(scan.why.code, ERR_CORRUPT_RECORD);
    assert_int_equal(f->s->end_offset, 1200);
    assert_int_equal(scan.at.position, f->positions[100]);
}

static void a_wrong_index_costs_time_only(void **state)
{
    struct fixture *f = *state;
    struct batch_header header = {0};
    struct segment_place place;
    uint64_t position = 0;
    struct error e;
    uint8_t junk[8] = {0, 0, 0, 100, 0, 0, 1, 3};

    OK(index_write(&f->s->offsets, NULL, &e));
    for (uint32_t i = 0; i < f->s->offsets.written; i++) {
        fixture_poke(f->dir, 1000, LOG_FILE_OFFSET_INDEX, i * 8, bytes_of(junk, sizeof junk));
    }
    for (int64_t offset = 1000; offset < f->s->end_offset; offset++) {
        OK(segment_locate(f->s, offset, NULL, &position, &header, &e));
        assert_int_equal(position, f->positions[(offset - 1000) / 2]);
    }
    OK(segment_boundary(f->s, 0, f->positions[77] + 1, NULL, &place, &e));
    assert_int_equal(place.position, f->positions[77]);
}

static void what_is_behind_damage_is_found_instead_of_it(void **state)
{
    struct fixture *f = *state;
    struct batch_header header = {0};
    uint64_t position = 0;
    struct error e;

    fixture_truncate(f->dir, 1000, LOG_FILE_DATA, f->positions[120] + 30);
    OK(segment_locate(f->s, 1000 + 2 * 119, NULL, &position, &header, &e));
    for (int i = 0; i < 2; i++) {
        OK(segment_locate(f->s, 1000 + 2 * 121, NULL, &position, &header, &e));
        assert_int_equal(position, f->s->size);
        assert_int_equal(header.base_offset, f->s->end_offset);
        assert_int_equal(header.size, 0);
    }
    OK(segment_locate(f->s, 1000 + 2 * 119, NULL, &position, &header, &e));
}

static void a_new_segment_needs_an_empty_file(void **state)
{
    struct fixture *f = *state;
    struct segment *s = NULL;
    struct error e;

    assert_int_equal(segment_create(f->dir, 1000, &s, &e), ERR_CORRUPT_FILE);
    assert_int_equal(segment_create("/nowhere", 1, &s, &e), ERR_LOG_STORAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(locates_every_offset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_boundaries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_timestamps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_full_by_any_measure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_scan_rebuilds_what_appending_built, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_scan_stops_at_what_does_not_continue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_index_costs_time_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_behind_damage_is_found_instead_of_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_segment_needs_an_empty_file, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
