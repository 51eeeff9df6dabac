#include "../../support/sql_store.h"
#include "io/gate.h"
#include "sql/sql.h"

struct watching {
    struct sql_store *q;
    struct sql_statement *st;
    struct sql_result *r;
    struct sql_watch *watch;
    struct gate *gate;
};

static void passed(void *context) { gate_pass(((struct watching *)context)->gate); }

static void start(void *context, unsigned index)
{
    struct watching *w = context;

    (void)index;
    if (w->watch == NULL) {
        w->watch = sql_watch_new(w->q->session, w->q->store->shards[0], passed, w);
    }
    sql_watch_start(w->watch, w->r);
}

static void begin(struct sql_store *q, struct watching *w)
{
    const struct sql_source source = {.text = "select a from tail('t')"};
    size_t rows = 1;

    *w = (struct watching){.q = q};
    sql_session_view(q->session, meta_current(q->store->meta));
    assert_true(sql_prepare(q->session, &source, &w->st, &q->error));
    assert_true(sql_execute(w->st, NULL, &w->r, &q->error));
    assert_true(sql_result_next(w->r, &rows, &q->error));
    assert_true(rows == 0 && sql_result_waits(w->r));
}

static void finish(struct watching *w)
{
    sql_watch_free(TAKE(w->watch));
    sql_result_free(w->r);
    sql_statement_free(w->st);
}

static void rows_of_any_bucket_wake(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct watching w;

    begin(q, &w);
    for (int32_t i = 0; i < 4; i++) {
        size_t rows = 0;

        w.gate = gate_new(1);
        shards_call(q->store->shards, 1, start, &w);
        sql_append(q, bucket_of(t, i), i, i + 1);
        gate_wait(w.gate);
        assert_true(sql_result_next(w.r, &rows, &q->error));
        assert_int_equal(rows, 1);
        assert_true(sql_result_next(w.r, &rows, &q->error));
        assert_true(rows == 0 && sql_result_waits(w.r));
    }
    finish(&w);
}

static void closing_takes_back_what_waits(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct watching w;

    begin(q, &w);
    shards_call(q->store->shards, 1, start, &w);
    finish(&w);
    sql_append(q, bucket_of(t, 0), 0, 1);
    begin(q, &w);
    w.watch = NULL;
    w.gate = gate_new(1);
    sql_append(q, bucket_of(t, 1), 0, 1);
    shards_call(q->store->shards, 1, start, &w); /* there is something already */
    gate_wait(w.gate);
    finish(&w);
}

/* The shard is late: it takes what comes back when somebody has begun to close, but before it hears of that. */
static void passed_late(void *context)
{
    passed(context);
    thread_sleep_us(50000);
}

static void start_late(void *context, unsigned index)
{
    struct watching *w = context;

    (void)index;
    w->watch = sql_watch_new(w->q->session, w->q->store->shards[0], passed_late, w);
    sql_watch_start(w->watch, w->r);
}

static void what_comes_back_before_the_close_does_not_end_it(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct watching w;

    begin(q, &w);
    for (int32_t i = 0; i < 4; i++) {
        sql_append(q, bucket_of(t, i), 0, 1);
    }
    w.gate = gate_new(1);
    shards_call(q->store->shards, 1, start_late, &w);
    gate_wait(w.gate);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_of_any_bucket_wake),
        SQL_TEST(closing_takes_back_what_waits),
        SQL_TEST(what_comes_back_before_the_close_does_not_end_it),
    };

    return cmocka_run_group_tests_name("sql/watch", tests, NULL, NULL);
}
