#include "../../support/sql_store.h"
#include "sql/cut.h"

static const struct meta_table *table_of(struct sql_store *q, int64_t id)
{
    return meta_view_table_by_id(meta_current(q->store->meta), id);
}

static void a_cut_stays_what_it_was(void **state)
{
    struct sql_store *q = *state;
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct sql_cut *cut = NULL;

    sql_append(q, bucket_of(t, 1), 0, 10);
    assert_int_equal(sql_cut_take(&q->world, table_of(q, t), false, NULL, &cut, NULL), ERR_OK);
    sql_append(q, bucket_of(t, 1), 10, 20);
    assert_int_equal(cut->count, 4);
    for (size_t i = 0; i < cut->count; i++) {
        assert_int_equal(cut->buckets[i].log.end_offset, cut->buckets[i].id.bucket == 1 ? 10 : 0);
    }
    store_drop_table(q->store, "t");
    assert_null(sql_cut_unref(cut));
}

static void current_rows_come_in_calls(void **state)
{
    struct sql_store *q = *state;
    int64_t t = store_create_table(q->store, "k", STORE_KV(""));
    OWNED(buffer_fini) struct buffer rows = BUFFER_INIT;
    struct sql_cut *cut = NULL;
    bool found = true;

    store_put_range(q->store, bucket_of(t, 0), 0, 100);
    assert_int_equal(sql_cut_take(&q->world, table_of(q, t), true, NULL, &cut, NULL), ERR_OK);
    assert_int_equal(sql_cut_rows(cut, 0, &rows, &found, NULL), ERR_OK);
    assert_true(found && rows.len > 100);
    assert_int_equal(sql_cut_rows(cut, 0, &rows, &found, NULL), ERR_OK);
    assert_false(found);
    (void)sql_cut_unref(cut);
}

static void a_dropped_table_is_an_error(void **state)
{
    struct sql_store *q = *state;
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    const struct meta_table *table = meta_table_ref(table_of(q, t));
    struct sql_cut *cut = NULL;

    store_drop_table(q->store, "t");
    assert_int_equal(sql_cut_take(&q->world, table, false, NULL, &cut, NULL),
                     ERR_UNKNOWN_TABLE_OR_BUCKET);
    (void)meta_table_unref(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(a_cut_stays_what_it_was),
        SQL_TEST(current_rows_come_in_calls),
        SQL_TEST(a_dropped_table_is_an_error),
    };

    return cmocka_run_group_tests_name("sql/cut", tests, NULL, NULL);
}
