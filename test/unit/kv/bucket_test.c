/* A bucket against its log: whatever is spilled, cached, looked up late or lost in a crash, clients
 * see the log below the high watermark and the write path all of it. */
#include "rows.h"

#include "../../support/dies.h"
#include "format/value_batch.h"

#define KEYS    160
#define BATCHES 3000
#define FLIGHTS 6

/* The changelog: what each batch leaves. */
struct log {
    uint32_t values[BATCHES][KEYS]; /* UINT32_MAX: no change */
    int64_t rows[BATCHES];          /* below and in the batch */
    size_t count;
    size_t shown;
};

enum flight_kind { FLIGHT_KEYS, FLIGHT_PREFIX, FLIGHT_FIRST };

/* A lookup whose middle part has not run, or has run and not ended. */
struct flight {
    bool active;
    bool ran;
    enum flight_kind kind;
    struct arena arena;
    struct kv_lookup lookup;
    struct kv_prefix prefix;
    struct kv_first_rows first;
    size_t begun; /* log->shown, or count, at the begin */
    struct kv_key keys[5];
};

/* Where stores in memory keep what they flush. */
struct home {
    struct arena arena;
    struct kv_env *env;
    char *dir;
};

static void home_init(struct home *h)
{
    const struct kv_env_options options = {.in_memory = true};

    *h = (struct home){.env = kv_env_new(&options)};
    h->dir = rows_dir(&h->arena);
}

static void home_fini(struct home *h)
{
    kv_env_free(h->env);
    rows_dir_remove(h->dir);
    arena_fini(&h->arena);
}

static struct kv_store *home_open(struct home *h, const char *name, const struct kv_state *first)
{
    const struct kv_open_params params = {.dir = arena_printf(&h->arena, "%s/%s", h->dir, name),
                                          .state = *first};
    struct kv_store *s = NULL;
    struct error e;

    OK(kv_store_open(h->env, &params, &s, &e));
    return s;
}

struct world {
    struct log log;
    struct rows_random random;
    struct home home;
    struct kv_store *store;
    struct kv_shard shard;
    struct kv_bucket *bucket;
    struct flight flights[FLIGHTS];
    struct kv_spill spill;
    int spill_state; /* 0 none, 1 collecting, 2 to run, 3 ending */
    size_t first_hits;
};

#define NO_CHANGE UINT32_MAX

static uint32_t log_get(const struct log *l, size_t end, uint32_t key)
{
    for (size_t i = end; i > 0; i--) {
        if (l->values[i - 1][key] != NO_CHANGE) {
            return l->values[i - 1][key];
        }
    }
    return 0;
}

static int64_t offset_of(size_t batches) { return (int64_t)batches * 10; }

static size_t batches_of(int64_t offset) { return (size_t)offset / 10; }

/* ---- the bucket's life ---- */

static void add_batch(struct world *w, size_t number)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_change changes[KEYS];
    size_t count = 0;

    for (uint32_t key = 0; key < KEYS; key++) {
        if (w->log.values[number][key] != NO_CHANGE) {
            changes[count++] = rows_change(&arena, key, w->log.values[number][key]);
        }
    }
    kv_bucket_add(w->bucket, changes, count, offset_of(number + 1),
                  w->log.rows[number] - (number == 0 ? 0 : w->log.rows[number - 1]));
}

/* Opens the store and replays the log from where it is. */
static void start(struct world *w)
{
    const struct kv_state first = {.offset = 0};
    struct kv_bucket_params bucket = {.shard = &w->shard, .prefix_of = rows_prefix_of, .owner = w};

    w->store = home_open(&w->home, "bucket", &first);
    bucket.store = w->store;
    w->bucket = kv_bucket_new(&bucket);
    assert_true(batches_of(kv_bucket_end_offset(w->bucket)) <= w->log.shown);
    for (size_t i = batches_of(kv_bucket_end_offset(w->bucket)); i < w->log.count; i++) {
        add_batch(w, i);
    }
    kv_bucket_show(w->bucket, offset_of(w->log.shown));
}

static void end_spill(struct world *w);
static void end_flights(struct world *w);

static void crash(struct world *w)
{
    end_flights(w);
    end_spill(w);
    kv_bucket_free(w->bucket);
    kv_memory_crash(w->store);
    start(w);
}

/* ---- steps ---- */

static void put(struct world *w)
{
    struct log *l = &w->log;
    int64_t rows = l->count == 0 ? 0 : l->rows[l->count - 1];

    for (uint32_t key = 0; key < KEYS; key++) {
        uint32_t value = NO_CHANGE;

        if (rows_below(&w->random, 30) == 0) {
            uint32_t old = log_get(l, l->count, key);

            value = rows_below(&w->random, 3) == 0 ? 0 : 1 + rows_below(&w->random, 9999);
            rows += (value != 0) - (old != 0);
        }
        l->values[l->count][key] = value;
    }
    l->rows[l->count] = rows;
    add_batch(w, l->count++);
}

static void show(struct world *w)
{
    w->log.shown += rows_below(&w->random, (uint32_t)(w->log.count - w->log.shown) + 1);
    kv_bucket_show(w->bucket, offset_of(w->log.shown) + rows_below(&w->random, 10));
}

/* The write path does not look up what it takes back meanwhile. */
static void truncate_log(struct world *w)
{
    end_flights(w);
    w->log.count =
        w->log.shown + rows_below(&w->random, (uint32_t)(w->log.count - w->log.shown) + 1);
    kv_bucket_truncate(w->bucket, offset_of(w->log.count));
}

static void spill_step(struct world *w)
{
    struct error e;

    switch (w->spill_state) {
    case 0:
        w->spill_state = kv_spill_begin(w->bucket, &w->spill) ? 1 : 0;
        break;
    case 1:
        w->spill_state = kv_spill_collect(w->bucket, &w->spill) ? 2 : 1;
        break;
    case 2:
        if (rows_below(&w->random, 4) == 0) {
            w->spill.code = ERR_STORAGE_BACKPRESSURE; /* it could not be written */
        } else {
            kv_spill_run(&w->spill);
            assert_int_equal(w->spill.code, ERR_OK);
        }
        if (rows_below(&w->random, 4) == 0) {
            OK(kv_store_flush(w->store, &e));
        }
        w->spill_state = 3;
        break;
    default:
        w->spill_state = kv_spill_end(w->bucket, &w->spill) ? 0 : 3;
        break;
    }
}

static void end_spill(struct world *w)
{
    while (w->spill_state != 0) {
        spill_step(w);
    }
}

/* ---- lookups ---- */

/* The value at the begin, or any that was shown since. */
static void expect_seen(const struct world *w, const struct flight *f, uint32_t key, uint32_t value)
{
    for (size_t end = f->begun; end <= w->log.count; end++) {
        if (log_get(&w->log, end, key) == value) {
            return;
        }
    }
    fail_msg("key %u: value %u was never there", key, value);
}

static void expect_keys(const struct world *w, const struct flight *f)
{
    for (size_t i = 0; i < f->lookup.count; i++) {
        expect_seen(w, f, rows_key_number(f->keys[i].key), rows_number(f->keys[i].old));
    }
}

static void expect_rows(const struct world *w, const struct flight *f)
{
    uint32_t first =
        (uint32_t)strtoul(
            (char *)arena_strndup((struct arena *)&f->arena, f->prefix.prefix.data, 3), NULL, 10) *
        8;
    size_t n = 0;

    for (uint32_t key = first; key < first + 8; key++) {
        uint32_t value = 0;

        if (n < f->prefix.items.count && rows_key_number(f->prefix.items.items[n].key) == key) {
            value = rows_number(f->prefix.items.items[n++].value);
        }
        expect_seen(w, f, key, value);
    }
    assert_int_equal(n, f->prefix.items.count);
}

static void begin_keys(struct world *w, struct flight *f)
{
    f->lookup =
        (struct kv_lookup){.keys = f->keys, .count = ARRAY_LEN(f->keys), .arena = &f->arena};
    f->lookup.sight = rows_below(&w->random, 3) == 0 ? KV_SIGHT_NEWEST : KV_SIGHT_SHOWN;
    f->begun = f->lookup.sight == KV_SIGHT_NEWEST ? w->log.count : w->log.shown;
    for (size_t i = 0; i < ARRAY_LEN(f->keys); i++) {
        f->keys[i] = (struct kv_key){.key = rows_key(&f->arena, rows_below(&w->random, KEYS))};
        f->keys[i].hash = hash_bytes(f->keys[i].key);
    }
    f->active = !kv_lookup_begin(w->bucket, &f->lookup);
    if (!f->active) {
        for (size_t i = 0; i < f->lookup.count; i++) { /* at once: exactly what is there now */
            assert_int_equal(rows_number(f->keys[i].old),
                             log_get(&w->log, f->begun, rows_key_number(f->keys[i].key)));
        }
    }
}

static void begin_prefix(struct world *w, struct flight *f)
{
    struct bytes key = rows_key(&f->arena, rows_below(&w->random, KEYS));

    f->prefix = (struct kv_prefix){
        .prefix = bytes_slice(key, 0, ROWS_PREFIX_LEN), .bytes_max = SIZE_MAX, .arena = &f->arena};
    f->prefix.hash = hash_bytes(f->prefix.prefix);
    f->begun = w->log.shown;
    kv_prefix_prefetch(w->bucket, &f->prefix.hash, 1, 0);
    f->active = !kv_prefix_begin(w->bucket, &f->prefix);
    if (!f->active) {
        size_t count = w->log.count;

        w->log.count = f->begun;
        expect_rows(w, f);
        w->log.count = count;
    }
}

/* The first rows as they are shown now. */
static void expect_first(const struct world *w, struct bytes batch, size_t limit)
{
    struct value_batch_iterator it;
    size_t left = limit;

    assert_int_equal(value_batch_parse(batch, &it, NULL), ERR_OK);
    for (uint32_t key = 0; key < KEYS && left > 0; key++) {
        uint32_t value = log_get(&w->log, w->log.shown, key);

        if (value != 0) {
            struct bytes got = BYTES_EMPTY;

            assert_int_equal(value_batch_next(&it, &got, NULL), ERR_OK);
            assert_int_equal(rows_number(got), value);
            left--;
        }
    }
    assert_int_equal(it.left, 0);
}

static void begin_first(struct world *w, struct flight *f)
{
    struct bytes batch;

    f->first = (struct kv_first_rows){.limit = rows_below(&w->random, 90), .arena = &f->arena};
    if (rows_below(&w->random, 8) == 0) {
        f->first.limit = KV_FIRST_ROWS_MAX + rows_below(&w->random, 2);
    }
    f->active = !kv_bucket_first(w->bucket, f->first.limit, &f->arena, &batch);
    if (f->active) {
        kv_first_rows_begin(w->bucket, &f->first);
    } else {
        expect_first(w, batch, f->first.limit);
        w->first_hits++;
    }
}

static void run_first(struct world *w, struct flight *f)
{
    struct kv_cursor *c = NULL;
    struct error e;

    OK(kv_cursor_open(w->store, &c, &e));
    OK(kv_first_rows_run(c, &f->first, &e));
    kv_cursor_close(c);
}

static void flight_begin(struct world *w, struct flight *f)
{
    static void (*const begins[])(struct world *, struct flight *) = {
        [FLIGHT_KEYS] = begin_keys, [FLIGHT_PREFIX] = begin_prefix, [FLIGHT_FIRST] = begin_first};

    arena_init(&f->arena);
    f->ran = false;
    f->kind = (enum flight_kind)rows_below(&w->random, ARRAY_LEN(begins));
    begins[f->kind](w, f);
}

static void flight_run(struct world *w, struct flight *f)
{
    struct error e;

    if (f->kind == FLIGHT_PREFIX) {
        OK(kv_prefix_run(w->store, &f->prefix, &e));
    } else if (f->kind == FLIGHT_KEYS) {
        OK(kv_lookup_run(w->store, &f->lookup, &e));
    } else {
        run_first(w, f);
    }
    f->ran = true;
}

static void flight_end(struct world *w, struct flight *f)
{
    if (f->kind == FLIGHT_PREFIX) {
        kv_prefix_end(w->bucket, &f->prefix);
        expect_rows(w, f);
    } else if (f->kind == FLIGHT_KEYS) {
        kv_lookup_end(w->bucket, &f->lookup);
        expect_keys(w, f);
    } else {
        kv_first_rows_end(w->bucket, &f->first);
    }
    f->active = false;
}

static void flight_step(struct world *w, struct flight *f)
{
    if (!f->active) {
        flight_begin(w, f);
    } else if (!f->ran) {
        flight_run(w, f);
    } else {
        flight_end(w, f);
    }
    if (!f->active) {
        arena_fini(&f->arena);
    }
}

static void end_flights(struct world *w)
{
    for (size_t i = 0; i < FLIGHTS; i++) {
        while (w->flights[i].active) {
            flight_step(w, &w->flights[i]);
        }
    }
}

/* ---- the schedule ---- */

static void step(struct world *w)
{
    switch (rows_below(&w->random, 40)) {
    case 0:
        truncate_log(w);
        break;
    case 1:
        if (rows_below(&w->random, 10) == 0) {
            crash(w);
        }
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        put(w);
        break;
    case 6:
    case 7:
    case 8:
        show(w);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        spill_step(w);
        break;
    default:
        flight_step(w, &w->flights[rows_below(&w->random, FLIGHTS)]);
        break;
    }
}

static void run_schedule(uint64_t seed)
{
    const struct kv_budgets budgets = {
        .cache_bytes = KV_CACHE_BYTES_MIN, .pending_bytes = 100000, .spill_bytes = 3000};
    struct world *w = mem_new(struct world);
    int64_t rows;

    w->random.state = seed;
    home_init(&w->home);
    kv_shard_init(&w->shard, &budgets);
    start(w);
    while (w->log.count < 200) {
        step(w);
        rows = w->log.shown == 0 ? 0 : w->log.rows[w->log.shown - 1];
        assert_int_equal(kv_bucket_row_count(w->bucket), rows);
        assert_int_equal(kv_bucket_shown_offset(w->bucket), offset_of(w->log.shown));
        assert_int_equal(kv_bucket_end_offset(w->bucket), offset_of(w->log.count));
    }
    assert_true(w->first_hits > 0);
    end_flights(w);
    end_spill(w);
    kv_bucket_free(w->bucket);
    kv_memory_crash(w->store);
    home_fini(&w->home);
    kv_shard_fini(&w->shard);
    free(w);
}

static void everybody_sees_the_log(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run_schedule(seed);
    }
}

static void the_fattest_bucket_spills(void **state)
{
    const struct kv_budgets budgets = {
        .cache_bytes = KV_CACHE_BYTES_MIN, .pending_bytes = 60000, .spill_bytes = 1 << 20};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct home home;
    struct kv_store *stores[2];
    struct kv_bucket *buckets[2];
    int owners[2];
    struct kv_shard shard;
    struct error e;
    int64_t offset = 0;

    (void)state;
    home_init(&home);
    kv_shard_init(&shard, &budgets);
    for (int i = 0; i < 2; i++) {
        const struct kv_state first = {.offset = 0};
        struct kv_bucket_params bucket = {.shard = &shard, .owner = &owners[i]};

        stores[i] = home_open(&home, i == 0 ? "a" : "b", &first);
        bucket.store = stores[i];
        buckets[i] = kv_bucket_new(&bucket);
    }
    assert_null(kv_shard_spill_owner(&shard));
    assert_int_equal(shard.pending_bytes, 0);
    while (kv_bucket_pressure(buckets[0], 8) < 1) {
        struct kv_change change = rows_change(&arena, (uint32_t)offset, 49);

        offset++;
        for (int i = 0; i < 2; i++) {
            kv_bucket_add(buckets[i], &change, i == 0 || offset % 2 == 0, offset, 1);
            kv_bucket_show(buckets[i], offset);
        }
    }
    assert_ptr_equal(kv_shard_spill_owner(&shard), &owners[0]);
    assert_false(kv_bucket_spill_due(buckets[0]));
    for (int i = 0; i < 2; i++) {
        kv_bucket_free(buckets[i]);
        OK(kv_store_close(stores[i], &e));
    }
    kv_bucket_free(NULL);
    kv_shard_fini(&shard);
    home_fini(&home);
}

static void ids_are_kept_with_the_state(void **state)
{
    const struct kv_budgets budgets = {.cache_bytes = KV_CACHE_BYTES_MIN, .spill_bytes = 1};
    const struct kv_id_range ids = {.column_id = 3, .start = 7, .end = 100};
    struct home home;
    const struct kv_state first = {.row_count = -1};
    struct kv_store *store;
    struct kv_bucket_params bucket;
    struct kv_bucket *b;
    struct kv_shard shard;
    struct kv_id_range got = ids;
    struct kv_spill spill;
    struct error e;

    (void)state;
    home_init(&home);
    kv_shard_init(&shard, &budgets);
    store = home_open(&home, "a", &first);
    bucket = (struct kv_bucket_params){.shard = &shard, .store = store};
    b = kv_bucket_new(&bucket);
    assert_false(kv_bucket_ids(b, &got));
    assert_int_equal(got.end, ids.end);
    kv_bucket_set_ids(b, &ids);
    assert_false(kv_spill_begin(b, &spill));
    kv_bucket_add(b, NULL, 0, 5, 0);
    kv_bucket_show(b, 5);
    assert_true(kv_spill_begin(b, &spill));
    assert_true(kv_spill_collect(b, &spill));
    kv_spill_run(&spill);
    assert_true(kv_spill_end(b, &spill));
    assert_int_equal(kv_store_state(store).offset, 5);
    kv_bucket_free(b);
    b = kv_bucket_new(&bucket);
    assert_true(kv_bucket_ids(b, &got));
    assert_int_equal(got.start, 7);
    assert_int_equal(kv_bucket_row_count(b), -1);
    assert_aborts(kv_shard_fini(&shard));
    kv_bucket_free(b);
    OK(kv_store_close(store, &e));
    kv_shard_fini(&shard);
    home_fini(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_sees_the_log),
        cmocka_unit_test(the_fattest_bucket_spills),
        cmocka_unit_test(ids_are_kept_with_the_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
