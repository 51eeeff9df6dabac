#include "../../support/unit.h"
#include "kv/decimal.h"

static __int128 power_of_ten(int exponent)
{
    __int128 power = 1;

    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

static void sums(void **state)
{
    __int128 largest = power_of_ten(38) - 1;
    __int128 sum = 0;

    (void)state;
    assert_true(decimal_sum(150, -75, 5, &sum) && sum == 75);
    /* up to 18 digits: only 64 bits are a limit */
    assert_true(decimal_sum(99999, 1, 5, &sum) && sum == 100000);
    assert_true(decimal_sum(INT64_MAX, 0, 18, &sum) && sum == INT64_MAX);
    assert_false(decimal_sum(INT64_MAX, 1, 18, &sum));
    assert_false(decimal_sum(INT64_MIN, -1, 18, &sum));
    assert_true(decimal_fits(-99999, 5) && !decimal_fits(-100000, 5) && decimal_fits(largest, 38));
    /* above: the precision */
    assert_true(decimal_sum(power_of_ten(19) - 2, 1, 19, &sum) && sum == power_of_ten(19) - 1);
    assert_false(decimal_sum(power_of_ten(19) - 1, 1, 19, &sum));
    assert_false(decimal_sum(-power_of_ten(19) + 1, -1, 19, &sum));
    assert_true(decimal_sum(largest, -largest, 38, &sum) && sum == 0);
    assert_false(decimal_sum(largest, largest, 38, &sum)); /* more than 127 bits */
}

static void products(void **state)
{
    __int128 product = 0;

    (void)state;
    assert_true(decimal_product(150, 200, 5, 2, &product) && product == 300);
    assert_true(decimal_product(7, 9, 5, 0, &product) && product == 63);
    /* half up, away from zero */
    assert_true(decimal_product(5, 10, 5, 2, &product) && product == 1);
    assert_true(decimal_product(-5, 10, 5, 2, &product) && product == -1);
    assert_true(decimal_product(5, 9, 5, 2, &product) && product == 0);
    assert_true(decimal_product(-7, -7, 5, 1, &product) && product == 5);
    assert_false(decimal_product(1000, 1000, 5, 0, &product));
    assert_true(decimal_product(99999, 1, 5, 0, &product) && product == 99999);
    /* rounding that makes one digit more */
    assert_false(decimal_product(19999, 50000, 4, 5, &product));
    assert_true(decimal_product(19998, 50000, 4, 5, &product) && product == 9999);
}

static void products_of_many_digits(void **state)
{
    __int128 largest = power_of_ten(38) - 1;
    __int128 product = 0;

    (void)state;
    assert_true(decimal_product(largest, 1, 38, 0, &product) && product == largest);
    assert_false(decimal_product(largest, 2, 38, 0, &product));
    assert_true(decimal_product(power_of_ten(37), power_of_ten(37), 38, 37, &product) &&
                product == power_of_ten(37));
    assert_true(decimal_product(-largest, power_of_ten(38) - 1, 38, 38, &product) &&
                product == -(power_of_ten(38) - 2));
    assert_true(decimal_product(largest, 0, 38, 10, &product) && product == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),
        cmocka_unit_test(products),
        cmocka_unit_test(products_of_many_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
