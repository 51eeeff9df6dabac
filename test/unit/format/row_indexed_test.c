#include "../../support/row_vectors.h"
#include "../../support/unit.h"

static void agrees_with_the_reference(void **state)
{
    (void)state;
    row_vectors_check("rows_indexed.json", ROW_INDEXED);
}

static struct row_format format_of(const char *type, struct arena *arena)
{
    return (struct row_format){.layout = ROW_INDEXED, .row = row_vector_type(type, arena)};
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
    assert_corrupt("ROW<`a` INT>", "\0\1\0\0\0\0", 6);
    assert_corrupt("ROW<`a` STRING>", "\0\xff\xff\xff\xff", 5);
    assert_corrupt("ROW<`a` STRING>", "\0\2\0\0\0x", 6);
    assert_corrupt("ROW<`a` CHAR(9)>", "\0abc", 4);
    assert_corrupt("ROW<`a` TIMESTAMP(9)>", "\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 13);
}

static void texts_must_fit_their_type(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_format small = format_of("ROW<`a` CHAR(3)>", &arena);
    struct row_format huge = format_of("ROW<`a` BINARY(2147483647)>", &arena);
    struct row_value value = {.bytes = bytes_str("abcd")};
    struct bytes encoded;

    (void)state;
    assert_int_equal(row_encode(small, &value, &arena, &encoded, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(row_encode(huge, &value, &arena, &encoded, NULL), ERR_INVALID_ARGUMENT);
    value.bytes = BYTES_EMPTY;
    assert_int_equal(row_encode(small, &value, &arena, &encoded, NULL), ERR_OK);
    assert_true(bytes_equal(encoded, bytes_of("\0\0\0\0", 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(refuses_what_no_writer_makes),
        cmocka_unit_test(texts_must_fit_their_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
