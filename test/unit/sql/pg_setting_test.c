#include "../../support/unit.h"
#include "sql/pg_setting.h"

static void names_in_any_case(void **state)
{
    (void)state;
    assert_true(pg_setting_find("datestyle") >= 0);
    assert_string_equal(pg_settings[pg_setting_find("datestyle")].name, "DateStyle");
    assert_int_equal(pg_setting_find("no_such"), -1);
}

/* A quote in one of them would end its text in SQL. */
static void all_are_in_the_statement(void **state)
{
    struct arena arena = ARENA_INIT;
    const char *text = pg_settings_statement(&arena);

    (void)state;
    for (size_t i = 0; i < pg_settings_len; i++) {
        const char *one = arena_printf(&arena, "{'name': '%s', 'value': '%s'}", pg_settings[i].name,
                                       pg_settings[i].value);

        assert_non_null(strstr(text, one));
        assert_null(strchr(pg_settings[i].name, '\''));
        assert_null(strchr(pg_settings[i].value, '\''));
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_any_case),
        cmocka_unit_test(all_are_in_the_statement),
    };

    return cmocka_run_group_tests_name("sql/pg_setting", tests, NULL, NULL);
}
