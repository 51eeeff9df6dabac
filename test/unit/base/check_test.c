#include <stdlib.h>
#include <string.h>

#include "../../support/dies.h"
#include "../../support/unit.h"
#include "base/check.h"

static int released;

static void release(const int *value) { released += *value; }

static int returns_early(bool early)
{
    OWNED(release) int value = 5;

    if (early) {
        return 1;
    }
    value = 7;
    return 2;
}

static void assert_stops_and_says_where(void **state)
{
    volatile int one = 1;

    (void)state;
    ASSERT(one == 1);
    assert_aborts(ASSERT(one == 2));
}

static void owned_is_released_on_every_way_out(void **state)
{
    (void)state;
    released = 0;
    assert_int_equal(returns_early(true), 1);
    assert_int_equal(released, 5);
    assert_int_equal(returns_early(false), 2);
    assert_int_equal(released, 12);
}

static char *make(bool fail)
{
    OWNED(mem_freep) char *text = mem_strdup("kept");

    return fail ? NULL : TAKE(text);
}

static void take_keeps_what_the_scope_would_free(void **state)
{
    char *text = make(false);

    (void)state;
    assert_string_equal(text, "kept");
    free(text);
    assert_null(make(true));
}

static void memory_is_never_null(void **state)
{
    uint64_t *counter = mem_new(uint64_t);
    char *p = mem_alloc(0);

    (void)state;
    assert_true(*counter == 0);
    assert_non_null(p);
    p = mem_realloc(p, 100);
    memset(p, 1, 100);
    free(mem_zalloc(0));
    free(p);
    free(counter);
}

struct outer {
    int a;
    int inner;
};

static void container_is_found_from_its_member(void **state)
{
    struct outer o = {.a = 1};

    (void)state;
    assert_ptr_equal(container_of(&o.inner, struct outer, inner), &o);
    assert_int_equal(ARRAY_LEN(((int[]){1, 2, 3})), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assert_stops_and_says_where),
        cmocka_unit_test(owned_is_released_on_every_way_out),
        cmocka_unit_test(take_keeps_what_the_scope_would_free),
        cmocka_unit_test(memory_is_never_null),
        cmocka_unit_test(container_is_found_from_its_member),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
