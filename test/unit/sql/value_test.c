#include "../../support/sql_store.h"
#include "sql/value.h"

static void every_type_of_a_result(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "select true, 1::tinyint, 2::utinyint, 3::usmallint, 4::uinteger, 5::ubigint",
               "t|1|2|3|4|5");
    sql_expect(q, "select 'x'::blob, date '2026-01-02', time '01:02:03.5', interval '1 day'",
               "\\x78|2026-01-02|01:02:03.5|1 day");
    sql_expect(q,
               "select '2026-01-02 03:04:05'::timestamp_s, '2026-01-02 03:04:05.6'::timestamp_ms, "
               "'2026-01-02 03:04:05.123456789'::timestamp_ns",
               "2026-01-02 03:04:05|2026-01-02 03:04:05.6|2026-01-02 03:04:05.123456");
    sql_expect(q, "select '12345678-1234-5678-9234-567812345678'::uuid, 'b'::enum('a', 'b')",
               "12345678-1234-5678-9234-567812345678|b");
    sql_expect(q, "select [1, null], [['a']], {'a': 1, 'b': null}, map {'k': 2.5}, [1, 2]::int[2]",
               "{1,NULL}|[[\"a\"]]|{\"a\":1,\"b\":null}|{\"k\":2.5}|{1,2}");
    sql_expect(q, "select sum(x), {'e': 'b'::enum('a', 'b')} from range(3) r(x)",
               "3|{\"e\":\"b\"}");
}

static void types_without_a_counterpart_are_refused(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_refuse(q, "select '101'::bit", "0A000");
    sql_expect(q, "select '101'::bit::varchar", "101");
}

static void ids_and_casts(void **state)
{
    (void)state;
    assert_string_equal(value_type_cast(20), "BIGINT");
    assert_string_equal(value_type_cast(1043), "VARCHAR");
    assert_null(value_type_cast(1700)); /* any precision: as it is written */
    assert_int_equal(value_parameter_oid(DUCK_VARCHAR), 25);
    assert_int_equal(value_parameter_oid(DUCK_INVALID), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(every_type_of_a_result),
        SQL_TEST(types_without_a_counterpart_are_refused),
        cmocka_unit_test(ids_and_casts),
    };

    return cmocka_run_group_tests_name("sql/value", tests, NULL, NULL);
}
