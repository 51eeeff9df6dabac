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

static void restart(struct store *s)
{
    store_close_sets(s);
    store_open_sets(s);
}

static void submit_lookup(struct replica_set *set, struct bucket_op *op)
{
    replica_lookup(set, container_of(op, struct lookup_op, op));
}

static void submit_rows(struct replica_set *set, struct bucket_op *op)
{
    replica_first_rows(set, container_of(op, struct rows_op, op));
}

/* Keys from, from + step, ... */
static struct lookup_op lookup_of(struct store *s, struct bucket_id id, int32_t from, int32_t step,
                                  size_t count)
{
    struct bytes *keys = arena_array(&s->arena, count, sizeof *keys);

    for (size_t i = 0; i < count; i++) {
        keys[i] = kv_store_key(s, from + (int32_t)i * step);
    }
    return (struct lookup_op){
        .op.id = id, .keys = keys, .count = count, .arena = &s->arena, .timeout_us = PATIENCE_US};
}

static void lookup(struct store *s, struct lookup_op *l)
{
    if (store_op(s, &l->op, submit_lookup) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
}

static void check_rows(struct store *s, const struct lookup_op *l, int32_t from, int32_t step,
                       int32_t end)
{
    for (size_t i = 0; i < l->count; i++) {
        int32_t a = from + (int32_t)i * step;
        const char *expected = a < end ? arena_printf(&s->arena, "row %d", a) : "";

        assert_string_equal(store_text(s, l->op.id.table_id, l->values[i]), expected);
    }
}

/* ---- tests ---- */

static void from_memory_and_from_the_store(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);

    store_put_range(s, id, 0, 2000);
    for (int round = 0; round < 3; round++) {
        struct lookup_op few = lookup_of(s, id, 1998, 1, 4);
        struct lookup_op many = lookup_of(s, id, 0, 3, 700);
        struct lookup_op crowd = lookup_of(s, id, 0, 1, 40000); /* not all in one turn */

        lookup(s, &few);
        check_rows(s, &few, 1998, 1, 2000);
        lookup(s, &many); /* some of them known by now */
        check_rows(s, &many, 0, 3, 2000);
        lookup(s, &crowd);
        check_rows(s, &crowd, 0, 1, 2000);
        if (round == 0) {
            store_settle(s, id);
        } else {
            restart(s); /* nothing is in memory */
        }
    }
}

static void the_same_key_twice_and_no_keys(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct lookup_op none = lookup_of(s, id, 0, 1, 0);
    struct lookup_op same = lookup_of(s, id, 7, 0, 5);

    store_put_range(s, id, 7, 8);
    lookup(s, &none);
    lookup(s, &same);
    check_rows(s, &same, 7, 0, 8);
    restart(s);
    lookup(s, &same);
    check_rows(s, &same, 7, 0, 8);
}

static void removed_rows_and_bytes_that_are_no_keys(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    const struct bytes keys[] = {kv_store_key(s, 1), kv_store_key(s, 2), BYTES_EMPTY,
                                 bytes_str("this is no key of the table, but what does it matter")};
    struct lookup_op l = {.op.id = id, .keys = keys, .count = 4, .arena = &s->arena};

    store_put_range(s, id, 1, 3);
    (void)store_remove(s, id, 1);
    for (int round = 0; round < 2; round++) {
        lookup(s, &l);
        assert_int_equal(l.values[0].len, 0);
        assert_string_equal(store_text(s, id.table_id, l.values[1]), "row 2");
        assert_int_equal(l.values[2].len, 0);
        assert_int_equal(l.values[3].len, 0);
        restart(s);
    }
}

static void only_tables_with_a_primary_key(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct lookup_op l = lookup_of(s, id, 0, 1, 1);

    assert_int_equal(store_op(s, &l.op, submit_lookup), ERR_NON_PRIMARY_KEY_TABLE);
    l.op.id.table_id = 99;
    assert_int_equal(store_op(s, &l.op, submit_lookup), ERR_UNKNOWN_TABLE_OR_BUCKET);
}

/* A put that is answered before its sync: readers wait for that, the next put does not. */
static void nothing_is_seen_before_it_is_durable(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct lookup_op l = lookup_of(s, id, 1, 1, 2);
    struct kv_store_row row = {.a = 1, .b = "newer", .c = 1};
    struct rows_op first = {.op.id = id, .limit = 10, .bytes_max = 1 << 20};
    struct stats_op stats = {.op.id = id};
    struct store_plug plugs[2];
    atomic_int release = 0;
    struct gate *ended;
    struct put_op p;

    store_put_range(s, id, 1, 2);
    ended = store_plug_sync(s, plugs, &release);
    p = put_of(id, kv_store_one(s, id.table_id, &row), 1);
    assert_int_equal(store_op(s, &p.op, submit_put), ERR_OK);
    row = (struct kv_store_row){.a = 2, .b = "new", .c = 2};
    p = put_of(id, kv_store_one(s, id.table_id, &row), 0);
    assert_int_equal(store_op(s, &p.op, submit_put), ERR_OK);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_NEWEST), "newer");

    lookup(s, &l);
    assert_string_equal(store_text(s, id.table_id, l.values[0]), "row 1");
    assert_int_equal(l.values[1].len, 0);
    pieces_init(&first.rows, &s->arena);
    assert_int_equal(store_op(s, &first.op, submit_rows), ERR_OK);
    assert_int_equal(get_u32le(pieces_read(&first.rows, &s->arena).data + 5), 1);
    assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_OK);
    assert_int_equal(stats.row_count, 1);

    atomic_store(&release, 1);
    gate_wait(ended);
    store_put_range(s, id, 3, 4); /* acknowledged: so is what was before it */
    lookup(s, &l);
    assert_string_equal(store_text(s, id.table_id, l.values[0]), "newer");
    assert_string_equal(store_text(s, id.table_id, l.values[1]), "new");
}

/* ---- rows for keys that have none ---- */

static void missing_rows_are_inserted_once(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct lookup_op l = lookup_of(s, id, 1, 1, 4);
    struct stats_op stats = {.op.id = id};

    store_put_range(s, id, 2, 3);
    l.insert = true;
    for (int round = 0; round < 2; round++) {
        lookup(s, &l);
        for (int32_t i = 0; i < 4; i++) {
            assert_string_equal(store_text(s, id.table_id, l.values[i]),
                                i == 1 ? "row 2" : "(null)");
        }
        assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_OK);
        assert_int_equal(stats.row_count, 4);
        restart(s);
    }
}

static void insert_of_bytes_that_are_no_key(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    const struct bytes key = bytes_str("no key");
    struct lookup_op l = {
        .op.id = id, .keys = &key, .count = 1, .arena = &s->arena, .insert = true};

    assert_int_equal(store_op(s, &l.op, submit_lookup), ERR_CORRUPT_RECORD);
}

/* ---- many at once, and the end of tables ---- */

static void lookups_while_the_table_is_dropped(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct lookup_op lookups[30];
    struct arena arenas[ARRAY_LEN(lookups)]; /* s->arena is in use here meanwhile */
    struct gate *gate = gate_new(ARRAY_LEN(lookups));

    store_put_range(s, id, 0, 1000);
    restart(s);
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        arena_init(&arenas[i]);
        lookups[i] = lookup_of(s, id, (int32_t)i, 7, 300);
        lookups[i].arena = &arenas[i];
        store_op_start(s, &lookups[i].op, gate, submit_lookup);
    }
    store_drop_table(s, "t");
    gate_wait(gate);
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        if (lookups[i].op.code != ERR_OK) {
            assert_int_equal(lookups[i].op.code, ERR_UNKNOWN_TABLE_OR_BUCKET);
        }
        /* the table's schema is gone: there is a row or there is none */
        for (size_t k = 0; lookups[i].op.code == ERR_OK && k < lookups[i].count; k++) {
            assert_int_equal(lookups[i].values[k].len > 0, i + 7 * k < 1000);
        }
        arena_fini(&arenas[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_memory_and_from_the_store, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_key_twice_and_no_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(removed_rows_and_bytes_that_are_no_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(only_tables_with_a_primary_key, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_seen_before_it_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_rows_are_inserted_once, setup, teardown),
        cmocka_unit_test_setup_teardown(insert_of_bytes_that_are_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(lookups_while_the_table_is_dropped, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
