#include "../../support/sql_store.h"
#include "base/hash.h"

static void rows_of_all_buckets_and_partitions(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    int64_t p = store_create_table(q->store, "p", STORE_TABLE("\"b\"", "1", ""));
    struct bucket_id id = bucket_of(p, 0);

    sql_expect(q, "select count(*), sum(a) from t", "0|null");
    sql_append(q, bucket_of(t, 0), 0, 10);
    sql_append(q, bucket_of(t, 3), 10, 5000);
    sql_append(q, bucket_of(t, 3), 5000, 5001);
    sql_expect(q, "select count(*), sum(a), count(b), max(c) from t", "5001|12502500|3334|50000");
    sql_expect(q, "select c, a, b from t where a in (4999, 5000) order by a",
               "49990|4999|row 4999;50000|5000|null");
    id.partition_id = store_create_partition(q->store, "p", "x");
    sql_append(q, id, 0, 3);
    sql_expect(q, "select count(*) from p", "3");
}

static void current_rows_and_their_changelog(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "k", STORE_KV("")), 0);

    store_put_range(q->store, id, 0, 3000);
    (void)store_put(q->store, id, 7, "seven");
    (void)store_remove(q->store, id, 8);
    sql_expect(q, "select count(*), min(a), max(a) from k", "2999|0|2999");
    sql_expect(q, "select b from k where a = 7", "seven");
    sql_expect(q, "select x.b from k x join k y using (a) where a = 7", "seven");
    sql_expect(q, "select _change_type, count(*) from \"k$changelog\" group by 1 order by 1",
               "delete|1;insert|3000;update_after|1;update_before|1");
    sql_expect(q, "select _bucket, _log_offset, a, b from \"k$changelog\" where _log_offset = 3001",
               "0|3001|7|seven");
}

static void what_is_not_there_any_more(void **state)
{
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_expect(q, "select * from t", "");
    store_drop_table(q->store, "t");
    sql_refuse(q, "select * from t", "42P01");
    assert_null(sql_ask(q, "select * from eider_scan(1234, 0, 1)"));
    assert_null(sql_ask(q, "select * from eider_scan(-1, 77, 1)"));
}

/* What an earlier query has decompressed is of that table and no other, and goes with it. */
static void compressed_batches_again_and_again(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", STORE_PLAIN), 0);

    sql_append_coded(q, id, 0, 100000, ARROW_CODEC_ZSTD);
    for (int i = 0; i < 3; i++) {
        sql_expect(q, "select count(*), sum(a) from t", "100000|4999950000");
        sql_expect(q, "select sum(c), min(b), count(b) from t", "49999500000|row 0|66667");
    }
    sql_append_coded(q, id, 100000, 200000, ARROW_CODEC_ZSTD);
    sql_expect(q, "select sum(a), sum(c), count(b) from t", "19999900000|199999000000|133334");
    store_drop_table(q->store, "t");
    id = bucket_of(store_create_table(q->store, "t", STORE_PLAIN), 0);
    sql_append_coded(q, id, 1, 100001, ARROW_CODEC_ZSTD);
    sql_expect(q, "select sum(a), sum(c), count(b) from t", "5000050000|50000500000|66667");
}

/* ---- texts of few values ---- */

/* A batch of rows a = number of the row, b one of so many texts of the batch, long ones too, or null, c what does
 * not compress. */
static void append_few(struct sql_store *q, struct bucket_id id, int32_t from, int32_t count,
                       int different)
{
    struct store *s = q->store;
    const struct meta_table *t = meta_view_table_by_id(meta_current(s->meta), id.table_id);
    OWNED(arrow_rows_freep)
    struct arrow_rows *rows = arrow_rows_new(meta_table_latest(t)->schema->row);
    OWNED(codec_freep) struct codec *codec = codec_new();
    const struct arrow_build_codec build = {
        .codec = codec, .kind = ARROW_CODEC_ZSTD, .level = CODEC_ZSTD_LEVEL_DEFAULT};
    struct batch_spec spec = {.append_only = true,
                              .schema_id = (int16_t)meta_table_latest(t)->id,
                              .record_count = count,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID};

    for (int32_t a = from; a < from + count; a++) {
        int number = a % different;
        const char *b =
            arena_printf(&s->arena, number % 2 == 0 ? "%d" : "number %d of batch %d", number, from);
        struct row_value values[3] = {{.integer = a},
                                      {.null = number == 3, .bytes = bytes_str(b)},
                                      {.integer = (int64_t)hash_u64((uint64_t)a)}};

        assert_int_equal(arrow_rows_append_values(rows, values, NULL), ERR_OK);
    }
    assert_int_equal(arrow_rows_finish(rows, &build, &s->arena, &spec.body, NULL), ERR_OK);
    (void)store_append(s, id, batch_build(&spec, &s->arena));
}

static atomic_uint dictionaries_made;
static void (*make_dictionary)(void *vector, uint64_t size, const void *selection, uint64_t count);

static void count_dictionary(void *vector, uint64_t size, const void *selection, uint64_t count)
{
    atomic_fetch_add(&dictionaries_made, 1);
    make_dictionary(vector, size, selection, count);
}

/* The same rows as DuckDB makes them: batches of 8292, 8202 and 9000 rows. */
#define BATCHES                                                                                    \
    "(select i::int a, case when i % 10 = 3 then null when i % 10 % 2 = 0 then (i % 10)::varchar " \
    "else 'number ' || (i % 10) || ' of batch ' || (case when i < 8292 then 0 when i < 16494 "     \
    "then "                                                                                        \
    "8292 else 16494 end) end b from range(25494) r(i))"

static void expect_same(struct sql_store *q, const char *query)
{
    struct arena *arena = &q->store->arena;
    const char *theirs = sql_ask(q, arena_printf(arena, query, BATCHES));

    assert_non_null(theirs);
    for (int i = 0; i < 2; i++) { /* the second time from the cache, whatever came before */
        sql_expect(q, arena_printf(arena, query, "t"), theirs);
    }
}

static void expect_all_the_same(struct sql_store *q)
{
    static const char *const queries[] = {
        "select b, count(*), sum(a) from %s group by b order by b nulls first",
        "select b, a %% 2, count(*), count(b) from %s group by 1, 2 order by 1, 2",
        "select count(*), count(b), count(distinct b), min(b), max(b) from %s",
        "select b, a from %s where a %% 999 = 3 or b like '%%5 of batch 8292' order by a",
        "select b, a from %s where a >= 8100 and a < 8400 order by a limit 100 offset 90",
        "select upper(b), sum(a) from %s where b > 'number 3' group by 1 order by 1",
        "select distinct b from %s order by b desc nulls last",
    };

    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        expect_same(q, queries[i]);
    }
}

/* The end of one batch and the beginning of the next share a chunk. */
static void texts_of_few_values(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct duckdb *d = (struct duckdb *)duckdb(); /* NOLINT: the only one, and the test's own */
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", STORE_PLAIN), 0);

    make_dictionary = d->vector_dictionary;
    append_few(q, id, 0, 8292, 10);
    append_few(q, id, 8292, 8202, 10);
    append_few(q, id, 16494, 9000, 10);
    d->vector_dictionary = NULL; /* as with a library that does not have it */
    expect_all_the_same(q);
    d->vector_dictionary = make_dictionary == NULL ? NULL : count_dictionary;
    expect_all_the_same(q);
    d->vector_dictionary = make_dictionary;
    assert_true(make_dictionary == NULL || dictionaries_made > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_of_all_buckets_and_partitions),
        SQL_TEST(current_rows_and_their_changelog),
        SQL_TEST(compressed_batches_again_and_again),
        SQL_TEST(what_is_not_there_any_more),
        SQL_TEST(texts_of_few_values),
    };

    return cmocka_run_group_tests_name("sql/scan", tests, NULL, NULL);
}
