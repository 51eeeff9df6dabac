#include <stdlib.h>

#include "../../support/unit.h"
#include "cmd/remote_root.h"
#include "io/file.h"

static void finds(const char *option, const char *dir)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct remote_root root;
    struct error e;

    assert_int_equal(remote_root_find(option, "unused", &arena, &root, &e), ERR_OK);
    assert_string_equal(root.dir, dir);
    assert_string_equal(root.uri, arena_printf(&arena, "file://%s", dir));
}

static void paths_and_file_uris_are_directories_of_this_machine(void **state)
{
    (void)state;
    finds("/a/b", "/a/b");
    finds("/a/b///", "/a/b");
    finds("/", "/");
    finds("file:/a/b", "/a/b");
    finds("file:///a/b/", "/a/b");
}

static void other_storage_is_refused(void **state)
{
    static const char *const options[] = {"s3://bucket/x", "hdfs://h/x", "a/b", "file:a",
                                          "file://host/a"};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct remote_root root;
    struct error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        assert_int_equal(remote_root_find(options[i], "/", &arena, &root, &e),
                         ERR_INVALID_ARGUMENT);
        assert_non_null(strstr(e.message, options[i]));
    }
}

static void without_the_option_it_is_in_the_data_directory(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct remote_root root;
    struct error e;
    char *dir = NULL;
    char *real = NULL;

    (void)state;
    assert_int_equal(dir_create_temporary("remote-root", &arena, &dir, &e), ERR_OK);
    assert_int_equal(path_absolute(dir, &arena, &real, &e), ERR_OK);
    assert_int_equal(remote_root_find(NULL, dir, &arena, &root, &e), ERR_OK);
    assert_string_equal(root.dir, arena_printf(&arena, "%s/remote", real));
    assert_string_equal(root.uri, arena_printf(&arena, "file://%s/remote", real));
    assert_int_equal(remote_root_find("", dir, &arena, &root, &e), ERR_OK);
    assert_string_equal(root.dir, arena_printf(&arena, "%s/remote", real));
    assert_int_equal(path_remove_tree(dir, &e), ERR_OK);
    assert_int_equal(remote_root_find(NULL, dir, &arena, &root, &e), ERR_LOG_STORAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_file_uris_are_directories_of_this_machine),
        cmocka_unit_test(other_storage_is_refused),
        cmocka_unit_test(without_the_option_it_is_in_the_data_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
