#include "fixture.h"

#include <sys/stat.h>

#include "log/aside.h"

static struct bytes contents(struct arena *arena, const char *path)
{
    struct bytes b = BYTES_EMPTY;
    bool exists = false;
    struct error e;

    OK(file_read_whole(path, 1 << 24, arena, &b, &exists, &e));
    assert_true(exists);
    return b;
}

static void copies_a_tail_before_cutting_it(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = fixture_dir(&arena);
    struct segment *s = segment_new(dir, 5);
    struct aside aside;
    struct error e;

    (void)state;
    fixture_poke(dir, 5, LOG_FILE_DATA, 0, bytes_str("validrest"));
    s->size = 5;
    for (int i = 0; i < 3; i++) {
        fixture_poke(dir, 5, LOG_FILE_DATA, 5, bytes_str("rest"));
        OK(aside_tail(s, &aside, &e));
        assert_int_equal(aside.bytes, 4);
        assert_true(bytes_equal_str(contents(&arena, aside.path), "rest"));
        assert_true(bytes_equal_str(fixture_file(&arena, dir, 5, LOG_FILE_DATA), "valid"));
    }
    assert_true(path_exists(arena_printf(&arena, "%s/00000000000000000005.log.5.aside", dir)));
    assert_true(path_exists(arena_printf(&arena, "%s/00000000000000000005.log.5.1.aside", dir)));
    assert_true(path_exists(arena_printf(&arena, "%s/00000000000000000005.log.5.2.aside", dir)));
    segment_free(s);
    fixture_remove(dir);
}

static void zeros_take_no_space(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = fixture_dir(&arena);
    struct segment *s = segment_new(dir, 0);
    struct aside aside;
    struct stat st;
    struct bytes copy;
    struct error e;

    (void)state;
    fixture_poke(dir, 0, LOG_FILE_DATA, 5000000, bytes_str("end"));
    OK(aside_tail(s, &aside, &e));
    assert_int_equal(aside.bytes, 5000003);
    copy = contents(&arena, aside.path);
    assert_int_equal(copy.len, 5000003);
    assert_memory_equal(copy.data + 5000000, "end", 3);
    assert_int_equal(stat(aside.path, &st), 0);
    assert_true(st.st_blocks * 512 < 1000000);
    segment_free(s);
    fixture_remove(dir);
}

static void renames_a_segment_and_drops_its_indexes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = fixture_dir(&arena);
    struct aside aside;
    struct error e;

    (void)state;
    for (int i = 0; i < 2; i++) {
        fixture_poke(dir, 9, LOG_FILE_DATA, 0, bytes_str("batches"));
        fixture_poke(dir, 9, LOG_FILE_OFFSET_INDEX, 0, bytes_str("x"));
        OK(aside_segment(dir, 9, &aside, &e));
        assert_int_equal(aside.bytes, 7);
        assert_true(bytes_equal_str(contents(&arena, aside.path), "batches"));
        assert_false(fixture_exists(dir, 9, LOG_FILE_DATA));
        assert_false(fixture_exists(dir, 9, LOG_FILE_OFFSET_INDEX));
    }
    assert_non_null(strstr(aside.path, "/00000000000000000009.log.1.aside"));
    fixture_poke(dir, 9, LOG_FILE_DATA, 0, BYTES_EMPTY);
    fixture_poke(dir, 9, LOG_FILE_TIME_INDEX, 0, BYTES_EMPTY);
    OK(aside_remove_empty(dir, 9, &e));
    assert_false(fixture_exists(dir, 9, LOG_FILE_DATA));
    assert_false(fixture_exists(dir, 9, LOG_FILE_TIME_INDEX));
    fixture_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_a_tail_before_cutting_it),
        cmocka_unit_test(zeros_take_no_space),
        cmocka_unit_test(renames_a_segment_and_drops_its_indexes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
