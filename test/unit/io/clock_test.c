#include "../../support/unit.h"
#include "io/blocking.h"
#include "io/clock.h"

static void monotonic_time_passes(void **state)
{
    int64_t before = clock_mono_us();

    (void)state;
    thread_sleep_us(2000);
    assert_true(clock_mono_us() >= before + 2000);
}

static void wall_time_is_of_this_century(void **state)
{
    (void)state;
    assert_in_range(clock_wall_ms(), INT64_C(1600000000000), INT64_C(7000000000000));
}

static void cpu_time_counts_work_not_sleep(void **state)
{
    int64_t before = clock_cpu_us();
    volatile uint64_t x = 0;

    (void)state;
    while (clock_cpu_us() == before) {
        x = x + 1;
    }
    before = clock_cpu_us();
    thread_sleep_us(50000);
    assert_true(clock_cpu_us() - before < 40000);
}

static void random_numbers_differ(void **state)
{
    uint64_t seen[100];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        seen[i] = random_u64();
        for (size_t k = 0; k < i; k++) {
            assert_true(seen[k] != seen[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_passes),
        cmocka_unit_test(wall_time_is_of_this_century),
        cmocka_unit_test(cpu_time_counts_work_not_sleep),
        cmocka_unit_test(random_numbers_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
