#include "../../support/plug.h"

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

static int64_t high_watermark(struct store *s, struct bucket_id id)
{
    struct offset_op o = {.op.id = id, .kind = OFFSET_LATEST};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK);
    return o.offset;
}

static void appends_get_offsets_in_order(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);

    for (int i = 0; i < 20; i++) {
        assert_int_equal(store_append(s, id, store_batch(s, 3, 100, (uint32_t)i)), 3 * i);
        assert_int_equal(high_watermark(s, id), 3 * i + 3); /* synced when acknowledged */
    }
}

static void acknowledgement_before_the_sync(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 1);

    for (int32_t acks = 0; acks <= 1; acks++) {
        struct append_op a = append_of(s, id, store_batch(s, 5, 100, 1), acks);

        assert_int_equal(store_op(s, &a.op, submit_append), ERR_OK);
        assert_int_equal(a.appended.base_offset, 5 * acks);
    }
    (void)store_append(s, id, store_batch(s, 1, 10, 2));
    assert_int_equal(high_watermark(s, id), 11);
}

static void without_sync_what_is_appended_is_seen(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);

    store_close_sets(s);
    s->config.sync = false;
    store_open_sets(s);
    assert_int_equal(store_append(s, id, store_batch(s, 3, 100, 1)), 0);
    assert_int_equal(high_watermark(s, id), 3);
}

/* Ten appends before the bucket is open. */
static void appends_that_wait_for_the_open_keep_their_order(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 2);
    struct append_op appends[10];
    struct gate *gate = gate_new(10);

    for (int i = 0; i < 10; i++) {
        appends[i] = append_of(s, id, store_batch(s, 1, 50, (uint32_t)i), -1);
        store_op_start(s, &appends[i].op, gate, submit_append);
    }
    gate_wait(gate);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(appends[i].op.code, ERR_OK);
        assert_int_equal(appends[i].appended.base_offset, i);
    }
}

static void bad_appends_are_refused(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    struct bytes batch = store_batch(s, 1, 100, 1);
    struct append_op a = append_of(s, bucket_of(table, 4), batch, -1);

    assert_int_equal(store_op(s, &a.op, submit_append), ERR_UNKNOWN_TABLE_OR_BUCKET);
    a = append_of(s, bucket_of(table, -1), batch, -1);
    assert_int_equal(store_op(s, &a.op, submit_append), ERR_UNKNOWN_TABLE_OR_BUCKET);
    a = append_of(s, bucket_of(table + 1, 0), batch, -1);
    assert_int_equal(store_op(s, &a.op, submit_append), ERR_UNKNOWN_TABLE_OR_BUCKET);
    a = append_of(s, bucket_of(table, 0), batch, -1);
    a.op.id.partition_id = 0;
    assert_int_equal(store_op(s, &a.op, submit_append), ERR_UNKNOWN_TABLE_OR_BUCKET);
    a = append_of(s, bucket_of(table, 0), batch, -1);
    a.data[batch.len - 1] ^= 1;
    assert_int_equal(store_op(s, &a.op, submit_append), ERR_CORRUPT_RECORD);
    assert_int_equal(high_watermark(s, bucket_of(table, 0)), 0);
}

/* ---- waiting for a sync that does not come ---- */

static void a_late_sync_is_a_timeout(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct append_op first = append_of(s, id, store_batch(s, 2, 10, 1), -1);
    struct append_op second = append_of(s, id, store_batch(s, 2, 10, 2), -1);
    struct gate *gates[2] = {gate_new(1), gate_new(1)};
    struct store_plug plugs[2];
    struct gate *ended;
    atomic_int release = 0;

    (void)store_append(s, id, store_batch(s, 1, 10, 3));
    ended = store_plug_sync(s, plugs, &release);
    first.ack.timeout_us = -5;
    store_op_start(s, &first.op, gates[0], submit_append);
    store_op_start(s, &second.op, gates[1], submit_append);
    gate_wait(gates[0]);
    assert_int_equal(first.op.code, ERR_REQUEST_TIME_OUT);
    assert_non_null(strstr(first.op.error.message, "appended at offset 1 but not yet synced"));
    assert_int_equal(high_watermark(s, id), 1); /* readers do not see it either */
    atomic_store(&release, 1);
    gate_wait(ended);
    gate_wait(gates[1]);
    assert_int_equal(second.op.code, ERR_OK);
    assert_int_equal(high_watermark(s, id), 5);
}

static struct bytes writer_batch(struct store *s, int32_t sequence)
{
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = 1,
                              .batch_sequence = sequence,
                              .writer_id = 7,
                              .body = bytes_str("body")};

    return batch_build(&spec, &s->arena);
}

/* Else an answer to the repetition would promise what a crash can take back. */
static void a_duplicate_waits_for_the_first_copy(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct append_op copies[2] = {append_of(s, id, writer_batch(s, 1), -1),
                                  append_of(s, id, writer_batch(s, 1), -1)};
    struct gate *gate = gate_new(2);
    struct store_plug plugs[2];
    struct gate *ended;
    atomic_int release = 0;

    (void)store_append(s, id, writer_batch(s, 0));
    ended = store_plug_sync(s, plugs, &release);
    for (int i = 0; i < 2; i++) {
        store_op_start(s, &copies[i].op, gate, submit_append);
    }
    shard_settle(s->shards[0]);
    assert_int_equal(high_watermark(s, id), 1);
    atomic_store(&release, 1);
    gate_wait(ended);
    gate_wait(gate);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(copies[i].op.code, ERR_OK);
        assert_int_equal(copies[i].appended.base_offset, 1);
        assert_int_equal(copies[i].appended.duplicate, i == 1);
    }
    assert_int_equal(high_watermark(s, id), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(appends_get_offsets_in_order),
        TEST(acknowledgement_before_the_sync),
        TEST(without_sync_what_is_appended_is_seen),
        TEST(appends_that_wait_for_the_open_keep_their_order),
        TEST(bad_appends_are_refused),
        TEST(a_late_sync_is_a_timeout),
        TEST(a_duplicate_waits_for_the_first_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
