#include "fixture.h"

#include "log/writers.h"

static void add(struct writers *w, int64_t id, int32_t sequence, int64_t last_offset,
                int64_t timestamp)
{
    struct writer_batch batch = {
        .last_offset = last_offset, .timestamp = timestamp, .sequence = sequence};

    writers_add(w, id, &batch);
}

static enum writer_verdict check(struct writers *w, int64_t id, int32_t sequence)
{
    writers_begin(w);
    return writers_check(w, id, sequence, NULL);
}

static void accepts_only_the_next_sequence(void **state)
{
    OWNED(writers_fini) struct writers w;

    (void)state;
    writers_init(&w);
    assert_int_equal(check(&w, 7, 1), WRITER_OUT_OF_ORDER);
    assert_int_equal(check(&w, 7, -1), WRITER_OUT_OF_ORDER);
    assert_int_equal(writers_count(&w), 0);
    assert_int_equal(check(&w, 7, 0), WRITER_NEXT);
    assert_int_equal(writers_last_sequence(&w, 7), -1);
    add(&w, 7, 0, 0, 1);
    assert_int_equal(check(&w, 7, 2), WRITER_OUT_OF_ORDER);
    assert_int_equal(check(&w, 7, 1), WRITER_NEXT);
    assert_int_equal(check(&w, 8, 1), WRITER_OUT_OF_ORDER);
    add(&w, 7, INT32_MAX, 1, 1);
    assert_int_equal(check(&w, 7, 0), WRITER_DUPLICATE); /* still among the five */
    for (int i = 0; i < 5; i++) {
        add(&w, 7, INT32_MAX - 4 + i, 2 + i, 1);
    }
    assert_int_equal(check(&w, 7, 0), WRITER_NEXT);
    assert_int_equal(check(&w, 7, 1), WRITER_OUT_OF_ORDER);
}

static void recognises_the_last_five(void **state)
{
    OWNED(writers_fini) struct writers w;
    struct writer_batch before = {0};

    (void)state;
    writers_init(&w);
    for (int32_t i = 0; i < 9; i++) {
        add(&w, 3, i, 100 + i, 50);
    }
    for (int32_t i = 0; i < 9; i++) {
        writers_begin(&w);
        assert_int_equal(writers_check(&w, 3, i, &before),
                         i < 4 ? WRITER_OUT_OF_ORDER : WRITER_DUPLICATE);
        if (i >= 4) {
            assert_int_equal(before.last_offset, 100 + i);
        }
    }
    assert_int_equal(check(&w, 3, 9), WRITER_NEXT);
}

static void checks_batches_of_one_append_against_one_another(void **state)
{
    OWNED(writers_fini) struct writers w;

    (void)state;
    writers_init(&w);
    writers_begin(&w);
    assert_int_equal(writers_check(&w, 1, 0, NULL), WRITER_NEXT);
    assert_int_equal(writers_check(&w, 1, 1, NULL), WRITER_NEXT);
    assert_int_equal(writers_check(&w, 1, 1, NULL), WRITER_OUT_OF_ORDER);
    assert_int_equal(writers_check(&w, 2, 0, NULL), WRITER_NEXT);
    /* that append was rejected: nothing of it counts */
    assert_int_equal(check(&w, 1, 2), WRITER_OUT_OF_ORDER);
    assert_int_equal(check(&w, 1, 0), WRITER_NEXT);
}

static void forgets_idle_writers(void **state)
{
    OWNED(writers_fini) struct writers w;

    (void)state;
    writers_init(&w);
    add(&w, 1, 0, 0, 1000);
    add(&w, 2, 0, 1, 2000);
    add(&w, 3, 0, 2, INT64_MIN + 1); /* a strange clock must not overflow */
    assert_int_equal(check(&w, 4, 0), WRITER_NEXT);
    writers_expire(&w, 2500, 1000);
    assert_int_equal(writers_last_sequence(&w, 1), -1);
    assert_int_equal(writers_last_sequence(&w, 2), 0);
    assert_true(writers_count(&w) <= 2);
}

static void evicts_the_longest_idle(void **state)
{
    OWNED(writers_fini) struct writers w;

    (void)state;
    writers_init(&w);
    for (int64_t i = 0; i < (int64_t)WRITERS_MAX + 10; i++) {
        add(&w, i, 0, i, i);
        add(&w, 0, (int32_t)i, i, i); /* never idle */
    }
    assert_int_equal(writers_count(&w), WRITERS_MAX);
    assert_int_equal(writers_last_sequence(&w, 1), -1);
    assert_int_equal(writers_last_sequence(&w, 11), 0);
    assert_int_equal(writers_last_sequence(&w, 0), WRITERS_MAX + 9);
    /* those that never appended go first */
    writers_begin(&w);
    for (int64_t i = 0; i < 100; i++) {
        assert_int_equal(writers_check(&w, 1000000 + i, 0, NULL), WRITER_NEXT);
    }
    assert_int_equal(writers_count(&w), WRITERS_MAX);
    assert_int_equal(writers_last_sequence(&w, 12), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_only_the_next_sequence),
        cmocka_unit_test(recognises_the_last_five),
        cmocka_unit_test(checks_batches_of_one_append_against_one_another),
        cmocka_unit_test(forgets_idle_writers),
        cmocka_unit_test(evicts_the_longest_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
