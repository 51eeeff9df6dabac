#include "../../support/dies.h"
#include "../../support/unit.h"
#include "base/chunk.h"

static void budget_refuses_beyond_its_limit(void **state)
{
    struct budget b = {.limit = 100};

    (void)state;
    assert_true(budget_take(&b, 60));
    assert_false(budget_take(&b, 41));
    assert_true(budget_take(&b, 40));
    assert_true(budget_full(&b));
    assert_false(budget_take(&b, 1));
    budget_give(&b, 100);
    assert_false(budget_full(&b));
    assert_aborts(budget_give(&b, 1));
}

static void the_first_taker_gets_any_amount(void **state)
{
    struct budget b = {.limit = 100};

    (void)state;
    assert_true(budget_take(&b, 1000));
    assert_true(budget_full(&b));
    assert_false(budget_take(&b, 1));
    budget_give(&b, 1000);
    assert_true(budget_take(&b, 1));
}

static void a_chunk_gives_its_charges_back_with_the_last_reference(void **state)
{
    struct budget b = {.limit = 100};
    struct budget other = {.limit = 100};
    struct chunk *c = chunk_new(1000); /* larger than what is charged so far */

    (void)state;
    assert_true(chunk_charge(c, &b, 60));
    assert_true(chunk_charge(c, &b, 40));
    assert_false(chunk_charge(c, &b, 1));
    chunk_overdraw(c, &b, 50);
    assert_true(atomic_load(&b.used) == 150);
    assert_aborts(bool charged UNUSED = chunk_charge(c, &other, 1));
    assert_ptr_equal(chunk_ref(c), c);
    assert_null(chunk_unref(c));
    assert_true(budget_full(&b));
    chunk_unrefp(&c);
    assert_null(c);
    assert_true(atomic_load(&b.used) == 0);
    assert_null(chunk_unref(NULL));
}

static void chunk_data_is_aligned(void **state)
{
    struct chunk *c = chunk_new(33);

    (void)state;
    assert_int_equal(c->len, 33);
    assert_int_equal((uintptr_t)c->data % 16, 0);
    memset(c->data, 1, c->len);
    (void)chunk_unref(c);
}

static void pieces_keep_order_and_sum(void **state)
{
    struct arena a = ARENA_INIT;
    struct pieces p;
    struct pieces more;
    struct chunk *c = chunk_new(4);

    (void)state;
    memcpy(c->data, "abcd", 4);
    pieces_init(&p, &a);
    pieces_init(&more, &a);
    pieces_add_bytes(&p, bytes_str("head"));
    pieces_add_bytes(&p, BYTES_EMPTY);
    for (int i = 0; i < 20; i++) {
        pieces_add_chunk(&more, chunk_ref(c), bytes_of(c->data + 1, 2));
    }
    pieces_add_chunk(&more, chunk_ref(c), BYTES_EMPTY); /* gives the reference back at once */
    pieces_move(&p, &more);
    assert_int_equal(p.count, 21);
    assert_int_equal(p.len, 44);
    assert_int_equal(more.count, 0);
    assert_int_equal(more.len, 0);
    assert_memory_equal(p.items[0].data, "head", 4);
    assert_null(p.items[0].owner);
    assert_memory_equal(p.items[20].data, "bc", 2);
    for (size_t i = 1; i < p.count; i++) {
        assert_ptr_equal(p.items[i].owner, c);
        (void)chunk_unref(p.items[i].owner);
    }
    assert_true(atomic_load(&c->refs) == 1);
    (void)chunk_unref(c);
    arena_fini(&a);
}

static void a_file_range_has_no_memory(void **state)
{
    struct arena a = ARENA_INIT;
    struct pieces p;

    (void)state;
    pieces_init(&p, &a);
    pieces_add_file(&p, (struct file *)&a, 4096, 100); /* never looked into here */
    assert_int_equal(p.len, 100);
    assert_null(p.items[0].data);
    assert_int_equal(p.items[0].file_offset, 4096);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget_refuses_beyond_its_limit),
        cmocka_unit_test(the_first_taker_gets_any_amount),
        cmocka_unit_test(a_chunk_gives_its_charges_back_with_the_last_reference),
        cmocka_unit_test(chunk_data_is_aligned),
        cmocka_unit_test(pieces_keep_order_and_sum),
        cmocka_unit_test(a_file_range_has_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
