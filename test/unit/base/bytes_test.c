#include "../../support/dies.h"
#include "../../support/unit.h"
#include "base/bytes.h"

static void byte_order_is_in_the_name(void **state)
{
    uint8_t p[8];

    (void)state;
    put_u16le(p, 0x1234);
    assert_memory_equal(p, "\x34\x12", 2);
    put_u32be(p, 0x12345678);
    assert_memory_equal(p, "\x12\x34\x56\x78", 4);
    put_u64le(p, 0x0102030405060708);
    assert_memory_equal(p, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    put_i64be(p, -2);
    assert_memory_equal(p, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
    assert_true(get_i64be(p) == -2);
    assert_int_equal(get_i16le((const uint8_t *)"\xff\x7f"), 0x7fff);
    assert_int_equal(get_i16be((const uint8_t *)"\x80\x00"), -32768);
}

static void writers_and_readers_mirror_each_other(void **state)
{
    uint8_t memory[128];
    struct writer w = writer_of(memory, sizeof memory);
    struct reader r;

    (void)state;
    writer_u8(&w, 0xfe);
    writer_i16be(&w, -3);
    writer_u32le(&w, 0xdeadbeef);
    writer_i64le(&w, INT64_MIN);
    writer_u64be(&w, UINT64_MAX - 1);
    writer_i32be(&w, -70000);
    writer_varint64(&w, 300);
    writer_bytes(&w, bytes_str("abc"));
    writer_zeros(&w, 2);
    r = reader_of(bytes_of(memory, w.len));
    assert_int_equal(reader_u8(&r), 0xfe);
    assert_int_equal(reader_i16be(&r), -3);
    assert_int_equal(reader_u32le(&r), 0xdeadbeef);
    assert_true(reader_i64le(&r) == INT64_MIN);
    assert_true(reader_u64be(&r) == UINT64_MAX - 1);
    assert_int_equal(reader_i32be(&r), -70000);
    assert_int_equal(reader_varint64(&r), 300);
    assert_true(bytes_equal_str(reader_bytes(&r, 3), "abc"));
    assert_int_equal(reader_u16le(&r), 0);
    assert_false(r.failed);
    assert_int_equal(r.rest.len, 0);
}

static void a_failed_reader_yields_zeros_and_stays(void **state)
{
    struct reader r = reader_of(bytes_of("\x01\x02\x03", 3));

    (void)state;
    assert_int_equal(reader_u32le(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_u8(&r), 0); /* there are bytes, but it has failed */
    assert_int_equal(reader_bytes(&r, 0).len, 0);
    assert_int_equal(reader_varint64(&r), 0);
    assert_int_equal(r.rest.len, 3);
}

static void varints_take_one_to_ten_bytes(void **state)
{
    const uint64_t values[] = {0,         1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)1 << 63,
                               UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        uint8_t memory[10];
        struct writer w = writer_of(memory, sizeof memory);
        struct reader r;

        writer_varint64(&w, values[i]);
        assert_int_equal(w.len, varint64_size(values[i]));
        r = reader_of(bytes_of(memory, w.len));
        assert_true(reader_varint64(&r) == values[i]);
        assert_int_equal(r.rest.len, 0);
        r = reader_of(bytes_of(memory, w.len - 1));
        (void)reader_varint64(&r);
        assert_true(r.failed);
    }
    assert_int_equal(varint64_size(UINT64_MAX), 10);
}

static void a_varint_of_eleven_bytes_is_refused(void **state)
{
    struct reader r = reader_of(bytes_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11));

    (void)state;
    assert_int_equal(reader_varint64(&r), 0);
    assert_true(r.failed);
}

static void comparison_is_unsigned_and_shorter_first(void **state)
{
    (void)state;
    assert_true(bytes_compare(bytes_str("a"), bytes_str("b")) < 0);
    assert_true(bytes_compare(bytes_of("\xff", 1), bytes_of("\x01", 1)) > 0);
    assert_true(bytes_compare(bytes_str("ab"), bytes_str("abc")) < 0);
    assert_int_equal(bytes_compare(BYTES_EMPTY, BYTES_EMPTY), 0);
    assert_true(bytes_equal(BYTES_EMPTY, bytes_str("")));
    assert_false(bytes_equal(bytes_str("ab"), bytes_str("ac")));
}

static void overflow_and_overrun_are_caught(void **state)
{
    uint8_t memory[4];
    struct writer w = writer_of(memory, sizeof memory);
    size_t sum = 1;

    (void)state;
    assert_true(size_add(2, 3, &sum));
    assert_int_equal(sum, 5);
    assert_false(size_add(SIZE_MAX, 1, &sum));
    assert_int_equal(sum, 5);
    assert_true(bytes_equal_str(bytes_slice(bytes_str("abcd"), 1, 2), "bc"));
    assert_aborts((void)bytes_slice(bytes_str("abcd"), 3, 2));
    assert_aborts((void)bytes_slice(bytes_str("abcd"), 1, SIZE_MAX));
    writer_u32le(&w, 1);
    assert_aborts(writer_u8(&w, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_order_is_in_the_name),
        cmocka_unit_test(writers_and_readers_mirror_each_other),
        cmocka_unit_test(a_failed_reader_yields_zeros_and_stays),
        cmocka_unit_test(varints_take_one_to_ten_bytes),
        cmocka_unit_test(a_varint_of_eleven_bytes_is_refused),
        cmocka_unit_test(comparison_is_unsigned_and_shorter_first),
        cmocka_unit_test(overflow_and_overrun_are_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
