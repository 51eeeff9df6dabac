#include <stdio.h>

#include "../../support/sql_store.h"
#include "sql/batch_source.h"

struct reading {
    struct sql_cut *cut;
    struct batch_source source;
    struct batch_reader reader;
};

static void begin(struct sql_store *q, struct reading *r, int64_t table, const uint32_t *wanted,
                  size_t count)
{
    const struct meta_table *t = meta_view_table_by_id(meta_current(q->store->meta), table);

    assert_int_equal(sql_cut_take(&q->world, t, false, NULL, &r->cut, NULL), ERR_OK);
    batch_source_init(&r->source, r->cut);
    batch_reader_init(&r->reader, t, meta_table_latest(t)->schema, wanted, count);
}

static void end(struct reading *r)
{
    batch_reader_fini(&r->reader);
    batch_source_fini(&r->source);
    (void)sql_cut_unref(r->cut);
}

/* Sum of column 0 of wanted and number of rows. */
static size_t read_all(struct reading *r, int64_t *ret_sum)
{
    struct batch_run run;
    bool found = true;
    size_t rows = 0;

    *ret_sum = 0;
    while (batch_source_next(&r->source, &run, &found, NULL) == ERR_OK && found) {
        bool more = true;
        size_t in_run = 0;

        assert_int_equal(batch_reader_start(&r->reader, &run, NULL), ERR_OK);
        assert_int_equal(r->reader.bytes.len, run.small ? run.len : 0); /* what was read whole */
        while (batch_reader_next(&r->reader, &more, NULL) == ERR_OK && more) {
            const struct arrow_read_node *n = r->reader.columns[0].node;

            for (size_t i = 0; n != NULL && i < r->reader.rows; i++) {
                *ret_sum += get_i32le(n->data.data + 4 * i);
            }
            in_run += r->reader.rows;
        }
        assert_int_equal(in_run, run.records);
        rows += in_run;
    }
    return rows;
}

static void small_and_large_batches(void **state)
{
    struct sql_store *q = *state;
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    const uint32_t wanted[] = {0, 2};
    struct reading r;
    int64_t sum;

    for (int32_t i = 0; i < 100; i++) {
        sql_append(q, bucket_of(t, 0), i * 10, i * 10 + 10);
    }
    sql_append(q, bucket_of(t, 0), 1000, 100000); /* more than is read at once */
    sql_append(q, bucket_of(t, 2), 100000, 100001);
    begin(q, &r, t, wanted, 2);
    assert_int_equal(read_all(&r, &sum), 100001);
    assert_true(sum == INT64_C(100000) * 100001 / 2);
    end(&r);
}

/* The batch that the reader has open from the beginning of the log. */
static void open_first(struct reading *r)
{
    struct batch_run run;
    bool found = false;

    assert_int_equal(batch_source_next(&r->source, &run, &found, NULL), ERR_OK);
    assert_true(found && !run.small);
    assert_int_equal(batch_reader_start(&r->reader, &run, NULL), ERR_OK);
    assert_int_equal(batch_reader_next(&r->reader, &found, NULL), ERR_OK);
    assert_true(found);
}

static void expect_row(const struct reading *r, size_t wanted, size_t row)
{
    const struct arrow_read_node *n = r->reader.columns[wanted].node;
    uint32_t position = r->reader.wanted[wanted];

    assert_int_equal(n->length, r->reader.rows);
    if (position == 1) {
        uint32_t begin = get_u32le(n->offsets.data + row * 4);
        uint32_t end = get_u32le(n->offsets.data + row * 4 + 4);
        char text[16];

        (void)snprintf(text, sizeof text, "row %zu", row);
        assert_int_equal(end - begin, strlen(text));
        assert_memory_equal(n->data.data + begin, text, end - begin);
    } else if (position == 0) {
        assert_int_equal(get_i32le(n->data.data + row * 4), row);
    } else {
        assert_int_equal(get_i64le(n->data.data + row * 8), row * 10);
    }
}

struct cached_table {
    struct sql_store *q;
    struct column_cache *cache;
    int64_t id;
};

/* Opens it with these columns; those of the bits come from the cache. */
static void expect_cached(const struct cached_table *t, const uint32_t *wanted, size_t count,
                          unsigned bits)
{
    struct reading r;

    begin(t->q, &r, t->id, wanted, count);
    batch_reader_cache(&r.reader, t->cache, column_cache_scan(t->cache));
    open_first(&r);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(r.reader.cached[i] != NULL, bits >> i & 1);
        expect_row(&r, i, 0);
        expect_row(&r, i, 99999);
    }
    end(&r);
}

static void columns_from_the_cache(void **state)
{
    struct sql_store *q = *state;
    struct cached_table t = {.q = q,
                             .cache = column_cache_new(8 << 20),
                             .id = store_create_table(q->store, "t", STORE_PLAIN)};

    sql_append_coded(q, bucket_of(t.id, 0), 0, 100000, ARROW_CODEC_ZSTD);
    expect_cached(&t, (const uint32_t[]){1}, 1, 0);
    expect_cached(&t, (const uint32_t[]){1}, 1, 1);
    expect_cached(&t, (const uint32_t[]){0, 1, 2}, 3, 2);
    expect_cached(&t, (const uint32_t[]){0, 2}, 2, 3);
    expect_cached(&t, (const uint32_t[]){0, 1, 2}, 3, 7);
    column_cache_free(t.cache);
}

static void what_is_not_compressed_is_not_cached(void **state)
{
    struct sql_store *q = *state;
    struct cached_table t = {.q = q,
                             .cache = column_cache_new(8 << 20),
                             .id = store_create_table(q->store, "t", STORE_PLAIN)};

    sql_append(q, bucket_of(t.id, 0), 0, 100000);
    expect_cached(&t, (const uint32_t[]){0, 2}, 2, 0);
    assert_int_equal(column_cache_bytes(t.cache), 0);
    column_cache_free(t.cache);
}

static void rows_without_columns(void **state)
{
    struct sql_store *q = *state;
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct reading r;
    int64_t sum;

    sql_append(q, bucket_of(t, 0), 0, 7);
    begin(q, &r, t, NULL, 0);
    assert_int_equal(read_all(&r, &sum), 7);
    end(&r);
}

static void what_is_no_arrow_message_is_an_error(void **state)
{
    struct sql_store *q = *state;
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    const uint32_t wanted[] = {1};
    struct batch_run run;
    struct reading r;
    bool found = false;

    (void)store_append(q->store, bucket_of(t, 0), store_batch(q->store, 5, 1000, 1));
    begin(q, &r, t, wanted, 1);
    assert_int_equal(batch_source_next(&r.source, &run, &found, NULL), ERR_OK);
    assert_true(found);
    assert_int_equal(batch_reader_start(&r.reader, &run, NULL), ERR_OK);
    assert_int_equal(batch_reader_next(&r.reader, &found, NULL), ERR_CORRUPT_RECORD);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(small_and_large_batches),
        SQL_TEST(columns_from_the_cache),
        SQL_TEST(what_is_not_compressed_is_not_cached),
        SQL_TEST(rows_without_columns),
        SQL_TEST(what_is_no_arrow_message_is_an_error),
    };

    return cmocka_run_group_tests_name("sql/batch_source", tests, NULL, NULL);
}
