#include "../../support/sql_store.h"
#include "sql/encode.h"
#include "sql/parse_type.h"

static void check_name(struct sql_store *q, const char *type, const char *expected)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    const struct type *parsed = NULL;
    struct parse p;

    parse_init(&p, bytes_str(type), &q->store->arena, &q->error);
    assert_true(parse_type(&p, &parsed));
    encode_type_name(parsed, &out);
    buffer_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
}

static void types_have_names(void **state)
{
    struct sql_store *q = *state;

    check_name(q, "char(3)", "VARCHAR");
    check_name(q, "decimal(38, 2)", "DECIMAL(38,2)");
    check_name(q, "timestamp(7)", "TIMESTAMP_NS");
    check_name(q, "timestamp_ltz(9)", "TIMESTAMP WITH TIME ZONE");
    check_name(q, "map<int, row<\"a\"\"b\" bytes, c time[]>>",
               "MAP(INTEGER,STRUCT(\"a\"\"b\" BLOB,\"c\" TIME[]))");
}

/* A value that was written comes back as the same, or is refused. */
static void check(struct sql_store *q, const char *type, const char *value, const char *expected)
{
    struct arena *a = &q->store->arena;

    sql_expect(q, arena_printf(a, "create table t (a %s)", type), "");
    if (expected != NULL) {
        sql_expect(q, arena_printf(a, "insert into t values (%s)", value), "");
        sql_expect(q, "select * from t", expected);
    } else {
        sql_refuse(q, arena_printf(a, "insert into t values (%s)", value), "22023");
    }
    sql_expect(q, "drop table t", "");
}

static void values_come_back(void **state)
{
    struct sql_store *q = sql_ready(state);

    check(q, "boolean", "true", "t");
    check(q, "decimal(3, 1)", "-12.3", "-12.3");
    check(q, "decimal(9, 1)", "12345678.9", "12345678.9");
    check(q, "decimal(18, 1)", "-12345678901234567.8", "-12345678901234567.8");
    check(q, "decimal(38, 0)", "-99999999999999999999999999999999999999",
          "-99999999999999999999999999999999999999");
    check(q, "timestamp(9)", "'1969-12-31 23:59:59.999999'", "1969-12-31 23:59:59.999999");
    check(q, "timestamp(3)", "'1969-12-31 23:59:59.999999'", "1969-12-31 23:59:59.999");
    check(q, "time(3)", "'23:59:59.999999'", "23:59:59.999");
    check(q, "char(2)", "'\xc3\xa4\xc3\xb6'", "\xc3\xa4\xc3\xb6");
    check(q, "map<text, int[]>", "map {'a': [1, null], 'b': null}", "{\"a\":[1,null],\"b\":null}");
    check(q, "row<a int, b row<c text>>", "{'a': 1, 'b': {'c': null}}",
          "{\"a\":1,\"b\":{\"c\":null}}");
    check(q, "int[]", "[]", "{}");
}

static void what_no_column_holds(void **state)
{
    struct sql_store *q = sql_ready(state);

    check(q, "timestamp", "'infinity'", NULL);
    check(q, "date", "'-infinity'", NULL);
    check(q, "time", "'24:00:00'", NULL);
    check(q, "char(2)", "'abc'", NULL);
    check(q, "binary(2)", "'abc'", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(types_have_names),
        SQL_TEST(values_come_back),
        SQL_TEST(what_no_column_holds),
    };

    return cmocka_run_group_tests_name("sql/encode", tests, NULL, NULL);
}
