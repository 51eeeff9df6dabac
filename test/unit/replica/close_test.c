#include "../../support/kv_store.h"

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

static void what_was_appended_is_there_after_a_clean_stop(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);

    for (int32_t b = 0; b < 4; b++) {
        (void)store_append(s, bucket_of(table, b), store_batch(s, b + 1, 1000, 1));
    }
    store_close_sets(s);
    assert_false(atomic_load(&s->unclean));
    s->config.clean = true;
    store_open_sets(s);
    for (int32_t b = 0; b < 4; b++) {
        struct bytes batch = store_batch(s, b + 1, 1000, 1);
        struct bytes got = store_fetch(s, bucket_of(table, b), 0, 1 << 20);

        assert_int_equal(got.len, batch.len);
        assert_memory_equal(got.data + 21, batch.data + 21, batch.len - 21);
        assert_int_equal(store_append(s, bucket_of(table, b), batch), b + 1);
    }
}

/* What a crash has left of a log is not in order because the server stops well. */
static void a_stop_is_as_clean_as_the_bucket_that_could_not_be_opened(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    OWNED(mem_freep) char *dir = place_dir(meta_current(s->meta), s->dir, &id);
    struct append_op a = append_of(s, id, store_batch(s, 1, 10, 9), -1);
    const char *away = arena_printf(&s->arena, "%s-away", dir);
    struct error e;

    (void)store_append(s, id, store_batch(s, 1, 10, 1));
    store_close_sets(s);
    assert_false(atomic_load(&s->unclean));
    assert_int_equal(path_rename(dir, away, &e), ERR_OK);
    assert_int_equal(file_replace(dir, BYTES_EMPTY, &e), ERR_OK); /* in its way */
    store_open_sets(s);
    assert_int_not_equal(store_op(s, &a.op, submit_append), ERR_OK);
    store_close_sets(s);
    assert_true(atomic_load(&s->unclean));
    assert_int_equal(path_remove(dir, &e), ERR_OK);
    assert_int_equal(path_rename(away, dir, &e), ERR_OK);
    store_open_sets(s);
    assert_int_equal(store_append(s, id, store_batch(s, 1, 10, 2)), 1);
}

/* ---- closing with things under way, all in one turn of the shard ---- */

#define BUCKETS 4

struct last_turn {
    struct store *store;
    struct append_op appends[BUCKETS];
    struct offset_op late; /* asked for after the close began */
    struct gate *done;     /* one per append, one for the late, one for the close */
    struct replica_waiter waiter;
    bool woken;
    bool clean;
};

static void waiter_woken(struct replica_waiter *w)
{
    container_of(w, struct last_turn, waiter)->woken = true;
}

static void closed(void *context, bool clean)
{
    struct last_turn *t = context;

    t->clean = clean;
    gate_pass(t->done);
}

static void submit_all(struct last_turn *t)
{
    for (int i = 0; i < BUCKETS; i++) {
        t->appends[i].op.done = store_op_done;
        t->appends[i].op.context = t->done;
        replica_append(t->store->sets[0], &t->appends[i]);
    }
}

static void close_after_appends(void *context)
{
    struct last_turn *t = context;
    struct replica_set *set = t->store->sets[0];

    submit_all(t);
    replica_set_close(set, closed, t);
    ASSERT(!replica_wait(set, &t->appends[0].op.id, &t->waiter));
    t->late.op.done = store_op_done;
    t->late.op.context = t->done;
    replica_list_offset(set, &t->late);
}

static void wait_run(void *context)
{
    struct last_turn *t = context;

    list_init(&t->waiter.link);
    t->waiter.wake = waiter_woken;
    t->waiter.offset = 1;
    ASSERT(replica_wait(t->store->sets[0], &t->appends[0].op.id, &t->waiter));
}

static struct last_turn last_turn_of(struct store *s, int64_t table, struct gate *done)
{
    struct last_turn t = {.store = s, .done = done, .late = {.kind = OFFSET_LATEST}};

    for (int i = 0; i < BUCKETS; i++) {
        t.appends[i] = append_of(s, bucket_of(table, i), store_batch(s, 2, 100, 1), -1);
    }
    t.late.op.id = bucket_of(table, 0);
    return t;
}

/* Their syncs are not even begun when the close is. */
static void appends_of_the_same_turn_are_synced_and_answered(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    struct last_turn t = last_turn_of(s, table, gate_new(BUCKETS + 2));

    for (int32_t b = 0; b < BUCKETS; b++) {
        (void)store_append(s, bucket_of(table, b), store_batch(s, 1, 100, 1));
    }
    on_shard(s->shards[0], wait_run, &t);
    on_shard(s->shards[0], close_after_appends, &t);
    gate_wait(t.done);
    for (int i = 0; i < BUCKETS; i++) {
        assert_int_equal(t.appends[i].op.code, ERR_OK);
    }
    assert_int_equal(t.late.op.code, ERR_NOT_LEADER_OR_FOLLOWER);
    assert_true(t.woken);
    assert_true(t.clean);
    store_free_sets(s);
    store_open_sets(s);
    for (int32_t b = 0; b < BUCKETS; b++) {
        assert_int_equal(store_append(s, bucket_of(table, b), store_batch(s, 1, 100, 1)), 3);
    }
}

/* The buckets are being opened meanwhile. */
static void appends_that_wait_for_the_open_are_refused(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    struct last_turn t = last_turn_of(s, table, gate_new(BUCKETS + 2));

    list_init(&t.waiter.link);
    on_shard(s->shards[0], close_after_appends, &t);
    gate_wait(t.done);
    for (int i = 0; i < BUCKETS; i++) {
        assert_int_equal(t.appends[i].op.code, ERR_NOT_LEADER_OR_FOLLOWER);
    }
    assert_true(t.clean);
    store_free_sets(s);
    store_open_sets(s);
    assert_int_equal(store_append(s, bucket_of(table, 0), store_batch(s, 1, 100, 1)), 0);
}

static void a_set_without_buckets_closes(void **state)
{
    struct store *s = *state;

    store_close_sets(s);
    assert_false(atomic_load(&s->unclean));
    shards_call(s->shards, 0, store_set_free, s);
}

/* Many times, with appends coming in from the test's thread all the while. */
static void no_acknowledged_append_is_lost(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    int64_t end = 0;

    for (int round = 0; round < 20; round++) {
        struct append_op appends[16];
        struct gate *gate = gate_new(16);

        for (int i = 0; i < 16; i++) {
            appends[i] = append_of(s, bucket_of(table, 0), store_batch(s, 1, 500, (uint32_t)i), -1);
            store_op_start(s, &appends[i].op, gate, submit_append);
        }
        store_close_sets(s);
        gate_wait(gate);
        store_open_sets(s);
        for (int i = 0; i < 16; i++) {
            if (appends[i].op.code == ERR_OK) {
                assert_int_equal(appends[i].appended.base_offset, end++);
            }
        }
        assert_int_equal(store_append(s, bucket_of(table, 0), store_batch(s, 1, 5, 1)), end++);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* ---- with puts under way ---- */

#define PUTS 120

struct putting {
    struct put_op puts[PUTS];
    struct kv_store_row rows[PUTS];
};

/* Of two buckets of the first table, and of a log table beside them. */
static void start_puts(struct store *s, struct putting *p, int64_t table, struct gate *gate)
{
    for (int32_t i = 0; i < PUTS; i++) {
        p->rows[i] = (struct kv_store_row){.a = i, .b = arena_printf(&s->arena, "%d", i), .c = i};
        p->puts[i] = put_of(bucket_of(table, i % 2), kv_store_one(s, table, &p->rows[i]), -1);
        store_op_start(s, &p->puts[i].op, gate, submit_put);
    }
}

/* Each is answered; what was acknowledged is there afterwards. */
static void puts_under_way_are_answered(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_KV(""));

    for (int round = 0; round < 5; round++) {
        struct gate *gate = gate_new(PUTS);
        struct putting p;

        start_puts(s, &p, table, gate);
        if (round % 2 == 1) { /* some have been answered, others wait for reads or syncs */
            shard_settle(s->shards[0]);
        }
        store_close_sets(s);
        gate_wait(gate);
        store_open_sets(s);
        for (int32_t b = 0; b < 2; b++) {
            struct offset_op o = {.op.id = bucket_of(table, b), .kind = OFFSET_LATEST};

            assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK);
        }
        for (int32_t i = 0; i < PUTS; i++) {
            assert_true(p.puts[i].op.code == ERR_OK ||
                        p.puts[i].op.code == ERR_NOT_LEADER_OR_FOLLOWER);
            if (p.puts[i].op.code == ERR_OK) {
                assert_string_equal(store_get(s, bucket_of(table, i % 2), i, KV_SIGHT_SHOWN),
                                    p.rows[i].b);
            }
        }
    }
}

/* The files of its states go when nobody holds them any more. */
static void a_stop_meets_a_drop(void **state)
{
    struct store *s = *state;

    for (int round = 0; round < 5; round++) {
        int64_t table = store_create_table(s, "t", STORE_KV(""));
        struct gate *gate = gate_new(PUTS);
        struct putting p;

        start_puts(s, &p, table, gate);
        if (round % 2 == 1) {
            shard_settle(s->shards[0]);
        }
        store_drop_table(s, "t");
        store_close_sets(s);
        gate_wait(gate);
        store_open_sets(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_appended_is_there_after_a_clean_stop),
        TEST(a_stop_is_as_clean_as_the_bucket_that_could_not_be_opened),
        TEST(appends_of_the_same_turn_are_synced_and_answered),
        TEST(appends_that_wait_for_the_open_are_refused),
        TEST(a_set_without_buckets_closes),
        TEST(no_acknowledged_append_is_lost),
        TEST(puts_under_way_are_answered),
        TEST(a_stop_meets_a_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
