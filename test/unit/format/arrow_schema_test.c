#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/arrow_schema.h"

/* test/system/test_shell.py has the streams, which pyarrow reads; here is how a message is laid out. */

/* Where the field of a table is; 0: it has none. */
static size_t field_at(const struct buffer *b, size_t table, size_t field)
{
    size_t vtable = table - get_u32le(b->data + table);

    assert_true(4 + 2 * field < get_u16le(b->data + vtable));
    return get_u16le(b->data + vtable + 4 + 2 * field) == 0
               ? 0
               : table + get_u16le(b->data + vtable + 4 + 2 * field);
}

static size_t pointed(const struct buffer *b, size_t at)
{
    size_t to = at + get_u32le(b->data + at);

    assert_true(at > 0 && to < b->len && to % 4 == 0);
    return to;
}

static size_t fields_of(const struct buffer *b)
{
    size_t message = pointed(b, 8);

    assert_int_equal(get_u16le(b->data + field_at(b, message, 0)), 4);
    assert_int_equal(b->data[field_at(b, message, 1)], 1);
    return pointed(b, field_at(b, pointed(b, field_at(b, message, 2)), 1));
}

static size_t nth(const struct buffer *b, size_t vector, size_t i)
{
    return pointed(b, vector + 4 + 4 * i);
}

static void names_types_and_children(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(buffer_fini) struct buffer b = BUFFER_INIT;
    size_t fields;
    size_t field;
    size_t type;

    (void)state;
    arrow_schema_write(
        row_vector_type("ROW<`a` INT NOT NULL, `b` DECIMAL(38, 9), `c` TIMESTAMP_LTZ(6), "
                        "`d` MAP<STRING, ROW<`x` DATE>>>",
                        &arena),
        &b);
    assert_int_equal(get_u32le(b.data), UINT32_MAX);
    assert_int_equal(get_u32le(b.data + 4), b.len - 8);
    assert_int_equal(b.len % 8, 0);
    fields = fields_of(&b);
    assert_int_equal(get_u32le(b.data + fields), 4);

    field = nth(&b, fields, 0);
    assert_memory_equal(b.data + pointed(&b, field_at(&b, field, 0)), "\1\0\0\0a", 6);
    assert_int_equal(b.data[field_at(&b, field, 1)], 0);
    assert_int_equal(b.data[field_at(&b, field, 2)], 2);
    type = pointed(&b, field_at(&b, field, 3));
    assert_int_equal(get_u32le(b.data + field_at(&b, type, 0)), 32);

    field = nth(&b, fields, 1);
    assert_int_equal(b.data[field_at(&b, field, 1)], 1);
    type = pointed(&b, field_at(&b, field, 3));
    assert_int_equal(get_u32le(b.data + field_at(&b, type, 0)), 38);
    assert_int_equal(get_u32le(b.data + field_at(&b, type, 1)), 9);

    type = pointed(&b, field_at(&b, nth(&b, fields, 2), 3));
    assert_int_equal(get_u16le(b.data + field_at(&b, type, 0)), 2);
    assert_memory_equal(b.data + pointed(&b, field_at(&b, type, 1)), "\3\0\0\0UTC", 8);

    field = nth(&b, fields, 3);
    assert_int_equal(b.data[field_at(&b, field, 2)], 17);
    fields = pointed(&b, field_at(&b, field, 5));
    assert_int_equal(get_u32le(b.data + fields), 1);
    fields = pointed(&b, field_at(&b, nth(&b, fields, 0), 5)); /* entries */
    assert_int_equal(get_u32le(b.data + fields), 2);
    fields = pointed(&b, field_at(&b, nth(&b, fields, 1), 5)); /* of the value */
    assert_memory_equal(b.data + pointed(&b, field_at(&b, nth(&b, fields, 0), 0)), "\1\0\0\0x", 6);
}

static void no_columns(void **state)
{
    OWNED(buffer_fini) struct buffer b = BUFFER_INIT;
    struct type row = {.root = TYPE_ROW};

    (void)state;
    arrow_schema_write(&row, &b);
    assert_int_equal(get_u32le(b.data + fields_of(&b)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_types_and_children),
                                       cmocka_unit_test(no_columns)};

    return cmocka_run_group_tests_name("format/arrow_schema", tests, NULL, NULL);
}
