#include "../../support/unit.h"
#include "sql/spool.h"

static void all_of_them_are_counted(void **state)
{
    struct sql_engine engine = {.options = {.spool_dir = ".", .spool_bytes = 10}};
    struct spool a = {0};
    struct spool b = {0};
    struct error e;
    uint8_t data[4];

    (void)state;
    assert_int_equal(spool_open(&engine, &a, NULL), ERR_OK);
    assert_int_equal(spool_open(&engine, &b, NULL), ERR_OK);
    assert_int_equal(spool_add(&a, bytes_str("abcd"), NULL), ERR_OK);
    assert_int_equal(spool_add(&a, bytes_str("ef"), NULL), ERR_OK);
    assert_int_equal(spool_add(&b, bytes_str("12345"), &e), ERR_DISK_FULL);
    assert_int_equal(spool_add(&b, bytes_str("1234"), NULL), ERR_OK);
    assert_int_equal(file_read_at(a.file, 2, data, sizeof data, NULL), ERR_OK);
    assert_memory_equal(data, "cdef", 4);
    spool_close(&a);
    spool_close(&a);
    assert_int_equal(file_write_at(b.file, 4, bytes_str("56789"), NULL), ERR_OK);
    assert_int_equal(spool_grown(&b, NULL), ERR_OK);
    assert_int_equal(b.size, 9);
    assert_int_equal(file_write_at(b.file, 9, bytes_str("56"), NULL), ERR_OK);
    assert_int_equal(spool_grown(&b, &e), ERR_DISK_FULL);
    spool_close(&b);
    assert_int_equal(atomic_load(&engine.spooled), 0);
    engine.options.spool_dir = "./no/such";
    assert_int_not_equal(spool_open(&engine, &a, &e), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
