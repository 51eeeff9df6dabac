#include "rows.h"

#include "../../support/dies.h"

#define KEYS   3000
#define SPACES 2

static struct kv_key key_of(struct arena *arena, uint32_t key, uint32_t value)
{
    struct kv_key k = {.key = rows_key(arena, key), .old = rows_value(arena, value)};

    k.hash = hash_bytes(k.key);
    return k;
}

/* Whatever the cache knows is what the store has; memory stays within bounds. */
static void the_cache_is_never_wrong(void **state)
{
    struct kv_cache *c = kv_cache_new(KV_CACHE_BYTES_MIN, NULL);
    uint32_t spaces[SPACES] = {kv_cache_space(c), kv_cache_space(c)};
    static uint32_t stored[SPACES][KEYS];
    struct rows_random r = {.state = 3};
    size_t known = 0;

    (void)state;
    for (uint32_t step = 0; step < 300000; step++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        uint32_t s = rows_below(&r, SPACES);
        uint32_t key = rows_below(&r, rows_below(&r, 4) == 0 ? KEYS : KEYS / 20);
        struct kv_key k = key_of(&arena, key, stored[s][key]);
        struct bytes value = BYTES_EMPTY;
        enum kv_found found;

        if (rows_below(&r, 5) == 0) {
            stored[s][key] = rows_below(&r, 5) == 0 ? 0 : 1 + rows_below(&r, 1000);
            k.old = rows_value(&arena, stored[s][key]);
            kv_cache_update(c, spaces[s], k.key, k.hash, k.old);
        } else if (rows_below(&r, 50) == 0) {
            kv_cache_forget(c, spaces[s], k.key, k.hash);
            assert_int_equal(kv_cache_get(c, spaces[s], k.key, k.hash, &value), KV_UNKNOWN);
        }
        found = kv_cache_get(c, spaces[s], k.key, k.hash, &value);
        if (found == KV_UNKNOWN) {
            kv_cache_fill(c, spaces[s], &k, kv_cache_ticket(c));
            assert_int_not_equal(kv_cache_get(c, spaces[s], k.key, k.hash, &value), KV_UNKNOWN);
        } else {
            known++;
        }
        assert_true(bytes_equal(value, k.old));
        assert_true(kv_cache_stats(c).bytes <= KV_CACHE_BYTES_MIN);
    }
    /* the small part of the keys that most accesses go to fits */
    assert_true(known > 150000);
    assert_true(kv_cache_stats(c).evictions > 1000);
    kv_cache_free(c);
}

static void what_is_used_stays(void **state)
{
    struct kv_cache *c = kv_cache_new(KV_CACHE_BYTES_MIN, NULL);
    uint32_t space = kv_cache_space(c);
    struct bytes value;

    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct kv_key hot = key_of(&arena, 9999, 77);
        struct kv_key k = key_of(&arena, i % 5000, 5);

        if (i == 0) {
            kv_cache_fill(c, space, &hot, 0);
        }
        kv_cache_fill(c, space, &k, 0);
        assert_int_equal(kv_cache_get(c, space, hot.key, hot.hash, &value), KV_VALUE);
    }
    kv_cache_free(c);
}

static void a_late_fill_is_refused(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_cache *c = kv_cache_new(KV_CACHE_BYTES_MIN, NULL);
    uint32_t space = kv_cache_space(c);
    struct kv_key old = key_of(&arena, 1, 10);
    struct kv_key new = key_of(&arena, 1, 11);
    struct bytes value;
    uint64_t ticket = kv_cache_ticket(c);

    (void)state;
    kv_cache_update(c, space, new.key, new.hash, new.old);
    kv_cache_fill(c, space, &old, ticket);
    assert_int_equal(kv_cache_get(c, space, old.key, old.hash, &value), KV_VALUE);
    assert_int_equal(rows_number(value), 11);
    /* also when nothing of the update is left */
    kv_cache_forget(c, space, new.key, new.hash);
    kv_cache_fill(c, space, &old, ticket);
    assert_int_equal(kv_cache_get(c, space, old.key, old.hash, &value), KV_UNKNOWN);
    assert_int_equal(kv_cache_stats(c).refused, 2);
    kv_cache_fill(c, space, &new, kv_cache_ticket(c));
    assert_int_equal(kv_cache_get(c, space, old.key, old.hash, &value), KV_VALUE);
    kv_cache_free(c);
}

static void rows_too_large_are_left_out(void **state)
{
    struct kv_cache *c = kv_cache_new(KV_CACHE_BYTES_MIN, NULL);
    uint32_t space = kv_cache_space(c);
    static uint8_t large[KV_CACHE_BYTES_MIN];
    struct kv_key k = {.key = bytes_str("k"), .hash = 5, .old = bytes_of("small", 5)};
    struct bytes value;

    (void)state;
    kv_cache_fill(c, space, &k, 0);
    assert_int_equal(kv_cache_get(c, space, k.key, k.hash, &value), KV_VALUE);
    k.old = bytes_of(large, sizeof large);
    kv_cache_update(c, space, k.key, k.hash, k.old);
    assert_int_equal(kv_cache_get(c, space, k.key, k.hash, &value), KV_UNKNOWN);
    assert_int_equal(kv_cache_stats(c).entries, 0);
    assert_aborts((void)kv_cache_new(KV_CACHE_BYTES_MIN - 1, NULL));
    kv_cache_free(c);
    kv_cache_free(NULL);
}

/* ---- what caches share ---- */

static size_t fill(struct kv_cache *c, uint32_t count)
{
    uint32_t space = kv_cache_space(c);

    for (uint32_t i = 0; i < count; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct kv_key k = key_of(&arena, i, i % 1000);

        kv_cache_fill(c, space, &k, 0);
        if (i % 7 == 0) { /* of another size: leaves a hole */
            k.old = rows_value(&arena, (i + 20) % 1000);
            kv_cache_update(c, space, k.key, k.hash, k.old);
        }
    }
    return kv_cache_stats(c).bytes;
}

#define SHARED ((size_t)4 << 20)

static void the_first_gets_what_is_shared(void **state)
{
    struct kv_cache_pool pool;
    struct kv_cache *caches[2];

    (void)state;
    kv_cache_pool_init(&pool, SHARED);
    for (int i = 0; i < 2; i++) {
        caches[i] = kv_cache_new(KV_CACHE_BYTES_MIN, &pool);
    }
    assert_int_equal(pool.left, SHARED); /* nothing is taken before it is needed */
    assert_true(fill(caches[0], 100) < KV_CACHE_BYTES_MIN);
    assert_int_equal(pool.left, SHARED);
    assert_in_range(fill(caches[0], 200000), SHARED / 2, SHARED + KV_CACHE_BYTES_MIN);
    assert_true(pool.left < (size_t)1 << 20);
    assert_true(kv_cache_stats(caches[0]).evictions > 1000);
    assert_true(fill(caches[1], 200000) <= KV_CACHE_BYTES_MIN + pool.left);
    kv_cache_free(caches[0]);
    assert_true(pool.left > SHARED / 2);
    assert_in_range(fill(caches[1], 200000), SHARED / 2, SHARED + KV_CACHE_BYTES_MIN);
    kv_cache_free(caches[1]);
    assert_int_equal(pool.left, SHARED);
}

/* Growing loses nothing: as many rows as fit are all there. */
static void a_growing_cache_keeps_its_rows(void **state)
{
    struct kv_cache_pool pool;
    struct kv_cache *c;
    uint32_t space;
    struct bytes value;

    (void)state;
    kv_cache_pool_init(&pool, SHARED);
    c = kv_cache_new(KV_CACHE_BYTES_MIN, &pool);
    space = kv_cache_space(c);
    for (uint32_t i = 0; i < 30000; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct kv_key k = key_of(&arena, i, 1 + i % 999);

        kv_cache_fill(c, space, &k, 0);
    }
    assert_int_equal(kv_cache_stats(c).evictions, 0);
    for (uint32_t i = 0; i < 30000; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct kv_key k = key_of(&arena, i, 1 + i % 999);

        assert_int_equal(kv_cache_get(c, space, k.key, k.hash, &value), KV_VALUE);
        assert_true(bytes_equal(value, k.old));
    }
    kv_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cache_is_never_wrong),
        cmocka_unit_test(what_is_used_stays),
        cmocka_unit_test(a_late_fill_is_refused),
        cmocka_unit_test(rows_too_large_are_left_out),
        cmocka_unit_test(the_first_gets_what_is_shared),
        cmocka_unit_test(a_growing_cache_keeps_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
