#include "../../../src/replica/kv_writer.h"
#include "../../support/kv_tables.h"
#include "../../support/unit.h"

#define TABLES 10

static struct kv_table *table_new(void)
{
    static const struct test_column columns[] = {{.name = "k", .type = "INT NOT NULL"},
                                                 {.name = "v", .type = "STRING"}};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_options options = test_options(&arena, NULL, 0);
    struct schema *schema = test_schema(columns, 2, 1, NULL);
    struct kv_schema first = {.id = 1, .schema = schema};
    struct kv_table *table = NULL;
    struct error e;

    assert_int_equal(kv_table_new(&options, &first, 1, &table, &e), ERR_OK);
    (void)schema_unref(schema);
    return table;
}

static void a_writer_goes_from_put_to_put(void **state)
{
    struct kv_table *table = table_new();
    struct kv_writers w;
    struct kv_writer *first;
    struct kv_writer *second;

    (void)state;
    kv_writers_init(&w);
    first = kv_writer_take(&w, table);
    second = kv_writer_take(&w, table); /* while the first is in use */
    assert_ptr_not_equal(first, second);
    kv_writer_give(&w, first);
    kv_writer_give(&w, second);
    assert_int_equal(w.count, 2);
    assert_ptr_equal(kv_writer_take(&w, table), second);
    assert_int_equal(second->scratch.left, second->scratch.total);
    kv_writer_give(&w, second);
    kv_writers_trim(&w);
    assert_int_equal(w.count, 0);
    (void)kv_table_unref(table);
}

/* Those of tables that nobody writes to any more go. */
static void few_are_kept(void **state)
{
    struct kv_table *tables[TABLES];
    struct kv_writers w;

    (void)state;
    kv_writers_init(&w);
    for (int i = 0; i < TABLES; i++) {
        tables[i] = table_new();
        kv_writer_give(&w, kv_writer_take(&w, tables[i]));
    }
    assert_in_range(w.count, 4, TABLES - 1);
    for (int i = 0; i < TABLES; i++) {
        struct kv_writer *writer = kv_writer_take(&w, tables[i]);

        assert_ptr_equal(writer->table, tables[i]);
        kv_writer_give(&w, writer);
        (void)kv_table_unref(tables[i]);
    }
    kv_writers_trim(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_goes_from_put_to_put),
        cmocka_unit_test(few_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
