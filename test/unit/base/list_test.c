#include "../../support/unit.h"
#include "base/list.h"

struct item {
    int value;
    struct list link;
};

static struct item items[5];
static struct list list;

static int setup(void **state)
{
    (void)state;
    list_init(&list);
    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        list_init(&items[i].link);
    }
    return 0;
}

/* The members' values as decimal digits. */
static int digits(const struct list *l)
{
    int number = 0;

    LIST_FOR_EACH(it, l) { number = number * 10 + container_of(it, struct item, link)->value; }
    return number;
}

static void members_keep_their_order(void **state)
{
    (void)state;
    assert_true(list_empty(&list));
    list_push_back(&list, &items[2].link);
    list_push_back(&list, &items[3].link);
    list_push_front(&list, &items[1].link);
    assert_int_equal(digits(&list), 123);
    assert_true(list_linked(&items[2].link));
    list_remove(&items[2].link);
    assert_false(list_linked(&items[2].link));
    list_remove(&items[2].link); /* again: harmless */
    assert_int_equal(digits(&list), 13);
}

static void pop_takes_from_the_front_until_empty(void **state)
{
    (void)state;
    assert_null(list_pop_front(&list));
    list_push_back(&list, &items[1].link);
    list_push_back(&list, &items[2].link);
    assert_ptr_equal(list_pop_front(&list), &items[1].link);
    assert_ptr_equal(list_pop_front(&list), &items[2].link);
    assert_null(list_pop_front(&list));
    assert_true(list_empty(&list));
}

static void all_members_move_at_once(void **state)
{
    struct list other;

    (void)state;
    list_init(&other);
    list_move_all(&list, &other);
    assert_true(list_empty(&list));
    list_push_back(&list, &items[1].link);
    list_push_back(&other, &items[2].link);
    list_push_back(&other, &items[3].link);
    list_move_all(&list, &other);
    assert_true(list_empty(&other));
    assert_int_equal(digits(&list), 123);
    list_move_all(&other, &list);
    assert_int_equal(digits(&other), 123);
}

static void a_walk_may_remove_its_member(void **state)
{
    (void)state;
    for (int i = 1; i < 5; i++) {
        list_push_back(&list, &items[i].link);
    }
    LIST_FOR_EACH(it, &list)
    {
        if (container_of(it, struct item, link)->value % 2 == 0) {
            list_remove(it);
        }
    }
    assert_int_equal(digits(&list), 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(members_keep_their_order, setup),
        cmocka_unit_test_setup(pop_takes_from_the_front_until_empty, setup),
        cmocka_unit_test_setup(all_members_move_at_once, setup),
        cmocka_unit_test_setup(a_walk_may_remove_its_member, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
