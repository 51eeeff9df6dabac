#include "../../support/unit.h"
#include "base/buffer.h"

static void keeps_what_was_appended_while_it_grows(void **state)
{
    OWNED(buffer_fini) struct buffer b = BUFFER_INIT;

    (void)state;
    for (uint32_t i = 0; i < 5000; i++) {
        buffer_u32le(&b, i);
    }
    assert_int_equal(b.len, 20000);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(get_u32le(b.data + 4 * (size_t)i), i);
    }
}

static void clearing_keeps_the_memory(void **state)
{
    OWNED(buffer_fini) struct buffer b = BUFFER_INIT;
    uint8_t *before = buffer_room(&b, 1000);
    size_t cap = b.cap;

    (void)state;
    buffer_clear(&b);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(buffer_room(&b, 1000), before);
    assert_int_equal(b.cap, cap);
}

static void empty_rooms_have_an_address(void **state)
{
    OWNED(buffer_fini) struct buffer b = BUFFER_INIT;

    (void)state;
    assert_non_null(buffer_room(&b, 0));
    buffer_bytes(&b, BYTES_EMPTY);
    assert_int_equal(buffer_view(&b).len, 0);
    buffer_varint64(&b, 300);
    buffer_u8(&b, 7);
    assert_true(bytes_equal(buffer_view(&b), bytes_of("\xac\x02\x07", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_was_appended_while_it_grows),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(empty_rooms_have_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
