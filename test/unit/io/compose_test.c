#include "directory.h"

#include <sys/syscall.h>
#include <unistd.h>

static unsigned dir_syncs;

int fsync(int fd)
{
    dir_syncs++;
    return (int)syscall(SYS_fsync, fd);
}

static void directories_are_made_with_their_parents(void **state)
{
    struct place *p = *state;
    struct error e;

    assert_int_equal(dir_create(at(p, "a/b//c/"), &e), ERR_OK);
    assert_true(path_exists(at(p, "a/b/c")));
    assert_int_equal(dir_create(at(p, "a/b/c"), &e), ERR_OK);
    put(p, "a/file", "x");
    assert_int_equal(dir_create(at(p, "a/file"), &e), ERR_LOG_STORAGE);
    assert_non_null(strstr(e.message, at(p, "a/file")));
    assert_int_equal(dir_create(at(p, "a/file/below"), &e), ERR_LOG_STORAGE);
    assert_int_equal(dir_create("", &e), ERR_INVALID_ARGUMENT);
    assert_int_equal(dir_sync(at(p, "a"), &e), ERR_OK);
    assert_int_equal(dir_sync(at(p, "nowhere"), &e), ERR_LOG_STORAGE);
}

static void a_directory_with_entries_is_durable(void **state)
{
    struct place *p = *state;
    struct error e;

    put(p, "entry", "x");
    dir_syncs = 0;
    assert_int_equal(dir_create(at(p, "a/b"), &e), ERR_OK);
    assert_int_equal(dir_syncs, 2);
    assert_int_equal(dir_create(at(p, "a/b"), &e), ERR_OK);
    assert_int_equal(dir_syncs, 3); /* whoever made it may have been killed before the sync */
    assert_int_equal(dir_create(at(p, "a/b/c"), &e), ERR_OK);
    assert_int_equal(dir_syncs, 5); /* the names of b and of c */
    put(p, "a/b/c/file", "x");
    dir_syncs = 0;
    assert_int_equal(dir_create(at(p, "a/b/c"), &e), ERR_OK);
    assert_int_equal(dir_syncs, 0);
}

static void a_tree_goes_but_not_what_links_point_to(void **state)
{
    struct place *p = *state;
    struct error e;

    assert_int_equal(dir_create(at(p, "kept/deep"), &e), ERR_OK);
    put(p, "kept/deep/file", "x");
    assert_int_equal(dir_create(at(p, "tree/one/two/three"), &e), ERR_OK);
    assert_int_equal(dir_create(at(p, "tree/empty"), &e), ERR_OK);
    put(p, "tree/one/two/three/file", "x");
    put(p, "tree/one/a", "x");
    put(p, "tree/one/zzz", "x");
    assert_int_equal(symlink(at(p, "kept"), at(p, "tree/one/link")), 0);
    assert_int_equal(path_remove_tree(at(p, "tree"), &e), ERR_OK);
    assert_false(path_exists(at(p, "tree")));
    assert_int_equal(symlink(at(p, "kept"), at(p, "link")), 0);
    assert_int_equal(path_remove_tree(at(p, "link"), &e), ERR_OK);
    assert_false(path_exists(at(p, "link")));
    assert_true(path_exists(at(p, "kept/deep/file")));
    assert_int_equal(path_remove_tree(at(p, "kept/deep/file"), &e), ERR_OK);
    assert_int_equal(path_remove_tree(at(p, "nowhere"), &e), ERR_OK);
    assert_int_equal(path_remove_tree("", &e), ERR_INVALID_ARGUMENT);
}

static struct bytes whole(struct place *p, const char *name, bool *ret_exists)
{
    struct bytes b = BYTES_EMPTY;
    struct error e;

    if (file_read_whole(at(p, name), 100, &p->arena, &b, ret_exists, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return b;
}

static void replacing_is_atomic(void **state)
{
    struct place *p = *state;
    bool exists = true;
    struct bytes b;
    struct error e;

    assert_int_equal(whole(p, "f", &exists).len, 0);
    assert_false(exists);
    put(p, "f", "a longer text");
    put(p, "f.tmp", "left behind by a crash, longer than what comes next");
    put(p, "f", "short");
    assert_true(bytes_equal_str(whole(p, "f", &exists), "short"));
    assert_true(exists);
    assert_false(path_exists(at(p, "f.tmp")));
    assert_int_equal(file_read_whole(at(p, "f"), 4, &p->arena, &b, &exists, &e), ERR_CORRUPT_FILE);
    assert_non_null(strstr(e.message, "5 bytes, at most 4 expected"));
    assert_int_equal(file_read_whole(at(p, "f/x"), 4, &p->arena, &b, &exists, NULL),
                     ERR_LOG_STORAGE);
    assert_int_equal(file_replace(at(p, "nowhere/f"), BYTES_EMPTY, &e), ERR_LOG_STORAGE);
}

static void uris_of_this_machine_have_a_path(void **state)
{
    (void)state;
    assert_string_equal(path_of_uri("/a/b"), "/a/b");
    assert_string_equal(path_of_uri("file:/a"), "/a");
    assert_string_equal(path_of_uri("file:///a"), "/a");
    assert_null(path_of_uri("file://host/a"));
    assert_null(path_of_uri("file:"));
    assert_null(path_of_uri("a"));
    assert_null(path_of_uri(""));
    assert_null(path_of_uri("s3://b/a"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(directories_are_made_with_their_parents), TEST(a_directory_with_entries_is_durable),
        TEST(a_tree_goes_but_not_what_links_point_to), TEST(replacing_is_atomic),
        TEST(uris_of_this_machine_have_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
