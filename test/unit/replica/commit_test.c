#include <signal.h>
#include <sys/resource.h>

#include "../../support/store_ops.h"

#define BUCKETS 300

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

/* Appends of one turn of the shard. */
struct burst {
    struct store *store;
    struct append_op *appends;
    size_t count;
    struct gate *gate;
    atomic_int acked;
};

static void burst_done(struct bucket_op *op)
{
    struct burst *b = op->context;

    atomic_fetch_add(&b->acked, 1);
    gate_pass(b->gate);
}

static void burst_run(void *context)
{
    struct burst *b = context;

    for (size_t i = 0; i < b->count; i++) {
        b->appends[i].op.done = burst_done;
        b->appends[i].op.context = b;
        replica_append(b->store->sets[0], &b->appends[i]);
    }
}

/* More buckets than one job takes, several appends of each, all in one turn. */
static void all_buckets_of_a_turn_are_committed(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_TABLE("", "300", ""));
    struct burst b = {.store = s, .count = BUCKETS * 3};

    b.appends = mem_zalloc(b.count * sizeof *b.appends);
    for (int round = 0; round < 5; round++) {
        b.gate = gate_new((unsigned)b.count);
        for (size_t i = 0; i < b.count; i++) {
            struct bytes batch = store_batch(s, 1, 100, (uint32_t)i);

            b.appends[i] = append_of(s, bucket_of(table, (int32_t)(i % BUCKETS)), batch, -1);
        }
        on_shard(s->shards[0], burst_run, &b);
        gate_wait(b.gate);
        for (size_t i = 0; i < b.count; i++) {
            assert_int_equal(b.appends[i].op.code, ERR_OK);
            assert_int_equal(b.appends[i].appended.base_offset, round * 3 + (int)(i / BUCKETS));
        }
    }
    free(b.appends);
}

/* The second append of the turn fails and with it the log: nothing will sync the first. */
static void a_log_that_fails_fails_what_waits_for_it(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct append_op appends[2] = {append_of(s, id, store_batch(s, 1, 100, 1), -1),
                                   append_of(s, id, store_batch(s, 1, 500000, 2), -1)};
    struct burst b = {.store = s, .appends = appends, .count = 2, .gate = gate_new(2)};
    struct append_op later = append_of(s, id, store_batch(s, 1, 10, 3), -1);
    struct fetch_op f = {.op.id = id, .max_bytes = 1 << 20, .min_one = true};
    struct rlimit limit;
    struct rlimit small;

    (void)store_append(s, id, store_batch(s, 1, 100, 1));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    on_shard(s->shards[0], burst_run, &b);
    gate_wait(b.gate);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(appends[0].op.code, ERR_LOG_STORAGE);
    assert_int_equal(appends[1].op.code, ERR_LOG_STORAGE);
    assert_int_equal(store_op(s, &later.op, submit_append), ERR_LOG_STORAGE); /* from now on */
    pieces_init(&f.pieces, &s->arena);
    assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_OK); /* reading goes on */
    assert_int_equal(f.high_watermark, 1);
    pieces_fini(&f.pieces);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_buckets_of_a_turn_are_committed),
        TEST(a_log_that_fails_fails_what_waits_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
