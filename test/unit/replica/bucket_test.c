#include "../../support/store_ops.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

/* ---- which shard ---- */

static void buckets_spread_over_shards(void **state)
{
    unsigned counts[4] = {0};

    (void)state;
    for (int64_t table = 0; table < 50; table++) {
        for (int32_t b = 0; b < 40; b++) {
            struct bucket_id id = {.table_id = table, .partition_id = table % 3 - 1, .bucket = b};
            unsigned shard = bucket_shard(&id, 4);

            assert_int_equal(bucket_shard(&id, 4), shard);
            assert_int_equal(bucket_shard(&id, 1), 0);
            counts[shard]++;
        }
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(counts[i], 400, 600);
    }
}

/* ---- opening ---- */

static void a_failed_open_is_told_and_tried_again_later(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    struct bucket_id id = bucket_of(table, 0);
    struct offset_op ops[3];
    struct gate *gate = gate_new(3);
    char *in_the_way = arena_printf(&s->arena, "%s/fluss", s->dir);
    struct append_op a = append_of(s, id, store_batch(s, 1, 10, 1), 1);

    assert_int_equal(file_replace(in_the_way, bytes_str("x"), NULL), ERR_OK);
    for (int i = 0; i < 3; i++) {
        ops[i] = (struct offset_op){.op.id = id, .kind = OFFSET_LATEST};
        store_op_start(s, &ops[i].op, gate, submit_offset);
    }
    gate_wait(gate);
    assert_int_equal(ops[0].op.code, ERR_LOG_STORAGE);
    assert_non_null(strstr(ops[0].op.error.message, in_the_way));
    for (int i = 1; i < 3; i++) { /* waited for the open, or came after it */
        assert_true(ops[i].op.code == ERR_LOG_STORAGE || ops[i].op.code == ERR_STORAGE);
    }
    while (store_op(s, &a.op, submit_append) == ERR_LOG_STORAGE) { /* so late that it was tried */
    }
    assert_int_equal(a.op.code, ERR_STORAGE);
    assert_non_null(strstr(s->error.message, "could not be opened a moment ago"));
    assert_int_equal(path_remove(in_the_way, NULL), ERR_OK);
    while (store_op(s, &a.op, submit_append) == ERR_STORAGE) {
        thread_sleep_us(20000);
    }
    assert_int_equal(a.op.code, ERR_OK);
}

/* ---- waiting ---- */

struct watcher {
    struct replica_waiter waiter;
    struct replica_set *set;
    struct bucket_id id;
    bool registered;
    atomic_int woken;
};

static void watcher_wake(struct replica_waiter *w)
{
    struct watcher *x = container_of(w, struct watcher, waiter);

    ASSERT(!list_linked(&w->link));
    atomic_fetch_add(&x->woken, 1);
}

static void watch_run(void *context)
{
    struct watcher *w = context;

    list_init(&w->waiter.link);
    w->waiter.wake = watcher_wake;
    w->registered = replica_wait(w->set, &w->id, &w->waiter);
}

static void unwatch_run(void *context) { replica_unwait(&((struct watcher *)context)->waiter); }

static bool watch(struct store *s, struct watcher *w, struct bucket_id id, int64_t offset)
{
    *w = (struct watcher){.set = s->sets[0], .id = id, .waiter.offset = offset};
    on_shard(s->shards[0], watch_run, w);
    return w->registered;
}

static void waiters_wake_once_when_their_offset_is_passed(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct watcher now;
    struct watcher near;
    struct watcher far;
    struct watcher gone;

    assert_false(watch(s, &now, id, 0)); /* not open */
    (void)store_append(s, id, store_batch(s, 3, 10, 1));
    assert_false(watch(s, &now, id, 2));
    assert_true(watch(s, &near, id, 3));
    assert_true(watch(s, &far, id, 6));
    assert_true(watch(s, &gone, id, 3));
    on_shard(s->shards[0], unwatch_run, &gone);
    on_shard(s->shards[0], unwatch_run, &gone);
    (void)store_append(s, id, store_batch(s, 3, 10, 1));
    shard_settle(s->shards[0]); /* writers are answered first */
    assert_int_equal(atomic_load(&near.woken), 1);
    assert_int_equal(atomic_load(&far.woken), 0);
    (void)store_append(s, id, store_batch(s, 3, 10, 1));
    shard_settle(s->shards[0]);
    assert_int_equal(atomic_load(&near.woken), 1);
    assert_int_equal(atomic_load(&far.woken), 1);
    assert_int_equal(atomic_load(&gone.woken), 0);
    assert_false(watch(s, &now, bucket_of(id.table_id, 77), 0));
}

/* Every waiter of a burst takes the next one back while it is woken itself. */
struct chain {
    struct watcher items[10];
};

static void chain_wake(struct replica_waiter *w)
{
    struct watcher *x = container_of(w, struct watcher, waiter);

    atomic_fetch_add(&x->woken, 1);
    replica_unwait(&(x + 1)->waiter);
}

static void chain_run(void *context)
{
    struct chain *c = context;

    for (size_t i = 0; i < ARRAY_LEN(c->items); i++) {
        struct watcher *w = &c->items[i];

        list_init(&w->waiter.link);
        w->waiter.wake = chain_wake;
        if (i + 1 < ARRAY_LEN(c->items)) {
            ASSERT(replica_wait(w->set, &w->id, &w->waiter));
        }
    }
}

static void a_woken_waiter_may_take_others_back(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct chain c = {0};
    int woken = 0;

    (void)store_append(s, id, store_batch(s, 1, 10, 1));
    for (size_t i = 0; i < ARRAY_LEN(c.items); i++) {
        c.items[i] = (struct watcher){.set = s->sets[0], .id = id, .waiter.offset = 1};
    }
    on_shard(s->shards[0], chain_run, &c);
    (void)store_append(s, id, store_batch(s, 1, 10, 1));
    shard_settle(s->shards[0]);
    for (size_t i = 0; i < ARRAY_LEN(c.items); i++) {
        woken += atomic_load(&c.items[i].woken);
    }
    assert_int_equal(woken, 5);
}

/* ---- dropping ---- */

static void a_dropped_bucket_fails_and_wakes_who_waits(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    struct bucket_id id = bucket_of(table, 0);
    struct append_op appends[40];
    struct gate *gate = gate_new(ARRAY_LEN(appends));
    struct watcher w;
    int settled;

    (void)store_append(s, id, store_batch(s, 1, 10, 1));
    assert_true(watch(s, &w, id, 1000));
    settled = atomic_load(&s->settled);
    for (size_t i = 0; i < ARRAY_LEN(appends); i++) { /* bucket 1 is being opened, 0 synced */
        appends[i] = append_of(s, bucket_of(table, (int32_t)i % 2), store_batch(s, 1, 10, 1), -1);
        store_op_start(s, &appends[i].op, gate, submit_append);
    }
    store_drop_table(s, "t");
    gate_wait(gate);
    for (size_t i = 0; i < ARRAY_LEN(appends); i++) {
        assert_true(appends[i].op.code == ERR_OK ||
                    appends[i].op.code == ERR_UNKNOWN_TABLE_OR_BUCKET);
    }
    assert_int_equal(atomic_load(&w.woken), 1);
    assert_reaches(&s->settled, settled + 1); /* when no job is left */
    assert_int_equal(store_op(s, &appends[0].op, submit_append), ERR_UNKNOWN_TABLE_OR_BUCKET);
}

static void dropping_many_while_all_are_busy(void **state)
{
    struct store *s = *state;

    for (int round = 0; round < 10; round++) {
        int64_t table = store_create_table(s, "t", STORE_TABLE("", "50", ""));
        int settled = atomic_load(&s->settled);
        struct append_op *appends = mem_zalloc(100 * sizeof *appends);
        struct gate *gate = gate_new(100);

        for (int i = 0; i < 100; i++) {
            appends[i] = append_of(s, bucket_of(table, i % 50), store_batch(s, 1, 10, 1), -1);
            store_op_start(s, &appends[i].op, gate, submit_append);
        }
        store_drop_table(s, "t");
        gate_wait(gate);
        assert_reaches(&s->settled, settled + 1);
        free(appends);
    }
}

/* An append to the first bucket; whoever waits for it goes on with a fetch of columns of the second one. */
struct follow {
    struct store *store;
    struct meta_view *view; /* without the table */
    struct append_op append;
    struct fetch_op fetch;
    struct gate *gate;
};

static void follow_on(struct bucket_op *op)
{
    struct follow *f = container_of(op, struct follow, append.op);

    f->fetch.op.done = store_op_done;
    f->fetch.op.context = f->gate;
    replica_fetch(f->store->sets[0], &f->fetch);
}

static void follow_run(void *context)
{
    struct follow *f = context;
    struct store_delivery d = {.store = f->store, .view = f->view};

    f->append.op.done = follow_on;
    replica_append(f->store->sets[0], &f->append);
    store_deliver(&d, 0);
}

static void who_waited_for_a_dropped_bucket_finds_no_other_of_its_table(void **state)
{
    static const uint32_t positions[] = {0};
    static const struct fetch_projection one = {.positions = positions, .count = 1};
    struct store *s = *state;
    struct follow f = {
        .store = s, .view = meta_view_ref(meta_current(s->meta)), .gate = gate_new(1)};
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    int settled = atomic_load(&s->settled);

    for (int32_t i = 0; i < 2; i++) {
        (void)store_append(s, bucket_of(table, i), store_batch(s, 1, 10, 1));
    }
    f.append = append_of(s, bucket_of(table, 0), store_batch(s, 1, 10, 1), -1);
    f.fetch = (struct fetch_op){.op.id = bucket_of(table, 1), .max_bytes = 100, .projection = &one};
    pieces_init(&f.fetch.pieces, &s->arena);
    on_shard(s->shards[0], follow_run, &f);
    gate_wait(f.gate);
    assert_int_equal(f.append.op.code, ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(f.fetch.op.code, ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_reaches(&s->settled, settled + 1);
    meta_view_unref(f.view);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_spread_over_shards),
        TEST(a_failed_open_is_told_and_tried_again_later),
        TEST(waiters_wake_once_when_their_offset_is_passed),
        TEST(a_woken_waiter_may_take_others_back),
        TEST(a_dropped_bucket_fails_and_wakes_who_waits),
        TEST(dropping_many_while_all_are_busy),
        TEST(who_waited_for_a_dropped_bucket_finds_no_other_of_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
