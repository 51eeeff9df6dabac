#include "../../support/unit.h"
#include "cmd/bench_kv.h"
#include "format/row.h"
#include "format/value_batch.h"

static struct bench_kv *new_kv(int64_t keys, int32_t prefix_rows, const char *property)
{
    struct bench_options options = {.buckets = 1, .keys = keys, .prefix_rows = prefix_rows};
    struct bench_kv *kv = NULL;

    if (property != NULL) {
        options.properties[options.property_count++] = property;
    }
    assert_int_equal(bench_kv_new(&options, &kv, NULL), ERR_OK);
    return kv;
}

static struct bytes row_of(const struct bench_kv *kv, int64_t number, uint32_t version,
                           struct arena *arena)
{
    struct bytes row = BYTES_EMPTY;

    assert_int_equal(
        bench_kv_row(kv, (struct bench_kv_version){number, version}, arena, &row, NULL), ERR_OK);
    return row;
}

static struct bytes value_of(struct bytes row, struct arena *arena)
{
    uint8_t *value = arena_alloc(arena, VALUE_HEADER_SIZE + row.len);

    put_i16le(value, 1);
    memcpy(value + VALUE_HEADER_SIZE, row.data, row.len);
    return bytes_of(value, VALUE_HEADER_SIZE + row.len);
}

static void test_every_number_comes_once(void **state)
{
    static const int64_t counts[] = {1, 2, 1000, 65536, 99991};

    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
        OWNED(mem_freep) uint8_t *seen = mem_zalloc((size_t)counts[c]);

        for (int64_t i = 0; i < counts[c]; i++) {
            int64_t number = bench_kv_shuffled(counts[c], i);

            assert_true(number >= 0 && number < counts[c]);
            assert_int_equal(seen[number]++, 0);
        }
    }
    assert_in_range(bench_kv_shuffled(BENCH_KEYS_MAX, BENCH_KEYS_MAX - 1), 0, BENCH_KEYS_MAX - 1);
}

/* Keys are COMPACTED: a varint, and another one for the item. */
static void test_keys(void **state)
{
    OWNED(bench_kv_freep) struct bench_kv *plain = new_kv(1000, 0, NULL);
    OWNED(bench_kv_freep) struct bench_kv *prefixed = new_kv(1000, 10, NULL);
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct bytes key;

    (void)state;
    assert_int_equal(bench_kv_ids(plain), 1000);
    assert_int_equal(bench_kv_ids(prefixed), 100);
    assert_int_equal(bench_kv_key(plain, 300, &a, &key, NULL), ERR_OK);
    assert_true(bytes_equal(key, bytes_of("\xac\x02", 2)));
    assert_int_equal(bench_kv_key(prefixed, 307, &a, &key, NULL), ERR_OK);
    assert_true(bytes_equal(key, bytes_of("\x1e\x07", 2)));
    assert_int_equal(bench_kv_prefix(prefixed, 30, &a, &key, NULL), ERR_OK);
    assert_true(bytes_equal(key, bytes_of("\x1e", 1)));
}

static void test_rows_of_an_id_share_a_bucket(void **state)
{
    OWNED(bench_kv_freep) struct bench_kv *kv = new_kv(1000, 10, NULL);
    bool seen[4] = {false};

    (void)state;
    for (int64_t number = 0; number < 1000; number++) {
        int32_t first, bucket;

        assert_int_equal(bench_kv_bucket(kv, number / 10 * 10, 4, &first, NULL), ERR_OK);
        assert_int_equal(bench_kv_bucket(kv, number, 4, &bucket, NULL), ERR_OK);
        assert_int_equal(bucket, first);
        assert_in_range(bucket, 0, 3);
        seen[bucket] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
}

/* 16 + 16 + 40 bytes of texts, 8 of the price; the rest are varints. */
static void test_versions_differ(void **state)
{
    OWNED(bench_kv_freep) struct bench_kv *kv = new_kv(1000, 10, NULL);
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct bytes first = row_of(kv, 123, 0, &a);
    struct bytes second = row_of(kv, 123, 1, &a);

    (void)state;
    assert_in_range(first.len, 80, 100);
    assert_false(bytes_equal(first, second));
    assert_true(bytes_equal(first, row_of(kv, 123, 0, &a)));
    assert_int_equal(bench_kv_check(kv, 123, value_of(first, &a), NULL), ERR_OK);
    assert_int_equal(bench_kv_check(kv, 123, value_of(second, &a), NULL), ERR_OK);
    first = row_of(kv, 999, BENCH_KV_VERSIONS_MAX - 1, &a);
    assert_int_equal(bench_kv_check(kv, 999, value_of(first, &a), NULL), ERR_OK);
}

static void test_wrong_values_are_found(void **state)
{
    OWNED(bench_kv_freep) struct bench_kv *kv = new_kv(1000, 0, NULL);
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct bytes value = value_of(row_of(kv, 5, 0, &a), &a);
    struct error e;

    (void)state;
    assert_int_equal(bench_kv_check(kv, 6, value, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "the value of row 6 is not what was upserted");
    assert_int_equal(bench_kv_check(kv, 5, bytes_slice(value, 0, value.len - 1), &e),
                     ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "the value of row 5 is no row");
    assert_int_equal(bench_kv_check(kv, 5, bytes_slice(value, 0, 1), NULL), ERR_CORRUPT_RECORD);
}

static void test_properties(void **state)
{
    OWNED(bench_kv_freep) struct bench_kv *compacted = new_kv(10, 0, NULL);
    OWNED(bench_kv_freep) struct bench_kv *indexed = new_kv(10, 0, "table.kv.format=indexed");
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct bench_options options = {.buckets = 1, .properties = {"=x"}, .property_count = 1};
    struct bench_kv *none = NULL;

    (void)state;
    assert_true(row_of(indexed, 1, 0, &a).len > row_of(compacted, 1, 0, &a).len);
    assert_non_null(strstr((const char *)bench_kv_descriptor(indexed).data, "indexed"));
    assert_int_equal(bench_kv_new(&options, &none, NULL), ERR_INVALID_ARGUMENT);
    options.properties[0] = "table.kv.format=square";
    assert_int_equal(bench_kv_new(&options, &none, NULL), ERR_INVALID_ARGUMENT);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_comes_once),      cmocka_unit_test(test_keys),
        cmocka_unit_test(test_rows_of_an_id_share_a_bucket), cmocka_unit_test(test_versions_differ),
        cmocka_unit_test(test_wrong_values_are_found),       cmocka_unit_test(test_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
