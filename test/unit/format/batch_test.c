#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/batch.h"

static const char *const files[] = {"log_batches_arrow.json", "log_batches_indexed.json",
                                    "log_batches_compacted.json", "log_batches_v1_v2_main.json"};

static struct batch_header parsed(struct bytes data)
{
    struct batch_header h = {0};
    struct error e;

    if (batch_parse(data, &h, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return h;
}

static void assert_header(const json_t *expected, const struct batch_header *h, size_t size)
{
    assert_int_equal(h->size, size);
    assert_int_equal(h->size, vectors_i64(expected, "length") + 12);
    assert_int_equal(h->base_offset, vectors_i64(expected, "base_offset"));
    assert_int_equal(h->magic, vectors_i64(expected, "magic"));
    assert_int_equal(h->commit_timestamp, vectors_i64(expected, "commit_timestamp"));
    assert_int_equal(h->crc, vectors_i64(expected, "crc32c"));
    assert_int_equal(h->schema_id, vectors_i64(expected, "schema_id"));
    assert_int_equal(h->attributes, vectors_i64(expected, "attributes"));
    assert_int_equal(h->last_offset_delta, vectors_i64(expected, "last_offset_delta"));
    assert_int_equal(h->writer_id, vectors_i64(expected, "writer_id"));
    assert_int_equal(h->batch_sequence, vectors_i64(expected, "batch_sequence"));
    assert_int_equal(h->record_count, vectors_i64(expected, "record_count"));
    assert_int_equal(h->leader_epoch, -1);
    assert_int_equal(h->statistics_size, json_object_get(expected, "statistics_length") == NULL
                                             ? 0
                                             : vectors_i64(expected, "statistics_length"));
}

/* A batch taken apart and built again must be the same bytes. */
static void assert_rebuilds(const char *name, const struct batch_header *h, struct bytes data,
                            struct arena *arena)
{
    struct batch_spec spec = {
        .magic = h->magic,
        .append_only = batch_append_only(h),
        .schema_id = h->schema_id,
        .leader_epoch = -1,
        .record_count = h->record_count,
        .batch_sequence = h->batch_sequence,
        .writer_id = h->writer_id,
        .statistics = batch_statistics(h, data),
        .body = batch_body(h, data),
    };

    vectors_assert_equal(name, batch_build(&spec, arena), data);
}

static void reads_and_rebuilds_golden_batches(void **state)
{
    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        OWNED(vectors_freep) json_t *document = vectors_load(files[f]);

        VECTORS_FOR_EACH(one, document)
        {
            OWNED(arena_fini) struct arena arena = ARENA_INIT;
            struct bytes data = vectors_hex(one, "hex", &arena);
            struct batch_header h = parsed(data);
            struct error e;

            assert_header(vectors_get(one, "header"), &h, data.len);
            assert_int_equal(batch_check_crc(&h, data, &e), ERR_OK);
            assert_int_equal(batch_header_only(&h),
                             json_array_size(vectors_get(one, "records")) == 0);
            assert_rebuilds(vectors_text(one, "name"), &h, data, &arena);
        }
    }
}

static struct batch_spec small_spec(void)
{
    return (struct batch_spec){.magic = 0,
                               .append_only = true,
                               .schema_id = 1,
                               .record_count = 3,
                               .writer_id = BATCH_NO_WRITER_ID,
                               .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                               .body = bytes_str("some bytes")};
}

static void assigning_offsets_keeps_the_checksum(void **state)
{
    for (uint8_t magic = 0; magic <= BATCH_MAGIC_MAX; magic++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct batch_spec spec = small_spec();
        struct bytes data;
        struct batch_header h;
        struct error e;

        (void)state;
        spec.magic = magic;
        spec.leader_epoch = 17;
        data = batch_build(&spec, &arena);
        batch_assign((uint8_t *)(uintptr_t)data.data, 4711, 1700000000000);
        h = parsed(data);
        assert_int_equal(h.base_offset, 4711);
        assert_int_equal(h.commit_timestamp, 1700000000000);
        assert_int_equal(h.leader_epoch, magic == 2 ? 17 : -1);
        assert_int_equal(batch_next_offset(&h), 4714);
        assert_int_equal(batch_check_crc(&h, data, &e), ERR_OK);
    }
}

static void a_flipped_bit_behind_the_checksum_is_found(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = small_spec();
    struct bytes data = batch_build(&spec, &arena);
    struct error e;

    (void)state;
    for (size_t at = 25; at < data.len; at++) {
        uint8_t *copy = (uint8_t *)(uintptr_t)arena_copy(&arena, data).data;
        struct batch_header h;

        copy[at] ^= 0x10;
        if (batch_parse(bytes_of(copy, data.len), &h, &e) == ERR_OK) {
            assert_int_equal(batch_check_crc(&h, bytes_of(copy, data.len), &e), ERR_CORRUPT_RECORD);
        }
    }
}

static void an_empty_batch_takes_one_offset(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = {.schema_id = 1, .writer_id = 9, .batch_sequence = 4};
    struct bytes data = batch_build(&spec, &arena);
    struct batch_header h = parsed(data);

    (void)state;
    assert_int_equal(data.len, 48);
    assert_true(batch_header_only(&h));
    assert_int_equal(batch_next_offset(&h), 1);
    h.base_offset = INT64_MAX;
    assert_int_equal(batch_next_offset(&h), INT64_MAX);
}

struct bad {
    size_t at;
    int32_t value;
    size_t len; /* bytes given to the parser */
    const char *message;
};

static void refuses_damaged_headers(void **state)
{
    static const struct bad table[] = {
        {8, 98, 11, "record batch cut short: 11 bytes"},
        {8, 98, 47, "record batch header cut short: 47 bytes"},
        {8, 35, 56, "record batch of 47 bytes; expected 48 to 2147483647"},
        {8, -1, 56, "record batch of 11 bytes; expected 48 to 2147483647"},
        {8, INT32_MIN, 56, "record batch of -2147483636 bytes; expected 48 to 2147483647"},
        {8, INT32_MAX, 56, "record batch of 2147483659 bytes; expected 48 to 2147483647"},
        {8, 37, 56, "record batch of 49 bytes is shorter than the header of magic 1"},
        {12, 3, 56, "record batch of unknown magic 3"},
        {12, 255, 56, "record batch of unknown magic 255"},
        {48, -1, 56, "statistics of -1 bytes in a record batch of 62"},
        {48, 11, 56, "statistics of 11 bytes in a record batch of 62"},
        {44, -5, 56, "record batch with record count -5, last offset delta 2"},
        {28, -2, 56, "record batch with record count 3, last offset delta -2"},
        {13, 0, 51, "record batch header cut short: 51 bytes"},
    };
    struct batch_spec spec = small_spec();

    (void)state;
    spec.magic = 1;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct bytes data = batch_build(&spec, &arena);
        uint8_t *p = (uint8_t *)(uintptr_t)data.data;
        struct batch_header h;
        struct error e;

        if (table[i].at == 12) {
            p[12] = (uint8_t)table[i].value;
        } else {
            put_i32le(p + table[i].at, table[i].value);
        }
        assert_int_equal(batch_parse(bytes_of(p, table[i].len), &h, &e), ERR_CORRUPT_RECORD);
        assert_string_equal(e.message, table[i].message);
    }
}

/* Three batches, cut at every byte: the walk gives the whole ones and keeps the tail. */
static void iteration_drops_a_partial_tail(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = small_spec();
    struct bytes one = batch_build(&spec, &arena);
    uint8_t all[3 * 58];

    (void)state;
    assert_int_equal(one.len * 3, sizeof all);
    for (size_t i = 0; i < 3; i++) {
        memcpy(all + i * one.len, one.data, one.len);
    }
    for (size_t len = 0; len <= sizeof all; len++) {
        struct batch_iterator it;
        struct batch batch;
        struct error e;
        bool found = true;
        size_t count = 0;

        batch_iterator_init(&it, bytes_of(all, len));
        while (assert_int_equal(batch_next(&it, &batch, &found, &e), ERR_OK), found) {
            assert_int_equal(batch.position, count * one.len);
            assert_int_equal(batch.data.len, one.len);
            count++;
        }
        assert_int_equal(count, len / one.len);
        assert_int_equal(it.position, count * one.len);
        assert_int_equal(it.rest.len, len - it.position);
    }
}

static void iteration_stops_at_damage(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = small_spec();
    struct bytes one = batch_build(&spec, &arena);
    uint8_t all[2 * 58];
    struct batch_iterator it;
    struct batch batch;
    struct error e;
    bool found = false;

    (void)state;
    memcpy(all, one.data, one.len);
    memset(all + one.len, 0, one.len);
    batch_iterator_init(&it, bytes_of(all, sizeof all));
    assert_int_equal(batch_next(&it, &batch, &found, &e), ERR_OK);
    assert_true(found);
    assert_int_equal(batch_next(&it, &batch, &found, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message,
                        "at byte 58: record batch of 12 bytes; expected 48 to 2147483647");
    assert_int_equal(it.position, one.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_rebuilds_golden_batches),
        cmocka_unit_test(assigning_offsets_keeps_the_checksum),
        cmocka_unit_test(a_flipped_bit_behind_the_checksum_is_found),
        cmocka_unit_test(an_empty_batch_takes_one_offset),
        cmocka_unit_test(refuses_damaged_headers),
        cmocka_unit_test(iteration_drops_a_partial_tail),
        cmocka_unit_test(iteration_stops_at_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
