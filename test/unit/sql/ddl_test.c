#include "parsing.h"

#include "sql/ddl.h"

static struct ddl parsed(const char *text)
{
    struct ddl ddl;

    assert_true(ddl_is(bytes_str(text)));
    if (!ddl_parse(bytes_str(text), &arena, &ddl, &failure)) {
        fail_msg("%s: %s", text, failure.message);
    }
    return ddl;
}

static void databases(void **state)
{
    struct ddl d = parsed("/* a */ CREATE DATABASE IF NOT EXISTS d COMMENT 'c' WITH ('k' = 'v')");

    (void)state;
    assert_int_equal(d.kind, DDL_CREATE_DATABASE);
    assert_true(d.if_exists);
    assert_true(bytes_equal_str(
        d.json, "{\"version\":1,\"comment\":\"c\",\"custom_properties\":{\"k\":\"v\"}}"));
    d = parsed("drop schema if exists a, b cascade");
    assert_int_equal(d.kind, DDL_DROP_DATABASE);
    assert_string_equal(d.tag, "DROP SCHEMA");
    assert_int_equal(d.name_count, 2);
    assert_true(d.cascade && d.if_exists);
}

static void altered_tables(void **state)
{
    struct ddl d = parsed("alter table if exists d.t add a int, add column b text comment 'x'");

    (void)state;
    assert_int_equal(d.kind, DDL_ALTER_TABLE);
    assert_true(d.if_exists);
    assert_int_equal(d.column_count, 2);
    assert_true(bytes_equal_str(d.columns[0].type_json, "{\"type\":\"INTEGER\"}"));
    assert_true(d.columns[1].has_comment);
    d = parsed("alter table t set (a.b = 1, 'c' = 'd')");
    assert_int_equal(d.change_count, 2);
    assert_true(bytes_equal_str(d.changes[0].key, "a.b"));
    assert_int_equal(d.changes[0].op, META_SET);
    d = parsed("alter table t reset ('a', b)");
    assert_int_equal(d.changes[1].op, META_DELETE);
    d = parsed("alter table if exists t add partition (a = '1', b = x)");
    assert_int_equal(d.kind, DDL_CREATE_PARTITION);
    assert_false(d.if_exists); /* that is about the table */
    assert_int_equal(d.spec_count, 2);
    d = parsed("alter table t drop if exists partition (a = 1)");
    assert_int_equal(d.kind, DDL_DROP_PARTITION);
    assert_true(d.if_exists);
}

static void refuse(const char *text, const char *state)
{
    struct ddl ddl;

    assert_false(ddl_parse(bytes_str(text), &arena, &ddl, &failure));
    assert_string_equal(failure.state, state);
    assert_true(failure.position > 0);
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_false(ddl_is(bytes_str("select 1")));
    assert_false(ddl_is(bytes_str("\"create\" table")));
    refuse("create", "0A000");
    refuse("create database", "42601");
    refuse("create database a, b", "42601");
    refuse("create table if exists t (a int)", "42601");
    refuse("drop table", "42601");
    refuse("drop table t t", "42601");
    refuse("alter database d set ('a' = 'b')", "0A000");
    refuse("alter table t", "42601");
    refuse("alter table t add a int after b", "0A000");
    refuse("alter table t alter a type int", "0A000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(databases),
        cmocka_unit_test(altered_tables),
        cmocka_unit_test(what_is_refused),
    };

    return cmocka_run_group_tests_name("sql/ddl", tests, NULL, teardown);
}
