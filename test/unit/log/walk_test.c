#include "fixture.h"

#include "log/walk.h"

#define BATCHES 40

struct fixture {
    struct arena arena;
    char *dir;
    struct file *file;
    struct bytes batches[BATCHES];
    uint64_t size;
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct error e;

    f->dir = fixture_dir(&f->arena);
    OK(file_open(arena_printf(&f->arena, "%s/f", f->dir), FILE_CREATE, &f->file, &e));
    for (uint32_t i = 0; i < BATCHES; i++) {
        f->batches[i] = fixture_batch(&f->arena, 1, i * i * 7, i);
        OK(file_write_at(f->file, f->size, f->batches[i], &e));
        f->size += f->batches[i].len;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    f->file = file_unref(f->file);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void walks_through_any_window(void **state)
{
    static const size_t windows[] = {BATCH_HEADER_SIZE_MAX, 100, 1000, WALK_WINDOW_SMALL, 1 << 20};
    struct fixture *f = *state;
    struct error e;

    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        uint8_t *window = arena_alloc(&f->arena, windows[i]);
        struct batch_header header = {0};
        bool found = true;
        struct walk w;

        walk_init(&w, f->file, 0, f->size, writer_of(window, windows[i]));
        for (size_t n = 0; n < BATCHES; n++) {
            OK(walk_peek(&w, &header, &found, &e));
            assert_true(found);
            assert_int_equal(header.size, f->batches[n].len);
            if (n % 3 != 0) {
                OK(walk_check(&w, &header, &e));
            }
            walk_skip(&w, &header);
        }
        OK(walk_peek(&w, &header, &found, &e));
        assert_false(found);
    }
}

static enum errcode walk_all(struct fixture *f, uint64_t end, size_t window_size,
                             uint64_t *ret_position)
{
    uint8_t *window = arena_alloc(&f->arena, window_size);
    struct batch_header header = {0};
    enum errcode code = ERR_OK;
    bool found = true;
    struct walk w;

    walk_init(&w, f->file, 0, end, writer_of(window, window_size));
    while (code == ERR_OK && found) {
        code = walk_peek(&w, &header, &found, NULL);
        if (code == ERR_OK && found) {
            code = walk_check(&w, &header, NULL);
        }
        if (code == ERR_OK && found) {
            walk_skip(&w, &header);
        }
    }
    *ret_position = w.position;
    return code;
}

static void stops_at_damage(void **state)
{
    struct fixture *f = *state;
    uint64_t last = f->size - f->batches[BATCHES - 1].len;
    uint64_t position = 0;
    struct error e;
    uint8_t flipped;

    for (size_t window = 64; window <= WALK_WINDOW_SCAN; window *= 64) {
        /* cut short anywhere in the last batch */
        for (uint64_t end = last + 1; end < f->size; end += 997) {
            assert_int_equal(walk_all(f, end, window, &position), ERR_CORRUPT_RECORD);
            assert_int_equal(position, last);
        }
        /* one bit of the body */
        flipped = (uint8_t)(f->batches[BATCHES - 1].data[5000] ^ 1);
        OK(file_write_at(f->file, last + 5000, bytes_of(&flipped, 1), &e));
        assert_int_equal(walk_all(f, f->size, window, &position), ERR_CORRUPT_RECORD);
        assert_int_equal(position, last);
        flipped ^= 1;
        OK(file_write_at(f->file, last + 5000, bytes_of(&flipped, 1), &e));
        OK(walk_all(f, f->size, window, &position));
    }
    /* the file is shorter than believed */
    OK(file_truncate(f->file, last + 20, &e));
    assert_int_equal(walk_all(f, f->size, 4096, &position), ERR_CORRUPT_RECORD);
    assert_int_equal(position, last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(walks_through_any_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stops_at_damage, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
