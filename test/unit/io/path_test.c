#include "directory.h"

#include <unistd.h>

static void a_directory_is_listed_in_name_order(void **state)
{
    struct place *p = *state;
    struct dir_list list;
    struct error e;

    for (int i = 40; i > 0; i--) {
        put(p, arena_printf(&p->arena, "f%02d", i), "");
    }
    assert_int_equal(dir_create(at(p, "d"), &e), ERR_OK);
    assert_int_equal(dir_read(p->dir, &p->arena, &list, &e), ERR_OK);
    assert_int_equal(list.count, 41);
    assert_string_equal(list.entries[0].name, "d");
    assert_true(list.entries[0].is_dir);
    for (int i = 1; i <= 40; i++) {
        assert_string_equal(list.entries[i].name, arena_printf(&p->arena, "f%02d", i));
        assert_false(list.entries[i].is_dir);
    }
    assert_int_equal(dir_read(at(p, "nowhere"), &p->arena, &list, &e), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(dir_read(at(p, "f01"), &p->arena, &list, &e), ERR_LOG_STORAGE);
}

static void files_are_removed_and_renamed(void **state)
{
    struct place *p = *state;
    struct error e;

    put(p, "a", "1");
    put(p, "b", "2");
    assert_int_equal(path_rename(at(p, "a"), at(p, "b"), &e), ERR_OK);
    assert_false(path_exists(at(p, "a")));
    assert_int_equal(path_rename(at(p, "a"), at(p, "b"), &e), ERR_LOG_STORAGE);
    assert_non_null(strstr(e.message, at(p, "a")));
    assert_int_equal(path_remove(at(p, "b"), &e), ERR_OK);
    assert_int_equal(path_remove(at(p, "b"), &e), ERR_OK);
}

static void a_lock_is_held_by_one(void **state)
{
    struct place *p = *state;
    struct file *first = NULL;
    struct file *second = NULL;
    struct error e;

    assert_int_equal(file_lock(at(p, "lock"), &first, &e), ERR_OK);
    assert_int_equal(file_lock(at(p, "lock"), &second, &e), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "is locked by another process"));
    (void)file_unref(first);
    assert_int_equal(file_lock(at(p, "lock"), &second, &e), ERR_OK);
    (void)file_unref(second);
}

static void a_disk_has_a_size(void **state)
{
    struct place *p = *state;
    struct disk_usage usage = {0};
    struct error e;

    assert_int_equal(disk_usage(p->dir, &usage, &e), ERR_OK);
    assert_true(usage.total_bytes > 0 && usage.free_bytes <= usage.total_bytes);
    assert_int_equal(disk_usage(at(p, "nowhere"), &usage, &e), ERR_LOG_STORAGE);
}

static void a_path_is_known_from_the_root(void **state)
{
    struct place *p = *state;
    char *direct = NULL;
    char *absolute = NULL;
    struct error e;

    assert_int_equal(dir_create(at(p, "a/b"), &e), ERR_OK);
    assert_int_equal(symlink(at(p, "a"), at(p, "link")), 0);
    assert_int_equal(path_absolute(at(p, "a/b"), &p->arena, &direct, &e), ERR_OK);
    assert_int_equal(path_absolute(at(p, "link/../link/b"), &p->arena, &absolute, &e), ERR_OK);
    assert_int_equal(absolute[0], '/');
    assert_string_equal(absolute, direct);
    assert_int_equal(path_absolute(at(p, "nowhere"), &p->arena, &absolute, &e), ERR_LOG_STORAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_directory_is_listed_in_name_order),
        TEST(files_are_removed_and_renamed),
        TEST(a_lock_is_held_by_one),
        TEST(a_disk_has_a_size),
        TEST(a_path_is_known_from_the_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
