#include "fixture.h"

#include "log/resume.h"

#define BATCHES 60

struct fixture {
    struct arena arena;
    char *dir;
    struct file *file;
    struct index offsets;
    uint64_t positions[BATCHES + 1];
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct error e;

    f->dir = fixture_dir(&f->arena);
    OK(file_open(arena_printf(&f->arena, "%s/f", f->dir), FILE_CREATE, &f->file, &e));
    index_init(&f->offsets, INDEX_OFFSET, f->dir, 100);
    for (uint32_t i = 0; i < BATCHES; i++) {
        struct bytes batch = fixture_batch(&f->arena, 2, i * 11, i);

        batch_assign((uint8_t *)(uintptr_t)batch.data, 100 + 2 * (int64_t)i, 5);
        OK(file_write_at(f->file, f->positions[i], batch, &e));
        if (i % 10 == 9) {
            OK(index_reserve(&f->offsets, &e));
            index_add(&f->offsets, (struct index_entry){.key = 2 * (int64_t)i + 1,
                                                        .value = (int32_t)f->positions[i]});
        }
        f->positions[i + 1] = f->positions[i] + batch.len;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    index_fini(&f->offsets);
    f->file = file_unref(f->file);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void poke(struct fixture *f, uint64_t position, struct bytes b)
{
    struct error e;

    OK(file_write_at(f->file, position, b, &e));
}

static struct segment_place resume_at(struct fixture *f, uint32_t batch, int64_t end_offset)
{
    struct resume r = {
        .file = f->file,
        .offsets = &f->offsets,
        .damage = {.position = f->positions[batch], .offset = 100 + 2 * (int64_t)batch},
        .end = {.position = f->positions[BATCHES], .offset = end_offset},
    };
    struct segment_place place = {0};
    struct error e;

    OK(resume_find(&r, &place, &e));
    return place;
}

static void assert_place(struct fixture *f, struct segment_place place, uint32_t batch)
{
    assert_int_equal(place.position, f->positions[batch]);
    assert_int_equal(place.offset, 100 + 2 * (int64_t)batch);
}

static void follows_the_header_of_a_damaged_batch(void **state)
{
    struct fixture *f = *state;

    poke(f, f->positions[5] + 60, bytes_str("xx"));
    assert_place(f, resume_at(f, 5, 220), 6);
    poke(f, f->positions[59] + 60, bytes_str("xx"));
    assert_place(f, resume_at(f, 59, 220), 60);
    /* nothing but the damaged header says what the last offset was */
    assert_int_equal(resume_at(f, 59, -1).offset, -1);
    assert_int_equal(resume_at(f, 59, -1).position, f->positions[60]);
}

static void finds_batches_behind_a_damaged_header(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < BATCHES - 1; i += 7) {
        poke(f, f->positions[i] + 8, bytes_str("long"));
        assert_place(f, resume_at(f, i, 220), i + 1);
        assert_place(f, resume_at(f, i, -1), i + 1);
    }
}

static void the_bytes_of_a_batch_in_a_record_are_not_a_batch(void **state)
{
    struct fixture *f = *state;
    struct bytes inner = fixture_batch(&f->arena, 2, 10, 1);

    batch_assign((uint8_t *)(uintptr_t)inner.data, 100 + 2 * 41, 5);
    poke(f, f->positions[40] + 8, bytes_str("long"));
    poke(f, f->positions[40] + 100, inner);
    assert_place(f, resume_at(f, 40, 220), 41);
}

static void an_index_entry_is_believed_when_a_batch_says_the_same(void **state)
{
    struct fixture *f = *state;
    uint8_t offset[8];

    /* two damaged headers before an entry: what is between them is lost as well */
    poke(f, f->positions[11] + 8, bytes_str("long"));
    poke(f, f->positions[15] + 8, bytes_str("long"));
    assert_place(f, resume_at(f, 11, 220), 16);
    /* the entry leads to a batch that claims another offset: the next one is taken */
    put_i64le(offset, 117);
    poke(f, f->positions[19], bytes_of(offset, sizeof offset));
    assert_place(f, resume_at(f, 15, 220), 20);
    /* the damage reaches to the end */
    for (uint32_t i = 50; i < BATCHES; i++) {
        poke(f, f->positions[i] + 8, bytes_str("long"));
    }
    assert_place(f, resume_at(f, 50, 220), 60);
    assert_int_equal(resume_at(f, 50, -1).offset, -1);
}

/* The end is torn, and no index entry lies behind the damage: what has the synced offset at the end of a batch
 * is taken, and of such places the one from which the log goes on farthest. */
static void a_torn_end_leaves_what_was_synced(void **state)
{
    struct fixture *f = *state;
    struct bytes inner = fixture_batch(&f->arena, 2, 10, 1);
    struct resume r = {
        .file = f->file,
        .offsets = &f->offsets,
        .damage = {.position = f->positions[52], .offset = 204},
        .end = {.position = f->positions[60] - 10, .offset = -1},
        .synced = 210,
    };
    struct segment_place place = {0};
    struct error e;

    OK(index_truncate(&f->offsets, 5, &e));
    batch_assign((uint8_t *)(uintptr_t)inner.data, 208, 5);
    poke(f, f->positions[52] + 8, bytes_str("long"));
    OK(resume_find(&r, &place, &e));
    assert_place(f, place, 53);
    poke(f, f->positions[52] + 100, inner); /* ends with the synced offset, too */
    OK(resume_find(&r, &place, &e));
    assert_place(f, place, 53);
    r.synced = 218; /* the batch that is torn was not */
    OK(resume_find(&r, &place, &e));
    assert_place(f, place, 53);
    r.synced = 219;
    OK(resume_find(&r, &place, &e));
    assert_int_equal(place.offset, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(follows_the_header_of_a_damaged_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_batches_behind_a_damaged_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_bytes_of_a_batch_in_a_record_are_not_a_batch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_torn_end_leaves_what_was_synced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_index_entry_is_believed_when_a_batch_says_the_same,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
