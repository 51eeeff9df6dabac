#include "../../support/unit.h"
#include "meta/zone.h"

static void finds_zones(void **state)
{
    struct arena arena = ARENA_INIT;
    const struct tz *zone = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(zone_find("+05:30", &arena, &zone, &e), ERR_OK);
    assert_int_equal(tz_offset_at(zone, 0), 19800);
    assert_int_equal(zone_find(NULL, &arena, &zone, &e), ERR_OK);
    assert_non_null(zone);
    assert_int_equal(zone_find("../../etc/passwd", &arena, &zone, &e), ERR_INVALID_CONFIG);
    assert_int_equal(zone_find("Middle/Earth", &arena, &zone, &e), ERR_INVALID_CONFIG);
    assert_int_equal(zone_find("", &arena, &zone, &e), ERR_INVALID_CONFIG);
    assert_non_null(strstr(e.message, "is unknown"));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_zones)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
