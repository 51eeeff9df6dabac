#include "verify_fixture.h"

/* Overwrites one entry; both numbers are big-endian. */
static void poke_offset(struct verify_fixture *f, uint64_t number, int32_t key, int32_t value)
{
    uint8_t raw[8];

    put_i32be(raw, key);
    put_i32be(raw + 4, value);
    fixture_poke(f->dir, 0, LOG_FILE_OFFSET_INDEX, number * sizeof raw, bytes_of(raw, sizeof raw));
}

static struct index_entry entry(struct verify_fixture *f, enum index_kind kind, uint64_t number)
{
    struct bytes raw = fixture_file(
        &f->arena, f->dir, 0, kind == INDEX_OFFSET ? LOG_FILE_OFFSET_INDEX : LOG_FILE_TIME_INDEX);

    return index_entry_get(kind, raw.data + number * index_entry_size(kind));
}

static void assert_finding(struct verify_fixture *f, uint64_t position, const char *text)
{
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 1);
    assert_int_equal(f->kinds[0], LOG_FINDING_INDEX);
    assert_int_equal(f->at[0], position);
    assert_non_null(strstr(f->last, text));
}

static void offset_entries_name_batches(void **state)
{
    struct verify_fixture *f = *state;
    struct index_entry second = entry(f, INDEX_OFFSET, 1);

    poke_offset(f, 1, (int32_t)second.key, second.value + 1);
    assert_finding(f, 8, "no batch starts");
    poke_offset(f, 1, (int32_t)second.key + 1, second.value);
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 0); /* an append of two batches looks like that */
    poke_offset(f, 1, (int32_t)second.key - 1, second.value);
    assert_finding(f, 8, "no batch behind");
    poke_offset(f, 1, 0, second.value);
    assert_finding(f, 8, "does not rise");
    poke_offset(f, 1, -5, second.value);
    assert_finding(f, 8, "does not rise");
}

static void time_entries_name_the_first_batch_of_their_time(void **state)
{
    struct verify_fixture *f = *state;
    struct index_entry second = entry(f, INDEX_TIME, 1);
    uint8_t raw[12];

    put_i64be(raw, second.key + 1);
    put_i32be(raw + 8, second.value);
    fixture_poke(f->dir, 0, LOG_FILE_TIME_INDEX, 12, bytes_of(raw, sizeof raw));
    assert_finding(f, 12, "timestamp");
    put_i64be(raw, second.key);
    put_i32be(raw + 8, INT32_MAX);
    fixture_poke(f->dir, 0, LOG_FILE_TIME_INDEX, 12, bytes_of(raw, sizeof raw));
    assert_finding(f, 12, "behind the last batch");
}

static void files_end_with_an_entry_of_the_segment(void **state)
{
    struct verify_fixture *f = *state;
    struct bytes raw = fixture_file(&f->arena, f->dir, 0, LOG_FILE_OFFSET_INDEX);

    fixture_truncate(f->dir, 0, LOG_FILE_OFFSET_INDEX, raw.len - 3);
    assert_finding(f, raw.len - 8, "cut short");
    fixture_truncate(f->dir, 0, LOG_FILE_OFFSET_INDEX, raw.len - 8);
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 0);
    poke_offset(f, raw.len / 8 - 1, 5000, 500000);
    assert_finding(f, raw.len - 8, "behind the last batch");
}

static void entries_about_damage_are_not_judged(void **state)
{
    struct verify_fixture *f = *state;
    struct index_entry second = entry(f, INDEX_OFFSET, 1);

    fixture_poke(f->dir, 0, LOG_FILE_DATA, (uint64_t)second.value + 60, bytes_str("xxxx"));
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 1);
    assert_int_equal(f->kinds[0], LOG_FINDING_RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(offset_entries_name_batches, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(time_entries_name_the_first_batch_of_their_time,
                                        verify_set_up, verify_tear_down),
        cmocka_unit_test_setup_teardown(files_end_with_an_entry_of_the_segment, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(entries_about_damage_are_not_judged, verify_set_up,
                                        verify_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
