#include "../../support/kv_tables.h"
#include "../../support/unit.h"
#include "kv/insert.h"

static struct kv_table *table_of(const struct test_column *columns)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = test_schema(columns, 4, 2, NULL);
    struct table_options options = test_options(&arena, NULL, 0);
    const struct kv_schema history = {.id = 3, .schema = schema};
    struct kv_table *table = NULL;

    assert_int_equal(kv_table_new(&options, &history, 1, &table, NULL), ERR_OK);
    return table;
}

/* The primary key is (p, k), partitioned by p. */
static struct kv_insert insert_of(const struct kv_table *table, struct arena *arena)
{
    static const uint32_t positions[] = {1};
    struct type *key = arena_new(arena, struct type);
    struct row_value *partition = arena_array(arena, 4, sizeof *partition);

    *key = (struct type){.root = TYPE_ROW, .count = 1, .fields = &table->schema->row->fields[1]};
    partition[0].bytes = bytes_str("eu");
    for (size_t i = 1; i < 4; i++) {
        partition[i].null = true;
    }
    return (struct kv_insert){
        .table = table, .key = {.columns = key, .positions = positions}, .partition = partition};
}

static void rows_have_key_and_partition(void **state)
{
    static const struct test_column columns[] = {{"p", "STRING NOT NULL", NULL, NULL},
                                                 {"k", "INT NOT NULL", NULL, NULL},
                                                 {"a", "BIGINT", NULL, NULL},
                                                 {"b", "STRING", NULL, NULL}};
    OWNED(kv_table_unrefp) struct kv_table *table = table_of(columns);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};
    struct kv_insert insert = insert_of(table, &arena);
    const struct bytes keys[] = {bytes_of("\x07", 1), bytes_of("\xac\x02", 2)};
    const struct bytes bad = bytes_of("\xac", 1);
    struct kv_batch_iterator it;
    struct kv_record record;
    struct kv_batch batch;

    (void)state;
    assert_int_equal(kv_insert_records(&insert, keys, 2, &w, NULL), ERR_OK);
    assert_int_equal(kv_batch_parse(kv_batch_writer_finish(&w, -1, -1), &batch, NULL), ERR_OK);
    assert_int_equal(batch.schema_id, 3);
    kv_batch_iterator_init(&it, &batch);
    assert_int_equal(kv_batch_next(&it, &record, NULL), ERR_OK);
    vectors_assert_equal("key", record.key, keys[0]);
    vectors_assert_equal("row", record.row,
                         bytes_of("\x0c\x02"
                                  "eu\x07",
                                  5));
    assert_int_equal(kv_batch_next(&it, &record, NULL), ERR_OK);
    vectors_assert_equal("row", record.row,
                         bytes_of("\x0c\x02"
                                  "eu\xac\x02",
                                  6));
    assert_int_equal(kv_insert_records(&insert, &bad, 1, &w, NULL), ERR_CORRUPT_RECORD);
}

static void other_columns_must_be_nullable(void **state)
{
    static const struct test_column columns[] = {{"p", "STRING NOT NULL", NULL, NULL},
                                                 {"k", "INT NOT NULL", NULL, NULL},
                                                 {"a", "BIGINT NOT NULL", NULL, NULL},
                                                 {"b", "STRING", NULL, NULL}};
    OWNED(kv_table_unrefp) struct kv_table *table = table_of(columns);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};
    struct kv_insert insert = insert_of(table, &arena);

    (void)state;
    assert_int_equal(kv_insert_records(&insert, NULL, 0, &w, NULL), ERR_INVALID_TARGET_COLUMN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_key_and_partition),
        cmocka_unit_test(other_columns_must_be_nullable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
