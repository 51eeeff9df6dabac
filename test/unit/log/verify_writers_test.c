#include "verify_fixture.h"

/* Replaces the snapshot that the stop has left. */
static void write_snapshot(struct verify_fixture *f, const char *text)
{
    char path[LOG_PATH_MAX];
    struct error e;

    log_path(path, f->dir, VERIFY_BATCHES, LOG_FILE_WRITER_SNAPSHOT);
    OK(file_replace(path, bytes_str(text), &e));
}

static void assert_finding(struct verify_fixture *f, const char *text)
{
    verify_run(f, true, false, 0);
    assert_int_equal(f->finding_count, 1);
    assert_int_equal(f->kinds[0], LOG_FINDING_WRITERS);
    if (strstr(f->last, text) == NULL) {
        fail_msg("found: %s", f->last);
    }
}

#define ONE(sequence, offset)                                                                      \
    "{\"version\":1,\"writer_id_entries\":[{\"writer_id\":7,\"last_batch_sequence\":" sequence     \
    ",\"last_batch_base_offset\":" offset ",\"offset_delta\":0,\"last_batch_timestamp\":199}]}"

static void snapshots_remember_batches_that_are_there(void **state)
{
    struct verify_fixture *f = *state;

    write_snapshot(f, ONE("49", "99"));
    verify_run(f, true, false, 0);
    assert_string_equal(f->last, "");
    write_snapshot(f, ONE("48", "99"));
    assert_finding(f, "sequence 48");
    write_snapshot(f, "{\"version\":1,");
    assert_finding(f, "writer_snapshot");
}

static void snapshots_agree_with_one_another(void **state)
{
    struct verify_fixture *f = *state;
    int64_t base = f->bases[1];

    /* the snapshot at the first roll remembers the batch before it in its own way */
    write_snapshot(f, arena_printf(&f->arena,
                                   "{\"version\":1,\"writer_id_entries\":[{\"writer_id\":8,"
                                   "\"last_batch_sequence\":3,\"last_batch_base_offset\":%lld,"
                                   "\"offset_delta\":0,\"last_batch_timestamp\":100}]}",
                                   (long long)(base % 2 == 0 ? base - 1 : base - 2)));
    assert_finding(f, "earlier snapshot");
}

static void batches_that_are_lost_are_not_looked_for(void **state)
{
    struct verify_fixture *f = *state;
    int64_t last = f->bases[f->segment_count - 1];

    fixture_poke(f->dir, last, LOG_FILE_DATA, f->positions[VERIFY_BATCHES - 3] + 60,
                 bytes_str("xx"));
    verify_run(f, true, false, 0);
    assert_int_equal(f->verified.findings[LOG_FINDING_WRITERS], 0);
    assert_int_equal(f->verified.findings[LOG_FINDING_RECORDS], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(snapshots_remember_batches_that_are_there, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(snapshots_agree_with_one_another, verify_set_up,
                                        verify_tear_down),
        cmocka_unit_test_setup_teardown(batches_that_are_lost_are_not_looked_for, verify_set_up,
                                        verify_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
