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

static void a_log_table_has_no_state(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    OWNED(mem_freep) char *dir = place_kv_dir(meta_current(s->meta), s->dir, &id);

    (void)store_append(s, id, store_batch(s, 1, 10, 1));
    assert_false(path_exists(dir));
    assert_null(atomic_load(&s->kv_env.env)); /* nor what states share */
}

/* ---- opening again ---- */

static void break_now(struct kv_tablet *t, void *context)
{
    struct error e;

    (void)context;
    (void)error_set(&e, ERR_KV_STORAGE, "as if the device had failed");
    kv_tablet_fail(t, e.code, &e);
    t->retry_us = 0;
}

static int64_t end_of(struct store *s, struct bucket_id id)
{
    struct offset_op o = {.op.id = id, .kind = OFFSET_LATEST};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK);
    return o.offset;
}

/* All that was acknowledged comes back from store and log. */
static void a_failed_state_is_opened_again_for_the_next_put(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);

    for (int32_t a = 0; a < 20; a++) {
        assert_int_equal(store_put(s, id, a, "one"), a + 1);
    }
    store_look(s, id, break_now, NULL);
    assert_int_equal(end_of(s, id), 20);
    assert_int_equal(store_put(s, id, 20, "two"), 21);
    for (int32_t a = 0; a < 20; a++) {
        assert_string_equal(store_get(s, id, a, KV_SIGHT_SHOWN), "one");
    }
    assert_string_equal(store_get(s, id, 20, KV_SIGHT_SHOWN), "two");
}

#define PUTS 10

/* Puts that come meanwhile wait; one that is not yet synced is acknowledged first. */
static void opening_again_waits_for_what_is_under_way(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct put_op puts[PUTS];
    struct gate *gate = gate_new(PUTS);
    struct store_plug plugs[2];
    struct gate *ended;
    atomic_int release = 0;

    (void)store_put(s, id, 0, "zero");
    ended = store_plug_sync(s, plugs, &release);
    for (int32_t i = 0; i < PUTS; i++) {
        struct kv_store_row row = {.a = i, .b = "x"};

        puts[i] = put_of(id, kv_store_one(s, id.table_id, &row), -1);
        store_op_start(s, &puts[i].op, gate, submit_put);
        if (i == 0) {
            store_look(s, id, break_now, NULL);
        }
    }
    atomic_store(&release, 1);
    gate_wait(ended);
    gate_wait(gate);
    for (int32_t i = 0; i < PUTS; i++) {
        assert_int_equal(puts[i].op.code, ERR_OK);
        assert_string_equal(store_get(s, id, i, KV_SIGHT_SHOWN), "x");
    }
    assert_int_equal(end_of(s, id), 3 + PUTS - 1);
}

static void a_stop_does_not_wait_for_it(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);

    (void)store_put(s, id, 0, "zero");
    store_look(s, id, break_now, NULL);
    store_close_sets(s);
    store_open_sets(s);
    assert_int_equal(store_put(s, id, 1, "one"), 2);
    assert_string_equal(store_get(s, id, 0, KV_SIGHT_SHOWN), "zero");
}

int main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_log_table_has_no_state),
        STORE_TEST(a_failed_state_is_opened_again_for_the_next_put),
        STORE_TEST(opening_again_waits_for_what_is_under_way),
        STORE_TEST(a_stop_does_not_wait_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
