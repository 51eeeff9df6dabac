#include "parsing.h"

#include "format/table_descriptor.h"
#include "sql/ddl.h"

static struct table_descriptor *made(const char *text)
{
    struct table_descriptor *table = NULL;
    struct ddl ddl;
    struct error e;

    if (!ddl_parse(bytes_str(text), &arena, &ddl, &failure)) {
        fail_msg("%s: %s", text, failure.message);
    }
    if (table_descriptor_parse(ddl.json, &table, &e) != ERR_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    return table;
}

static void the_descriptor_says_what_the_statement_says(void **state)
{
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *table = made(
        "create table t (id int, day text, s row<x int, y row<z int>>, n bigint comment 'it''s', "
        "constraint pk primary key (id, day) not enforced) comment 'c' partitioned by (day) "
        "distributed by hash(id) into 7 buckets with ('table.log.ttl' = '1 d', a.b = 5, "
        "'table.merge-engine' = 'aggregation', 'fields.n.agg' = 'sum')");
    const struct table_def *def = &table->def;

    (void)state;
    assert_int_equal(def->schema->count, 4);
    assert_int_equal(def->schema->primary_key_count, 2);
    assert_false(def->schema->columns[0].type->nullable);
    assert_string_equal(def->schema->columns[3].comment, "it's");
    assert_int_equal(def->schema->columns[3].agg->kind, AGG_SUM);
    assert_int_equal(def->schema->highest_field_id, 6); /* nested fields have ids, too */
    assert_string_equal(def->comment, "c");
    assert_string_equal(def->partition_keys.items[0], "day");
    assert_string_equal(def->bucket_keys.items[0], "id");
    assert_int_equal(def->bucket_count, 7);
    assert_string_equal(text_map_get(def->properties, "table.log.ttl"), "1 d");
    assert_string_equal(text_map_get(def->custom_properties, "a.b"), "5");
}

static void options_give_the_distribution_too(void **state)
{
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *table = made(
        "create table t (a int, b int, c bigint, primary key (a, b)) with ('bucket.num' = '3', "
        "'bucket.key' = ' a , b', 'auto-increment.fields' = 'c')");

    (void)state;
    assert_int_equal(table->def.bucket_count, 3);
    assert_int_equal(table->def.bucket_keys.count, 2);
    assert_int_equal(table->def.schema->auto_increment, 2);
}

static void refuse(const char *text, const char *state, size_t position)
{
    struct ddl ddl;

    assert_false(ddl_parse(bytes_str(text), &arena, &ddl, &failure));
    assert_string_equal(failure.state, state);
    assert_int_equal(failure.position, position);
}

static void what_cannot_be_is_pointed_at(void **state)
{
    (void)state;
    refuse("create table t (a int primary key, b int primary key)", "42P16", 53);
    refuse("create table t (a int, a int)", "42701", 24);
    refuse("create table t (a int) distributed into 0 buckets", "22023", 43);
    refuse("create table t (a int unique)", "0A000", 23);
    refuse("create table t (unique (a))", "0A000", 17);
    refuse("create table t (a int,)", "42601", 23);
    refuse("create table t (a int) with (a = )", "42601", 34);
    refuse("create table t (a int) with ('fields.b.agg' = 'sum')", "42703", 53);
    refuse("create table t ()", "42601", 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_descriptor_says_what_the_statement_says),
        cmocka_unit_test(options_give_the_distribution_too),
        cmocka_unit_test(what_cannot_be_is_pointed_at),
    };

    return cmocka_run_group_tests_name("sql/ddl_table", tests, NULL, teardown);
}
