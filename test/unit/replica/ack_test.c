#include "../../support/kv_store.h"
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

/* Appends and puts of two buckets: those that cannot wait are told, the others when the sync has come. */
static void each_write_waits_as_long_as_it_may(void **state)
{
    struct store *s = *state;
    struct bucket_id log = bucket_of(store_create_table(s, "log", STORE_PLAIN), 0);
    struct bucket_id kv = bucket_of(store_create_table(s, "kv", STORE_KV("")), 0);
    struct kv_store_row row = {.a = 1, .b = "x"};
    struct bytes batch = kv_store_one(s, kv.table_id, &row);
    struct append_op appends[2] = {append_of(s, log, store_batch(s, 1, 10, 1), -1),
                                   append_of(s, log, store_batch(s, 1, 10, 2), -1)};
    struct put_op puts[2] = {put_of(kv, batch, -1), put_of(kv, batch, -1)};
    struct gate *gates[2] = {gate_new(2), gate_new(2)};
    struct store_plug plugs[2];
    struct gate *ended;
    atomic_int release = 0;

    (void)store_append(s, log, store_batch(s, 1, 10, 3));
    (void)store_put(s, kv, 1, "y");
    ended = store_plug_sync(s, plugs, &release);
    appends[0].ack.timeout_us = 0;
    puts[0].ack.timeout_us = 0;
    for (int i = 0; i < 2; i++) {
        store_op_start(s, &appends[i].op, gates[i], submit_append);
        store_op_start(s, &puts[i].op, gates[i], submit_put);
    }
    gate_wait(gates[0]);
    assert_int_equal(appends[0].op.code, ERR_REQUEST_TIME_OUT);
    assert_int_equal(puts[0].op.code, ERR_REQUEST_TIME_OUT);
    assert_non_null(strstr(puts[0].op.error.message, "appended at offset 1 but not yet synced"));
    atomic_store(&release, 1);
    gate_wait(ended);
    gate_wait(gates[1]);
    assert_int_equal(appends[1].op.code, ERR_OK);
    assert_int_equal(puts[1].op.code, ERR_OK);
    assert_int_equal(puts[1].end_offset, 5);
    assert_string_equal(store_get(s, kv, 1, KV_SIGHT_SHOWN), "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_write_waits_as_long_as_it_may, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
