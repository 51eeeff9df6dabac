#include "../../support/unit.h"
#include "base/hash.h"

/* Neighbouring keys (table ids, bucket numbers) must not share low bits: maps mask them. */
static void neighbours_spread_over_low_bits(void **state)
{
    unsigned used[256] = {0};

    (void)state;
    for (uint64_t key = 0; key < 256 * 64; key++) {
        used[hash_u64(key) & 255]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(used); i++) {
        assert_in_range(used[i], 24, 120);
    }
}

static void one_bit_changes_about_half_of_the_hash(void **state)
{
    int changed = 0;

    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        changed += __builtin_popcountll(hash_u64(12345) ^ hash_u64(12345 ^ ((uint64_t)1 << bit)));
    }
    assert_in_range(changed, 64 * 26, 64 * 38);
}

static void names_hash_by_content(void **state)
{
    char copy[] = "fluss.flights";

    (void)state;
    assert_true(hash_bytes(bytes_str("fluss.flights")) == hash_bytes(bytes_str(copy)));
    assert_true(hash_bytes(bytes_str("a")) != hash_bytes(bytes_str("b")));
    assert_true(hash_bytes(bytes_str("ab")) != hash_bytes(bytes_str("ba")));
    assert_true(hash_bytes(BYTES_EMPTY) == hash_bytes(bytes_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_spread_over_low_bits),
        cmocka_unit_test(one_bit_changes_about_half_of_the_hash),
        cmocka_unit_test(names_hash_by_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
