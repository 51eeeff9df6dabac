/* First rows: what a list may answer, and when it may not. bucket_test.c has them in random schedules. */
#include "rows.h"

#include "../../../src/kv/first.h"
#include "format/value_batch.h"

#define CHANGES_MAX 256u /* as in first.c */

struct world {
    struct arena arena;
    struct kv_cache *cache;
    struct kv_pending *pending;
    struct kv_first first;
    int64_t offset;
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);

    w->cache = kv_cache_new((size_t)4 << 20, NULL);
    w->pending = kv_pending_new(0, NULL, NULL);
    kv_first_init(&w->first, w->cache, w->pending);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    kv_first_fini(&w->first);
    kv_pending_free(w->pending);
    kv_cache_free(w->cache);
    arena_fini(&w->arena);
    free(w);
    return 0;
}

/* The store has keys 10, 20, .. of that many rows, each with its key's number as value. */
static void keep(struct world *w, uint32_t rows, bool all)
{
    struct kv_items items = {.items = arena_array(&w->arena, rows, sizeof(struct kv_item))};

    for (uint32_t i = 1; i <= rows; i++) {
        struct kv_item item = {.key = rows_key(&w->arena, i * 10),
                               .value = rows_value(&w->arena, i * 10)};

        items.items[items.count++] = item;
        items.bytes += item.key.len + item.value.len;
    }
    kv_first_keep(&w->first, &items, all, w->first.released);
}

/* value 0: removed. */
static void change(struct world *w, uint32_t key, uint32_t value)
{
    struct kv_change c = rows_change(&w->arena, key, value);
    uint64_t from = kv_pending_tail(w->pending);

    kv_pending_add(w->pending, &c, 1, ++w->offset, 0);
    kv_first_added(&w->first, from);
}

static void show(struct world *w) { kv_pending_show(w->pending, w->offset); }

/* Values, ended by 0; count SIZE_MAX: no answer. */
static void expect(struct world *w, size_t limit, const uint32_t *values)
{
    struct value_batch_iterator it;
    struct bytes batch = BYTES_EMPTY;
    size_t i = 0;

    assert_true(kv_first_get(&w->first, limit, &w->arena, &batch));
    assert_int_equal(value_batch_parse(batch, &it, NULL), ERR_OK);
    while (it.left > 0) {
        struct bytes value = BYTES_EMPTY;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        assert_int_equal(rows_number(value), values[i++]);
    }
    assert_int_equal(values[i], 0);
}

#define EXPECT(w, limit, ...) expect(w, limit, (const uint32_t[]){__VA_ARGS__ __VA_OPT__(, ) 0})

static bool answers(struct world *w, size_t limit)
{
    struct bytes batch;

    return kv_first_get(&w->first, limit, &w->arena, &batch);
}

static void a_list_answers_up_to_its_end(void **state)
{
    struct world *w = *state;

    assert_false(answers(w, 0));
    keep(w, 5, false);
    EXPECT(w, 3, 10, 20, 30);
    EXPECT(w, 5, 10, 20, 30, 40, 50);
    EXPECT(w, 0);
    assert_false(answers(w, 6));
    keep(w, 5, true);
    EXPECT(w, 6, 10, 20, 30, 40, 50);
    keep(w, 0, false); /* one row was too large: says nothing */
    assert_false(answers(w, 0));
    keep(w, 0, true);
    EXPECT(w, 6);
}

static void shown_changes_are_merged(void **state)
{
    struct world *w = *state;

    change(w, 5, 1005); /* before the list was made */
    keep(w, 5, false);
    change(w, 20, 1020);
    change(w, 20, 2020);
    change(w, 45, 1045);
    change(w, 51, 1051); /* out of range */
    EXPECT(w, 5, 10, 20, 30, 40, 50);
    show(w);
    EXPECT(w, 7, 1005, 10, 2020, 30, 40, 1045, 50);
    EXPECT(w, 6, 1005, 10, 2020, 30, 40, 1045);
    EXPECT(w, 1, 1005);
    assert_false(answers(w, 8));
    change(w, 20, 3020);
    change(w, 30, 0);
    EXPECT(w, 3, 1005, 10, 2020);
    kv_pending_truncate(w->pending, w->offset - 1);
    kv_first_trim(&w->first);
    w->offset--;
    show(w);
    EXPECT(w, 4, 1005, 10, 3020, 30);
}

static void removed_rows_make_a_list_too_short(void **state)
{
    struct world *w = *state;

    keep(w, 3, false);
    change(w, 10, 0);
    change(w, 15, 0); /* there was none */
    EXPECT(w, 3, 10, 20, 30);
    show(w);
    EXPECT(w, 2, 20, 30);
    assert_false(answers(w, 3));
    keep(w, 3, true);
    EXPECT(w, 3, 20, 30);
    change(w, 99, 99); /* all rows: every key is in range */
    show(w);
    EXPECT(w, 3, 20, 30, 99);
}

static void a_change_in_the_store_ends_a_list(void **state)
{
    struct world *w = *state;
    struct kv_items none = {0};

    keep(w, 3, false);
    kv_first_released(&w->first, rows_key(&w->arena, 31));
    EXPECT(w, 3, 10, 20, 30);
    kv_first_released(&w->first, rows_key(&w->arena, 30));
    assert_false(answers(w, 1));
    kv_first_keep(&w->first, &none, true, w->first.released - 1); /* read before that */
    assert_false(answers(w, 0));
    keep(w, 3, true);
    kv_first_released(&w->first, rows_key(&w->arena, 31));
    assert_false(answers(w, 1));
}

static void too_many_changes_end_a_list(void **state)
{
    struct world *w = *state;

    keep(w, 3, false);
    for (uint32_t i = 0; i < CHANGES_MAX; i++) {
        change(w, i % 30, i + 1);
        change(w, 40 + i % 30, i + 1);
    }
    show(w);
    assert_true(answers(w, 30));
    change(w, 1, 1);
    assert_false(answers(w, 1));
    keep(w, 3, false); /* nor does one begin with them */
    assert_false(answers(w, 1));
}

static void a_list_has_its_bounds(void **state)
{
    struct world *w = *state;

    keep(w, 20000, true);
    assert_true(answers(w, 100));
    assert_true(answers(w, w->first.rows));
    assert_true(w->first.rows > 2000 && w->first.rows < 20000 && !w->first.all);
    assert_false(answers(w, w->first.rows + 1));
    for (uint32_t i = 0; i < 5000; i++) { /* others take its place in the cache */
        struct kv_key row = {.key = rows_key(&w->arena, i),
                             .old = bytes_of(arena_zalloc(&w->arena, 2000), 2000)};

        row.hash = hash_bytes(row.key);
        kv_cache_fill(w->cache, w->first.space + 1, &row, UINT64_MAX);
    }
    assert_false(answers(w, 1));
    assert_false(w->first.watched);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_list_answers_up_to_its_end),       CASE(shown_changes_are_merged),
        CASE(removed_rows_make_a_list_too_short), CASE(a_change_in_the_store_ends_a_list),
        CASE(too_many_changes_end_a_list),        CASE(a_list_has_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
