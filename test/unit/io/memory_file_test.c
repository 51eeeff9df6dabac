#include "../../support/unit.h"
#include "io/file.h"

static void check_others(struct file *f)
{
    OWNED(file_unrefp) struct file *other = NULL;
    uint8_t data[4];
    uint64_t size = 0;

    assert_int_equal(file_open(f->path, FILE_CREATE, &other, NULL), ERR_OK);
    assert_int_equal(file_write_at(other, 0, bytes_str("abcd"), NULL), ERR_OK);
    assert_int_equal(file_size(f, &size, NULL), ERR_OK);
    assert_int_equal(size, 4);
    assert_int_equal(file_read_at(f, 0, data, sizeof data, NULL), ERR_OK);
    assert_memory_equal(data, "abcd", 4);
}

static void others_open_its_path(void **state)
{
    OWNED(file_unrefp) struct file *f = NULL;

    (void)state;
    assert_int_equal(file_open_memory("test", &f, NULL), ERR_OK);
    check_others(f);
}

static void one_on_a_device_leaves_no_name(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(file_unrefp) struct file *f = NULL;
    struct dir_list list;
    char *dir;
    struct error e;

    (void)state;
    assert_int_equal(dir_create_temporary("unnamed", &arena, &dir, NULL), ERR_OK);
    assert_int_equal(file_open_unnamed(dir, &f, NULL), ERR_OK);
    check_others(f);
    assert_int_equal(dir_read(dir, &arena, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(path_remove_tree(dir, NULL), ERR_OK);
    assert_int_not_equal(file_open_unnamed(dir, &f, &e), ERR_OK);
    assert_non_null(strstr(e.message, dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_open_its_path),
        cmocka_unit_test(one_on_a_device_leaves_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
