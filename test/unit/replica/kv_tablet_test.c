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

static struct bucket_id table_of(struct store *s, const char *json)
{
    return bucket_of(store_create_table(s, "t", json), 0);
}

/* ---- what a test sees of a tablet ---- */

struct seen {
    int64_t stored; /* in the store */
    int64_t durable;
    int64_t shown;
    int64_t rows;
    int64_t retain;
    size_t pending_bytes; /* of the shard */
    bool spilling;
    uint32_t idle_writers;
};

static void see(struct kv_tablet *t, void *context)
{
    struct seen *seen = context;

    *seen = (struct seen){
        .stored = t->spilling ? -1 : kv_store_state(t->store).offset,
        .durable = kv_store_durable_offset(t->store),
        .shown = kv_bucket_shown_offset(t->rows),
        .rows = kv_bucket_row_count(t->rows),
        .retain = kv_tablet_retain_offset(t),
        .pending_bytes = t->bucket->set->kv.pending_bytes,
        .spilling = t->spilling,
        .idle_writers = t->bucket->set->kv_writers.count,
    };
}

static struct seen seen_of(struct store *s, struct bucket_id id)
{
    struct seen seen;

    store_look(s, id, see, &seen);
    return seen;
}

/* When no spill is under way. */
static struct seen seen_idle(struct store *s, struct bucket_id id)
{
    struct seen seen = seen_of(s, id);

    while (seen.spilling) {
        thread_sleep_us(500);
        seen = seen_of(s, id);
    }
    return seen;
}

struct settler {
    struct kv_settled settled;
    struct kv_tablet *tablet;
    struct gate *gate;
    enum errcode code;
};

static void settled(struct kv_settled *w)
{
    struct settler *x = container_of(w, struct settler, settled);

    x->code = w->code;
    bucket_job_end(x->tablet->bucket);
    gate_pass(x->gate);
}

static void settle(struct kv_tablet *t, void *context)
{
    struct settler *x = context;

    x->tablet = t;
    x->settled.done = settled;
    bucket_job_begin(t->bucket);
    kv_tablet_settle(t, &x->settled);
}

static enum errcode settle_all(struct store *s, struct bucket_id id)
{
    struct settler x = {.gate = gate_new(1)};

    store_look(s, id, settle, &x);
    gate_wait(x.gate);
    return x.code;
}

/* ---- into the store ---- */

static void what_is_shown_gets_into_the_store(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));

    (void)store_put(s, id, 1, "one");
    (void)store_put(s, id, 2, "two");
    assert_int_equal(seen_of(s, id).stored, 0); /* it waits for more */
    assert_int_equal(settle_all(s, id), ERR_OK);
    assert_int_equal(seen_of(s, id).stored, 2);
    assert_int_equal(seen_of(s, id).rows, 2);
    assert_int_equal(settle_all(s, id), ERR_OK); /* nothing is left */
    (void)store_put(s, id, 1, "three");
    assert_int_equal(seen_of(s, id).stored, 2);
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "three");
    assert_string_equal(store_get(s, id, 2, KV_SIGHT_SHOWN), "two");
}

#define WIDE_ROWS 64

/* Many rows of some size, in batches. */
static void put_much(struct store *s, struct bucket_id id, int32_t batches)
{
    char *wide = arena_alloc(&s->arena, 1001);

    memset(wide, 'x', 1000);
    wide[1000] = 0;
    for (int32_t i = 0; i < batches; i++) {
        struct kv_store_row rows[WIDE_ROWS];
        struct put_op p;

        for (int32_t k = 0; k < WIDE_ROWS; k++) {
            rows[k] = (struct kv_store_row){.a = i * WIDE_ROWS + k, .b = wide};
        }
        p = put_of(id,
                   kv_store_batch(s, id.table_id,
                                  (struct kv_store_rows){.rows = rows, .count = WIDE_ROWS}),
                   -1);
        while (store_op(s, &p.op, submit_put) == ERR_STORAGE_BACKPRESSURE) {
            thread_sleep_us(1000);
        }
        assert_int_equal(p.op.code, ERR_OK);
    }
}

/* Memory of all buckets together is bounded, also of one whose writes come in small parts. */
static void enough_is_written_by_itself(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_KV(""));
    struct kv_budgets budgets;
    struct seen seen;

    for (int32_t b = 0; b < 2; b++) {
        put_much(s, bucket_of(table, b), 60);
    }
    budgets = kv_env_budgets(kv_env_lazy_get(&s->kv_env));
    for (int32_t b = 0; b < 2; b++) {
        seen = seen_idle(s, bucket_of(table, b));
        assert_true(seen.stored > 0);
        assert_int_equal(seen.shown, 60 * WIDE_ROWS);
        assert_int_equal(seen.rows, 60 * WIDE_ROWS);
        assert_true(seen.pending_bytes <= 2 * budgets.pending_bytes);
    }
    assert_non_null(store_get(s, bucket_of(table, 1), 60 * WIDE_ROWS - 1, KV_SIGHT_SHOWN));
}

/* ---- upkeep ---- */

static void keep_up(struct kv_tablet *t, void *context)
{
    (void)context;
    kv_tablet_upkeep(t);
}

static void an_idle_bucket_keeps_little(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct seen seen;

    (void)store_put(s, id, 1, "one");
    seen = seen_of(s, id);
    assert_int_equal(seen.durable, 0);
    store_look(s, id, keep_up, NULL);
    seen = seen_idle(s, id);
    assert_int_equal(seen.durable, 1);
    assert_int_equal(seen.retain, 0); /* there is no snapshot */
    (void)store_put(s, id, 2, "two");
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "one");
}

static void see_table(struct kv_tablet *t, void *context)
{
    *(struct kv_table **)context = t->table;
}

static void buckets_of_a_table_share_what_prepares_their_puts(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_KV(""));
    struct kv_table *tables[2];

    for (int32_t b = 0; b < 2; b++) {
        (void)store_put(s, bucket_of(table, b), 1, "x");
        store_look(s, bucket_of(table, b), see_table, &tables[b]);
    }
    assert_ptr_equal(tables[0], tables[1]);
    assert_int_equal(seen_of(s, bucket_of(table, 0)).idle_writers, 1);
}

/* ---- schema changes ---- */

struct altering {
    struct meta_alter_table alter;
    struct store *store;
    struct gate *gate;
};

static void altered(struct meta_job *job)
{
    gate_pass(container_of(job, struct altering, alter.job)->gate);
}

static void alter_run(void *context)
{
    struct altering *x = context;

    meta_submit(x->store->meta, &x->alter.job);
}

static void add_column(struct store *s, const char *name)
{
    struct meta_add_column column = {.name = bytes_str(name),
                                     .type_json = bytes_str("{\"type\":\"INTEGER\"}")};
    struct altering x = {.alter = {.job = {.kind = META_ALTER_TABLE, .done = altered},
                                   .database = bytes_str("fluss"),
                                   .table = bytes_str("t"),
                                   .columns = &column,
                                   .column_count = 1},
                         .store = s,
                         .gate = gate_new(1)};

    on_shard(s->shards[0], alter_run, &x);
    gate_wait(x.gate);
    if (x.alter.job.code != ERR_OK) {
        fail_msg("%s", x.alter.job.error.message);
    }
}

/* Rows of the old schema are taken before and after, those of the new one from then on. */
static void a_column_is_added(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row row = {.a = 1, .b = "x"};
    struct bytes batch = kv_store_one(s, id.table_id, &row);
    struct kv_batch_writer w = {0};
    struct put_op p;

    (void)store_put(s, id, 1, "old");
    add_column(s, "d");
    (void)store_put(s, id, 1, "old schema");
    assert_string_equal(store_get(s, id, 1, KV_SIGHT_SHOWN), "old schema");
    kv_batch_writer_begin(&w, 2);
    kv_batch_writer_add(&w, kv_store_key(s, 2),
                        kv_store_row(s, id.table_id, 2, "new schema", 1)); /* too few columns */
    batch = arena_copy(&s->arena, kv_batch_writer_finish(&w, -1, -1));
    p = put_of(id, batch, -1);
    assert_int_equal(store_op(s, &p.op, submit_put), ERR_CORRUPT_RECORD);
    kv_batch_writer_begin(&w, 3);
    batch = arena_copy(&s->arena, kv_batch_writer_finish(&w, -1, -1));
    p = put_of(id, batch, -1);
    assert_int_equal(store_op(s, &p.op, submit_put), ERR_SCHEMA_NOT_EXIST);
    kv_batch_writer_fini(&w);
}

/* ---- a store that fails ---- */

/* The next write to the device meets a directory that is not there. */
static void break_store(struct store *s, struct bucket_id id)
{
    OWNED(mem_freep) char *dir = place_kv_dir(meta_current(s->meta), s->dir, &id);

    assert_int_equal(path_remove_tree(dir, NULL), ERR_OK);
    store_look(s, id, keep_up, NULL);
    (void)seen_idle(s, id);
}

static void fail_for_long(struct kv_tablet *t, void *context)
{
    (void)context;
    ASSERT(t->failed != ERR_OK);
    t->retry_us = INT64_MAX;
}

static void a_failed_store_is_told(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));
    struct kv_store_row row = {.a = 2, .b = "x"};
    struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), -1);
    struct offset_op o = {.op.id = id, .kind = OFFSET_LATEST};

    (void)store_put(s, id, 1, "one");
    break_store(s, id);
    store_look(s, id, fail_for_long, NULL);
    assert_true(store_op(s, &p.op, submit_put) != ERR_OK);
    assert_true(error_retriable(error_from_fluss(error_fluss_code(p.op.code))));
    assert_true(settle_all(s, id) != ERR_OK);
    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK); /* the log is as good as ever */
    assert_int_equal(o.offset, 1);
    assert_int_equal(replica_totals(s->sets[0]).failed, 1);
}

int main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_shown_gets_into_the_store),
        STORE_TEST(enough_is_written_by_itself),
        STORE_TEST(an_idle_bucket_keeps_little),
        STORE_TEST(buckets_of_a_table_share_what_prepares_their_puts),
        STORE_TEST(a_column_is_added),
        STORE_TEST(a_failed_store_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
