#include "rows.h"

#include "../../support/dies.h"

#define KEYS    64
#define BATCHES 4000

/* All batches ever added, with the values they leave. */
struct model {
    uint32_t values[BATCHES][KEYS]; /* 0: removed; UINT32_MAX: no change so far */
    int64_t delta[BATCHES];
    size_t count;
    size_t shown;
    size_t released;
};

static const uint32_t nothing = UINT32_MAX;

/* What the batches [released, end) say about a key. */
static uint32_t model_get(const struct model *m, size_t end, uint32_t key)
{
    for (size_t i = end; i > m->released; i--) {
        if (m->values[i - 1][key] != nothing) {
            return m->values[i - 1][key];
        }
    }
    return nothing;
}

static void add(struct kv_pending *p, struct model *m, struct rows_random *r)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_change changes[8];
    uint32_t count = rows_below(r, 8);

    for (uint32_t key = 0; key < KEYS; key++) {
        m->values[m->count][key] = nothing;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = rows_below(r, KEYS / 8) * 8 + i; /* one change a key */
        uint32_t value = rows_below(r, 4) == 0 ? 0 : 1 + rows_below(r, 100000);

        m->values[m->count][key] = value;
        changes[i] = rows_change(&arena, key, value);
    }
    m->delta[m->count] = (int64_t)rows_below(r, 5) - 2;
    m->count++;
    kv_pending_add(p, changes, count, (int64_t)m->count * 10, m->delta[m->count - 1]);
}

static void expect_key(const struct kv_pending *p, const struct model *m, uint32_t key)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes k = rows_key(&arena, key);
    uint32_t expected[2] = {model_get(m, m->count, key), model_get(m, m->shown, key)};

    for (int shown = 0; shown < 2; shown++) {
        struct bytes value = BYTES_EMPTY;
        enum kv_found found = shown ? kv_pending_shown(p, k, hash_bytes(k), &value)
                                    : kv_pending_newest(p, k, hash_bytes(k), &value);

        assert_int_equal(found, expected[shown] == nothing ? KV_UNKNOWN
                                : expected[shown] == 0     ? KV_REMOVED
                                                           : KV_VALUE);
        assert_int_equal(rows_number(value), expected[shown] == nothing ? 0 : expected[shown]);
    }
}

static void expect_prefix(const struct kv_pending *p, const struct model *m, uint32_t prefix)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes bytes = bytes_slice(rows_key(&arena, prefix * 8), 0, ROWS_PREFIX_LEN);
    struct kv_change *changes = NULL;
    size_t count = kv_pending_prefix(p, bytes, hash_bytes(bytes), &arena, &changes);
    size_t n = 0;

    for (uint32_t i = prefix * 8; i < prefix * 8 + 8; i++) {
        uint32_t expected = model_get(m, m->shown, i);

        if (expected != nothing) {
            assert_true(n < count);
            assert_true(bytes_equal(changes[n].key, rows_key(&arena, i)));
            assert_int_equal(rows_number(changes[n].value), expected);
            n++;
        }
    }
    assert_int_equal(n, count);
}

static void expect_equal(const struct kv_pending *p, const struct model *m)
{
    int64_t delta = 0;

    assert_int_equal(kv_pending_end_offset(p), m->count * 10);
    assert_int_equal(kv_pending_shown_offset(p), m->shown * 10);
    for (size_t i = 0; i < m->shown; i++) {
        delta += m->delta[i];
    }
    assert_int_equal(kv_pending_shown_delta(p), delta);
    for (uint32_t key = 0; key < KEYS; key++) {
        expect_key(p, m, key);
    }
    for (uint32_t prefix = 0; prefix < KEYS / 8; prefix++) {
        expect_prefix(p, m, prefix);
    }
}

struct expectation {
    const struct model *m;
    size_t end;
    size_t count;
};

static void expect_released(void *context, const struct kv_change *change, size_t prefix_len)
{
    struct expectation *x = context;
    uint32_t key = rows_key_number(change->key);

    assert_int_equal(prefix_len, ROWS_PREFIX_LEN);
    assert_int_equal(model_get(x->m, x->end, key), rows_number(change->value));
    x->count++;
}

/* Takes, collects in steps with additions in between, releases or gives back. */
static void spill(struct kv_pending *p, struct model *m, struct rows_random *r)
{
    struct kv_pending_spill s;
    struct kv_pending_spill second;
    struct expectation x = {.m = m};
    const struct kv_release release = {.released = expect_released, .context = &x};

    if (!kv_pending_take(p, rows_below(r, 3) == 0 ? SIZE_MAX : rows_below(r, 2000), &s)) {
        assert_int_equal(m->shown, m->released);
        return;
    }
    assert_false(kv_pending_take(p, 1, &second));
    x.end = (size_t)s.end_offset / 10;
    assert_true(x.end > m->released && x.end <= m->shown);
    while (!kv_pending_collect(p, &s, 1 + rows_below(r, 50))) {
        add(p, m, r);
    }
    for (size_t i = 0; i < s.count; i++) {
        expect_released(&x, &s.changes[i], ROWS_PREFIX_LEN);
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        x.count -= model_get(m, x.end, key) != nothing;
    }
    assert_int_equal(x.count, 0);
    if (rows_below(r, 5) == 0) {
        kv_pending_untake(p, &s);
        return;
    }
    while (!kv_pending_release(p, &s, 1 + rows_below(r, 50), &release)) {
        add(p, m, r);
    }
    m->released = x.end;
}

static void truncate_some(struct kv_pending *p, struct model *m, struct rows_random *r)
{
    m->count = m->shown + rows_below(r, (uint32_t)(m->count - m->shown) + 1);
    kv_pending_truncate(p, (int64_t)m->count * 10 + rows_below(r, 10));
}

static void run_schedule(uint64_t seed)
{
    struct kv_pending *p = kv_pending_new(0, rows_prefix_of, NULL);
    struct rows_random r = {.state = seed};
    struct model *m = mem_new(struct model);

    while (m->count < BATCHES / 10) {
        switch (rows_below(&r, 8)) {
        case 0:
            truncate_some(p, m, &r);
            break;
        case 1:
            m->shown += rows_below(&r, (uint32_t)(m->count - m->shown) + 1);
            kv_pending_show(p, (int64_t)m->shown * 10 + rows_below(&r, 10));
            break;
        case 2:
            if (rows_below(&r, 3) == 0) {
                spill(p, m, &r);
            }
            break;
        default:
            add(p, m, &r);
            break;
        }
        expect_equal(p, m);
    }
    kv_pending_free(p);
    free(m);
}

static void pending_changes_equal_a_list_of_batches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        run_schedule(seed);
    }
}

static void memory_comes_back(void **state)
{
    struct kv_pending *p = kv_pending_new(0, NULL, NULL);
    struct model *m = mem_new(struct model);
    struct expectation x = {.m = m};
    size_t before = kv_pending_bytes(p);
    struct kv_pending_spill s;

    (void)state;
    (void)x;
    for (int64_t offset = 1; offset <= 20000; offset++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct kv_change change = rows_change(&arena, (uint32_t)offset, (uint32_t)offset);

        kv_pending_add(p, &change, 1, offset, 1);
    }
    assert_true(kv_pending_bytes(p) > before * 50);
    kv_pending_truncate(p, 100);
    assert_int_equal(kv_pending_count(p), 100);
    kv_pending_show(p, 100);
    assert_true(kv_pending_take(p, SIZE_MAX, &s));
    assert_true(kv_pending_collect(p, &s, SIZE_MAX));
    kv_pending_untake(p, &s);
    assert_true(kv_pending_shown_bytes(p) > 0);
    kv_pending_free(p);
    free(m);
}

static void ignore_released(void *context, const struct kv_change *change, size_t prefix_len)
{
    (void)context;
    (void)change;
    (void)prefix_len;
}

static void an_idle_bucket_shrinks(void **state)
{
    const struct kv_release ignore = {.released = ignore_released};
    struct kv_pending *p = kv_pending_new(0, NULL, NULL);
    size_t before = kv_pending_bytes(p);
    int64_t offset = 0;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < (round == 0 ? 20000 : 10); i++) {
            OWNED(arena_fini) struct arena arena = ARENA_INIT;
            struct kv_change change = rows_change(&arena, (uint32_t)i, 7);

            kv_pending_add(p, &change, 1, ++offset, 0);
        }
        kv_pending_show(p, offset);
        for (struct kv_pending_spill s; kv_pending_take(p, SIZE_MAX, &s);) {
            assert_true(kv_pending_collect(p, &s, SIZE_MAX));
            assert_true(kv_pending_release(p, &s, SIZE_MAX, &ignore));
        }
        assert_int_equal(kv_pending_count(p), 0);
    }
    assert_true(kv_pending_bytes(p) <= before * 2);
    kv_pending_free(p);
}

static void misuse_aborts(void **state)
{
    struct kv_pending *p = kv_pending_new(10, NULL, NULL);

    (void)state;
    assert_aborts(kv_pending_add(p, NULL, 0, 10, 0));
    kv_pending_add(p, NULL, 0, 11, 0);
    kv_pending_show(p, 11);
    assert_aborts(kv_pending_truncate(p, 10));
    kv_pending_free(p);
    kv_pending_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pending_changes_equal_a_list_of_batches),
        cmocka_unit_test(memory_comes_back),
        cmocka_unit_test(an_idle_bucket_shrinks),
        cmocka_unit_test(misuse_aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
