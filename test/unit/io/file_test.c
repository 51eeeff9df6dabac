#include <errno.h>
#include <stdlib.h>

#include "../../support/unit.h"
#include "io/file.h"

struct place {
    struct arena arena;
    char *dir;
};

static int setup(void **state)
{
    struct place *p = mem_new(struct place);

    assert_int_equal(dir_create_temporary("file-test", &p->arena, &p->dir, NULL), ERR_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    assert_int_equal(path_remove_tree(p->dir, NULL), ERR_OK);
    arena_fini(&p->arena);
    free(p);
    return 0;
}

static struct file *open_in(struct place *p, const char *name, enum file_mode mode)
{
    struct file *f = NULL;
    struct error e;

    if (file_open(arena_printf(&p->arena, "%s/%s", p->dir, name), mode, &f, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return f;
}

static void modes(void **state)
{
    struct place *p = *state;
    char *path = arena_printf(&p->arena, "%s/f", p->dir);
    OWNED(file_unrefp) struct file *first = NULL;
    struct file *f = NULL;
    struct error e;

    assert_int_equal(file_open(path, FILE_READ, &f, &e), ERR_LOG_STORAGE);
    assert_int_equal(e.os_errno, ENOENT);
    assert_non_null(strstr(e.message, path));
    assert_int_equal(file_open(path, FILE_WRITE, &f, &e), ERR_LOG_STORAGE);
    first = open_in(p, "f", FILE_CREATE_NEW);
    assert_string_equal(first->path, path);
    assert_int_equal(file_open(path, FILE_CREATE_NEW, &f, &e), ERR_LOG_STORAGE);
    assert_int_equal(e.os_errno, EEXIST);
    (void)file_unref(open_in(p, "f", FILE_CREATE));
    f = open_in(p, "f", FILE_READ);
    assert_int_equal(file_write_at(f, 0, bytes_str("x"), &e), ERR_LOG_STORAGE);
    assert_non_null(strstr(e.message, path));
    (void)file_unref(f);
}

static void reads_what_was_written(void **state)
{
    struct place *p = *state;
    OWNED(file_unrefp) struct file *f = open_in(p, "f", FILE_CREATE);
    struct bytes runs[FILE_RUNS_MAX] = {{NULL, 0}};
    uint8_t data[FILE_RUNS_MAX * 3];
    uint64_t size = 0;
    size_t got = 0;
    struct error e;

    for (size_t i = 1; i < FILE_RUNS_MAX; i++) {
        runs[i] = i % 3 == 0 ? bytes_str("") : bytes_str(i % 3 == 1 ? "ab" : "c");
    }
    assert_int_equal(file_write_runs(f, 5, runs, FILE_RUNS_MAX, &e), ERR_OK);
    assert_int_equal(file_write_runs(f, 5, runs, 0, &e), ERR_OK);
    assert_int_equal(file_size(f, &size, &e), ERR_OK);
    assert_int_equal(size, 5 + 63);
    assert_int_equal(file_read_at(f, 5, data, 6, &e), ERR_OK);
    assert_memory_equal(data, "abcabc", 6);
    assert_int_equal(file_read_some(f, 60, data, 100, &got, &e), ERR_OK);
    assert_int_equal(got, 8);
    assert_int_equal(file_read_some(f, 1000, data, 100, &got, &e), ERR_OK);
    assert_int_equal(got, 0);
    assert_int_equal(file_sync(f, &e), ERR_OK);
    file_write_back(f, 0, 100);
}

static void short_files_are_damaged(void **state)
{
    struct place *p = *state;
    OWNED(file_unrefp) struct file *f = open_in(p, "short", FILE_CREATE);
    uint8_t data[16];
    bool cached = false;
    struct error e;

    assert_int_equal(file_write_at(f, 0, bytes_str("0123456789"), &e), ERR_OK);
    assert_int_equal(file_read_at(f, 4, data, 7, &e), ERR_CORRUPT_FILE);
    assert_non_null(strstr(e.message, "7 bytes at 4 expected, the file ends after 6"));
    assert_non_null(strstr(e.message, f->path));
    assert_int_equal(file_read_cached(f, 4, data, 7, &cached, &e), ERR_CORRUPT_FILE);
    assert_int_equal(file_truncate(f, 2, &e), ERR_OK);
    assert_int_equal(file_read_at(f, 0, data, 3, &e), ERR_CORRUPT_FILE);
}

static void what_was_just_written_is_cached(void **state)
{
    struct place *p = *state;
    OWNED(file_unrefp) struct file *f = open_in(p, "f", FILE_CREATE);
    size_t size = (size_t)1 << 20;
    uint8_t *data = arena_zalloc(&p->arena, size);
    bool cached = false;
    struct error e;

    data[size - 1] = 7;
    assert_int_equal(file_write_at(f, 0, bytes_of(data, size), &e), ERR_OK);
    data[size - 1] = 0;
    assert_true(file_resident(f, 0, size));
    assert_true(file_resident(f, 4097, 1));
    assert_true(file_resident(f, 0, 0));
    assert_int_equal(file_read_cached(f, 0, data, size, &cached, &e), ERR_OK);
    assert_true(cached);
    assert_int_equal(data[size - 1], 7);
    file_warm(f, 0, size);
    file_warm(f, 0, 10 * size); /* beyond the end */
}

static void references_keep_a_file_open(void **state)
{
    struct place *p = *state;
    struct file *f = open_in(p, "f", FILE_CREATE);
    struct error e;

    assert_ptr_equal(file_ref(f), f);
    assert_null(file_unref(f));
    assert_int_equal(file_write_at(f, 0, bytes_str("still"), &e), ERR_OK);
    assert_null(file_unref(f));
    assert_null(file_unref(NULL));
}

/* Pieces own their references; ASan and LSan tell when one is lost or given back twice. */
static void pieces_release_what_they_own(void **state)
{
    struct place *p = *state;
    struct pieces pieces;

    pieces_init(&pieces, &p->arena);
    pieces_add_bytes(&pieces, bytes_str("abc"));
    pieces_add_chunk(&pieces, chunk_new(10), bytes_str("0123456789"));
    pieces_add_file(&pieces, open_in(p, "f", FILE_CREATE), 3, 4);
    assert_int_equal(pieces.len, 17);
    pieces_fini(&pieces);
    assert_int_equal(pieces.len, 0);
    assert_int_equal(pieces.count, 0);
    pieces_fini(&pieces);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(modes),
        TEST(reads_what_was_written),
        TEST(short_files_are_damaged),
        TEST(what_was_just_written_is_cached),
        TEST(references_keep_a_file_open),
        TEST(pieces_release_what_they_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
