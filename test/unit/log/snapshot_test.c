#include "fixture.h"

#include "log/snapshot.h"

static void add(struct writers *w, int64_t id, int32_t sequence, int64_t last_offset,
                int64_t timestamp)
{
    struct writer_batch batch = {
        .last_offset = last_offset, .timestamp = timestamp, .sequence = sequence};

    writers_add(w, id, &batch);
}

static struct bytes format(const struct writers *w, struct arena *arena)
{
    struct json_writer json;

    json_writer_init(&json, arena);
    snapshot_format(w, &json);
    return json_writer_text(&json);
}

static void writes_what_the_reference_writes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(writers_fini) struct writers w;
    struct bytes text;

    (void)state;
    writers_init(&w);
    text = format(&w, &arena);
    assert_true(
        bytes_equal_str(text, "{\"version\":1,\"writer_id_entries\":[],\"checksum\":2076543774}"));
    add(&w, 10, 19, 38, 1700000039000);
    writers_begin(&w);
    (void)writers_check(&w, 11, 0, NULL); /* no batch yet: not listed */
    text = format(&w, &arena);
    assert_true(bytes_equal_str(
        text, "{\"version\":1,\"writer_id_entries\":[{\"writer_id\":10,"
              "\"last_batch_sequence\":19,\"last_batch_base_offset\":38,\"offset_delta\":0,"
              "\"last_batch_timestamp\":1700000039000}],\"checksum\":1279748188}"));
}

/* Nor in the names of members: without its checksum a document could be one of the reference. */
static void no_flipped_bit_is_believed(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(writers_fini) struct writers w;
    struct bytes text;
    uint8_t *bytes;

    (void)state;
    writers_init(&w);
    add(&w, 10, 19, 38, 1700000039000);
    add(&w, 10, 20, 39, 1700000039000);
    text = format(&w, &arena);
    bytes = (uint8_t *)arena_alloc(&arena, text.len);
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        OWNED(writers_fini) struct writers back;
        struct error e;

        writers_init(&back);
        memcpy(bytes, text.data, text.len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(snapshot_parse(bytes_of(bytes, text.len), 100, &back, &e),
                         ERR_CORRUPT_FILE);
    }
}

/* The reference's have no checksum. */
static void reads_what_the_reference_writes(void **state)
{
    OWNED(writers_fini) struct writers back;
    struct error e;

    (void)state;
    writers_init(&back);
    OK(snapshot_parse(
        bytes_str("{\"version\":1,\"writer_id_entries\":[{\"writer_id\":10,"
                  "\"last_batch_sequence\":19,\"last_batch_base_offset\":38,\"offset_delta\":0,"
                  "\"last_batch_timestamp\":1700000039000}]}"),
        100, &back, &e));
    assert_int_equal(writers_last_sequence(&back, 10), 19);
}

static void keeps_all_batches_of_a_writer(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(writers_fini) struct writers w;
    OWNED(writers_fini) struct writers back;
    struct writer_batch before = {0};
    struct error e;

    (void)state;
    writers_init(&w);
    writers_init(&back);
    for (int32_t i = 0; i < 8; i++) {
        add(&w, 5, i, 10 * i, 100 + i);
        add(&w, INT64_MIN, i, 10 * i + 1, 100 + i);
    }
    add(&w, 6, 0, 77, 200);
    OK(snapshot_parse(format(&w, &arena), 78, &back, &e));
    for (int32_t i = 3; i < 8; i++) {
        writers_begin(&back);
        assert_int_equal(writers_check(&back, 5, i, &before), WRITER_DUPLICATE);
        assert_int_equal(before.last_offset, 10 * i);
        assert_int_equal(before.timestamp, 100 + i);
        assert_int_equal(writers_check(&back, INT64_MIN, i, NULL), WRITER_DUPLICATE);
    }
    assert_int_equal(writers_last_sequence(&back, 6), 0);
    assert_int_equal(writers_count(&back), 3);
}

static void refuses_what_is_no_snapshot(void **state)
{
#define ENTRY(id, seq, off, delta)                                                                 \
    "{\"version\":1,\"writer_id_entries\":[{\"writer_id\":" id ",\"last_batch_sequence\":" seq     \
    ",\"last_batch_base_offset\":" off ",\"offset_delta\":" delta ",\"last_batch_timestamp\":1}]}"
    static const char *const bad[] = {
        "",
        "{\"version\":1,\"writer_id_entries\":[",
        "{\"version\":2,\"writer_id_entries\":[]}",
        "{\"version\":1}",
        "{\"version\":1,\"writer_id_entries\":[{}]}",
        "{\"version\":1,\"writer_id_entries\":[],\"earlier_batches\":7}",
        ENTRY("1", "0", "100", "0"), /* not below the snapshot's offset */
        ENTRY("1", "0", "5", "6"),   /* would begin below 0 */
        ENTRY("1", "0", "5", "-1"),
        ENTRY("1", "-1", "5", "0"),
        ENTRY("-1", "0", "5", "0"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        OWNED(writers_fini) struct writers w;
        struct error e;

        writers_init(&w);
        assert_int_equal(snapshot_parse(bytes_str(bad[i]), 100, &w, &e), ERR_CORRUPT_FILE);
    }
}

static void reads_files_back(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(writers_fini) struct writers w;
    OWNED(writers_fini) struct writers back;
    char *dir = fixture_dir(&arena);
    struct file *file = NULL;
    bool valid = true;
    struct error e;

    (void)state;
    writers_init(&w);
    writers_init(&back);
    OK(snapshot_read(dir, 9, &back, &valid, &e));
    assert_false(valid);
    add(&w, 1, 4, 8, 3);
    OK(snapshot_write(dir, 9, &w, &file, &e));
    file = file_unref(file);
    OK(snapshot_read(dir, 9, &back, &valid, &e));
    assert_true(valid);
    assert_int_equal(writers_last_sequence(&back, 1), 4);
    add(&w, 1, 5, 9, 3);
    OK(snapshot_replace(dir, 10, &w, &e));
    writers_fini(&back);
    writers_init(&back);
    OK(snapshot_read(dir, 10, &back, &valid, &e));
    assert_true(valid);
    assert_int_equal(writers_last_sequence(&back, 1), 5);

    fixture_truncate(dir, 10, LOG_FILE_WRITER_SNAPSHOT, 100);
    OK(snapshot_read(dir, 10, &back, &valid, &e));
    assert_false(valid);
    assert_int_equal(writers_count(&back), 0);
    assert_int_equal(snapshot_write("/nowhere", 10, &w, &file, &e), ERR_LOG_STORAGE);
    fixture_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_reference_writes),
        cmocka_unit_test(no_flipped_bit_is_believed),
        cmocka_unit_test(reads_what_the_reference_writes),
        cmocka_unit_test(keeps_all_batches_of_a_writer),
        cmocka_unit_test(refuses_what_is_no_snapshot),
        cmocka_unit_test(reads_files_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
