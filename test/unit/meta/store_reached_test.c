/* The witness beside the journal: read back as written, and no byte of it may change unseen. */
#include "../../support/unit.h"
#include "io/file.h"
#include "meta/store_reached.h"

struct world {
    struct arena arena;
    char *dir;
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);

    assert_int_equal(dir_create_temporary("reached-test", &w->arena, &w->dir, NULL), ERR_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    assert_int_equal(path_remove_tree(w->dir, NULL), ERR_OK);
    arena_fini(&w->arena);
    mem_freep(state);
    return 0;
}

static void reads_what_was_written(void **state)
{
    static const uint64_t sequences[] = {1, 77, UINT64_MAX};
    struct world *w = *state;
    uint64_t sequence = 5;

    assert_int_equal(reached_read(w->dir, &sequence, NULL), ERR_OK);
    assert_int_equal(sequence, 0);
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        assert_int_equal(reached_write(w->dir, sequences[i], NULL), ERR_OK);
        assert_int_equal(reached_read(w->dir, &sequence, NULL), ERR_OK);
        assert_true(sequence == sequences[i]);
    }
}

static void sees_every_damage(void **state)
{
    struct world *w = *state;
    struct bytes good = BYTES_EMPTY;
    uint64_t sequence = 5;
    bool exists = false;
    const char *path;

    assert_int_equal(reached_write(w->dir, 1000, NULL), ERR_OK);
    path = reached_path(w->dir, &w->arena);
    assert_int_equal(file_read_whole(path, 4096, &w->arena, &good, &exists, NULL), ERR_OK);
    for (size_t i = 0; i < good.len; i++) {
        uint8_t *raw = (uint8_t *)(uintptr_t)arena_copy(&w->arena, good).data;

        assert_int_equal(file_replace(path, bytes_of(raw, i), NULL), ERR_OK);
        assert_int_equal(reached_read(w->dir, &sequence, NULL), ERR_CORRUPT_FILE);
        raw[i] ^= 0x10;
        assert_int_equal(file_replace(path, bytes_of(raw, good.len), NULL), ERR_OK);
        assert_int_equal(reached_read(w->dir, &sequence, NULL), ERR_CORRUPT_FILE);
    }
    assert_int_equal(sequence, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(sees_every_damage, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
