#include "../../support/unit.h"
#include "sql/predicate.h"

#define COLUMN(name) "{\"class\":\"COLUMN_REF\",\"type\":\"COLUMN_REF\",\"column_names\":" name "}"
#define NUMBER(n)                                                                                  \
    "{\"class\":\"CONSTANT\",\"value\":{\"type\":{\"id\":\"INTEGER\"},\"is_null\":false,"          \
    "\"value\":" n "}}"
#define COMPARE(kind, left, right)                                                                 \
    "{\"class\":\"COMPARISON\",\"type\":\"COMPARE_" kind "\",\"left\":" left ",\"right\":" right "}"
#define CONJUNCTION(kind, a, b)                                                                    \
    "{\"class\":\"CONJUNCTION\",\"type\":\"CONJUNCTION_" kind "\",\"children\":[" a "," b "]}"
#define TABLE(name, more) "{\"type\":\"BASE_TABLE\",\"table_name\":\"" name "\"" more "}"
#define SELECT(list, from, where)                                                                  \
    "{\"type\":\"SELECT_NODE\",\"select_list\":[" list "],\"from_table\":" from                    \
    ",\"where_clause\":" where ",\"aggregate_handling\":\"STANDARD_HANDLING\"}"
#define STATEMENT(node) "{\"error\":false,\"statements\":[{\"node\":" node "}]}"
#define STAR            "{\"class\":\"STAR\",\"type\":\"STAR\"}"
#define A_IS_5          COMPARE("EQUAL", COLUMN("[\"a\"]"), NUMBER("5"))

static struct predicates parsed(const char *json, struct arena *arena)
{
    struct predicates p;

    assert_int_equal(predicates_parse(bytes_str(json), arena, &p, NULL), ERR_OK);
    return p;
}

static void a_comparison_either_way(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct predicates p = parsed(STATEMENT(SELECT(STAR, TABLE("t", ""), A_IS_5)), &arena);
    const struct predicate *where = p.relations->where;

    (void)state;
    assert_true(p.complete);
    assert_string_equal(p.relations->name, "t");
    assert_int_equal(where->function, FILTER_EQUAL);
    assert_string_equal(where->column, "a");
    assert_int_equal(where->operands[0].number, 5);
    assert_ptr_equal(p.plain.relation, p.relations);
    assert_true(p.plain.whole && p.plain.columns == NULL);

    p = parsed(STATEMENT(SELECT(COLUMN("[\"x\",\"b\"]"), TABLE("t", ",\"alias\":\"x\""),
                                COMPARE("LESSTHAN", NUMBER("7"), COLUMN("[\"X\",\"c\"]")))),
               &arena);
    assert_int_equal(p.relations->where->function, FILTER_GREATER);
    assert_string_equal(p.relations->where->column, "c");
    assert_string_equal(p.plain.columns[0], "b");
}

static void what_is_not_understood_demands_nothing(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct predicates p;

    (void)state;
    p = parsed(STATEMENT(SELECT(STAR, TABLE("t", ""),
                                CONJUNCTION("AND", A_IS_5, "{\"class\":\"FUNCTION\"}"))),
               &arena);
    assert_string_equal(p.relations->where->column, "a");
    assert_false(p.plain.whole);
    p = parsed(STATEMENT(SELECT(STAR, TABLE("t", ""),
                                CONJUNCTION("OR", A_IS_5, "{\"class\":\"FUNCTION\"}"))),
               &arena);
    assert_null(p.relations->where);
    p = parsed(STATEMENT(SELECT(STAR, TABLE("t", ",\"column_name_alias\":[\"b\"]"), A_IS_5)),
               &arena);
    assert_null(p.relations->where);
    p = parsed(STATEMENT(SELECT(STAR, TABLE("t", ",\"sample\":{\"seed\":1}"), A_IS_5)), &arena);
    assert_null(p.relations->where);
}

static void a_function_has_its_where_and_leaves_the_rest_open(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct predicates p =
        parsed(STATEMENT(SELECT(STAR,
                                "{\"type\":\"TABLE_FUNCTION\",\"alias\":\"u\",\"function\":{"
                                "\"function_name\":\"tail\"}}",
                                COMPARE("EQUAL", COLUMN("[\"u\",\"a\"]"), NUMBER("5")))),
               &arena);

    (void)state;
    assert_false(p.complete);
    assert_null(p.relations);
    assert_string_equal(p.function->where->column, "a");
    p = parsed(STATEMENT(SELECT(STAR, TABLE("t", ""), A_IS_5)), &arena);
    assert_null(p.function);
}

static void joins_keep_what_they_may_add_nulls_for(void **state)
{
    static const char *const types[] = {"INNER", "LEFT", "RIGHT", "OUTER"};
    static const bool left[] = {true, true, false, false};
    static const bool right[] = {true, false, true, false};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char *text = arena_printf(
            &arena,
            STATEMENT(SELECT(STAR,
                             "{\"type\":\"JOIN\",\"join_type\":\"%s\",\"ref_type\":\"REGULAR\","
                             "\"left\":" TABLE("l", "") ",\"right\":" TABLE("r", "") "}",
                             A_IS_5)),
            types[i]);
        struct predicates p = parsed(text, &arena);

        assert_string_equal(p.relations->name, "r");
        assert_int_equal(p.relations->where != NULL, right[i]);
        assert_int_equal(p.relations->next->where != NULL, left[i]);
        assert_null(p.plain.relation);
    }
}

static void tables_read_by_a_text_hide(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct predicates p;

    (void)state;
    p = parsed(STATEMENT(SELECT(STAR,
                                "{\"type\":\"TABLE_FUNCTION\",\"function\":"
                                "{\"function_name\":\"query_table\"}}",
                                A_IS_5)),
               &arena);
    assert_false(p.complete);
    p = parsed(STATEMENT(SELECT(STAR,
                                "{\"type\":\"TABLE_FUNCTION\",\"function\":"
                                "{\"function_name\":\"range\"}}",
                                A_IS_5)),
               &arena);
    assert_true(p.complete);
    assert_int_equal(predicates_parse(bytes_str("{}"), &arena, &p, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(predicates_parse(bytes_str("{"), &arena, &p, NULL), ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_either_way),
        cmocka_unit_test(what_is_not_understood_demands_nothing),
        cmocka_unit_test(a_function_has_its_where_and_leaves_the_rest_open),
        cmocka_unit_test(joins_keep_what_they_may_add_nulls_for),
        cmocka_unit_test(tables_read_by_a_text_hide),
    };

    return cmocka_run_group_tests_name("sql/predicate", tests, NULL, NULL);
}
