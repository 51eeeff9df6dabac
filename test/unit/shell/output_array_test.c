#include "../../support/unit.h"
#include "shell/output_kinds.h"

static void elements_of_an_array(void **state)
{
    static const char *const expected[] = {"1", "NULL", "a \"b\", c", "NULL", ""};
    static const bool quoted[] = {false, false, true, true, true};
    OWNED(buffer_fini) struct buffer element = BUFFER_INIT;
    struct bytes b = bytes_str("1,NULL,\"a \\\"b\\\", c\",\"NULL\",\"\"}");
    bool is_quoted = false;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        size_t len = output_take_element(b, &element, &is_quoted);

        assert_true(bytes_equal_str(buffer_view(&element), expected[i]));
        assert_int_equal(is_quoted, quoted[i]);
        assert_int_equal(b.data[len], i + 1 < ARRAY_LEN(expected) ? ',' : '}');
        b = bytes_slice(b, len + 1, b.len - len - 1);
    }
}

static void types_of_elements(void **state)
{
    (void)state;
    assert_int_equal(output_element_of(1007), 23);
    assert_int_equal(output_element_of(23), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(elements_of_an_array),
                                       cmocka_unit_test(types_of_elements)};

    return cmocka_run_group_tests_name("shell/output_array", tests, NULL, NULL);
}
