#include "../../support/unit.h"
#include "cmd/sql_text.h"

static void quotes_are_doubled(void **state)
{
    struct buffer out = BUFFER_INIT;

    (void)state;
    sql_text_put(&out, "x ");
    sql_text_quote(&out, bytes_str("a\"b'"), '"');
    sql_text_quote(&out, bytes_str("'a''"), '\'');
    sql_text_quote(&out, BYTES_EMPTY, '\'');
    assert_true(bytes_equal_str(buffer_view(&out), "x \"a\"\"b'\"'''a'''''''"));
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quotes_are_doubled)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
