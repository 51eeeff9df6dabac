#include "../../support/row_vectors.h"
#include "../../support/unit.h"

static void agrees_with_the_reference(void **state)
{
    (void)state;
    row_vectors_check("rows_compacted.json", ROW_COMPACTED);
}

static struct row_format format_of(const char *type, struct arena *arena)
{
    return (struct row_format){.layout = ROW_COMPACTED, .row = row_vector_type(type, arena)};
}

static void assert_corrupt(const char *type, const void *data, size_t len)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value *fields = NULL;

    assert_int_equal(
        row_decode(format_of(type, &arena), bytes_of(data, len), &arena, &fields, NULL),
        ERR_CORRUPT_RECORD);
}

static void refuses_what_no_writer_makes(void **state)
{
    (void)state;
    assert_corrupt("ROW<`a` INT>", "\0\1\2", 3);                 /* a byte too many */
    assert_corrupt("ROW<`a` INT>", "\0\xff\xff\xff\xff\x1f", 6); /* beyond 32 bits */
    assert_corrupt("ROW<`a` BIGINT>", "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 12);
    assert_corrupt("ROW<`a` STRING>", "\0\5abc", 5);
    assert_corrupt("ROW<`a` STRING>", "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11);
    assert_corrupt("ROW<`a` TIMESTAMP(6)>", "\0\1\xc0\x84\x3d", 5); /* 1,000,000 ns */
}

static void null_bits_of_not_null_types_are_ignored(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_format format = format_of("ROW<`a` INT NOT NULL>", &arena);
    struct row_value null = {.null = true};
    const struct row_value *fields = NULL;
    struct bytes encoded;

    (void)state;
    assert_int_equal(row_decode(format, bytes_of("\1\7", 2), &arena, &fields, NULL), ERR_OK);
    assert_false(fields[0].null);
    assert_int_equal(fields[0].integer, 7);
    assert_int_equal(row_encode(format, &null, &arena, &encoded, NULL), ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(refuses_what_no_writer_makes),
        cmocka_unit_test(null_bits_of_not_null_types_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
