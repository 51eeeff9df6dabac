#include "../../support/key_vectors.h"
#include "../../support/unit.h"

static void golden_keys(void **state)
{
    (void)state;
    key_vectors_check("iceberg", KEY_ICEBERG, BUCKETING_ICEBERG);
}

static enum errcode decode(const char *type, struct bytes key, struct row_value *ret,
                           struct arena *arena)
{
    struct key_format format = {.encoding = KEY_ICEBERG, .columns = row_vector_type(type, arena)};
    const struct row_value *values = NULL;

    assert_int_equal(key_format_check(&format, NULL), ERR_OK);
    TRY(key_decode(&format, key, arena, &values, NULL));
    *ret = values[0];
    return ERR_OK;
}

static void keys_of_the_wrong_size_or_range(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_value value = {0};
    uint8_t word[24] = {0};

    (void)state;
    for (size_t len = 0; len < 20; len++) {
        struct bytes key = bytes_of(word, len);

        assert_int_equal(decode("ROW<`a` INT NOT NULL>", key, &value, &arena),
                         len == 8 ? ERR_OK : ERR_CORRUPT_RECORD);
        assert_int_equal(decode("ROW<`a` FLOAT NOT NULL>", key, &value, &arena),
                         len == 4 ? ERR_OK : ERR_CORRUPT_RECORD);
        assert_int_equal(decode("ROW<`a` DECIMAL(9, 0) NOT NULL>", key, &value, &arena),
                         len > 0 && len <= 16 ? ERR_OK : ERR_CORRUPT_RECORD);
    }
    put_i64le(word, INT64_C(1) << 31);
    assert_int_equal(decode("ROW<`a` DATE NOT NULL>", bytes_of(word, 8), &value, &arena),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(decode("ROW<`a` DECIMAL(9, 0) NOT NULL>", bytes_of("\1\0\0\0\0\0\0\0\0", 9),
                            &value, &arena),
                     ERR_CORRUPT_RECORD);
}

static void times_before_1970(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_value value = {0};
    uint8_t word[8];

    (void)state;
    put_i64le(word, -1);
    assert_int_equal(decode("ROW<`a` TIMESTAMP(6) NOT NULL>", bytes_of(word, 8), &value, &arena),
                     ERR_OK);
    assert_int_equal(value.timestamp.millis, -1);
    assert_int_equal(value.timestamp.nanos, 999000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_keys),
        cmocka_unit_test(keys_of_the_wrong_size_or_range),
        cmocka_unit_test(times_before_1970),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
