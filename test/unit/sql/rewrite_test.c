#include "../../support/unit.h"
#include "sql/dialect.h"

static void check(const char *text, const char *expected)
{
    static const char *const casts[] = {"BIGINT", NULL};
    struct buffer out = BUFFER_INIT;

    dialect_rewrite(bytes_str(text), casts, 2, &out);
    assert_string_equal((char *)out.data, expected);
    buffer_fini(&out);
}

static void names(void **state)
{
    (void)state;
    check("select 1", "select 1");
    check("", "");
    check("a pg_catalog.b", "a  b");
    check("'pg_catalog.b' \"pg_catalog\" . c", "'pg_catalog.b'   c");
    check("from information_schema . tables", "from  eider_information. tables");
    check("'information_schema.x' information_schema", "'information_schema.x' information_schema");
    check("json_build_object(1)", "json_object(1)");
    check("\"json_build_object\"", "\"json_build_object\"");
}

static void operators(void **state)
{
    (void)state;
    check("x OPERATOR(pg_catalog.=) y", "x  = y");
    check("x OPERATOR(pg_catalog.~) 'a' COLLATE pg_catalog.default",
          "x  ~ ('(?s).*(?:' || CAST('a' AS VARCHAR) || ').*')  ");
    check("x operator(other.~) y", "x operator(other.~) y");
    check("x ~ 'a'", "x ~ ('(?s).*(?:' || CAST('a' AS VARCHAR) || ').*')");
    check("x !~* $2", "x !~ ('(?is).*(?:' || CAST($2 AS VARCHAR) || ').*')");
    check("x ~ $1", "x ~ ('(?s).*(?:' || CAST(CAST($1 AS BIGINT) AS VARCHAR) || ').*')");
    check("x ~~ 'a' !~~ 'b' ~~* 'c' !~~* 'd'", "x ~~ 'a' !~~ 'b' ~~* 'c' !~~* 'd'");
    check("x ~ y, ~5, a*'b', '~' ~* z", "x ~ y, ~5, a*'b', '~' ~* z");
}

static void casts(void **state)
{
    (void)state;
    check("'a'::regclass", " eider_to_regclass('a')");
    check("$2 :: pg_catalog.regtype", " eider_to_regtype($2)");
    check("a.b::regclass", "a.b::regclass");
    check("CAST(f(x) AS regclass)", "CAST(f(x) AS VARCHAR).eider_to_regclass()");
    check("CAST(x AS text), y as regclass, z", "CAST(x AS text), y as regclass, z");
    check("'{a,b}'::text[]", "'[a,b]'::text[]");
    check("'{a,b}'::text '{}' '{", "'{a,b}'::text '{}' '{");
    check("x::oid, $2::oid[]", "x::UINTEGER, $2::UINTEGER[]");
    check("x::oidvector", "x::oidvector");
}

static void functions_in_from(void **state)
{
    (void)state;
    check("from generate_series(1, (2)) as i where i > 1",
          "from generate_series(1, (2)) AS i(i) where i > 1");
    check("from a, unnest(x) b, c", "from a, unnest(x) AS b(b), c");
    check("from unnest(x) as b(c)", "from unnest(x) as b(c)");
    check("from unnest(x) where true", "from unnest(x) where true");
    check("select unnest(x) as b from c", "select unnest(x) as b from c");
    check("select (select unnest(x) y) z from (a) b", "select (select unnest(x) y) z from (a) b");
    check("))from unnest(x) y", "))from unnest(x) AS y(y)");
}

static void parameters(void **state)
{
    struct buffer out = BUFFER_INIT;
    static const char *const types[] = {"DATE", NULL};

    (void)state;
    check("$1 + $2 + $3 + $99999999999", "CAST($1 AS BIGINT) + $2 + $3 + $99999999999");
    check("'$1' $a$ $1 $a$ -- $1", "'$1' $a$ $1 $a$ -- $1");
    dialect_rewrite_nulls(bytes_str("$1, $2, '$1'"), types, 2, &out);
    assert_string_equal((char *)out.data,
                        "(SELECT CAST(NULL AS DATE)), (SELECT CAST(NULL AS VARCHAR)), '$1'");
    buffer_fini(&out);
}

static void types_of_parameters(void **state)
{
    uint32_t types[] = {0, 0, 20, 0, 0};

    (void)state;
    dialect_parameter_types(
        bytes_str("$1::date, $2 :: pg_catalog.int4 [], $3::text, $4::odd, '$5::int4' $6::int4"),
        types, 5);
    assert_int_equal(types[0], 1082);
    assert_int_equal(types[1], 1007);
    assert_int_equal(types[2], 20);
    assert_int_equal(types[3], 0);
    assert_int_equal(types[4], 0);
}

static void types_of_series(void **state)
{
    uint32_t types[] = {0, 21, 0, 0, 0};

    (void)state;
    dialect_parameter_types(
        bytes_str("range( $1,$2, 5), Generate_Series($3 + 1, 2), range($4, now()), "
                  "range, (range($9)), range($5"),
        types, 5);
    assert_int_equal(types[0], 20);
    assert_int_equal(types[1], 21);
    assert_int_equal(types[2], 0);
    assert_int_equal(types[3], 0);
    assert_int_equal(types[4], 0);
}

/* Neither may cost more than its length, nor be deeper than the places that are known. */
static void long_and_deep(void **state)
{
    struct buffer in = BUFFER_INIT;
    struct buffer out = BUFFER_INIT;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        buffer_bytes(&in, bytes_str(i % 2 == 0 ? "/**/" : "("));
    }
    for (int i = 0; i < 100001; i++) {
        buffer_u8(&in, ')');
    }
    dialect_rewrite(bytes_of(in.data, in.len), NULL, 0, &out);
    assert_int_equal(out.len, in.len + 1);
    assert_memory_equal(out.data, in.data, in.len);
    buffer_fini(&in);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),           cmocka_unit_test(operators),
        cmocka_unit_test(casts),           cmocka_unit_test(functions_in_from),
        cmocka_unit_test(parameters),      cmocka_unit_test(types_of_parameters),
        cmocka_unit_test(types_of_series), cmocka_unit_test(long_and_deep),
    };

    return cmocka_run_group_tests_name("sql/rewrite", tests, NULL, NULL);
}
