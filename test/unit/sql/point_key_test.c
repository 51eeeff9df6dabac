#include "../../support/sql_prune.h"
#include "sql/point_key.h"

#define TWO_KEYS                                                                                   \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"x\",\"data_type\":{\"type\":\"STRING\"},\"id\":0},"                               \
    "{\"name\":\"y\",\"data_type\":{\"type\":\"STRING\",\"nullable\":false},\"id\":1},"            \
    "{\"name\":\"z\",\"data_type\":{\"type\":\"SMALLINT\",\"nullable\":false},\"id\":2}],"         \
    "\"primary_key\":[\"z\",\"y\"],\"highest_field_id\":2},\"partition_key\":[],"                  \
    "\"bucket_key\":[\"y\"],\"bucket_count\":7,\"properties\":{},\"custom_properties\":{}}"

static bool found(struct sql_store *q, int64_t table, const struct predicate *where,
                  struct bucket_id *ret_id, struct bytes *ret_key)
{
    static const struct literal_parameters none = {.count = 0};
    struct point_key k;

    return point_key_init(&k, sql_table(q, table), where, &q->store->arena) &&
           point_key_find(&k, &none, &q->store->arena, ret_id, ret_key);
}

/* As the long way finds it. */
static void expect_same(struct sql_store *q, int64_t table, const struct predicate *where)
{
    struct prune *p = sql_prune(q, table, true, where);
    struct bucket_id id;
    struct bytes key;

    prune_find_keys(p, true);
    assert_true(prune_is_one_key(p));
    assert_true(found(q, table, where, &id, &key));
    assert_int_equal(id.table_id, p->keys->id.table_id);
    assert_int_equal(id.partition_id, p->keys->id.partition_id);
    assert_int_equal(id.bucket, p->keys->id.bucket);
    assert_true(bytes_equal(key, p->keys->keys[0]));
    prune_free(p);
}

static void keys_of_one_column(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "k", STORE_KV(""));
    struct bucket_id id;
    struct bytes key;

    expect_same(q, t, sql_leaf(q, "a", FILTER_EQUAL, "7"));
    expect_same(q, t, sql_leaf(q, "A", FILTER_EQUAL, "-2147483648"));
    assert_false(found(q, t, sql_leaf(q, "a", FILTER_EQUAL, "3000000000"), &id, &key));
    assert_false(found(q, t, sql_leaf(q, "a", FILTER_EQUAL, "seven"), &id, &key));
    assert_false(found(q, t, sql_leaf(q, "b", FILTER_EQUAL, "7"), &id, &key));
    assert_false(found(q, t, sql_leaf(q, "a", FILTER_LESS, "7"), &id, &key));
    assert_false(found(q, t,
                       sql_join(q, FILTER_OR, sql_leaf(q, "a", FILTER_EQUAL, "7"),
                                sql_leaf(q, "a", FILTER_EQUAL, "8")),
                       &id, &key));
    assert_false(found(q, t, NULL, &id, &key));
}

static void keys_of_two_columns(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "k2", TWO_KEYS);
    struct bucket_id id;
    struct bytes key;

    expect_same(q, t,
                sql_join(q, FILTER_AND, sql_leaf(q, "y", FILTER_EQUAL, "seven"),
                         sql_leaf(q, "z", FILTER_EQUAL, "7")));
    expect_same(q, t,
                sql_join(q, FILTER_AND, sql_leaf(q, "Z", FILTER_EQUAL, "-1"),
                         sql_leaf(q, "y", FILTER_EQUAL, "")));
    assert_false(found(q, t, sql_leaf(q, "y", FILTER_EQUAL, "seven"), &id, &key));
}

static void parameters(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "k", STORE_KV(""));
    struct operand operand = {.kind = OPERAND_PARAMETER, .cast = "INTEGER"};
    const struct predicate where = {.kind = FILTER_LEAF,
                                    .function = FILTER_EQUAL,
                                    .column = "a",
                                    .operands = &operand,
                                    .operand_count = 1};
    struct sql_parameter value = {.text = bytes_str("7")};
    const struct literal_parameters given = {.values = &value, .count = 1};
    struct arena *arena = &q->store->arena;
    struct point_key k;
    struct bucket_id id;
    struct bytes key;

    assert_true(point_key_init(&k, sql_table(q, t), &where, arena));
    assert_true(point_key_find(&k, &given, arena, &id, &key));
    assert_true(bytes_equal(key, kv_store_key(q->store, 7)));
    value.text = bytes_str("8");
    assert_true(point_key_find(&k, &given, arena, &id, &key));
    assert_true(bytes_equal(key, kv_store_key(q->store, 8)));
    value.null = true;
    assert_false(point_key_find(&k, &given, arena, &id, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(keys_of_one_column), SQL_TEST(keys_of_two_columns),
                                       SQL_TEST(parameters)};

    return cmocka_run_group_tests_name("sql/point_key", tests, NULL, NULL);
}
