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

static void submit_cut(struct replica_set *set, struct bucket_op *op)
{
    replica_cut(set, container_of(op, struct cut_op, op));
}

static enum errcode cut(struct store *s, struct cut_op *c)
{
    pieces_init(&c->ranges, &s->arena);
    return store_op(s, &c->op, submit_cut);
}

static void an_empty_bucket_has_no_ranges(void **state)
{
    struct store *s = *state;
    struct cut_op c = {.op.id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0)};

    assert_int_equal(cut(s, &c), ERR_OK);
    assert_int_equal(c.ranges.count, 0);
    assert_int_equal(c.end_offset, 0);
}

/* All batches up to the high watermark, over as many segments as there are. */
static void everything_that_was_acknowledged(void **state)
{
    struct store *s = *state;
    int64_t t = store_create_table(s, "t", STORE_PLAIN);
    struct cut_op c = {.op.id = bucket_of(t, 0)};
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    int64_t next = 0;

    for (uint32_t i = 0; i < 40; i++) {
        (void)store_append(s, c.op.id, store_batch(s, 3, 100000, i));
    }
    assert_int_equal(cut(s, &c), ERR_OK);
    assert_int_equal(c.start_offset, 0);
    assert_int_equal(c.end_offset, 120);
    (void)store_append(s, c.op.id, store_batch(s, 3, 100, 99));
    store_drop_table(s, "t");
    batch_iterator_init(&it, pieces_read(&c.ranges, &s->arena));
    while (batch_next(&it, &batch, &found, NULL) == ERR_OK && found) {
        assert_int_equal(batch.header.base_offset, next);
        assert_int_equal(batch_check_crc(&batch.header, batch.data, NULL), ERR_OK);
        next = batch_next_offset(&batch.header);
    }
    assert_int_equal(next, 120);
    pieces_fini(&c.ranges);
}

static void a_bucket_that_nobody_knows(void **state)
{
    struct store *s = *state;
    struct cut_op c = {.op.id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 9)};

    assert_int_equal(cut(s, &c), ERR_UNKNOWN_TABLE_OR_BUCKET);
    c.op.id.table_id = 12345;
    assert_int_equal(cut(s, &c), ERR_UNKNOWN_TABLE_OR_BUCKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_bucket_has_no_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_that_was_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bucket_that_nobody_knows, setup, teardown),
    };

    return cmocka_run_group_tests_name("replica/op_cut", tests, NULL, NULL);
}
