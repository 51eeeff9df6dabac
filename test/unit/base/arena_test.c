#include "../../support/dies.h"
#include "../../support/unit.h"
#include "base/arena.h"

static void allocations_are_aligned_and_distinct(void **state)
{
    struct arena a = ARENA_INIT;
    uint8_t *last = NULL;

    (void)state;
    for (size_t size = 0; size < 3000; size += 7) {
        uint8_t *p = arena_alloc(&a, size);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_true(last == NULL || p != last);
        memset(p, 0xa5, size); /* the sanitizers watch the bounds */
        last = size > 0 ? p : NULL;
    }
    arena_fini(&a);
}

static void zeroed_allocation_is_zero_after_reuse_of_the_heap(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct arena a = ARENA_INIT;
        uint8_t *p = arena_zalloc(&a, 5000);

        for (size_t i = 0; i < 5000; i++) {
            assert_int_equal(p[i], 0);
        }
        memset(p, 0xff, 5000);
        arena_fini(&a);
    }
}

static void arena_counts_its_blocks_and_starts_again_after_fini(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_int_equal(a.total, 0);
    (void)arena_alloc(&a, 10);
    assert_true(a.total >= 10);
    (void)arena_alloc(&a, 1 << 20); /* larger than any block */
    assert_true(a.total >= 1 << 20);
    arena_fini(&a);
    assert_int_equal(a.total, 0);
    assert_null(a.blocks);
    (void)arena_alloc(&a, 10);
    arena_fini(&a);
    arena_fini(&a);
}

static void reset_keeps_one_block(void **state)
{
    struct arena a = ARENA_INIT;
    size_t total;
    uint8_t *p;

    (void)state;
    arena_reset(&a);
    assert_null(a.blocks);
    for (int i = 0; i < 1000; i++) {
        (void)arena_alloc(&a, 1000);
    }
    arena_reset(&a);
    p = arena_alloc(&a, 1000);
    total = a.total;
    for (int round = 0; round < 100; round++) {
        arena_reset(&a);
        assert_ptr_equal(arena_alloc(&a, 1000), p);
        assert_int_equal(a.total, total);
    }
    arena_fini(&a);
}

static void arrays_refuse_overflow(void **state)
{
    struct arena a = ARENA_INIT;
    uint64_t *items = arena_array(&a, 100, sizeof *items);

    (void)state;
    assert_int_equal(items[0], 0);
    assert_int_equal(items[99], 0);
    assert_aborts((void)arena_array(&a, SIZE_MAX / 2, 16));
    assert_aborts((void)arena_alloc(&a, SIZE_MAX));
    arena_fini(&a);
}

static void copies_do_not_share_memory(void **state)
{
    struct arena a = ARENA_INIT;
    char text[] = "flights";
    struct bytes copy = arena_copy(&a, bytes_str(text));
    char *string = arena_strndup(&a, text, 6);

    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_true(bytes_equal_str(copy, "flights"));
    assert_string_equal(string, "flight");
    assert_int_equal(arena_copy(&a, BYTES_EMPTY).len, 0);
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    arena_fini(&a);
}

static void printf_makes_room_for_any_length(void **state)
{
    struct arena a = ARENA_INIT;
    char *text = arena_printf(&a, "%05000d|%s", 7, "end");

    (void)state;
    assert_int_equal(strlen(text), 5004);
    assert_string_equal(text + 4999, "7|end");
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_distinct),
        cmocka_unit_test(zeroed_allocation_is_zero_after_reuse_of_the_heap),
        cmocka_unit_test(arena_counts_its_blocks_and_starts_again_after_fini),
        cmocka_unit_test(reset_keeps_one_block),
        cmocka_unit_test(arrays_refuse_overflow),
        cmocka_unit_test(copies_do_not_share_memory),
        cmocka_unit_test(printf_makes_room_for_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
