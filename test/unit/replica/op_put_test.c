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

static struct bucket_id table_of(struct store *s, const char *json)
{
    return bucket_of(store_create_table(s, "t", json), 0);
}

static enum errcode put(struct store *s, struct put_op *p)
{
    return store_op(s, &p->op, submit_put);
}

static int64_t high_watermark(struct store *s, struct bucket_id id)
{
    struct offset_op o = {.op.id = id, .kind = OFFSET_LATEST};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK);
    return o.offset;
}

static void a_row_is_put_replaced_and_removed(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));

    assert_int_equal(store_put(s, id, 7, "one"), 1); /* +I */
    assert_string_equal(store_get(s, id, 7, KV_SIGHT_SHOWN), "one");
    assert_int_equal(store_put(s, id, 7, "two"), 3); /* -U +U */
    assert_string_equal(store_get(s, id, 7, KV_SIGHT_SHOWN), "two");
    assert_int_equal(store_remove(s, id, 7), 4);
    assert_null(store_get(s, id, 7, KV_SIGHT_SHOWN));
    assert_int_equal(store_remove(s, id, 7), 5); /* nothing changes, one offset all the same */
    assert_int_equal(high_watermark(s, id), 5);
}

static void without_sync_a_put_is_seen_when_it_is_answered(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row row = {.a = 1, .b = "x"};

    store_close_sets(s);
    s->config.sync = false;
    store_open_sets(s);
    for (int32_t acks = -1; acks <= 1; acks++) {
        struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), acks);

        row.a++;
        assert_int_equal(put(s, &p), ERR_OK);
        assert_string_equal(store_get(s, id, acks + 2, KV_SIGHT_SHOWN), "x");
    }
}

/* Clients see what the device has; the write path sees all. */
static void what_is_not_synced_is_seen_by_writes_alone(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row row = {.a = 1, .b = "new"};
    struct put_op early = put_of(id, kv_store_one(s, id.table_id, &row), 1);
    struct put_op late = early;
    struct gate *gates[2] = {gate_new(1), gate_new(1)};
    struct store_plug plugs[2];
    struct gate *ended;
    atomic_int release = 0;

    (void)store_put(s, id, 1, "old");
    ended = store_plug_sync(s, plugs, &release);
    store_op_start(s, &early.op, gates[0], submit_put);
    gate_wait(gates[0]);
    assert_int_equal(early.op.code, ERR_OK);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "old");
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_NEWEST), "new");
    late.ack.acks = -1;
    store_op_start(s, &late.op, gates[1], submit_put);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "old");
    atomic_store(&release, 1);
    gate_wait(ended);
    gate_wait(gates[1]);
    assert_int_equal(late.end_offset, 5);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "new");
}

/* ---- what is sent twice ---- */

static void a_duplicate_changes_nothing(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row rows[2] = {{.a = 1, .b = "first"}, {.a = 1, .b = "second"}};

    for (int32_t i = 0; i < 2; i++) {
        struct kv_store_rows r = {.rows = &rows[i], .count = 1, .idempotent = true, .sequence = i};
        struct put_op p = put_of(id, kv_store_batch(s, id.table_id, r), -1);

        assert_int_equal(put(s, &p), ERR_OK);
        assert_int_equal(p.end_offset, 1 + 2 * i);
    }
    for (int32_t i = 0; i < 2; i++) {
        struct kv_store_rows r = {.rows = &rows[i], .count = 1, .idempotent = true, .sequence = i};
        struct put_op p = put_of(id, kv_store_batch(s, id.table_id, r), -1);

        assert_int_equal(put(s, &p), ERR_OK);
        assert_int_equal(p.end_offset, 1 + 2 * i); /* as it was then */
        assert_string_equal(store_get(s, id, 1, KV_SIGHT_NEWEST), "second");
    }
    assert_int_equal(high_watermark(s, id), 3);
}

static void a_batch_without_effect_moves_its_writer_on(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV("\"table.merge-engine\":\"first_row\""));
    struct kv_store_row row = {.a = 1, .b = "first"};

    for (int32_t i = 0; i < 3; i++) {
        struct kv_store_rows r = {.rows = &row, .count = 1, .idempotent = true, .sequence = i};
        struct put_op p = put_of(id, kv_store_batch(s, id.table_id, r), -1);

        assert_int_equal(put(s, &p), ERR_OK);
        assert_int_equal(p.end_offset, i + 1);
        row.b = "later";
    }
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "first");
}

static void a_gap_in_the_sequence_is_refused_and_leaves_nothing(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row row = {.a = 1, .b = "x"};
    struct kv_store_rows r = {.rows = &row, .count = 1, .idempotent = true, .sequence = 3};
    struct put_op p = put_of(id, kv_store_batch(s, id.table_id, r), -1);

    assert_int_equal(put(s, &p), ERR_OUT_OF_ORDER_SEQUENCE);
    assert_null(store_get(s, id, 1, KV_SIGHT_NEWEST));
    assert_int_equal(high_watermark(s, id), 0);
    assert_int_equal(store_put(s, id, 1, "y"), 1);
}

/* ---- what is refused ---- */

static void bad_puts_are_refused(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct bucket_id log = bucket_of(store_create_table(s, "log", STORE_PLAIN), 0);
    struct kv_store_row row = {.a = 1, .b = "x"};
    struct bytes batch = kv_store_one(s, id.table_id, &row);
    struct append_op a = append_of(s, id, store_batch(s, 1, 10, 1), -1);
    int32_t targets[2] = {1, 2};
    struct put_op p = put_of(log, batch, -1);

    assert_int_equal(put(s, &p), ERR_NON_PRIMARY_KEY_TABLE);
    p = put_of(bucket_of(id.table_id, 2), batch, -1);
    assert_int_equal(put(s, &p), ERR_UNKNOWN_TABLE_OR_BUCKET);
    p = put_of(id, bytes_slice(batch, 0, batch.len - 1), -1);
    assert_int_equal(put(s, &p), ERR_CORRUPT_RECORD);
    p = put_of(id, batch, -1);
    p.target_columns = targets; /* without the key */
    p.target_count = 2;
    assert_int_equal(put(s, &p), ERR_INVALID_TARGET_COLUMN);
    assert_int_equal(store_op(s, &a.op, submit_append), ERR_INVALID_TABLE);
    assert_int_equal(high_watermark(s, id), 0);
    assert_int_equal(store_put(s, id, 1, "x"), 1);
}

static void target_columns_leave_the_others(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row row = {.a = 1, .c = 5};
    int32_t targets[2] = {0, 2};
    struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), -1);

    (void)store_put(s, id, 1, "stays");
    p.target_columns = targets;
    p.target_count = 2;
    assert_int_equal(put(s, &p), ERR_OK);
    assert_int_equal(p.end_offset, 3);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "stays");
}

static void overwriting_passes_the_merge_engine(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV("\"table.merge-engine\":\"first_row\""));
    struct kv_store_row row = {.a = 1, .b = "new"};
    struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), -1);

    (void)store_put(s, id, 1, "old");
    p.overwrite = true;
    assert_int_equal(put(s, &p), ERR_OK);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "new");
}

/* ---- order ---- */

#define MANY 40

/* Before the bucket is open, and old values have to be read: each sees the one before. */
static void puts_keep_their_order(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct put_op puts[MANY];
    struct gate *gate = gate_new(MANY);

    assert_int_equal(store_put(s, id, 1, "old"), 1);
    store_close_sets(s);
    store_open_sets(s);
    for (int i = 0; i < MANY; i++) {
        struct kv_store_row row = {.a = i % 3, .b = arena_printf(&s->arena, "%d", i)};

        puts[i] = put_of(id, kv_store_one(s, id.table_id, &row), -1);
        store_op_start(s, &puts[i].op, gate, submit_put);
    }
    gate_wait(gate);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(puts[i].op.code, ERR_OK);
        assert_true(i == 0 || puts[i].end_offset > puts[i - 1].end_offset);
    }
    assert_int_equal(puts[MANY - 1].end_offset, 1 + 2 + 2 * (MANY - 2)); /* two are inserts */
    assert_string_equal(store_get(s, id, (MANY - 1) % 3, KV_SIGHT_SHOWN), "39");
}

/* Of those who wait, each is told. */
static void a_drop_fails_puts_under_way(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct put_op puts[MANY];
    struct gate *gate = gate_new(MANY);
    int settled;

    (void)store_put(s, id, 1, "old");
    store_close_sets(s);
    store_open_sets(s);
    for (int i = 0; i < MANY; i++) {
        struct kv_store_row row = {.a = i, .b = "x"};

        puts[i] = put_of(id, kv_store_one(s, id.table_id, &row), -1);
        store_op_start(s, &puts[i].op, gate, submit_put);
    }
    settled = atomic_load(&s->settled);
    store_drop_table(s, "t");
    gate_wait(gate);
    for (int i = 0; i < MANY; i++) {
        assert_true(puts[i].op.code == ERR_OK || puts[i].op.code == ERR_UNKNOWN_TABLE_OR_BUCKET);
    }
    assert_reaches(&s->settled, settled + 1);
}

/* ---- numbers ---- */

#define COUNTED                                                                                    \
    STORE_KV_SCHEMA(",\"auto_increment_column\":[\"c\"]",                                          \
                    "\"table.auto-increment.cache-size\":\"3\"")

struct id_look {
    struct kv_id_range ids;
    bool known;
};

static void look_at_ids(struct kv_tablet *t, void *context)
{
    struct id_look *l = context;

    l->known = kv_bucket_ids(t->rows, &l->ids);
}

/* More rows than a range has numbers: each gets its own, in order. */
static void numbers_come_in_ranges(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, COUNTED);
    struct kv_store_row rows[8] = {0};
    struct id_look look;
    int32_t targets[2] = {0, 1};

    for (int i = 0; i < 8; i++) {
        rows[i] = (struct kv_store_row){.a = i, .b = "x", .c = INT64_MIN};
    }
    for (int i = 0; i < 8; i += 4) {
        struct put_op p = put_of(
            id,
            kv_store_batch(s, id.table_id, (struct kv_store_rows){.rows = rows + i, .count = 4}),
            -1);

        p.target_columns = targets;
        p.target_count = 2;
        if (put(s, &p) != ERR_OK) {
            fail_msg("%s", s->error.message);
        }
        assert_int_equal(p.end_offset, i + 4);
    }
    store_look(s, id, look_at_ids, &look);
    assert_true(look.known);
    assert_int_equal(look.ids.start, 9);
}

int main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_row_is_put_replaced_and_removed),
        STORE_TEST(without_sync_a_put_is_seen_when_it_is_answered),
        STORE_TEST(what_is_not_synced_is_seen_by_writes_alone),
        STORE_TEST(a_duplicate_changes_nothing),
        STORE_TEST(a_batch_without_effect_moves_its_writer_on),
        STORE_TEST(a_gap_in_the_sequence_is_refused_and_leaves_nothing),
        STORE_TEST(bad_puts_are_refused),
        STORE_TEST(target_columns_leave_the_others),
        STORE_TEST(overwriting_passes_the_merge_engine),
        STORE_TEST(puts_keep_their_order),
        STORE_TEST(a_drop_fails_puts_under_way),
        STORE_TEST(numbers_come_in_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
