#include "../../support/key_vectors.h"
#include "../../support/unit.h"

static void golden_keys(void **state)
{
    (void)state;
    key_vectors_check("paimon", KEY_PAIMON, BUCKETING_PAIMON);
}

static void damaged_keys_are_refused(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct key_format format = {
        .encoding = KEY_PAIMON,
        .columns = row_vector_type("ROW<`a` STRING NOT NULL, `b` TIMESTAMP(9) NOT NULL>", &arena)};
    const struct row_value values[] = {
        {.bytes = bytes_str("longer than seven")},
        {.timestamp = {.millis = 5, .nanos = 7}},
    };
    const struct row_value *read = NULL;
    uint8_t damaged[256];
    struct bytes key;

    (void)state;
    assert_int_equal(key_encode(&format, values, &arena, &key, NULL), ERR_OK);
    assert_int_equal(key_decode(&format, key, &arena, &read, NULL), ERR_OK);
    memcpy(damaged, key.data, key.len);
    damaged[1] = 1; /* null */
    assert_int_equal(key_decode(&format, bytes_of(damaged, key.len), &arena, &read, NULL),
                     ERR_CORRUPT_RECORD);
    memcpy(damaged, key.data, key.len);
    put_u32le(damaged + 16, 1000000); /* nanoseconds of b */
    assert_int_equal(key_decode(&format, bytes_of(damaged, key.len), &arena, &read, NULL),
                     ERR_CORRUPT_RECORD);
    for (size_t len = 0; len < key.len; len++) {
        assert_int_equal(key_decode(&format, bytes_slice(key, 0, len), &arena, &read, NULL),
                         ERR_CORRUPT_RECORD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_keys),
        cmocka_unit_test(damaged_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
