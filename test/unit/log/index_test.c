#include "fixture.h"

#include "../../support/vectors.h"
#include "log/index.h"

struct fixture {
    struct arena arena;
    char *dir;
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);

    f->dir = fixture_dir(&f->arena);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void add(struct index *x, int64_t key, int32_t value)
{
    struct error e;

    OK(index_reserve(x, &e));
    index_add(x, (struct index_entry){.key = key, .value = value});
}

static void writes_the_bytes_of_the_reference(void **state)
{
    struct fixture *f = *state;
    OWNED(vectors_freep) json_t *document = vectors_load("files_and_json.json");
    OWNED(index_fini) struct index offsets;
    OWNED(index_fini) struct index times;
    struct error e;
    int seen = 0;

    index_init(&offsets, INDEX_OFFSET, f->dir, 1000);
    index_init(&times, INDEX_TIME, f->dir, 1000);
    add(&offsets, 10, 4200);
    add(&offsets, 25, 9000);
    add(&offsets, 69000, 123456);
    add(&times, 1700000000000, 5);
    add(&times, 1700000000500, 20);
    OK(index_write(&offsets, NULL, &e));
    OK(index_write(&times, NULL, &e));
    VECTORS_FOR_EACH(one, document)
    {
        const char *what = vectors_text(one, "what");

        if (strncmp(what, "offset index", 12) == 0) {
            vectors_assert_equal(what, fixture_file(&f->arena, f->dir, 1000, LOG_FILE_OFFSET_INDEX),
                                 vectors_hex(one, "hex", &f->arena));
            seen++;
        } else if (strncmp(what, "time index", 10) == 0) {
            vectors_assert_equal(what, fixture_file(&f->arena, f->dir, 1000, LOG_FILE_TIME_INDEX),
                                 vectors_hex(one, "hex", &f->arena));
            seen++;
        }
    }
    assert_int_equal(seen, 2);
}

/* Entries (3 i, 10 i + 7) for i in [0, count). */
static void fill(struct index *x, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        add(x, 3 * (int64_t)i, (int32_t)(10 * i + 7));
    }
}

static void check_floors(struct index *x, uint32_t count)
{
    struct index_found found = {0};
    struct error e;

    assert_int_equal(index_count(x), count);
    for (uint32_t i = 0; i < count; i += 1 + count / 97) {
        OK(index_floor(x, INDEX_KEY, 3 * (int64_t)i + (i % 3), NULL, &found, &e));
        assert_int_equal(found.count, i + 1);
        assert_int_equal(found.entry.key, 3 * i);
        OK(index_floor(x, INDEX_VALUE, 10 * (int64_t)i + 7 + (i % 10), NULL, &found, &e));
        assert_int_equal(found.count, i + 1);
        assert_int_equal(found.entry.value, 10 * i + 7);
    }
    OK(index_floor(x, INDEX_VALUE, 6, NULL, &found, &e));
    assert_int_equal(found.count, 0);
    OK(index_floor(x, INDEX_KEY, INT64_MAX, NULL, &found, &e));
    assert_int_equal(found.count, count);
}

static void finds_entries_in_file_and_memory(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 511, 512, 513, 1024, 1025, 5000};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        for (int kind = INDEX_OFFSET; kind <= INDEX_TIME; kind++) {
            OWNED(index_fini) struct index x;
            struct error e;
            bool whole = false;

            index_init(&x, (enum index_kind)kind, f->dir, (int64_t)i);
            fill(&x, counts[i]);
            check_floors(&x, counts[i]);
            OK(index_write(&x, NULL, &e));
            check_floors(&x, counts[i]);
            index_fini(&x);
            OK(index_load(&x, INT32_MAX, &whole, &e));
            assert_true(whole);
            check_floors(&x, counts[i]);
            OK(index_load_trusted(&x, INT32_MAX, &whole, &e));
            assert_true(whole);
            check_floors(&x, counts[i]);
        }
    }
}

static void truncates_memory_and_file(void **state)
{
    struct fixture *f = *state;
    OWNED(index_fini) struct index x;
    struct error e;

    index_init(&x, INDEX_OFFSET, f->dir, 0);
    fill(&x, 600);
    OK(index_truncate(&x, 550, &e));
    check_floors(&x, 550);
    OK(index_truncate(&x, 512, &e));
    check_floors(&x, 512);
    OK(index_truncate(&x, 100, &e));
    check_floors(&x, 100);
    add(&x, 5000, 5000);
    assert_int_equal(index_count(&x), 101);
    OK(index_write(&x, NULL, &e));
    assert_int_equal(fixture_file(&f->arena, f->dir, 0, LOG_FILE_OFFSET_INDEX).len, 101 * 8);
    OK(index_truncate(&x, 0, &e));
    assert_int_equal(x.last.key, -1);
}

static void leaves_out_entries_that_do_not_rise(void **state)
{
    struct fixture *f = *state;
    OWNED(index_fini) struct index x;

    index_init(&x, INDEX_TIME, f->dir, 0);
    add(&x, 100, 5);
    add(&x, 100, 6);
    add(&x, 101, 5);
    add(&x, 99, 9);
    assert_int_equal(index_count(&x), 1);
}

static void adopts_the_consistent_part_of_a_damaged_file(void **state)
{
    struct fixture *f = *state;
    OWNED(index_fini) struct index x;
    struct error e;
    bool whole = true;
    uint8_t zeros[64] = {0};

    index_init(&x, INDEX_OFFSET, f->dir, 0);
    OK(index_load(&x, INT32_MAX, &whole, &e));
    assert_false(whole); /* missing */
    OK(index_load_trusted(&x, INT32_MAX, &whole, &e));
    assert_false(whole);

    fill(&x, 20);
    OK(index_write(&x, NULL, &e));
    OK(index_load(&x, 107, &whole, &e)); /* value of entry 10 */
    assert_false(whole);
    assert_int_equal(index_count(&x), 11);
    OK(index_load_trusted(&x, 107, &whole, &e));
    assert_false(whole);

    fixture_truncate(f->dir, 0, LOG_FILE_OFFSET_INDEX, 15 * 8 + 3);
    OK(index_load(&x, INT32_MAX, &whole, &e));
    assert_false(whole);
    assert_int_equal(index_count(&x), 15);

    fixture_poke(f->dir, 0, LOG_FILE_OFFSET_INDEX, 12 * 8, bytes_of(zeros, sizeof zeros));
    OK(index_load(&x, INT32_MAX, &whole, &e));
    assert_false(whole);
    assert_int_equal(index_count(&x), 12);
    OK(index_load_trusted(&x, INT32_MAX, &whole, &e));
    assert_false(whole);

    fixture_truncate(f->dir, 0, LOG_FILE_OFFSET_INDEX, 0);
    OK(index_load(&x, INT32_MAX, &whole, &e));
    assert_true(whole);
    assert_int_equal(index_count(&x), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_the_bytes_of_the_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_entries_in_file_and_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncates_memory_and_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_out_entries_that_do_not_rise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(adopts_the_consistent_part_of_a_damaged_file, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
