#include "../../support/unit.h"
#include "io/file.h"

static void others_open_its_path(void **state)
{
    OWNED(file_unrefp) struct file *f = NULL;
    OWNED(file_unrefp) struct file *other = NULL;
    uint8_t data[4];
    uint64_t size = 0;

    (void)state;
    assert_int_equal(file_open_memory("test", &f, NULL), ERR_OK);
    assert_int_equal(file_open(f->path, FILE_CREATE, &other, NULL), ERR_OK);
    assert_int_equal(file_write_at(other, 0, bytes_str("abcd"), NULL), ERR_OK);
    assert_int_equal(file_size(f, &size, NULL), ERR_OK);
    assert_int_equal(size, 4);
    assert_int_equal(file_read_at(f, 0, data, sizeof data, NULL), ERR_OK);
    assert_memory_equal(data, "abcd", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_open_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
