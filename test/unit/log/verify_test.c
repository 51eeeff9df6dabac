#include "verify_fixture.h"

static uint64_t at(const struct verify_fixture *f, int64_t batch) { return f->positions[batch]; }

static void a_log_without_damage_has_no_findings(void **state)
{
    struct verify_fixture *f = *state;

    verify_run(f, true, false, VERIFY_BATCHES);
    assert_string_equal(f->last, "");
    assert_int_equal(f->finding_count, 0);
    assert_int_equal(f->verified.segments, f->segment_count);
    assert_true(f->segment_count > 2);
    assert_int_equal(f->verified.batches, VERIFY_BATCHES);
    assert_int_equal(f->verified.records, VERIFY_BATCHES);
    assert_int_equal(f->verified.start_offset, 0);
    assert_int_equal(f->verified.end_offset, VERIFY_BATCHES);
    assert_int_equal(f->verified.lost_offsets, 0);
    assert_true(f->verified.bytes > VERIFY_BATCHES * 200);
    verify_run(f, false, false, 0);
    assert_int_equal(f->finding_count, 0);
}

static void a_missing_directory_is_an_empty_log(void **state)
{
    struct verify_fixture *f = *state;

    f->dir = arena_printf(&f->arena, "%s/none", f->dir);
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 0);
    assert_int_equal(f->verified.segments, 0);
    f->dir[strlen(f->dir) - 5] = '\0';
}

static void a_damaged_batch_is_one_finding(void **state)
{
    struct verify_fixture *f = *state;
    static const uint64_t places[] = {0, 7, 8, 12, 21, 25, 30, 48, 100};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        uint64_t position = at(f, 5) + places[i];
        struct bytes before = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
        uint8_t flipped = before.data[position] ^ 4;

        fixture_poke(f->dir, 0, LOG_FILE_DATA, position, bytes_of(&flipped, 1));
        verify_run(f, true, false, 0);
        assert_int_equal(f->finding_count, 1);
        assert_int_equal(f->kinds[0], LOG_FINDING_RECORDS);
        assert_int_equal(f->at[0], at(f, 5));
        assert_int_equal(f->verified.lost_offsets, 1);
        assert_int_equal(f->verified.batches, VERIFY_BATCHES - 1);
        assert_int_equal(f->verified.end_offset, VERIFY_BATCHES);
        fixture_poke(f->dir, 0, LOG_FILE_DATA, position, bytes_of(before.data + position, 1));
    }
}

static void timestamps_do_not_fall(void **state)
{
    struct verify_fixture *f = *state;
    uint8_t time[8];

    put_i64le(time, 90);
    fixture_poke(f->dir, 0, LOG_FILE_DATA, at(f, 6) + 13, bytes_of(time, sizeof time));
    verify_run(f, true, false, 0);
    assert_true(f->finding_count >= 1);
    assert_int_equal(f->kinds[0], LOG_FINDING_RECORDS);
    assert_int_equal(f->at[0], at(f, 6));
    put_i64le(time, INT64_MAX);
    fixture_poke(f->dir, 0, LOG_FILE_DATA, at(f, 6) + 13, bytes_of(time, sizeof time));
    verify_run(f, true, false, 0);
    assert_int_equal(f->at[0], at(f, 6));
    assert_int_equal(f->verified.batches, VERIFY_BATCHES);
}

static void what_a_crash_leaves_is_called_a_tail(void **state)
{
    struct verify_fixture *f = *state;
    int64_t last = f->bases[f->segment_count - 1];

    fixture_poke(f->dir, last, LOG_FILE_DATA, at(f, VERIFY_BATCHES - 1) + 100, bytes_str("xx"));
    verify_run(f, false, false, VERIFY_BATCHES - 5);
    assert_int_equal(f->finding_count, 1);
    assert_int_equal(f->kinds[0], LOG_FINDING_TAIL);
    verify_run(f, false, false, VERIFY_BATCHES);
    assert_int_equal(f->kinds[0], LOG_FINDING_RECORDS);
}

static void a_log_that_has_become_shorter_is_damaged(void **state)
{
    struct verify_fixture *f = *state;
    int64_t last = f->bases[f->segment_count - 1];

    fixture_truncate(f->dir, last, LOG_FILE_DATA, at(f, VERIFY_BATCHES - 1));
    verify_run(f, true, false, 0); /* the snapshot of the stop says how long it was */
    assert_true(f->verified.findings[LOG_FINDING_RECORDS] == 1);
    assert_int_equal(f->verified.lost_offsets, 1);
    verify_run(f, false, false, VERIFY_BATCHES);
    assert_true(f->verified.findings[LOG_FINDING_RECORDS] == 1);
    /* a segment in the middle */
    fixture_truncate(f->dir, f->bases[1], LOG_FILE_DATA, 0);
    verify_run(f, true, false, 0);
    assert_true(f->verified.findings[LOG_FINDING_RECORDS] == 2);
    assert_int_equal(f->verified.lost_offsets, 1 + f->bases[2] - f->bases[1]);
}

static void payloads_are_shown_and_may_be_refused(void **state)
{
    struct verify_fixture *f = *state;

    f->refuse = true;
    fixture_truncate(f->dir, f->bases[f->segment_count - 1], LOG_FILE_DATA, 0);
    verify_run(f, false, false, 0);
    f->refuse = false;
    assert_true(f->verified.findings[LOG_FINDING_RECORDS] > 50);
}

static void aside_files_are_mentioned(void **state)
{
    struct verify_fixture *f = *state;
    struct error e;

    OK(file_replace(arena_printf(&f->arena, "%s/00000000000000000000.log.99.aside", f->dir),
                    bytes_str("x"), &e));
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 1);
    assert_int_equal(f->kinds[0], LOG_FINDING_ASIDE);
}

static void a_repair_rebuilds_indexes_and_nothing_else(void **state)
{
    struct verify_fixture *f = *state;
    struct bytes index = fixture_file(&f->arena, f->dir, 0, LOG_FILE_OFFSET_INDEX);
    struct bytes times = fixture_file(&f->arena, f->dir, 0, LOG_FILE_TIME_INDEX);
    struct bytes data = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    char path[LOG_PATH_MAX];
    struct error e;

    assert_true(index.len >= 16);
    fixture_poke(f->dir, 0, LOG_FILE_OFFSET_INDEX, 6, bytes_str("x"));
    log_path(path, f->dir, 0, LOG_FILE_TIME_INDEX);
    OK(path_remove(path, &e));
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 2);
    assert_int_equal(f->verified.findings[LOG_FINDING_INDEX], 2);
    assert_int_equal(f->verified.repaired, 0);
    verify_run(f, true, true, 0);
    assert_int_equal(f->verified.repaired, 2);
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 0);
    assert_true(bytes_equal(fixture_file(&f->arena, f->dir, 0, LOG_FILE_OFFSET_INDEX), index));
    assert_true(bytes_equal(fixture_file(&f->arena, f->dir, 0, LOG_FILE_TIME_INDEX), times));
    assert_true(bytes_equal(fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA), data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_without_damage_has_no_findings, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(a_missing_directory_is_an_empty_log, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_batch_is_one_finding, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(timestamps_do_not_fall, verify_set_up, verify_tear_down),
        cmocka_unit_test_setup_teardown(what_a_crash_leaves_is_called_a_tail, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_has_become_shorter_is_damaged, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(payloads_are_shown_and_may_be_refused, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(aside_files_are_mentioned, verify_set_up, verify_tear_down),
        cmocka_unit_test_setup_teardown(a_repair_rebuilds_indexes_and_nothing_else, verify_set_up,
                                        verify_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
