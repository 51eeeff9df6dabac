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

static void submit_rows(struct replica_set *set, struct bucket_op *op)
{
    replica_first_rows(set, container_of(op, struct rows_op, op));
}

static enum errcode first_rows(struct store *s, struct rows_op *r)
{
    pieces_init(&r->rows, &s->arena);
    return store_op(s, &r->op, submit_rows);
}

/* Rows from, from + 1, ... ; as many as there are. */
static size_t check_batch(struct store *s, const struct rows_op *r, int32_t from)
{
    struct value_batch_iterator it;
    size_t count;

    assert_int_equal(value_batch_parse(pieces_read(&r->rows, &s->arena), &it, NULL), ERR_OK);
    count = it.left;
    for (size_t i = 0; i < count; i++) {
        struct bytes value;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        assert_string_equal(store_text(s, r->op.id.table_id, value),
                            arena_printf(&s->arena, "row %d", from + (int32_t)i));
    }
    return count;
}

static void the_first_rows_in_key_order(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct rows_op r = {.op.id = id, .limit = 10, .bytes_max = 1 << 20};

    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(check_batch(s, &r, 0), 0);
    store_put_range(s, id, 50, 100);
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(check_batch(s, &r, 50), 10);
    store_put_range(s, id, 0, 50);
    for (int i = 0; i < 2; i++) { /* the second time from memory */
        assert_int_equal(first_rows(s, &r), ERR_OK);
        assert_int_equal(check_batch(s, &r, 0), 10);
    }
    for (int32_t a = 0; a < 5; a++) {
        (void)store_remove(s, id, a);
    }
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(check_batch(s, &r, 5), 10);
    r.limit = 1000;
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(check_batch(s, &r, 5), 95);
    r.limit = 0;
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(check_batch(s, &r, 0), 0);
}

static void more_rows_than_one_read_takes(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct rows_op r = {.op.id = id, .limit = 4096 * 2, .bytes_max = 1 << 20};

    /* varints of up to two bytes are in the order of their first bytes: count only */
    store_put_range(s, id, 0, 9000);
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(get_u32le(pieces_read(&r.rows, &s->arena).data + 5), 4096 * 2);
    r.limit = SIZE_MAX;
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(get_u32le(pieces_read(&r.rows, &s->arena).data + 5), 9000);
}

static void too_many_bytes(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct rows_op r = {.op.id = id, .limit = 100, .bytes_max = 1000};

    store_put_range(s, id, 0, 100);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(first_rows(s, &r), ERR_INVALID_ARGUMENT);
        assert_int_equal(r.rows.len, 0);
        r.limit = 10;
        assert_int_equal(first_rows(s, &r), ERR_OK);
        r.limit = 100;
    }
    r.limit = 10;
    assert_int_equal(first_rows(s, &r), ERR_OK);
    assert_int_equal(check_batch(s, &r, 0), 10);
}

static void only_tables_with_a_primary_key(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    struct rows_op r = {.op.id = id, .limit = 1, .bytes_max = 1};

    assert_int_equal(first_rows(s, &r), ERR_NON_PRIMARY_KEY_TABLE);
}

static void reads_while_the_table_is_dropped(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct rows_op reads[20] = {0};
    struct gate *gate = gate_new(ARRAY_LEN(reads));

    store_put_range(s, id, 0, 1000);
    for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
        reads[i] = (struct rows_op){.op.id = id, .limit = 100, .bytes_max = 1 << 20};
        pieces_init(&reads[i].rows, mem_zalloc(sizeof(struct arena)));
        store_op_start(s, &reads[i].op, gate, submit_rows);
    }
    store_drop_table(s, "t");
    gate_wait(gate);
    for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
        struct arena *arena = reads[i].rows.arena;

        if (reads[i].op.code == ERR_OK) {
            assert_int_equal(get_u32le(pieces_read(&reads[i].rows, arena).data + 5), 100);
        } else {
            assert_int_equal(reads[i].op.code, ERR_UNKNOWN_TABLE_OR_BUCKET);
        }
        arena_fini(arena);
        free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_rows_in_key_order, setup, teardown),
        cmocka_unit_test_setup_teardown(more_rows_than_one_read_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(only_tables_with_a_primary_key, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_while_the_table_is_dropped, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
