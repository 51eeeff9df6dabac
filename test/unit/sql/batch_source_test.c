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
            const struct arrow_read_node *n = r->reader.columns[0];

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
        SQL_TEST(rows_without_columns),
        SQL_TEST(what_is_no_arrow_message_is_an_error),
    };

    return cmocka_run_group_tests_name("sql/batch_source", tests, NULL, NULL);
}
