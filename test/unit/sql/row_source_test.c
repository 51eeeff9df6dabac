#include "../../support/sql_store.h"
#include "sql/row_source.h"

static void all_rows_as_columns(struct sql_store *q, const char *name, const char *json)
{
    int64_t t = store_create_table(q->store, name, json);
    const struct meta_table *table = meta_view_table_by_id(meta_current(q->store->meta), t);
    struct row_source source;
    struct sql_cut *cut = NULL;
    bool found = true;
    size_t rows = 0;
    int64_t sum = 0;

    store_put_range(q->store, bucket_of(t, 1), 0, 5000);
    assert_int_equal(sql_cut_take(&q->world, table, true, NULL, &cut, NULL), ERR_OK);
    row_source_init(&source, table);
    assert_int_equal(row_source_next(&source, cut, 0, &found, NULL), ERR_OK);
    assert_int_equal(source.rows, 0);
    found = true;
    while (found) {
        assert_int_equal(row_source_next(&source, cut, 1, &found, NULL), ERR_OK);
        for (size_t i = 0; i < source.rows; i++) {
            sum += get_i32le(source.columns[0]->data.data + 4 * i);
        }
        rows += source.rows;
    }
    assert_int_equal(rows, 5000);
    assert_int_equal(sum, 5000 * 4999 / 2);
    row_source_fini(&source);
    (void)sql_cut_unref(cut);
}

static void compacted_rows(void **state) { all_rows_as_columns(*state, "k", STORE_KV("")); }

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(compacted_rows)};

    return cmocka_run_group_tests_name("sql/row_source", tests, NULL, NULL);
}
