#include "../../support/sql_store.h"
#include "sql/names.h"
#include "sql/table_writer.h"

static const struct meta_table *find(struct sql_store *q, const char *name)
{
    const struct sql_name wanted = {.name = name};
    const struct meta_table *t = NULL;

    sql_session_view(q->session, meta_current(q->store->meta));
    session_adopt_view(q->session);
    assert_true(names_table(q->session, &wanted, &t, &q->error));
    return t;
}

static struct table_writer *start(struct sql_store *q, const char *name, bool remove)
{
    struct table_write write = {.table = find(q, name), .remove = remove};

    return table_writer_new(q->session, &write);
}

static void rows_stay_in_order_and_partitions_are_made(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct table_writer *w;

    sql_expect(q, "create table t (a int, day text, primary key (a, day)) partitioned by (day)",
               "");
    w = start(q, "t", false);
    for (int32_t i = 0; i < 20; i++) {
        struct row_value row[2] = {{.integer = i % 5},
                                   {.bytes = bytes_str(i % 2 == 0 ? "x" : "y")}};

        assert_int_equal(table_writer_add(w, row, NULL), ERR_OK);
    }
    assert_int_equal(table_writer_flush(w, NULL), ERR_OK);
    assert_int_equal(table_writer_count(w), 20);
    table_writer_free(w);
    sql_expect(q, "select day, count(*) from t group by day order by day", "x|5;y|5");
    w = start(q, "t", true);
    assert_int_equal(
        table_writer_add(w, (struct row_value[2]){{.integer = 1}, {.bytes = bytes_str("x")}}, NULL),
        ERR_OK);
    assert_int_equal(
        table_writer_add(w, (struct row_value[2]){{.integer = 1}, {.bytes = bytes_str("z")}}, NULL),
        ERR_PARTITION_NOT_EXISTS);
    assert_int_equal(table_writer_flush(w, NULL), ERR_OK);
    table_writer_free(w);
    sql_expect(q, "select count(*) from t", "9");
}

static void what_is_refused(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct table_writer *w;
    struct error e;

    sql_expect(q, "create table t (a int not null)", "");
    w = start(q, "t", false);
    assert_int_equal(table_writer_add(w, &(struct row_value){.null = true}, &e),
                     ERR_INVALID_TARGET_COLUMN);
    assert_int_equal(table_writer_add(w, &(struct row_value){.integer = 1}, &e), ERR_OK);
    sql_expect(q, "drop table t", "");
    assert_int_equal(table_writer_flush(w, &e), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(table_writer_count(w), 0);
    table_writer_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_stay_in_order_and_partitions_are_made),
        SQL_TEST(what_is_refused),
    };

    return cmocka_run_group_tests_name("sql/table_writer", tests, NULL, NULL);
}
