#include "../../support/kv_store.h"

#define ROWS 50

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

/* ---- directories of bucket 0 ---- */

static char *log_dir(struct store *s, struct bucket_id id)
{
    OWNED(mem_freep) char *dir = place_dir(meta_current(s->meta), s->dir, &id);

    return arena_printf(&s->arena, "%s", dir);
}

static char *kv_dir(struct store *s, struct bucket_id id)
{
    OWNED(mem_freep) char *dir = place_kv_dir(meta_current(s->meta), s->dir, &id);

    return arena_printf(&s->arena, "%s", dir);
}

static void move(const char *from, const char *to)
{
    assert_int_equal(path_remove_tree(to, NULL), ERR_OK);
    assert_int_equal(path_rename(from, to, NULL), ERR_OK);
}

/* ---- contents ---- */

static void put_rows(struct store *s, struct bucket_id id, int32_t from, const char *text)
{
    for (int32_t a = from; a < from + ROWS; a++) {
        (void)store_put(s, id, a, arena_printf(&s->arena, "%s %d", text, a));
    }
    (void)store_remove(s, id, from);
}

static void assert_rows(struct store *s, struct bucket_id id, int32_t from, const char *text)
{
    for (int32_t a = from + 1; a < from + ROWS; a++) {
        assert_string_equal(store_get(s, id, a, KV_SIGHT_SHOWN),
                            arena_printf(&s->arena, "%s %d", text, a));
    }
    assert_null(store_get(s, id, from, KV_SIGHT_SHOWN));
}

struct counts {
    int64_t rows;
    int64_t offset; /* of the store */
    int64_t shown;
    struct kv_id_range ids;
};

static void count(struct kv_tablet *t, void *context)
{
    struct counts *c = context;

    c->rows = kv_bucket_row_count(t->rows);
    c->offset = t->spilling ? -1 : kv_store_state(t->store).offset;
    c->shown = kv_bucket_shown_offset(t->rows);
    (void)kv_bucket_ids(t->rows, &c->ids);
}

/* An operation opens the bucket. */
static struct counts open_bucket(struct store *s, struct bucket_id id)
{
    struct offset_op o = {.op.id = id, .kind = OFFSET_LATEST};
    struct counts c;

    if (store_op(s, &o.op, submit_offset) != ERR_OK) {
        fail_msg("%s", s->error.message);
    }
    store_look(s, id, count, &c);
    return c;
}

static void rows_survive_a_stop(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct counts c;

    put_rows(s, id, 0, "first");
    store_close_sets(s);
    assert_false(atomic_load(&s->unclean));
    s->config.clean = true;
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_int_equal(c.offset, ROWS + 1); /* nothing was replayed */
    assert_int_equal(c.rows, ROWS - 1);
    assert_rows(s, id, 0, "first");
    put_rows(s, id, 100, "second");
    assert_rows(s, id, 100, "second");
}

static void a_lost_state_comes_from_the_log(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct counts c;

    put_rows(s, id, 0, "first");
    put_rows(s, id, 1, "again");
    store_close_sets(s);
    assert_int_equal(path_remove_tree(kv_dir(s, id), NULL), ERR_OK);
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_int_equal(c.rows, ROWS - 1); /* 2 .. ROWS */
    assert_rows(s, id, 1, "again");
}

/* As after kill -9: the store has less than the log. */
static void an_older_state_is_brought_to_the_end(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    char *old = arena_printf(&s->arena, "%s.old", kv_dir(s, id));
    struct counts c;

    put_rows(s, id, 0, "first");
    store_close_sets(s);
    move(kv_dir(s, id), old);
    store_open_sets(s);
    put_rows(s, id, 100, "second");
    store_close_sets(s);
    move(old, kv_dir(s, id));
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_int_equal(c.offset, ROWS + 1); /* the rest waits in memory, as before */
    assert_int_equal(c.shown, 2 * (ROWS + 1));
    assert_int_equal(c.rows, 2 * (ROWS - 1));
    assert_rows(s, id, 0, "first");
    assert_rows(s, id, 100, "second");
}

#define WIDE_ROWS 64
#define BATCHES   80

/* More than may wait in memory: the store gets the older part. */
static void a_long_log_is_replayed_in_parts(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct kv_store_row rows[WIDE_ROWS];
    char *wide = arena_alloc(&s->arena, 1001);
    struct counts c;

    memset(wide, 'x', 1000);
    wide[1000] = 0;
    for (int32_t i = 0; i < BATCHES; i++) {
        struct put_op p;

        for (int32_t k = 0; k < WIDE_ROWS; k++) { /* every row twice */
            rows[k] = (struct kv_store_row){.a = i / 2 * WIDE_ROWS + k, .b = wide, .c = i};
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
    store_close_sets(s);
    assert_int_equal(path_remove_tree(kv_dir(s, id), NULL), ERR_OK);
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_int_equal(c.rows, BATCHES / 2 * WIDE_ROWS);
    assert_int_equal(c.shown, BATCHES / 2 * WIDE_ROWS * 3); /* +I, -U +U */
    assert_true(c.offset != 0);
    for (int32_t a = 0; a < c.rows; a += 97) {
        assert_string_equal(store_get(s, id, a, KV_SIGHT_SHOWN), wide);
    }
    store_close_sets(s);
    store_open_sets(s);
    assert_int_equal(open_bucket(s, id).rows, BATCHES / 2 * WIDE_ROWS);
}

/* As after a power failure without syncs: the rows that the state is of are not in the log. */
static void a_state_ahead_of_its_log_is_thrown_away(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    char *old = arena_printf(&s->arena, "%s.old", log_dir(s, id));
    struct counts c;

    put_rows(s, id, 0, "first");
    store_close_sets(s);
    move(log_dir(s, id), old);
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_int_equal(c.offset, 0);
    assert_int_equal(c.rows, 0);
    assert_null(store_get(s, id, 1, KV_SIGHT_SHOWN));
    assert_int_equal(store_put(s, id, 1, "new"), 1);
}

static void a_damaged_state_is_made_anew(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    char *current = arena_printf(&s->arena, "%s/db/CURRENT", kv_dir(s, id));

    put_rows(s, id, 0, "first");
    store_close_sets(s);
    assert_int_equal(file_replace(current, bytes_str("nonsense\n"), NULL), ERR_OK);
    store_open_sets(s);
    assert_int_equal(open_bucket(s, id).rows, ROWS - 1);
    assert_rows(s, id, 0, "first");
}

/* Segments that snapshots and states no longer need are gone, and now the state as well. */
static void without_state_and_begin_of_the_log_there_are_no_rows(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_KV("")), 0);
    struct offset_op o = {.op.id = id, .kind = OFFSET_EARLIEST};
    struct stats_op stats = {.op.id = id};

    s->config.log.segment_bytes_max = 1024;
    store_close_sets(s);
    store_open_sets(s);
    put_rows(s, id, 0, "first");
    store_close_sets(s);
    assert_int_equal(path_remove_tree(kv_dir(s, id), NULL), ERR_OK);
    assert_int_equal(
        path_remove(arena_printf(&s->arena, "%s/00000000000000000000.log", log_dir(s, id)), NULL),
        ERR_OK);
    store_open_sets(s);
    assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_CORRUPT_FILE);
    assert_non_null(strstr(s->error.message, "there is no state, and its log begins at offset"));
    assert_int_equal(store_op(s, &o.op, submit_offset),
                     ERR_OK); /* what is left of the log is served */
    assert_true(o.offset > 0);
}

/* Those of rows in the log are not given again, whatever the state knew. */
static void numbers_go_on_behind_the_log(void **state)
{
    struct store *s = *state;
    struct bucket_id id =
        bucket_of(store_create_table(s, "t",
                                     STORE_KV_SCHEMA(",\"auto_increment_column\":[\"c\"]",
                                                     "\"table.auto-increment.cache-size\":\"5\"")),
                  0);
    int32_t targets[2] = {0, 1};
    struct counts c;

    for (int32_t a = 0; a < 7; a++) {
        struct kv_store_row row = {.a = a, .b = "x", .c = INT64_MIN};
        struct put_op p = put_of(id, kv_store_one(s, id.table_id, &row), -1);

        p.target_columns = targets;
        p.target_count = 2;
        assert_int_equal(store_op(s, &p.op, submit_put), ERR_OK);
    }
    store_close_sets(s);
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_true(c.ids.start == 8 && c.ids.end == 10);
    store_close_sets(s);
    assert_int_equal(path_remove_tree(kv_dir(s, id), NULL), ERR_OK);
    store_open_sets(s);
    c = open_bucket(s, id);
    assert_true(c.ids.start == 8 && c.ids.end == 7); /* what was left of the range is lost */
}

int main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(rows_survive_a_stop),
        STORE_TEST(a_lost_state_comes_from_the_log),
        STORE_TEST(an_older_state_is_brought_to_the_end),
        STORE_TEST(a_long_log_is_replayed_in_parts),
        STORE_TEST(a_state_ahead_of_its_log_is_thrown_away),
        STORE_TEST(a_damaged_state_is_made_anew),
        STORE_TEST(without_state_and_begin_of_the_log_there_are_no_rows),
        STORE_TEST(numbers_go_on_behind_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
