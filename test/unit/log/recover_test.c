#include "fixture.h"
#include "model_crash.h"

#include <stdio.h>
#include <sys/resource.h>

#include "log/internal.h"

struct fixture {
    struct arena arena;
    char *dir;
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);

    f->dir = fixture_dir(&f->arena);
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

/* Appends count batches of one record and `size` bytes; returns all bytes of the log's files. */
static struct log *fill(struct fixture *f, const struct log_options *options, int count,
                        size_t size)
{
    struct log *log = fixture_open_with(f->dir, options, false, 0, NULL);
    struct error e;

    for (int i = 0; i < count; i++) {
        OK(fixture_append(log, fixture_batch(&f->arena, 1, size, (uint32_t)i), 100 + i, NULL));
    }
    return log;
}

/* ---- single situations ---- */

static void an_empty_directory_becomes_a_log(void **state)
{
    struct fixture *f = *state;
    char *dir = arena_printf(&f->arena, "%s/db/t-1/log-0", f->dir);
    struct log_open_report report;
    struct log *log = fixture_open_with(dir, &fixture_options, false, 17, &report);

    assert_int_equal(log_start_offset(log), 0);
    assert_int_equal(log_end_offset(log), 0);
    assert_int_equal(log_durable_offset(log), 0);
    assert_int_equal(log_max_timestamp(log), -1);
    assert_int_equal(report.scanned_bytes, 0);
    assert_true(fixture_exists(dir, 0, LOG_FILE_DATA));
    log_free(log);
}

static void starts_where_the_first_file_starts(void **state)
{
    struct fixture *f = *state;
    struct log *log;
    struct log_appended appended;
    struct error e;

    fixture_poke(f->dir, 7000, LOG_FILE_DATA, 0, BYTES_EMPTY);
    log = fixture_open(f->dir);
    assert_int_equal(log_start_offset(log), 7000);
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 1, 1), 1, &appended));
    assert_int_equal(appended.base_offset, 7000);
    log_free(log);
}

static void tidies_up(void **state)
{
    static const char *const gone[] = {
        "00000000000000000004.log.deleted",     "00000000000000000004.index",
        "00000000000000000004.timeindex",       "00000000000000000009.writer_snapshot.tmp",
        "00000000000000000099.writer_snapshot",
    };
    static const char *const kept[] = {
        "00000000000000000004.log.aside",
        "notes",
        "4.log",
    };
    struct fixture *f = *state;
    struct error e;

    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        OK(file_replace(arena_printf(&f->arena, "%s/%s", f->dir, gone[i]), bytes_str("x"), &e));
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        OK(file_replace(arena_printf(&f->arena, "%s/%s", f->dir, kept[i]), bytes_str("x"), &e));
    }
    OK(dir_create(arena_printf(&f->arena, "%s/00000000000000000008.log", f->dir), &e));
    log_free(fixture_open(f->dir));
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        assert_false(path_exists(arena_printf(&f->arena, "%s/%s", f->dir, gone[i])));
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        assert_true(path_exists(arena_printf(&f->arena, "%s/%s", f->dir, kept[i])));
    }
}

static void reads_only_what_is_behind_the_recovery_point(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, &fixture_options, 500, 1000);
    struct log_open_report report;
    int64_t recovery_point;
    uint64_t before;

    log_want_recovery_point(log);
    fixture_sync(log);
    recovery_point = log_recovery_point(log);
    assert_int_equal(recovery_point, 500);
    before = log_size_bytes(log);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fixture_append(log, fixture_batch(&f->arena, 1, 1000, 1), 1, NULL),
                         ERR_OK);
    }
    log_free(log);
    log = fixture_open_with(f->dir, &fixture_options, false, recovery_point, &report);
    assert_int_equal(log_end_offset(log), 520);
    assert_int_equal(log_durable_offset(log), 520);
    assert_int_equal(log_recovery_point(log), 520);
    assert_true(report.scanned_bytes >= log_size_bytes(log) - before);
    assert_true(report.scanned_bytes < log_size_bytes(log) - before + 3000);
    log_free(log);
    log = fixture_open_with(f->dir, &fixture_options, false, 520, &report);
    assert_true(report.scanned_bytes < 3000);
    log_free(log);
    log = fixture_open_with(f->dir, &fixture_options, false, 0, &report);
    assert_int_equal(report.scanned_bytes, log_size_bytes(log));
    log_free(log);
}

static void keeps_the_valid_prefix_and_sets_the_rest_aside(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, &fixture_options, 10, 100);
    struct log_open_report report;
    struct bytes data;
    struct bytes rest;
    size_t size;
    struct error e;
    bool exists = false;

    log_free(log);
    data = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    size = data.len / 10;
    fixture_poke(f->dir, 0, LOG_FILE_DATA, 7 * size + 90, bytes_str("garbage"));
    data = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    log = fixture_open_with(f->dir, &fixture_options, false, 0, &report);
    assert_int_equal(log_end_offset(log), 7);
    assert_int_equal(report.aside_bytes, 3 * size);
    assert_string_equal(
        report.aside_path,
        arena_printf(&f->arena, "%s/00000000000000000000.log.%zu.aside", f->dir, 7 * size));
    assert_non_null(strstr(report.why, "checksum"));
    OK(file_read_whole(report.aside_path, 1 << 20, &f->arena, &rest, &exists, &e));
    assert_true(bytes_equal(rest, bytes_slice(data, 7 * size, 3 * size)));
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 5, 5), 1000, NULL));
    log_free(log);
    /* the same again does not overwrite what was set aside */
    fixture_truncate(f->dir, 0, LOG_FILE_DATA, 7 * size);
    fixture_poke(f->dir, 0, LOG_FILE_DATA, 7 * size, bytes_str("other"));
    log = fixture_open_with(f->dir, &fixture_options, false, 0, &report);
    assert_int_equal(log_end_offset(log), 7);
    assert_int_equal(report.aside_bytes, 5);
    assert_non_null(strstr(report.aside_path, ".1.aside"));
    log_free(log);
}

/* Reads one batch and asks which one it is. */
static void read_one(struct log *log, int64_t offset, int64_t expected)
{
    struct log_read read = {
        .offset = offset, .limit_offset = INT64_MAX, .max_bytes = 1, .min_one = true};
    struct log_range range = {0};
    struct error e;

    OK(log_read(log, &read, &range, &e));
    assert_int_equal(range.base_offset, expected);
    assert_int_equal(range.end_offset, expected + 1);
    (void)file_unref(range.file);
}

static void a_clean_stop_is_believed_but_its_end_is_checked(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, &fixture_options, 100, 200);
    struct log_open_report report;
    uint64_t size = log_size_bytes(log);
    struct error e;

    OK(log_close(log, &e));
    log_free(log);
    log = fixture_open_with(f->dir, &fixture_options, true, 0, &report);
    assert_int_equal(log_end_offset(log), 100);
    assert_true(report.scanned_bytes < 1500);
    log_free(log);

    fixture_truncate(f->dir, 0, LOG_FILE_DATA, size - 1);
    log = fixture_open_with(f->dir, &fixture_options, true, 0, &report);
    /* no crash did that: the bytes stay, and their offset is given to nothing else */
    assert_int_equal(log_end_offset(log), 100);
    assert_int_equal(report.aside_bytes, 0);
    assert_int_equal(report.damaged_bytes, size / 100 - 1);
    assert_int_equal(report.missing_offsets, 1);
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 5, 5), 1000, NULL));
    OK(log_close(log, &e));
    log_free(log);
    log = fixture_open_with(f->dir, &fixture_options, true, 0, &report);
    assert_int_equal(log_end_offset(log), 101);
    read_one(log, 98, 98);
    read_one(log, 99, 100);
    log_free(log);
}

static void the_end_of_a_log_that_was_synced_is_not_given_out_again(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, &fixture_options, 100, 200);
    struct log_open_report report;
    uint64_t size = log_size_bytes(log);
    struct error e;

    OK(log_close(log, &e));
    log_free(log);
    fixture_truncate(f->dir, 0, LOG_FILE_DATA, size / 2);
    log = fixture_open_with(f->dir, &fixture_options, true, 0, &report);
    assert_int_equal(log_end_offset(log), 100);
    assert_int_equal(report.missing_offsets, 50);
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 5, 5), 1000, NULL));
    read_one(log, 49, 49);
    read_one(log, 50, 100);
    log_free(log);
    /* nothing left of the file: the log starts behind what it had */
    fixture_truncate(f->dir, 0, LOG_FILE_DATA, 0);
    OK(path_remove(arena_printf(&f->arena, "%s/00000000000000000100.log", f->dir), &e));
    log = fixture_open_with(f->dir, &fixture_options, false, 100, &report);
    assert_int_equal(log_start_offset(log), 100);
    assert_int_equal(log_end_offset(log), 100);
    assert_false(fixture_exists(f->dir, 0, LOG_FILE_DATA));
    log_free(log);
}

static const struct log_options small_segments = {
    .segment_bytes_max = 1500,
    .index_bytes_max = 1 << 16,
    .index_interval = 256,
    .writer_expiry_ms = 1000000,
};

/* Segments of five batches, 20 batches. */
static struct log *fill_small(struct fixture *f) { return fill(f, &small_segments, 20, 200); }

static void segments_behind_a_torn_one_go_aside(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill_small(f);
    struct log_open_report report;
    struct error e;

    assert_true(log_segment_count(log) >= 4);
    assert_int_equal(log->segments[1]->base_offset, 6);
    log_free(log);
    fixture_truncate(f->dir, 6, LOG_FILE_DATA, 600);
    log = fixture_open_with(f->dir, &small_segments, false, 0, &report);
    assert_int_equal(log_end_offset(log), 8);
    assert_int_equal(log_segment_count(log), 2);
    assert_int_equal(report.missing_offsets, 0);
    assert_false(fixture_exists(f->dir, 12, LOG_FILE_DATA));
    assert_false(fixture_exists(f->dir, 12, LOG_FILE_OFFSET_INDEX));
    assert_true(path_exists(arena_printf(&f->arena, "%s/00000000000000000012.log.aside", f->dir)));
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 5, 5), 1000, NULL));
    log_free(log);
    log = fixture_open_with(f->dir, &small_segments, false, 0, &report);
    assert_int_equal(log_end_offset(log), 9);
    assert_int_equal(report.aside_bytes, 0);
    log_free(log);
}

/* Whatever a crash has left to be synced. */
static void many_segments_take_few_descriptors(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill(f, &small_segments, 900, 200);
    size_t count = log_segment_count(log);
    int64_t end = log_end_offset(log);
    struct rlimit limit;
    struct rlimit few;

    assert_true(count > 100);
    log_free(log);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = (struct rlimit){.rlim_cur = 150, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    log = fixture_open_with(f->dir, &small_segments, false, 0, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(log_segment_count(log), count);
    assert_int_equal(log_end_offset(log), end);
    log_free(log);
}

static void decay_below_the_recovery_point_stays_where_it_is(void **state)
{
    struct fixture *f = *state;
    struct log *log = fill_small(f);
    struct log_open_report report;
    struct log_read read = {.offset = 8, .limit_offset = 20, .max_bytes = 1 << 20, .min_one = true};
    struct log_range range = {0};
    int64_t at = 0;
    struct error e;

    log_want_recovery_point(log);
    fixture_sync(log);
    assert_int_equal(log_recovery_point(log), 20);
    log_free(log);
    fixture_truncate(f->dir, 6, LOG_FILE_DATA, 600);
    log = fixture_open_with(f->dir, &small_segments, false, 20, &report);
    assert_int_equal(log_end_offset(log), 20);
    assert_int_equal(report.missing_offsets, 4);
    OK(log_read(log, &read, &range, &e));
    assert_int_equal(range.base_offset, 12);
    (void)file_unref(range.file);
    read.offset = 7;
    OK(log_read(log, &read, &range, &e));
    assert_int_equal(range.base_offset, 7);
    assert_int_equal(range.end_offset, 8);
    (void)file_unref(range.file);
    OK(log_offset_at(log, 109, NULL, &at, &e));
    assert_int_equal(at, 12);
    log_free(log);
    /* a segment without one valid batch */
    fixture_truncate(f->dir, 12, LOG_FILE_DATA, 20);
    log = fixture_open_with(f->dir, &small_segments, true, 20, &report);
    assert_int_equal(log_end_offset(log), 20);
    assert_int_equal(report.missing_offsets, 4 + 6);
    read.offset = 13;
    OK(log_read(log, &read, &range, &e));
    assert_int_equal(range.base_offset, 18);
    (void)file_unref(range.file);
    log_free(log);
}

static void append_four_rows(struct fixture *f, struct log *log, int batches)
{
    for (int i = 0; i < batches; i++) {
        assert_int_equal(fixture_append(log, fixture_batch(&f->arena, 4, 100, 1), 100, NULL),
                         ERR_OK);
    }
}

/* No checksum covers an offset, and recovery begins at one: here at that of the last batch below the
 * recovery point, if the index has an entry for it. */
static void an_offset_that_decayed_leads_nobody_astray(void **state)
{
    struct fixture *f = *state;

    for (int synced = 50; synced < 60; synced++) {
        char *dir = arena_printf(&f->arena, "%s/%d", f->dir, synced);
        struct log *log = fixture_open_with(dir, &fixture_options, false, 0, NULL);
        uint8_t wrong = (uint8_t)(synced * 4 - 2);
        struct log_open_report report;
        uint64_t size;

        append_four_rows(f, log, synced);
        size = log_size_bytes(log);
        log_want_recovery_point(log);
        fixture_sync(log);
        assert_int_equal(log_recovery_point(log), synced * 4);
        append_four_rows(f, log, 2);
        log_free(log);
        fixture_poke(dir, 0, LOG_FILE_DATA, size - size / (uint64_t)synced, bytes_of(&wrong, 1));
        log = fixture_open_with(dir, &fixture_options, false, synced * 4, &report);
        assert_int_equal(log_end_offset(log), synced * 4 + 8);
        assert_int_equal(report.aside_bytes, 0);
        log_free(log);
    }
}

static void a_segment_that_overlaps_or_leaves_a_gap_does_not_follow(void **state)
{
    struct fixture *f = *state;
    struct log_open_report report;
    struct bytes second;
    struct error e;

    log_free(fill_small(f));
    second = fixture_file(&f->arena, f->dir, 12, LOG_FILE_DATA);
    OK(path_remove(arena_printf(&f->arena, "%s/00000000000000000006.log", f->dir), &e));
    log_free(fixture_open_with(f->dir, &small_segments, false, 0, &report));
    assert_true(path_exists(arena_printf(&f->arena, "%s/00000000000000000012.log.aside", f->dir)));
    assert_true(fixture_exists(f->dir, 0, LOG_FILE_DATA));
    /* back under a base that lies inside the first segment */
    fixture_poke(f->dir, 3, LOG_FILE_DATA, 0, second);
    log_free(fixture_open_with(f->dir, &small_segments, false, 0, &report));
    assert_true(report.aside_bytes > second.len);
    assert_false(fixture_exists(f->dir, 3, LOG_FILE_DATA));
}

static void empty_segments_behind_damage_are_removed(void **state)
{
    struct fixture *f = *state;
    struct log_open_report report;
    struct log *log = fill(f, &fixture_options, 5, 100);

    log_free(log);
    fixture_poke(f->dir, 6, LOG_FILE_DATA, 0, BYTES_EMPTY);
    log = fixture_open_with(f->dir, &fixture_options, false, 0, &report);
    assert_int_equal(log_end_offset(log), 5);
    assert_int_equal(report.aside_bytes, 0);
    assert_false(fixture_exists(f->dir, 6, LOG_FILE_DATA));
    log_free(log);
    fixture_poke(f->dir, 5, LOG_FILE_DATA, 0, BYTES_EMPTY); /* a roll just before the crash */
    log = fixture_open_with(f->dir, &fixture_options, false, 0, &report);
    assert_int_equal(log_end_offset(log), 5);
    assert_int_equal(log_segment_count(log), 2);
    assert_int_equal(log_max_timestamp(log), 104);
    log_free(log);
}

/* ---- random appends, crashes and damage ---- */

static void model_check_writers(struct model *m)
{
    int32_t last[MODEL_WRITERS] = {-1, -1, -1};

    for (size_t i = 0; i < m->count; i++) {
        if (m->batches[i].writer >= 0) {
            last[m->batches[i].writer] = m->batches[i].sequence;
        }
    }
    for (int64_t w = 0; w < MODEL_WRITERS; w++) {
        m->next_sequence[w] = last[w] + 1;
        assert_int_equal(writers_last_sequence(&m->log->writers, w), last[w]);
        writers_begin(&m->log->writers);
        for (int32_t s = last[w]; s >= 0 && s > last[w] - 5; s--) {
            assert_int_equal(writers_check(&m->log->writers, w, s, NULL), WRITER_DUPLICATE);
        }
    }
}

/* What was recovered must be a prefix of what was appended, and hold everything durable. */
static void model_check(struct model *m, int64_t durable)
{
    int64_t end = log_end_offset(m->log);
    struct bytes all = fixture_read_all(m->log, 1 + pick(m, 5000), &m->arena);
    size_t at = 0;
    size_t i = 0;

    assert_true(end >= durable);
    assert_int_equal(log_durable_offset(m->log), end);
    for (; i < m->count && m->batches[i].end_offset <= end; i++) {
        assert_true(all.len - at >= m->batches[i].data.len);
        model_check_batch(all.data + at, m->batches[i].data);
        at += m->batches[i].data.len;
    }
    assert_int_equal(at, all.len);
    m->count = i;
    model_check_writers(m);
}

static void model_restart(struct model *m)
{
    int64_t durable = log_durable_offset(m->log);
    bool clean = pick(m, 4) == 0;
    struct error e;

    if (clean) {
        OK(log_close(m->log, &e));
        durable = log_end_offset(m->log);
    }
    model_crash(m);
    m->log = fixture_open_with(m->dir, &m->options, clean, m->checkpointed, NULL);
    m->checkpointed = log_recovery_point(m->log);
    model_check(m, durable);
}

static void recovers_what_the_model_says(void **state)
{
    int runs = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 900; seed++) {
        struct model *m = mem_new(struct model);

        m->seed = seed;
        m->dir = fixture_dir(&m->arena);
        m->now_ms = 1000;
        m->options = (struct log_options){
            .segment_bytes_max = 500 + pick(m, 6000),
            .index_bytes_max = 48 + pick(m, 1000),
            .index_interval = pick(m, 700),
            .writer_expiry_ms = 1000000,
        };
        m->log = fixture_open_with(m->dir, &m->options, false, 0, NULL);
        for (int i = 0; i < 4; i++) {
            model_work(m);
            model_restart(m);
            runs++;
        }
        log_free(m->log);
        fixture_remove(m->dir);
        arena_fini(&m->arena);
        free(m);
    }
    assert_int_equal(runs, 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_directory_becomes_a_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(starts_where_the_first_file_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tidies_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_only_what_is_behind_the_recovery_point, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_valid_prefix_and_sets_the_rest_aside, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_clean_stop_is_believed_but_its_end_is_checked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_a_log_that_was_synced_is_not_given_out_again,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(segments_behind_a_torn_one_go_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_segments_take_few_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(decay_below_the_recovery_point_stays_where_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_offset_that_decayed_leads_nobody_astray, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_segment_that_overlaps_or_leaves_a_gap_does_not_follow,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_segments_behind_damage_are_removed, set_up,
                                        tear_down),
        cmocka_unit_test(recovers_what_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
