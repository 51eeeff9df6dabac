#include "faults.h"
#include "fixture.h"

#include "../../support/vectors.h"
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
    memset(&faults, 0, sizeof faults);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    memset(&faults, 0, sizeof faults);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* ---- the reference's files ---- */

/* The bytes a client would have sent: offset and time not assigned. */
static struct bytes unassigned(struct bytes batch, struct arena *arena)
{
    struct bytes copy = arena_copy(arena, batch);

    batch_assign((uint8_t *)(uintptr_t)copy.data, 0, 0);
    return copy;
}

static void append_golden(struct log *log, struct bytes data, struct arena *arena)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    struct error e;

    batch_iterator_init(&it, data);
    for (;;) {
        OK(batch_next(&it, &batch, &found, &e));
        if (!found) {
            return;
        }
        OK(fixture_append(log, unassigned(batch.data, arena), batch.header.commit_timestamp, NULL));
    }
}

static void check_golden_snapshot(json_t *expected, struct bytes text)
{
    json_t *got = json_loadb((const char *)text.data, text.len, 0, NULL);

    assert_non_null(got);
    (void)json_object_del(got, "earlier_batches"); /* ours */
    (void)json_object_del(got, "checksum");
    assert_true(json_equal(got, expected));
    json_decref(got);
}

static void writes_the_files_of_the_reference(void **state)
{
    struct fixture *f = *state;
    OWNED(vectors_freep) json_t *document = vectors_load("segment_files.json");
    json_t *files = vectors_get(vectors_case(document, 0), "files");
    struct log_options options = fixture_options;
    struct log *log;
    struct error e;
    const char *name;
    json_t *value;

    options.index_interval = 4096;
    log = fixture_open_with(f->dir, &options, false, 0, NULL);
    append_golden(log,
                  vectors_hex(vectors_get(files, "00000000000000000000.log"), "hex", &f->arena),
                  &f->arena);
    OK(log_roll(log, &e));
    OK(log_close(log, &e));
    log_free(log);
    json_object_foreach(files, name, value)
    {
        struct log_name parsed = log_name_parse(name);
        struct bytes got = fixture_file(&f->arena, f->dir, parsed.offset, parsed.kind);

        if (parsed.kind == LOG_FILE_WRITER_SNAPSHOT) {
            check_golden_snapshot(value, got);
        } else if (json_object_get(value, "hex") != NULL) {
            vectors_assert_equal(name, got, vectors_hex(value, "hex", &f->arena));
        } else {
            assert_int_equal(got.len, 0); /* allocated in advance there */
        }
    }
}

/* ---- appending ---- */

static void assigns_offsets_and_times(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct bytes three = fixture_batch(&f->arena, 3, 40, 1);
    struct bytes both = fixture_concat(&f->arena, three, fixture_batch(&f->arena, 0, 0, 2));
    struct log_appended appended;
    struct bytes data;
    struct batch_header header = {0};
    struct error e;

    OK(fixture_append(log, three, 5000, &appended));
    assert_int_equal(appended.base_offset, 0);
    assert_int_equal(appended.end_offset, 3);
    assert_int_equal(appended.batches, 1);
    assert_int_equal(appended.records, 3);
    OK(fixture_append(log, both, 4000, &appended)); /* the clock went back */
    assert_int_equal(appended.base_offset, 3);
    assert_int_equal(appended.end_offset, 7); /* a batch without records takes one offset */
    assert_int_equal(appended.batches, 2);
    assert_int_equal(log_max_timestamp(log), 5000);
    data = fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA);
    assert_int_equal(data.len, 2 * three.len + 48);
    OK(batch_parse(bytes_slice(data, 2 * three.len, 48), &header, &e));
    assert_int_equal(header.base_offset, 6);
    assert_int_equal(header.commit_timestamp, 5000);
    log_free(log);
}

static void drops_a_partial_tail(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct bytes batch = fixture_batch(&f->arena, 1, 100, 1);
    struct bytes both = fixture_concat(&f->arena, batch, batch);
    struct log_appended appended;
    struct error e;

    for (size_t cut = batch.len; cut < both.len; cut += 13) {
        OK(fixture_append(log, bytes_slice(both, 0, cut), 1, &appended));
        assert_int_equal(appended.end_offset - appended.base_offset, 1);
    }
    OK(fixture_append(log, bytes_slice(both, 0, 20), 1, &appended));
    assert_int_equal(appended.base_offset, -1);
    assert_int_equal(appended.batches, 0);
    OK(fixture_append(log, BYTES_EMPTY, 1, &appended));
    assert_int_equal(appended.base_offset, -1);
    log_free(log);
}

static void rejects_damage_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct bytes batch = fixture_batch(&f->arena, 1, 100, 1);
    struct bytes both = fixture_concat(&f->arena, batch, batch);

    for (size_t at = 0; at < batch.len; at++) {
        struct bytes bad = arena_copy(&f->arena, both);
        enum errcode code;

        if ((at < 8) || (at >= 13 && at < 21)) {
            continue; /* assigned by the leader */
        }
        ((uint8_t *)(uintptr_t)bad.data)[batch.len + at] ^= 0x10;
        code = fixture_append(log, bad, 1, NULL);
        if (at >= 8 && at < 12) {
            /* a length that reaches beyond the data is a partial tail */
            assert_true(code == ERR_OK || code == ERR_CORRUPT_RECORD);
        } else {
            assert_int_equal(code, ERR_CORRUPT_RECORD);
        }
    }
    assert_true(log_end_offset(log) <= 4);
    log_free(log);
}

static struct bytes with_delta(struct arena *arena, int32_t records)
{
    struct batch_spec spec = {.append_only = true,
                              .record_count = records,
                              .batch_sequence = -1,
                              .writer_id = -1,
                              .body = bytes_str("x")};

    return batch_build(&spec, arena);
}

static void bounds_offsets(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct bytes huge = with_delta(&f->arena, INT32_MAX);
    struct log_appended appended;
    struct error e;

    OK(fixture_append(log, huge, 1, &appended));
    assert_int_equal(appended.end_offset, INT32_MAX);
    OK(fixture_append(log, huge, 1, &appended)); /* relative offsets are 31 bits: a new segment */
    assert_int_equal(log_segment_count(log), 2);
    assert_int_equal(fixture_append(log, fixture_concat(&f->arena, huge, huge), 1, NULL),
                     ERR_CORRUPT_RECORD);
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 1, 1), 1, &appended));
    assert_int_equal(appended.base_offset, 2 * (int64_t)INT32_MAX);
    log_free(log);
    log = fixture_open(f->dir);
    assert_int_equal(log_end_offset(log), 2 * (int64_t)INT32_MAX + 1);
    log_free(log);
}

static void answers_duplicates(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct log_appended appended;
    uint64_t size;
    struct error e;

    for (int32_t i = 0; i < 7; i++) {
        OK(fixture_append(log, fixture_writer_batch(&f->arena, 9, i, 10), 100, &appended));
        assert_int_equal(appended.base_offset, i);
    }
    size = log_size_bytes(log);
    for (int32_t i = 2; i < 7; i++) {
        OK(fixture_append(log, fixture_writer_batch(&f->arena, 9, i, 10), 200, &appended));
        assert_true(appended.duplicate);
        assert_int_equal(appended.base_offset, i);
        assert_int_equal(appended.end_offset, i + 1);
    }
    assert_int_equal(fixture_append(log, fixture_writer_batch(&f->arena, 9, 1, 10), 200, NULL),
                     ERR_OUT_OF_ORDER_SEQUENCE);
    assert_int_equal(fixture_append(log, fixture_writer_batch(&f->arena, 9, 8, 10), 200, NULL),
                     ERR_OUT_OF_ORDER_SEQUENCE);
    /* a duplicate among several batches: the whole append is that duplicate */
    OK(fixture_append(log,
                      fixture_concat(&f->arena, fixture_writer_batch(&f->arena, 8, 0, 10),
                                     fixture_writer_batch(&f->arena, 9, 6, 10)),
                      200, &appended));
    assert_true(appended.duplicate);
    assert_int_equal(appended.base_offset, 6);
    OK(fixture_append(log,
                      fixture_concat(&f->arena, fixture_writer_batch(&f->arena, 8, 0, 10),
                                     fixture_writer_batch(&f->arena, 8, 1, 10)),
                      200, &appended));
    assert_false(appended.duplicate);
    assert_int_equal(log_size_bytes(log), size + 2 * fixture_writer_batch(&f->arena, 8, 0, 10).len);
    log_expire_writers(log, 200 + fixture_options.writer_expiry_ms);
    OK(fixture_append(log, fixture_writer_batch(&f->arena, 8, 2, 10), 300, &appended));
    assert_int_equal(fixture_append(log, fixture_writer_batch(&f->arena, 9, 7, 10), 300, NULL),
                     ERR_OUT_OF_ORDER_SEQUENCE);
    log_free(log);
}

/* ---- rolling ---- */

static void rolls_when_full(void **state)
{
    struct fixture *f = *state;
    struct log_options options = fixture_options;
    struct bytes batch = fixture_batch(&f->arena, 1, 300, 1);
    struct log *log;
    struct error e;

    options.segment_bytes_max = 3 * batch.len;
    log = fixture_open_with(f->dir, &options, false, 0, NULL);
    for (int i = 0; i < 10; i++) {
        OK(fixture_append(log, batch, 1, NULL));
    }
    assert_int_equal(log_segment_count(log), 4);
    for (int64_t base = 0; base <= 9; base += 3) {
        assert_true(fixture_exists(f->dir, base, LOG_FILE_DATA));
        assert_int_equal(fixture_exists(f->dir, base, LOG_FILE_WRITER_SNAPSHOT), base > 0);
    }
    /* larger than a segment: one of its own */
    OK(fixture_append(log, fixture_batch(&f->arena, 1, 5000, 1), 1, NULL));
    assert_int_equal(log_segment_count(log), 5);
    log_free(log);

    options = fixture_options;
    options.index_bytes_max = 5 * 8;
    log = fixture_open_with(f->dir, &options, false, 0, NULL);
    for (int i = 0; i < 40; i++) {
        OK(fixture_append(log, batch, i, NULL));
    }
    assert_true(log_segment_count(log) > 10);
    log_free(log);
}

/* ---- failures ---- */

static void goes_on_after_a_full_disk(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct bytes batch = fixture_writer_batch(&f->arena, 4, 0, 500);
    struct log_appended appended;
    uint64_t before;
    struct error e;

    OK(fixture_append(log, fixture_batch(&f->arena, 1, 100, 1), 1, NULL));
    before = log_size_bytes(log);
    for (size_t torn = 0; torn < batch.len; torn += 99) {
        faults.write_errno = ENOSPC;
        faults.write_torn = torn;
        assert_int_equal(fixture_append(log, batch, 1, NULL), ERR_DISK_FULL);
        faults.write_errno = 0;
        assert_int_equal(log_failed(log), ERR_OK);
        assert_int_equal(log_end_offset(log), 1);
        assert_int_equal(fixture_file(&f->arena, f->dir, 0, LOG_FILE_DATA).len, before);
    }
    OK(fixture_append(log, batch, 1, &appended)); /* sequence 0 was never accepted before */
    assert_int_equal(appended.base_offset, 1);
    assert_false(appended.duplicate);
    log_free(log);
}

static void a_full_disk_delays_a_roll(void **state)
{
    struct fixture *f = *state;
    struct log_options options = fixture_options;
    struct bytes batch = fixture_batch(&f->arena, 1, 1000, 1);
    struct log *log;
    struct error e;

    options.segment_bytes_max = 2 * batch.len;
    log = fixture_open_with(f->dir, &options, false, 0, NULL);
    OK(fixture_append(log, batch, 1, NULL));
    OK(fixture_append(log, batch, 1, NULL));
    faults.create_errno = ENOSPC;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fixture_append(log, batch, 1, NULL), ERR_DISK_FULL);
    }
    assert_int_equal(log->unsynced.count, 0);
    faults.create_errno = 0;
    /* room for the new segment, none for the snapshot and the batch */
    faults.write_errno = ENOSPC;
    assert_int_equal(fixture_append(log, batch, 1, NULL), ERR_DISK_FULL);
    faults.write_errno = 0;
    OK(fixture_append(log, batch, 1, NULL));
    assert_int_equal(log_end_offset(log), 3);
    assert_int_equal(log_segment_count(log), 2);
    OK(log_close(log, &e));
    log_free(log);
    log = fixture_open_with(f->dir, &options, true, 3, NULL);
    assert_int_equal(log_end_offset(log), 3);
    log_free(log);
}

static void refuses_writes_after_other_failures(void **state)
{
    struct fixture *f = *state;
    struct bytes batch = fixture_batch(&f->arena, 1, 1000, 1);
    struct log *log = fixture_open(f->dir);
    struct log_sync sync;
    struct error e;

    OK(fixture_append(log, batch, 1, NULL));
    faults.write_errno = EIO;
    assert_int_equal(fixture_append(log, batch, 1, NULL), ERR_LOG_STORAGE);
    faults.write_errno = 0;
    assert_int_equal(fixture_append(log, batch, 1, NULL), ERR_LOG_STORAGE);
    assert_int_equal(log_failed(log), ERR_LOG_STORAGE);
    assert_false(log_sync_begin(log, &sync));
    assert_int_equal(log_close(log, &e), ERR_LOG_STORAGE);
    assert_int_equal(fixture_read_all(log, 1 << 20, &f->arena).len, batch.len);
    log_free(log);

    log = fixture_open(f->dir); /* the file was not cut back by a disk that failed */
    faults.write_errno = ENOSPC;
    faults.write_torn = 10;
    faults.truncate_errno = EIO;
    assert_int_equal(fixture_append(log, batch, 1, NULL), ERR_LOG_STORAGE);
    memset(&faults, 0, sizeof faults);
    assert_int_equal(log_failed(log), ERR_LOG_STORAGE);
    log_free(log);
    log = fixture_open(f->dir);
    assert_int_equal(log_end_offset(log), 1);
    OK(fixture_append(log, batch, 1, NULL));
    log_free(log);
}

static void close_reports_a_failed_sync(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    struct error e;

    OK(fixture_append(log, fixture_batch(&f->arena, 1, 1000, 1), 1, NULL));
    faults.sync_errno = EIO;
    assert_int_equal(log_close(log, &e), ERR_LOG_STORAGE);
    faults.sync_errno = 0;
    assert_int_equal(log_failed(log), ERR_LOG_STORAGE);
    log_free(log);
}

static void closing_an_idle_log_costs_no_sync(void **state)
{
    struct fixture *f = *state;
    struct log *log = fixture_open(f->dir);
    unsigned before;
    struct error e;

    OK(fixture_append(log, fixture_batch(&f->arena, 1, 1000, 1), 1, NULL));
    OK(log_close(log, &e));
    log_free(log);
    log = fixture_open_with(f->dir, &fixture_options, true, 1, NULL);
    before = faults.syncs;
    OK(log_close(log, &e));
    assert_int_equal(faults.syncs, before);
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_the_files_of_the_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(assigns_offsets_and_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drops_a_partial_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rejects_damage_as_a_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_offsets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_duplicates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rolls_when_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_delays_a_roll, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_writes_after_other_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(close_reports_a_failed_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_an_idle_log_costs_no_sync, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
