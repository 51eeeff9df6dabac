/* What both engines promise: random writes and reads against a plain table, across restarts. */
#include "rows.h"

#define KEYS 400

struct model {
    uint32_t values[KEYS];
    struct kv_state state;
};

struct fixture {
    struct arena arena;
    struct kv_env *env;
    char *dir;
    struct kv_open_params params;
    struct kv_store *store;
    struct rows_random random;
};

static void reopen(struct fixture *f)
{
    struct error e;

    OK(kv_store_close(f->store, &e));
    f->store = NULL;
    OK(kv_store_open(f->env, &f->params, &f->store, &e));
}

static void start(struct fixture *f, bool rocks)
{
    const struct kv_env_options options = {
        .memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1, .in_memory = !rocks};

    *f = (struct fixture){.arena = ARENA_INIT};
    f->dir = rows_dir(&f->arena);
    f->params.dir = arena_printf(&f->arena, "%s/kv-0/db", f->dir);
    f->env = kv_env_new(&options);
    reopen(f);
}

static void stop(struct fixture *f)
{
    struct error e;

    OK(kv_store_close(f->store, &e));
    kv_env_free(f->env);
    rows_dir_remove(f->dir);
    arena_fini(&f->arena);
}

static void write_some(struct fixture *f, struct model *m)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_change changes[40];
    size_t count = 0;
    struct error e;

    for (uint32_t key = rows_below(&f->random, 30); key < KEYS && count < 40;
         key += 1 + rows_below(&f->random, 30)) {
        m->values[key] = rows_below(&f->random, 4) == 0 ? 0 : 1 + rows_below(&f->random, 9999);
        changes[count++] = rows_change(&arena, key, m->values[key]);
    }
    for (size_t i = count; i > 1; i--) { /* in any order */
        size_t j = rows_below(&f->random, (uint32_t)i);
        struct kv_change change = changes[j];

        changes[j] = changes[i - 1];
        changes[i - 1] = change;
    }
    m->state.offset += 1 + rows_below(&f->random, 9);
    m->state.row_count += (int64_t)count;
    m->state.has_ids = true;
    m->state.ids = (struct kv_id_range){.column_id = 2, .start = m->state.offset, .end = 100000};
    OK(kv_store_write(f->store, changes, count, &m->state, &e));
}

static void expect_state(struct kv_state got, struct kv_state expected)
{
    assert_int_equal(got.offset, expected.offset);
    assert_int_equal(got.row_count, expected.row_count);
    assert_int_equal(got.has_ids, expected.has_ids);
    assert_int_equal(got.ids.column_id, expected.ids.column_id);
    assert_int_equal(got.ids.start, expected.ids.start);
    assert_int_equal(got.ids.end, expected.ids.end);
}

static void expect_gets(struct fixture *f, const struct model *m)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes keys[KEYS];
    struct bytes values[KEYS];
    struct error e;

    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = rows_key(&arena, KEYS - 1 - i);
    }
    OK(kv_store_multi_get(f->store, keys, KEYS, &arena, values, &e));
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(bytes_equal(values[i], rows_value(&arena, m->values[KEYS - 1 - i])));
    }
}

static void expect_rows(const struct kv_items *items, const struct model *m, uint32_t from,
                        uint32_t end)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t n = 0;
    size_t bytes = 0;

    for (uint32_t key = from; key < end; key++) {
        if (m->values[key] != 0) {
            assert_true(n < items->count);
            assert_true(bytes_equal(items->items[n].key, rows_key(&arena, key)));
            assert_true(bytes_equal(items->items[n].value, rows_value(&arena, m->values[key])));
            bytes += items->items[n].key.len + items->items[n].value.len;
            n++;
        }
    }
    assert_int_equal(items->count, n);
    assert_int_equal(items->bytes, bytes);
}

static void expect_prefix(struct fixture *f, const struct model *m, uint32_t prefix)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes key = rows_key(&arena, prefix * 8);
    struct kv_items items = {0};
    struct error e;

    OK(kv_store_prefix(f->store, bytes_slice(key, 0, ROWS_PREFIX_LEN), SIZE_MAX, &arena, &items,
                       &e));
    expect_rows(&items, m, prefix * 8, prefix * 8 + 8);
    if (items.bytes > 0) {
        assert_int_equal(kv_store_prefix(f->store, bytes_slice(key, 0, ROWS_PREFIX_LEN),
                                         items.bytes - 1, &arena, &items, &e),
                         ERR_RECORD_TOO_LARGE);
    }
}

/* A cursor sees its moment only, whatever is written meanwhile. */
static void expect_cursor(struct fixture *f, struct model *m)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct model then = *m;
    struct kv_items all = {.items = arena_array(&arena, KEYS, sizeof *all.items)};
    struct kv_cursor *c = NULL;
    struct kv_items some;
    struct error e;

    OK(kv_cursor_open(f->store, &c, &e));
    expect_state(kv_cursor_state(c), then.state);
    do {
        size_t rows_max = 1 + rows_below(&f->random, 50);
        size_t bytes_max = rows_below(&f->random, 1000);

        OK(kv_cursor_next(c, rows_max, bytes_max, &arena, &some, &e));
        assert_true(some.count <= rows_max && (some.count <= 1 || some.bytes <= bytes_max));
        for (size_t i = 0; i < some.count; i++) {
            all.items[all.count++] = some.items[i];
        }
        all.bytes += some.bytes;
        if (rows_below(&f->random, 10) == 0) {
            write_some(f, m);
        }
    } while (some.count > 0);
    kv_cursor_close(c);
    expect_rows(&all, &then, 0, KEYS);
}

static void run_schedule(struct fixture *f)
{
    struct model m = {.values = {0}};
    struct error e;

    for (int step = 0; step < 400; step++) {
        switch (rows_below(&f->random, 12)) {
        case 0:
            expect_gets(f, &m);
            break;
        case 1:
            expect_prefix(f, &m, rows_below(&f->random, KEYS / 8));
            break;
        case 2:
            expect_cursor(f, &m);
            break;
        case 3:
            OK(kv_store_flush(f->store, &e));
            assert_int_equal(kv_store_durable_offset(f->store), m.state.offset);
            break;
        case 4:
            if (step % 4 == 0) {
                reopen(f);
                expect_state(kv_store_state(f->store), m.state);
            }
            break;
        default:
            write_some(f, &m);
            break;
        }
    }
    expect_gets(f, &m);
}

static void a_store_in_rocksdb_equals_a_table(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, true);
    f.random.state = 11;
    run_schedule(&f);
    stop(&f);
}

static void a_store_in_memory_equals_a_table(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, false);
    f.random.state = 12;
    run_schedule(&f);
    stop(&f);
}

/* The key under which RocksDB stores keep their state is no row, whoever asks, and never becomes
 * one. */
static void our_own_key_is_no_row(void **state)
{
    static const uint8_t raw[] = "\xff\xff\xff\xff"
                                 "eider bucket state\xff\xff\xfe\x8b\x1d\xc3\x5a\x77\xe2\x94";
    struct bytes ours = bytes_of(raw, sizeof raw - 1);

    (void)state;
    assert_false(kv_key_allowed(ours));
    assert_true(kv_key_allowed(bytes_slice(ours, 0, ours.len - 1)));
    for (int rocks = 0; rocks < 2; rocks++) {
        struct fixture f;
        struct kv_change change = {.key = ours, .value = bytes_str("row")};
        struct kv_state at = {.offset = 1};
        struct bytes value;
        struct kv_items items;
        struct error e;

        start(&f, rocks != 0);
        OK(kv_store_write(f.store, &change, 1, &at, &e));
        OK(kv_store_multi_get(f.store, &ours, 1, &f.arena, &value, &e));
        assert_int_equal(value.len, 0);
        OK(kv_store_prefix(f.store, bytes_slice(ours, 0, 2), SIZE_MAX, &f.arena, &items, &e));
        assert_int_equal(items.count, 0);
        reopen(&f);
        expect_state(kv_store_state(f.store), at);
        stop(&f);
    }
}

static void prefixes_at_the_end_of_all_keys(void **state)
{
    (void)state;
    for (int rocks = 0; rocks < 2; rocks++) {
        struct kv_change changes[] = {
            {.key = bytes_of("\xfe\xff", 2), .value = bytes_str("1")},
            {.key = bytes_of("\xff", 1), .value = bytes_str("2")},
            {.key = bytes_of("\xff\xff\xff", 3), .value = bytes_str("3")},
            {.key = bytes_of("", 0), .value = bytes_str("4")},
        };
        struct kv_state at = {.offset = 1};
        struct fixture f;
        struct kv_items items;
        struct error e;

        start(&f, rocks != 0);
        OK(kv_store_write(f.store, changes, ARRAY_LEN(changes), &at, &e));
        OK(kv_store_prefix(f.store, bytes_of("\xff", 1), SIZE_MAX, &f.arena, &items, &e));
        assert_int_equal(items.count, 2);
        OK(kv_store_prefix(f.store, bytes_of("\xfe\xff", 2), SIZE_MAX, &f.arena, &items, &e));
        assert_int_equal(items.count, 1);
        OK(kv_store_prefix(f.store, BYTES_EMPTY, SIZE_MAX, &f.arena, &items, &e));
        assert_int_equal(items.count, 4);
        assert_int_equal(items.items[0].key.len, 0);
        stop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_in_rocksdb_equals_a_table),
        cmocka_unit_test(a_store_in_memory_equals_a_table),
        cmocka_unit_test(our_own_key_is_no_row),
        cmocka_unit_test(prefixes_at_the_end_of_all_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
