#include "../../support/sql_store.h"
#include "sql/syntax.h"

static void a_tree_of_one_query(void **state)
{
    struct sql_store *q = sql_ready(state);
    OWNED(buffer_fini) struct buffer json = BUFFER_INIT;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *node;
    struct error e;

    assert_int_equal(syntax_ask(q->session, bytes_str("select 'it''s' from t"), &json, &e), ERR_OK);
    node = syntax_find(syntax_statement(buffer_view(&json), &arena), "node");
    assert_true(syntax_is(node, "type", "SELECT_NODE"));
    assert_int_equal(json_count(syntax_list(node, "select_list")), 1);
    assert_string_equal(syntax_text(syntax_find(node, "from_table"), "table_name"), "t");
    assert_true(syntax_is_empty(node, "where_clause"));
    assert_string_equal(syntax_text(NULL, "x"), "");
    assert_null(syntax_list(node, "from_table"));
    buffer_clear(&json);
    assert_int_equal(syntax_ask(q->session, bytes_str("select from from"), &json, &e), ERR_OK);
    assert_null(syntax_statement(buffer_view(&json), &arena));
    assert_null(syntax_statement(bytes_str("{"), &arena));
}

static void explain_is_skipped(void **state)
{
    struct bytes text = bytes_str(" explain /* so */ ANALYZE select 1");
    struct bytes other = bytes_str("\"explain\" select 1");

    (void)state;
    syntax_skip_explain(&text);
    assert_true(bytes_equal_str(text, " select 1"));
    syntax_skip_explain(&other);
    assert_true(bytes_equal_str(other, "\"explain\" select 1"));
}

static void texts_are_changed_at_places(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct edits edits = {.arena = &arena};

    (void)state;
    edits_add(&edits, 7, 7, "d");
    edits_add(&edits, 0, 3, "A");
    edits_add(&edits, 7, 7, "e");
    edits_add(&edits, 0, 3, "A"); /* counts once */
    assert_true(edits_apply(&edits, bytes_str("abc def"), &out));
    assert_string_equal((const char *)out.data, "A defde");
    edits_add(&edits, 2, 4, "X");
    assert_false(edits_apply(&edits, bytes_str("abc def"), &out));
    assert_false(edits_apply(&edits, bytes_str("ab"), &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(a_tree_of_one_query),
        cmocka_unit_test(explain_is_skipped),
        cmocka_unit_test(texts_are_changed_at_places),
    };

    return cmocka_run_group_tests_name("sql/syntax", tests, NULL, NULL);
}
