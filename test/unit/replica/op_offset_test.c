#include "../../support/evict.h"
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

static int64_t ask(struct store *s, struct bucket_id id, enum offset_kind kind, int64_t time_ms)
{
    struct offset_op o = {.op.id = id, .kind = kind, .timestamp_ms = time_ms};

    if (store_op(s, &o.op, submit_offset) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    return o.offset;
}

static void an_empty_bucket_begins_and_ends_at_zero(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 3);
    struct stats_op stats = {.op.id = id};

    assert_int_equal(ask(s, id, OFFSET_EARLIEST, 0), 0);
    assert_int_equal(ask(s, id, OFFSET_LATEST, 0), 0);
    assert_int_equal(ask(s, id, OFFSET_AT, 0), 0);
    assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_OK);
    assert_int_equal(stats.row_count, 0);
}

static void offsets_by_kind_and_time(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct stats_op stats = {.op.id = id};
    int64_t before_ms = clock_wall_ms();
    int64_t between_ms;

    (void)store_append(s, id, store_batch(s, 4, 100, 1));
    thread_sleep_us(10000);
    between_ms = clock_wall_ms();
    thread_sleep_us(10000);
    (void)store_append(s, id, store_batch(s, 2, 100, 2));
    assert_int_equal(ask(s, id, OFFSET_EARLIEST, 0), 0);
    assert_int_equal(ask(s, id, OFFSET_LATEST, 0), 6);
    assert_int_equal(ask(s, id, OFFSET_AT, before_ms - 1000), 0);
    assert_int_equal(ask(s, id, OFFSET_AT, INT64_MIN), 0);
    assert_int_equal(ask(s, id, OFFSET_AT, between_ms), 4);
    thread_sleep_us(5000);
    assert_int_equal(ask(s, id, OFFSET_AT, clock_wall_ms()), 6);
    assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_OK);
    assert_int_equal(stats.row_count, 6);
}

static void times_to_come_are_refused(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct offset_op o = {
        .op.id = id, .kind = OFFSET_AT, .timestamp_ms = clock_wall_ms() + 3600000};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_INVALID_TIMESTAMP);
    o.timestamp_ms = INT64_MAX;
    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_INVALID_TIMESTAMP);
}

static void unknown_buckets_are_refused(void **state)
{
    struct store *s = *state;
    struct offset_op o = {.op.id = bucket_of(99, 0), .kind = OFFSET_LATEST};
    struct stats_op stats = {.op.id = bucket_of(99, 0)};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_non_null(strstr(s->error.message, "table 99 bucket 0"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Index and headers are not in memory. */
static void cold_offsets_by_time_are_searched_with_the_pool(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    int64_t before_ms[20];

    for (uint32_t i = 0; i < ARRAY_LEN(before_ms); i++) {
        before_ms[i] = clock_wall_ms();
        thread_sleep_us(3000);
        (void)store_append(s, id, store_batch(s, 3, 500, i + 1));
        thread_sleep_us(3000);
    }
    for (size_t i = 0; i < ARRAY_LEN(before_ms); i++) {
        if (!store_evict(s, "t", id)) {
            skip();
        }
        assert_int_equal(ask(s, id, OFFSET_AT, before_ms[i] + 1), 3 * (int64_t)i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_bucket_begins_and_ends_at_zero),
        TEST(offsets_by_kind_and_time),
        TEST(times_to_come_are_refused),
        TEST(unknown_buckets_are_refused),
        cmocka_unit_test_setup_teardown(cold_offsets_by_time_are_searched_with_the_pool,
                                        store_setup_on_disk, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
