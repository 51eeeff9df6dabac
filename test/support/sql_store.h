/* SQL over a store (store.h), where DuckDB's library is there; elsewhere such tests are skipped. */
#ifndef TEST_SUPPORT_SQL_STORE_H
#define TEST_SUPPORT_SQL_STORE_H

#include "kv_store.h"

#include "format/arrow_rows.h"
#include "sql/duckdb.h"
#include "sql/sql.h"

struct sql_store {
    struct store *store;
    struct sql_world world;
    struct sql_engine *engine;
    struct sql_session *session;
    struct sql_error error; /* of the last statement */
};

/* Nothing else changes the catalog while somebody asks. */
static inline struct meta_view *sql_store_view(void *context)
{
    const struct sql_store *q = context;

    return meta_view_ref(meta_current(q->store->meta));
}

static inline int sql_setup(void **state)
{
    struct sql_store *q = mem_new(struct sql_store);
    struct sql_options options = {
        .memory_bytes = 256 << 20, .cache_bytes = 16 << 20, .threads = 2, .spool_bytes = 64 << 20};

    q->store = store_new(2);
    store_open_sets(q->store);
    options.spool_dir = q->store->dir;
    q->world = (struct sql_world){.shards = q->store->shards,
                                  .replicas = q->store->sets,
                                  .count = q->store->count,
                                  .meta = q->store->meta,
                                  .view = sql_store_view,
                                  .context = q};
    q->engine = sql_engine_new(&options, &q->world);
    *state = q;
    return 0;
}

static inline int sql_teardown(void **state)
{
    struct sql_store *q = *state;

    sql_session_close(q->session);
    sql_engine_free(q->engine);
    store_free(q->store);
    free(q);
    return 0;
}

/* With a session, at the begin of each test. */
static inline struct sql_store *sql_ready(void **state)
{
    struct sql_store *q = *state;

    if (duckdb_load(NULL, NULL) != ERR_OK) {
        skip();
    }
    if (!sql_session_open(q->engine, meta_current(q->store->meta), "fluss", &q->session,
                          &q->error)) {
        fail_msg("%s", q->error.message);
    }
    return q;
}

/* A log batch of the rows a = from .. to-1, b "row <a>" or null, c = 10 a; appended. */
static inline void sql_append_coded(struct sql_store *q, struct bucket_id id, int32_t from,
                                    int32_t to, enum arrow_codec kind)
{
    struct store *s = q->store;
    const struct meta_table *t = meta_view_table_by_id(meta_current(s->meta), id.table_id);
    const struct meta_schema *schema = meta_table_latest(t);
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(schema->schema->row);
    OWNED(codec_freep) struct codec *codec = codec_new();
    const struct arrow_build_codec build = {
        .codec = codec, .kind = kind, .level = CODEC_ZSTD_LEVEL_DEFAULT};
    struct batch_spec spec = {.append_only = true,
                              .schema_id = (int16_t)schema->id,
                              .record_count = to - from,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID};

    for (int32_t a = from; a < to; a++) {
        const char *b = arena_printf(&s->arena, "row %d", a);
        struct row_value values[3] = {{.integer = a},
                                      {.null = a % 3 == 2, .bytes = bytes_str(b)},
                                      {.integer = a * INT64_C(10)}};

        assert_int_equal(arrow_rows_append_values(rows, values, NULL), ERR_OK);
    }
    assert_int_equal(arrow_rows_finish(rows, &build, &s->arena, &spec.body, NULL), ERR_OK);
    (void)store_append(s, id, batch_build(&spec, &s->arena));
}

static inline void sql_append(struct sql_store *q, struct bucket_id id, int32_t from, int32_t to)
{
    sql_append_coded(q, id, from, to, ARROW_CODEC_NONE);
}

static inline void sql_add_row(struct sql_store *q, const struct sql_result *r, size_t row,
                               struct buffer *out, size_t columns)
{
    (void)q;
    if (out->len > 0) {
        buffer_u8(out, ';');
    }
    for (size_t i = 0; i < columns; i++) {
        if (i > 0) {
            buffer_u8(out, '|');
        }
        if (!sql_result_text(r, row, i, out)) {
            buffer_bytes(out, bytes_str("null"));
        }
    }
}

/* "a|b;a|b": all rows of a query; NULL: it has failed, q->error says why. */
static inline const char *sql_ask(struct sql_store *q, const char *text)
{
    const struct sql_source source = {.text = text};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    size_t rows = 0;
    bool right;

    sql_session_view(q->session, meta_current(q->store->meta));
    right =
        sql_prepare(q->session, &source, &st, &q->error) && sql_execute(st, NULL, &r, &q->error);
    while (right && (right = sql_result_next(r, &rows, &q->error)) && rows > 0) {
        for (size_t i = 0; i < rows; i++) {
            sql_add_row(q, r, i, &out, sql_column_count(st));
        }
    }
    sql_result_free(r);
    sql_statement_free(st);
    return right ? arena_strndup(&q->store->arena, out.data, out.len) : NULL;
}

/* The same, as it is to be. */
static inline void sql_expect(struct sql_store *q, const char *text, const char *rows)
{
    const char *found = sql_ask(q, text);

    if (found == NULL) {
        fail_msg("%s: %s", text, q->error.message);
    }
    assert_string_equal(found, rows);
}

static inline void sql_refuse(struct sql_store *q, const char *text, const char *state)
{
    assert_null(sql_ask(q, text));
    assert_string_equal(q->error.state, state);
}

#define SQL_TEST(name) cmocka_unit_test_setup_teardown(name, sql_setup, sql_teardown)

#endif
