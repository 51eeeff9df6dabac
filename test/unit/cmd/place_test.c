#include <string.h>

#include "../../support/unit.h"
#include "cmd/place.h"

static void places_are_read(void **state)
{
    static const char *const wrong[] = {"", ":", ":1", "h", "h:", "h:0", "h:65536", "h:x", "[]:1"};
    struct place p;
    struct error e;

    (void)state;
    assert_int_equal(place_parse("localhost:5433", "--server", &p, &e), ERR_OK);
    assert_string_equal(p.host, "localhost");
    assert_int_equal(p.port, 5433);
    assert_string_equal(p.text, "localhost:5433");
    assert_int_equal(place_parse("[::1]:1", "--server", &p, &e), ERR_OK);
    assert_string_equal(p.host, "::1");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(place_parse(wrong[i], "--server", &p, &e), ERR_INVALID_ARGUMENT);
        assert_non_null(strstr(e.message, "--server"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
