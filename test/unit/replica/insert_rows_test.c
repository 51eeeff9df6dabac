#include "../../../src/replica/insert_rows.h"
#include "../../support/kv_store.h"

/* The key is (a, b), partitioned by b. */
#define PARTITIONED(c_type)                                                                        \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\",\"nullable\":false},\"id\":0},"           \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\",\"nullable\":false},\"id\":1},"            \
    "{\"name\":\"c\",\"data_type\":" c_type ",\"id\":2}"                                           \
    "],\"highest_field_id\":2,\"primary_key\":[\"a\",\"b\"]},\"partition_key\":[\"b\"],"           \
    "\"bucket_count\":2,\"properties\":{},\"custom_properties\":{}}"

struct made {
    struct store *store;
    struct bytes key;
    struct put_op put;
    enum errcode code;
    struct error error;
};

static void make_rows(struct kv_tablet *t, void *context)
{
    struct made *m = context;

    m->code = insert_rows(t->bucket, &m->key, 1, &m->store->arena, &m->put, &m->error);
}

static int setup(void **state)
{
    struct store *s = store_new(1);

    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

static struct bucket_id partition_of(struct store *s, const char *json)
{
    int64_t table = store_create_table(s, "t", json);
    struct bucket_id id = {.table_id = table, .partition_id = store_create_partition(s, "t", "eu")};
    struct stats_op open = {.op.id = id};

    assert_int_equal(store_op(s, &open.op, submit_stats), ERR_OK);
    return id;
}

static void rows_of_a_partition(void **state)
{
    struct store *s = *state;
    struct bucket_id id = partition_of(s, PARTITIONED("{\"type\":\"BIGINT\"}"));
    struct made m = {.store = s, .key = kv_store_key(s, 5)};
    const struct row_value *values;
    struct row_format format = {.layout = ROW_COMPACTED};
    struct kv_batch_iterator it;
    struct kv_record record;
    struct kv_batch batch;

    store_look(s, id, make_rows, &m);
    assert_int_equal(m.code, ERR_OK);
    assert_int_equal(m.put.target_count, 2);
    assert_int_equal(m.put.target_columns[0], 0);
    assert_int_equal(m.put.target_columns[1], 1);
    assert_int_equal(kv_batch_parse(m.put.batch, &batch, NULL), ERR_OK);
    assert_int_equal(batch.record_count, 1);
    assert_int_equal(batch.writer_id, -1);
    kv_batch_iterator_init(&it, &batch);
    assert_int_equal(kv_batch_next(&it, &record, NULL), ERR_OK);
    assert_true(bytes_equal(record.key, m.key));
    format.row = meta_view_table_by_id(meta_current(s->meta), id.table_id)->schemas[0].schema->row;
    assert_int_equal(row_decode(format, record.row, &s->arena, &values, NULL), ERR_OK);
    assert_int_equal(values[0].integer, 5);
    assert_true(bytes_equal_str(values[1].bytes, "eu"));
    assert_true(values[2].null);
}

static void columns_that_must_have_a_value(void **state)
{
    struct store *s = *state;
    struct bucket_id id = partition_of(s, PARTITIONED("{\"type\":\"BIGINT\",\"nullable\":false}"));
    struct made m = {.store = s, .key = kv_store_key(s, 5)};

    store_look(s, id, make_rows, &m);
    assert_int_equal(m.code, ERR_INVALID_TARGET_COLUMN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_of_a_partition, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_that_must_have_a_value, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
