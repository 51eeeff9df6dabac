#include <stdio.h>

#include "../../support/sql_store.h"
#include "io/pool.h"
#include "sql/column_cache.h"

#define ROWS 1000u

static const struct type bigint = {.root = TYPE_BIGINT};

static struct column_key key_of(int64_t table, int64_t offset)
{
    return (struct column_key){.bucket = {.table_id = table, .partition_id = -1, .bucket = 1},
                               .base_offset = offset,
                               .size = 100,
                               .crc = 7,
                               .position = 2};
}

/* A column of ROWS numbers, all of them `value`. */
static void put(struct column_cache *c, struct column_key key, int64_t value, uint64_t scan)
{
    uint8_t data[ROWS * 8] = {0};
    const struct arrow_read_node node = {.kind = ARROW_BUILD_FIXED,
                                         .width = 8,
                                         .span = 1,
                                         .length = ROWS,
                                         .data = bytes_of(data, sizeof data)};

    for (size_t i = 0; i < ROWS; i++) {
        put_i64le(data + i * 8, value);
    }
    column_cache_put(c, &key, &bigint, &node, scan);
}

/* The number in the column; -1: it is not there. */
static int64_t look(struct column_cache *c, struct column_key key, uint64_t scan)
{
    struct cached_column *column = column_cache_get(c, &key, scan);
    int64_t value = -1;

    if (column != NULL) {
        const struct arrow_read_node *n = cached_column_nodes(column);

        assert_int_equal(n->length, ROWS);
        assert_int_equal(n->data.len, ROWS * 8);
        value = get_i64le(n->data.data);
        assert_int_equal(get_i64le(n->data.data + n->data.len - 8), value);
    }
    (void)cached_column_unref(column);
    return value;
}

static void all_of_the_key_counts(void **state)
{
    struct column_cache *c = column_cache_new(1 << 20);
    struct column_key key = key_of(1, 10);
    struct column_key other = key;

    (void)state;
    put(c, key, 5, 1);
    assert_int_equal(look(c, key, 1), 5);
    other.bucket.table_id++;
    assert_int_equal(look(c, other, 1), -1);
    other = key;
    other.bucket.partition_id = 4;
    assert_int_equal(look(c, other, 1), -1);
    other = key;
    other.bucket.bucket++;
    assert_int_equal(look(c, other, 1), -1);
    other = key;
    other.base_offset++;
    assert_int_equal(look(c, other, 1), -1);
    other = key;
    other.size++;
    assert_int_equal(look(c, other, 1), -1);
    other = key;
    other.crc++;
    assert_int_equal(look(c, other, 1), -1);
    other = key;
    other.position++;
    assert_int_equal(look(c, other, 1), -1);
    put(c, key, 6, 1); /* by another scan at the same time */
    assert_int_equal(look(c, key, 1), 6);
    column_cache_free(c);
    column_cache_free(NULL);
}

static void room_for_three(void **state)
{
    const uint64_t later = 2 + COLUMN_CACHE_SCANS;
    struct column_cache *c = column_cache_new(3 * (ROWS * 8 + 1000));

    (void)state;
    for (int64_t i = 0; i < 5; i++) {
        put(c, key_of(1, i), i, 1);
    }
    put(c, key_of(1, 5), 5, later - 1);
    for (int64_t i = 0; i < 6; i++) { /* what came first stays */
        assert_int_equal(look(c, key_of(1, i), 1), i < 3 ? i : -1);
    }
    assert_int_equal(look(c, key_of(1, 0), 2), 0);
    put(c, key_of(1, 5), 5, later); /* until it was not used for long */
    put(c, key_of(1, 6), 6, later);
    put(c, key_of(1, 7), 7, later);
    assert_int_equal(look(c, key_of(1, 0), later), 0);
    assert_int_equal(look(c, key_of(1, 5), later), 5);
    assert_int_equal(look(c, key_of(1, 6), later), 6);
    assert_int_equal(look(c, key_of(1, 7), later), -1);
    assert_true(column_cache_bytes(c) <= 3 * (ROWS * 8 + 1000));
    column_cache_free(c);
    c = column_cache_new(ROWS * 8);
    put(c, key_of(1, 0), 0, 1); /* larger than all of it */
    assert_int_equal(column_cache_bytes(c), 0);
    column_cache_free(c);
}

static void a_column_outlives_its_place(void **state)
{
    struct column_cache *c = column_cache_new(ROWS * 8 + 1000);
    struct column_key key = key_of(1, 0);
    struct cached_column *column;

    (void)state;
    put(c, key, 77, 1);
    column = column_cache_get(c, &key, 1);
    put(c, key_of(1, 1), 78, 100);
    assert_int_equal(look(c, key, 100), -1);
    assert_int_equal(look(c, key_of(1, 1), 100), 78);
    column_cache_free(c);
    assert_int_equal(get_i64le(cached_column_nodes(column)->data.data), 77);
    assert_null(cached_column_unref(column));
    assert_null(cached_column_unref(NULL));
}

/* A list of texts, with a null. */
static void columns_with_columns_below(void **state)
{
    static const uint8_t lists[] = {0, 0, 0, 0, 2, 0, 0, 0};
    static const uint8_t texts[] = {0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0};
    static const uint8_t validity[] = {1};
    const struct type_field field = {.name = "e",
                                     .type = &(const struct type){.root = TYPE_STRING}};
    const struct type type = {.root = TYPE_ARRAY, .count = 1, .fields = &field};
    const struct arrow_read_node nodes[] = {
        {.kind = ARROW_BUILD_LIST, .span = 2, .length = 1, .offsets = bytes_of(lists, 8)},
        {.kind = ARROW_BUILD_BYTES,
         .span = 1,
         .length = 2,
         .null_count = 1,
         .validity = bytes_of(validity, 1),
         .offsets = bytes_of(texts, 12),
         .data = bytes_str("abc")}};
    struct column_cache *c = column_cache_new(1 << 20);
    struct column_key key = key_of(1, 0);
    struct cached_column *column;
    const struct arrow_read_node *n;

    (void)state;
    column_cache_put(c, &key, &type, nodes, 1);
    column = column_cache_get(c, &key, 1);
    n = cached_column_nodes(column);
    assert_int_equal(n[0].span, 2);
    assert_int_equal(n[0].validity.len, 0);
    assert_memory_equal(n[0].offsets.data, lists, sizeof lists);
    assert_int_equal(n[1].null_count, 1);
    assert_memory_equal(n[1].validity.data, validity, 1);
    assert_memory_equal(n[1].offsets.data, texts, sizeof texts);
    assert_memory_equal(n[1].data.data, "abc", 3);
    (void)cached_column_unref(column);
    column_cache_free(c);
}

/* How wide two decimals of the precision are that came back. */
static uint32_t width_of(int precision, __int128 second)
{
    const struct type type = {.root = TYPE_DECIMAL, .precision = precision};
    const __int128 values[] = {-5, second};
    const struct arrow_read_node node = {.kind = ARROW_BUILD_FIXED,
                                         .width = 16,
                                         .span = 1,
                                         .length = 2,
                                         .data = bytes_of(values, sizeof values)};
    struct column_cache *c = column_cache_new(1 << 20);
    struct column_key key = key_of(1, 0);
    struct cached_column *column;
    uint32_t width;

    column_cache_put(c, &key, &type, &node, 1);
    column = column_cache_get(c, &key, 1);
    width = cached_column_nodes(column)->width;
    assert_int_equal(cached_column_nodes(column)->data.len, 2 * width);
    assert_int_equal(get_i64le(cached_column_nodes(column)->data.data), -5);
    assert_int_equal(get_i64le(cached_column_nodes(column)->data.data + width), (int64_t)second);
    (void)cached_column_unref(column);
    column_cache_free(c);
    return width;
}

static void decimals_take_what_they_need(void **state)
{
    (void)state;
    assert_int_equal(width_of(18, INT64_MAX), 8);
    assert_int_equal(width_of(10, INT64_MIN), 8);
    assert_int_equal(width_of(9, 5), 16);
    assert_int_equal(width_of(19, 5), 16);
    assert_int_equal(width_of(18, (__int128)INT64_MAX + 1), 16);
}

/* ROWS texts, of which so many are different; every 50th is null. Returns what the cache has of them. */
static struct cached_column *keep_texts(struct column_cache *c, size_t different)
{
    static const struct type string = {.root = TYPE_STRING};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(buffer_fini) struct buffer offsets = BUFFER_INIT;
    OWNED(buffer_fini) struct buffer data = BUFFER_INIT;
    uint8_t validity[(ROWS + 7) / 8];
    struct arrow_read_node node = {
        .kind = ARROW_BUILD_BYTES, .span = 1, .length = ROWS, .null_count = ROWS / 50};
    struct column_key key = key_of(1, 0);

    memset(validity, 0xff, sizeof validity);
    buffer_u32le(&offsets, 0);
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 50 == 0) {
            validity[i / 8] &= (uint8_t) ~(1u << i % 8);
        }
        buffer_bytes(&data, bytes_str(arena_printf(&arena, "text %zu", i % different)));
        buffer_u32le(&offsets, (uint32_t)data.len);
    }
    node.validity = bytes_of(validity, sizeof validity);
    node.offsets = buffer_view(&offsets);
    node.data = buffer_view(&data);
    column_cache_put(c, &key, &string, &node, 1);
    return column_cache_get(c, &key, 1);
}

static void texts_of_few_values_are_codes(void **state)
{
    struct column_cache *c = column_cache_new(1 << 20);
    struct cached_column *column = keep_texts(c, 7);
    const struct arrow_read_node *n = cached_column_nodes(column);
    const uint8_t *codes = cached_column_codes(column);

    (void)state;
    assert_int_equal(cached_column_rows(column), ROWS);
    assert_int_equal(n->length, 8);
    assert_int_equal(n->null_count, 1);
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t begin = get_u32le(n->offsets.data + codes[i] * 4);
        char text[16];

        assert_int_equal(n->validity.data[codes[i] / 8] >> codes[i] % 8 & 1, i % 50 != 0);
        if (i % 50 != 0) {
            (void)snprintf(text, sizeof text, "text %zu", i % 7);
            assert_int_equal(get_u32le(n->offsets.data + codes[i] * 4 + 4) - begin, strlen(text));
            assert_memory_equal(n->data.data + begin, text, strlen(text));
        }
    }
    assert_in_range(column_cache_bytes(c), ROWS, 2 * ROWS); /* all of it would be 11 * ROWS */
    (void)cached_column_unref(column);
    column_cache_free(c);
    c = column_cache_new(1 << 20);
    column = keep_texts(c, 300);
    assert_null(cached_column_codes(column));
    assert_int_equal(cached_column_rows(column), ROWS);
    assert_int_equal(cached_column_nodes(column)->length, ROWS);
    assert_in_range(column_cache_bytes(c), 11 * ROWS, 14 * ROWS);
    (void)cached_column_unref(column);
    column_cache_free(c);
    c = column_cache_new(5 * ROWS); /* what is put has to fit as it is */
    assert_null(keep_texts(c, 7));
    assert_int_equal(column_cache_bytes(c), 0);
    column_cache_free(c);
}

static void what_is_dropped_leaves(void **state)
{
    struct sql_store *q = *state;
    int64_t a = store_create_table(q->store, "a", STORE_PLAIN);
    int64_t b = store_create_table(q->store, "b", STORE_PLAIN);
    int64_t p = store_create_table(q->store, "p", STORE_TABLE("\"b\"", "1", ""));
    struct column_cache *c = column_cache_new(1 << 20);
    struct column_key inside = key_of(p, 0);
    struct column_key gone = key_of(p, 0);

    inside.bucket.partition_id = store_create_partition(q->store, "p", "x");
    gone.bucket.partition_id = inside.bucket.partition_id + 1000;
    put(c, key_of(a, 0), 1, 1);
    put(c, key_of(b, 0), 2, 1);
    put(c, inside, 3, 1);
    put(c, gone, 4, 1);
    store_drop_table(q->store, "a");
    column_cache_follow(c, meta_current(q->store->meta));
    assert_int_equal(look(c, key_of(a, 0), 1), -1);
    assert_int_equal(look(c, key_of(b, 0), 1), 2);
    assert_int_equal(look(c, inside, 1), 3);
    assert_int_equal(look(c, gone, 1), -1);
    column_cache_free(c);
}

/* ---- many at once ---- */

struct scanning {
    struct pool_job job;
    struct column_cache *cache;
    int64_t wrong;
};

static void scan_all(struct pool_job *job)
{
    struct scanning *s = container_of(job, struct scanning, job);

    for (int round = 0; round < 20; round++) {
        uint64_t scan = column_cache_scan(s->cache);

        for (int64_t i = 0; i < 50; i++) {
            int64_t found = look(s->cache, key_of(1, i), scan);

            s->wrong += found != -1 && found != i;
            if (found == -1) {
                put(s->cache, key_of(1, i), i, scan);
            }
        }
    }
}

static void scans_side_by_side(void **state)
{
    struct column_cache *c = column_cache_new(30 * (ROWS * 8 + 1000));
    struct scanning scans[4] = {0};
    struct pool *pool = pool_new("scans", ARRAY_LEN(scans));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scans); i++) {
        scans[i] = (struct scanning){.job.work = scan_all, .cache = c};
        pool_submit(pool, &scans[i].job);
    }
    pool_free(pool);
    for (size_t i = 0; i < ARRAY_LEN(scans); i++) {
        assert_int_equal(scans[i].wrong, 0);
    }
    assert_true(column_cache_bytes(c) <= 30 * (ROWS * 8 + 1000));
    column_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_the_key_counts),
        cmocka_unit_test(room_for_three),
        cmocka_unit_test(a_column_outlives_its_place),
        cmocka_unit_test(columns_with_columns_below),
        cmocka_unit_test(decimals_take_what_they_need),
        cmocka_unit_test(texts_of_few_values_are_codes),
        SQL_TEST(what_is_dropped_leaves),
        cmocka_unit_test(scans_side_by_side),
    };

    return cmocka_run_group_tests_name("sql/column_cache", tests, NULL, NULL);
}
