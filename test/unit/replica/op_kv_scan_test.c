#include "../../support/kv_store.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    store_open_sets(s);
    *state = s;
    return 0;
}

static int setup_impatient(void **state)
{
    struct store *s = store_new(1);

    s->config.kv_scan.ttl_us = 400000;
    s->config.kv_scan.check_us = 20000;
    store_open_sets(s);
    *state = s;
    return 0;
}

/* No scanner is left, and none was counted wrong. */
static int teardown(void **state)
{
    struct store *s = *state;

    store_close_sets(s);
    assert_int_equal(atomic_load(&s->scanners), 0);
    store_free(s);
    return 0;
}

static void submit_scan(struct replica_set *set, struct bucket_op *op)
{
    replica_kv_scan(set, container_of(op, struct kv_scan_op, op));
}

static enum errcode scan(struct store *s, struct kv_scan_op *op)
{
    pieces_init(&op->rows, &s->arena);
    return store_op(s, &op->op, submit_scan);
}

static struct kv_scan_op opening(struct bucket_id id, size_t batch_bytes)
{
    return (struct kv_scan_op){.op.id = id, .step = KV_SCAN_OPEN, .batch_bytes = batch_bytes};
}

static struct kv_scan_op next_of(const struct kv_scan_op *before)
{
    struct kv_scan_op next = {.op.id = before->op.id,
                              .step = KV_SCAN_NEXT,
                              .sequence = before->sequence + 1,
                              .batch_bytes = before->batch_bytes};

    memcpy(next.scanner, before->scanner, sizeof next.scanner);
    return next;
}

static struct kv_scan_op closing(const struct kv_scan_op *before)
{
    struct kv_scan_op close = next_of(before);

    close.step = KV_SCAN_CLOSE;
    return close;
}

/* Rows of the answer, which are number `from` and the next ones. */
static int32_t check_rows(struct store *s, const struct kv_scan_op *op, int32_t from)
{
    struct value_batch_iterator it;
    int32_t count;

    if (op->rows.len == 0) {
        return 0;
    }
    assert_int_equal(value_batch_parse(pieces_read(&op->rows, &s->arena), &it, NULL), ERR_OK);
    count = (int32_t)it.left;
    for (int32_t i = 0; i < count; i++) {
        struct bytes value;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        assert_string_equal(store_text(s, op->op.id.table_id, value),
                            arena_printf(&s->arena, "row %d", from + i));
    }
    return count;
}

static struct bucket_id filled(struct store *s, const char *table, int32_t rows)
{
    struct bucket_id id = bucket_of(store_create_table(s, table, STORE_KV("")), 0);

    store_put_range(s, id, 0, rows);
    return id;
}

/* Until the last row; how many there were. */
static int32_t read_all(struct store *s, struct kv_scan_op *op)
{
    int32_t count = 0;

    assert_int_equal(scan(s, op), ERR_OK);
    for (;;) {
        int32_t n = check_rows(s, op, count);

        count += n;
        if (!op->more) {
            return count;
        }
        assert_true(n > 0);
        *op = next_of(op);
        assert_int_equal(scan(s, op), ERR_OK);
    }
}

/* ---- tests ---- */

static void all_rows_in_batches_of_any_size(void **state)
{
    static const size_t sizes[] = {1, 30, 500, 1 << 20};
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 100);

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct kv_scan_op op = opening(id, sizes[i]);

        assert_int_equal(read_all(s, &op), 100);
        op = next_of(&op);
        assert_int_equal(scan(s, &op), ERR_UNKNOWN_SCANNER_ID);
    }
}

static void rows_are_of_the_moment_of_opening(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 100);
    struct kv_scan_op op = opening(id, 50);
    int32_t count;

    assert_int_equal(scan(s, &op), ERR_OK);
    assert_int_equal(op.log_offset, 100);
    count = check_rows(s, &op, 0);
    assert_in_range(count, 1, 5);
    for (int32_t a = 0; a < 100; a += 3) {
        (void)store_remove(s, id, a);
    }
    store_put_range(s, id, 100, 120);
    store_settle(s, id);
    while (op.more) {
        op = next_of(&op);
        assert_int_equal(scan(s, &op), ERR_OK);
        count += check_rows(s, &op, count);
    }
    assert_int_equal(count, 100);
}

static void limits_and_empty_buckets(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 100);
    struct bucket_id empty = bucket_of(store_create_table(s, "u", STORE_KV("")), 0);

    for (int32_t limit = 1; limit <= 101; limit += 20) {
        struct kv_scan_op op = opening(id, 100);

        op.limit = limit;
        assert_int_equal(read_all(s, &op), limit < 100 ? limit : 100);
    }
    struct kv_scan_op op = opening(empty, 100);

    assert_int_equal(read_all(s, &op), 0);
    assert_int_equal(op.rows.len, 0);
    assert_int_equal(op.log_offset, 0);
}

static void wrong_calls_end_the_scanner(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 100);
    struct kv_scan_op first = opening(id, 50);
    struct kv_scan_op op;

    first.sequence = 1;
    assert_int_equal(scan(s, &first), ERR_INVALID_SCAN_REQUEST);
    first.sequence = 0;
    assert_int_equal(scan(s, &first), ERR_OK);
    op = next_of(&first);
    op.sequence = 2;
    assert_int_equal(scan(s, &op), ERR_INVALID_SCAN_REQUEST);
    op.sequence = 1;
    assert_int_equal(scan(s, &op), ERR_UNKNOWN_SCANNER_ID);
    op = closing(&first);
    assert_int_equal(scan(s, &op), ERR_OK); /* it has gone as it should */
    op = opening(bucket_of(store_create_table(s, "u", STORE_PLAIN), 0), 50);
    assert_int_equal(scan(s, &op), ERR_NON_PRIMARY_KEY_TABLE);
}

static void two_calls_at_once(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 1000);
    struct kv_scan_op first = opening(id, 50);
    struct kv_scan_op calls[2];
    struct gate *gate = gate_new(2);
    int refused = 0;

    assert_int_equal(scan(s, &first), ERR_OK);
    for (int i = 0; i < 2; i++) {
        calls[i] = next_of(&first);
        calls[i].sequence += i; /* in order, were the first one over */
        pieces_init(&calls[i].rows, mem_zalloc(sizeof(struct arena)));
        store_op_start(s, &calls[i].op, gate, submit_scan);
    }
    gate_wait(gate);
    for (int i = 0; i < 2; i++) {
        refused += calls[i].op.code == ERR_INVALID_SCAN_REQUEST;
        arena_fini(calls[i].rows.arena);
        free(calls[i].rows.arena);
    }
    if (refused > 0) {
        first.sequence = 3;
        first = next_of(&first);
        assert_int_equal(scan(s, &first), ERR_UNKNOWN_SCANNER_ID);
    }
}

static void so_many_scanners(void **state)
{
    struct store *s = *state;
    struct bucket_id one = filled(s, "t", 100);
    struct bucket_id other = filled(s, "u", 100);
    struct kv_scan_op open[4];
    struct kv_scan_op op;

    for (int i = 0; i < 3; i++) {
        open[i] = opening(one, 50);
        assert_int_equal(scan(s, &open[i]), ERR_OK);
    }
    op = opening(one, 50);
    assert_int_equal(scan(s, &op), ERR_TOO_MANY_SCANNERS);
    open[3] = opening(other, 50);
    assert_int_equal(scan(s, &open[3]), ERR_OK);
    op = opening(other, 50);
    assert_int_equal(scan(s, &op), ERR_TOO_MANY_SCANNERS);
    op = closing(&open[1]);
    assert_int_equal(scan(s, &op), ERR_OK);
    while (atomic_load(&s->scanners) == 4) {
        thread_sleep_us(1000);
    }
    op = opening(one, 50);
    assert_int_equal(scan(s, &op), ERR_OK);
}

static void idle_ones_expire(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 100);
    struct kv_scan_op op;
    int rounds = 0;

    do { /* again where so much time passes in between that it is forgotten */
        op = opening(id, 50);
        assert_int_equal(scan(s, &op), ERR_OK);
        while (atomic_load(&s->scanners) > 0) {
            thread_sleep_us(5000);
        }
        op = next_of(&op);
    } while (scan(s, &op) == ERR_UNKNOWN_SCANNER_ID && ++rounds < 20);
    assert_int_equal(op.op.code, ERR_SCANNER_EXPIRED);
    while (scan(s, &op) == ERR_SCANNER_EXPIRED) { /* until that is forgotten */
        thread_sleep_us(20000);
    }
    assert_int_equal(op.op.code, ERR_UNKNOWN_SCANNER_ID);
}

static void scanners_end_with_their_bucket(void **state)
{
    struct store *s = *state;
    struct kv_scan_op ops[3];

    for (int i = 0; i < 3; i++) {
        const char *name = arena_printf(&s->arena, "t%d", i);

        ops[i] = opening(filled(s, name, 1000), 50);
        assert_int_equal(scan(s, &ops[i]), ERR_OK);
        if (i < 2) {
            store_drop_table(s, name);
        }
    }
    ops[0] = next_of(&ops[0]);
    assert_int_equal(scan(s, &ops[0]), ERR_SCANNER_EXPIRED);
}

static void closed_while_called(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 1000);
    struct kv_scan_op ops[3];
    struct gate *gate = gate_new(3);

    for (int i = 0; i < 3; i++) {
        ops[i] = opening(id, 50);
        pieces_init(&ops[i].rows, mem_zalloc(sizeof(struct arena)));
        store_op_start(s, &ops[i].op, gate, submit_scan);
    }
    store_drop_table(s, "t");
    gate_wait(gate);
    for (int i = 0; i < 3; i++) {
        assert_true(ops[i].op.code == ERR_OK || ops[i].op.code == ERR_UNKNOWN_TABLE_OR_BUCKET);
        arena_fini(ops[i].rows.arena);
        free(ops[i].rows.arena);
    }
}

static void ids_name_their_shard(void **state)
{
    uint8_t id[KV_SCANNER_ID_SIZE] = {[12] = 2};
    unsigned shard = 9;

    (void)state;
    assert_true(kv_scanner_shard(bytes_of(id, sizeof id), 3, &shard));
    assert_int_equal(shard, 2);
    assert_false(kv_scanner_shard(bytes_of(id, sizeof id), 2, &shard));
    assert_false(kv_scanner_shard(bytes_of(id, 15), 3, &shard));
    assert_false(kv_scanner_shard(BYTES_EMPTY, 3, &shard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_rows_in_batches_of_any_size, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_are_of_the_moment_of_opening, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_and_empty_buckets, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_calls_end_the_scanner, setup, teardown),
        cmocka_unit_test_setup_teardown(two_calls_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(so_many_scanners, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_ones_expire, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(scanners_end_with_their_bucket, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_while_called, setup, teardown),
        cmocka_unit_test(ids_name_their_shard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
