#include <stdio.h>

#include "../../support/unit.h"
#include "base/bytes.h"
#include "cmd/produce.h"

static const char *cells(const char *record)
{
    static char got[256];
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list list;
    struct error e;

    got[0] = '\0';
    if (produce_cells(bytes_str(record), &arena, &list, &e) != ERR_OK) {
        return "error";
    }
    for (size_t i = 0; i < list.count; i++) {
        size_t len = strlen(got);

        (void)snprintf(got + len, sizeof got - len, "[%s]",
                       list.items[i] == NULL ? "NULL" : list.items[i]);
    }
    return got;
}

static void records_have_cells(void **state)
{
    (void)state;
    assert_string_equal(cells("a,b c,1"), "[a][b c][1]");
    assert_string_equal(cells(""), "[NULL]");
    assert_string_equal(cells(",\"\","), "[NULL][][NULL]");
    assert_string_equal(cells("\"a,\"\"b\"\"\nc\",d\"e"), "[a,\"b\"\nc][d\"e]");
    assert_string_equal(cells("\"a\"b"), "error");
    assert_string_equal(cells("\"a"), "error");
    assert_string_equal(cells("\"a\"\""), "error");
}

static void records_end_outside_of_quotes(void **state)
{
    (void)state;
    assert_true(produce_record_ends(bytes_str("a,\"b\"\n")));
    assert_true(produce_record_ends(bytes_str("\"a\"\"b\"")));
    assert_false(produce_record_ends(bytes_str("a,\"b\n")));
    assert_false(produce_record_ends(bytes_str("\"a\"\"b")));
}

static void lines_are_objects_of_known_names(void **state)
{
    static const char *const items[] = {"a", "b"};
    struct text_list names = {.items = items, .count = 2};
    struct error e;

    (void)state;
    assert_int_equal(produce_check_json(bytes_str("{\"a\":1,\"b\":{\"c\":2}}"), names, &e), ERR_OK);
    assert_int_equal(produce_check_json(bytes_str("{}"), names, &e), ERR_OK);
    assert_int_equal(produce_check_json(bytes_str("{\"c\":1}"), names, &e), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "no column \"c\""));
    assert_int_equal(produce_check_json(bytes_str("[1]"), names, &e), ERR_INVALID_ARGUMENT);
    assert_int_equal(produce_check_json(bytes_str("{\"a\":"), names, &e), ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_cells),
        cmocka_unit_test(records_end_outside_of_quotes),
        cmocka_unit_test(lines_are_objects_of_known_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
