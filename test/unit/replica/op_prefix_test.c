#include "../../support/kv_store.h"

/* The key is (a, b), rows are looked up by a. */
#define BY_A                                                                                       \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\",\"nullable\":false},\"id\":0},"           \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\",\"nullable\":false},\"id\":1},"            \
    "{\"name\":\"c\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":2}"                                \
    "],\"highest_field_id\":2,\"primary_key\":[\"a\",\"b\"]},\"partition_key\":[],"                \
    "\"bucket_key\":[\"a\"],\"bucket_count\":2,\"properties\":{},\"custom_properties\":{}}"

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

static void submit_prefix(struct replica_set *set, struct bucket_op *op)
{
    replica_prefix(set, container_of(op, struct prefix_op, op));
}

static struct bytes key_of(struct store *s, int32_t a, const char *b)
{
    struct bytes text = bytes_str(b);
    struct writer w = writer_of(arena_alloc(&s->arena, 20 + text.len), 20 + text.len);

    writer_varint64(&w, (uint32_t)a);
    writer_varint64(&w, text.len);
    writer_bytes(&w, text);
    return bytes_of(w.data, w.len);
}

/* Rows (a, b) for the letters; a capital letter removes the row. */
static void put_letters(struct store *s, struct bucket_id id, int32_t a, const char *letters)
{
    struct kv_batch_writer w = {0};
    struct put_op p;

    kv_batch_writer_begin(&w, 1);
    for (const char *at = letters; *at != '\0'; at++) {
        bool remove = *at < 'a';
        const char *b = arena_printf(&s->arena, "%c", *at | 0x20);

        kv_batch_writer_add(&w, key_of(s, a, b),
                            remove ? BYTES_EMPTY : kv_store_row(s, id.table_id, a, b, a));
    }
    p = put_of(id, arena_copy(&s->arena, kv_batch_writer_finish(&w, -1, -1)), -1);
    kv_batch_writer_fini(&w);
    if (store_op(s, &p.op, submit_put) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
}

/* The letters under each of the prefixes 0 .. count - 1, as "ab,c,". */
static const char *letters(struct store *s, struct bucket_id id, int32_t count)
{
    struct bytes *prefixes = arena_array(&s->arena, (size_t)count, sizeof *prefixes);
    struct prefix_op l = {
        .op.id = id, .prefixes = prefixes, .count = (size_t)count, .arena = &s->arena};
    const char *all = "";

    for (int32_t a = 0; a < count; a++) {
        prefixes[a] = kv_store_key(s, a);
    }
    if (store_op(s, &l.op, submit_prefix) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    for (int32_t a = 0; a < count; a++) {
        for (size_t i = 0; i < l.lists[a].count; i++) {
            all = arena_printf(&s->arena, "%s%s", all,
                               store_text(s, id.table_id, l.lists[a].values[i]));
        }
        all = arena_printf(&s->arena, "%s,", all);
    }
    return all;
}

static void rows_in_key_order_from_memory_and_store(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", BY_A), 0);

    put_letters(s, id, 0, "ca");
    put_letters(s, id, 2, "xyz");
    assert_string_equal(letters(s, id, 4), "ac,,xyz,,");
    put_letters(s, id, 0, "bC"); /* over what is in the cache */
    put_letters(s, id, 1, "k");
    assert_string_equal(letters(s, id, 4), "ab,k,xyz,,");
    restart(s);
    assert_string_equal(letters(s, id, 2), "ab,k,");
    assert_string_equal(letters(s, id, 4), "ab,k,xyz,,"); /* half of it in memory */
    put_letters(s, id, 3, "n");
    put_letters(s, id, 2, "XYZ");
    assert_string_equal(letters(s, id, 4), "ab,k,,n,");
    store_settle(s, id);
    assert_string_equal(letters(s, id, 4), "ab,k,,n,");
    restart(s);
    put_letters(s, id, 1, "jl"); /* pending over the store */
    assert_string_equal(letters(s, id, 4), "ab,jkl,,n,");
}

static void what_is_no_bucket_key(void **state)
{
    struct store *s = *state;
    struct bucket_id by_a = bucket_of(store_create_table(s, "t", BY_A), 0);
    struct bucket_id plain = bucket_of(store_create_table(s, "u", STORE_KV("")), 0);
    struct bucket_id log = bucket_of(store_create_table(s, "v", STORE_PLAIN), 0);
    const struct bytes empty = BYTES_EMPTY;
    const struct bytes prefixes[] = {bytes_of("\x80", 1), key_of(s, 1, "b"), kv_store_key(s, 1)};
    struct prefix_op l = {
        .op.id = by_a, .prefixes = prefixes, .count = ARRAY_LEN(prefixes), .arena = &s->arena};

    put_letters(s, by_a, 1, "abc");
    for (int turn = 0; turn < 2; turn++) { /* pending, then pending over the store */
        assert_int_equal(store_op(s, &l.op, submit_prefix), ERR_OK);
        assert_int_equal(l.lists[0].count, 0);
        assert_int_equal(l.lists[1].count, 1);
        assert_int_equal(l.lists[2].count, 3);
        put_letters(s, by_a, 1, "Bb");
    }
    l.op.id = plain;
    assert_int_equal(store_op(s, &l.op, submit_prefix), ERR_OK);
    assert_int_equal(l.lists[2].count, 0);
    l.prefixes = &empty;
    l.count = 1;
    assert_int_equal(store_op(s, &l.op, submit_prefix), ERR_INVALID_ARGUMENT);
    l.op.id = log;
    assert_int_equal(store_op(s, &l.op, submit_prefix), ERR_NON_PRIMARY_KEY_TABLE);
}

static void lookups_while_the_table_is_dropped(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", BY_A), 0);
    struct bytes prefixes[50];
    struct prefix_op lookups[20];
    struct gate *gate = gate_new(ARRAY_LEN(lookups));

    for (int32_t a = 0; a < 50; a++) {
        prefixes[a] = kv_store_key(s, a);
        put_letters(s, id, a, "abc");
    }
    restart(s);
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        lookups[i] =
            (struct prefix_op){.op.id = id, .prefixes = prefixes, .count = 50, .arena = &s->arena};
        store_op_start(s, &lookups[i].op, gate, submit_prefix);
    }
    store_drop_table(s, "t");
    gate_wait(gate);
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        if (lookups[i].op.code == ERR_OK) {
            assert_int_equal(lookups[i].lists[49].count, 3);
        } else {
            assert_int_equal(lookups[i].op.code, ERR_UNKNOWN_TABLE_OR_BUCKET);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_in_key_order_from_memory_and_store, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_bucket_key, setup, teardown),
        cmocka_unit_test_setup_teardown(lookups_while_the_table_is_dropped, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
