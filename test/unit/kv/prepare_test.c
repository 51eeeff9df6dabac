#include "../../support/kv_tables.h"
#include "../../support/unit.h"
#include "format/batch.h"
#include "kv/changelog.h"
#include "kv/prepare.h"

#define COLUMNS_MAX 32
#define TARGETS_MAX 32
#define SCHEMA_ID   1
#define COMMIT_TIME INT64_C(1700000000000)

static struct kv_table *table_of(struct schema *schema, const char *const *properties, size_t count)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_options options = test_options(&arena, properties, count);
    const struct kv_schema history = {.id = SCHEMA_ID, .schema = schema};
    struct kv_table *table = NULL;

    assert_int_equal(kv_table_new(&options, &history, 1, &table, NULL), ERR_OK);
    return table;
}

static enum errcode count_up(void *context, int64_t *ret, struct error *e)
{
    int64_t *last = context;

    (void)e;
    *ret = ++*last;
    return ERR_OK;
}

/* A table being written to. */
struct session {
    struct kv_prepare *p;
    struct test_store store;
    struct arena arena;
    struct kv_batch_writer writer;
};

static struct session session_of(struct kv_table *table)
{
    return (struct session){.p = kv_prepare_new(table)};
}

static void session_fini(struct session *s)
{
    kv_prepare_free(s->p);
    test_store_fini(&s->store);
    arena_fini(&s->arena);
    kv_batch_writer_fini(&s->writer);
}

/* Prepares a batch over the store and, when that works, changes the store. */
static enum errcode run(struct session *s, struct bytes batch, const struct kv_request *request,
                        struct kv_prepared *ret)
{
    struct kv_key *keys = NULL;
    size_t count = 0;
    struct error e = {0};

    TRY(kv_prepare_begin(s->p, batch, request, &keys, &count, &e));
    for (size_t i = 0; i < count; i++) {
        keys[i].old = test_store_get(&s->store, keys[i].key);
    }
    TRY(kv_prepare_finish(s->p, &s->arena, ret, &e));
    for (size_t i = 0; i < ret->change_count; i++) {
        test_store_put(&s->store, ret->changes[i].key, ret->changes[i].value);
    }
    return ERR_OK;
}

/* ---- golden scenarios ---- */

/* The functions of the aggregation scenarios, by column. */
static void set_aggregation(struct test_column *c)
{
    static const char *const functions[][2] = {{"s", "sum"},
                                               {"mx", "max"},
                                               {"mn", "min"},
                                               {"lv", "last_value"},
                                               {"lnn", "last_value_ignore_nulls"},
                                               {"fv", "first_value"},
                                               {"fnn", "first_value_ignore_nulls"},
                                               {"la", "listagg"},
                                               {"sa", "string_agg"},
                                               {"ba", "bool_and"},
                                               {"bo", "bool_or"},
                                               {"pr", "product"}};

    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (strcmp(c->name, functions[i][0]) == 0) {
            c->agg = functions[i][1];
            c->delimiter = strcmp(c->name, "sa") == 0 ? "|" : NULL;
        }
    }
}

static struct kv_table *scenario_table(const json_t *one)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const json_t *columns = vectors_get(one, "schema");
    const char *name = vectors_text(one, "name");
    struct test_column specs[COLUMNS_MAX];
    const char *properties[8];
    size_t count = 0;
    const char *key;
    json_t *value;
    OWNED(schema_unrefp) struct schema *schema = NULL;

    for (size_t i = 0; i < json_array_size(columns); i++) {
        specs[i] = (struct test_column){.name = vectors_text(json_array_get(columns, i), "name"),
                                        .type = vectors_text(json_array_get(columns, i), "type")};
        if (strstr(name, "aggregation") != NULL) {
            set_aggregation(&specs[i]);
        }
    }
    schema = test_schema(specs, json_array_size(columns), 1,
                         strcmp(name, "auto increment column") == 0 ? "id" : NULL);
    properties[count++] = "table.log.arrow.compression.type=NONE";
    properties[count++] =
        arena_printf(&arena, "table.kv.format=%s", vectors_text(one, "kv_format"));
    properties[count++] =
        arena_printf(&arena, "table.log.format=%s", vectors_text(one, "log_format"));
    json_object_foreach(vectors_get(one, "table_properties"), key, value)
    {
        properties[count++] = arena_printf(&arena, "%s=%s", key, json_string_value(value));
    }
    return table_of(schema, properties, count);
}

/* Errors of the log are not ours: the step is then not run. */
static enum errcode expected_error(const json_t *step, bool *ret_skip)
{
    static const struct {
        const char *name;
        enum errcode code;
    } errors[] = {
        {"InvalidTargetColumnException", ERR_INVALID_TARGET_COLUMN},
        {"DeletionDisabledException", ERR_DELETION_DISABLED},
        {"IllegalArgumentException", ERR_UNSUPPORTED_OPERATION},
    };
    const json_t *error = json_object_get(step, "error");

    *ret_skip = error == NULL
                    ? vectors_bool(step, "duplicated")
                    : strcmp(json_string_value(error), "OutOfOrderSequenceException") == 0;
    for (size_t i = 0; error != NULL && i < ARRAY_LEN(errors); i++) {
        if (strcmp(json_string_value(error), errors[i].name) == 0) {
            return errors[i].code;
        }
    }
    return ERR_OK;
}

static struct merge_request request_of(const json_t *step, int32_t *targets)
{
    const json_t *list = vectors_get(step, "target_columns");
    struct merge_request request = {.target_columns = targets};

    for (; request.target_count < json_array_size(list); request.target_count++) {
        targets[request.target_count] =
            (int32_t)json_integer_value(json_array_get(list, request.target_count));
    }
    request.mode = strcmp(vectors_text(step, "merge_mode"), "OVERWRITE") == 0 ? KV_MERGE_OVERWRITE
                                                                              : KV_MERGE_DEFAULT;
    return request;
}

static void run_step(const json_t *step, struct session *s, struct kv_request *request)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int32_t targets[TARGETS_MAX];
    bool skip = false;
    enum errcode expected = expected_error(step, &skip);
    struct bytes golden = vectors_hex(step, "log_batch_hex", &arena);
    struct kv_prepared prepared = {0};
    int64_t before = vectors_i64(step, "log_end_offset_before");
    int64_t after = vectors_i64(step, "log_end_offset_after");

    if (skip) {
        return;
    }
    request->merge = request_of(step, targets);
    assert_int_equal(run(s, vectors_hex(step, "kv_batch_hex", &arena), request, &prepared),
                     expected);
    if (expected == ERR_OK) {
        batch_assign((uint8_t *)(uintptr_t)prepared.batch.data, before, COMMIT_TIME);
        vectors_assert_equal("changelog", prepared.batch, golden);
        assert_int_equal(after - before, prepared.record_count == 0 ? 1 : prepared.record_count);
    }
}

static void golden_scenarios(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("changelog.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(kv_table_unrefp) struct kv_table *table = scenario_table(one);
        OWNED(session_fini) struct session s = session_of(table);
        const json_t *steps = vectors_get(one, "steps");
        int64_t last_id = 0;
        struct kv_request request = {.next_id = count_up, .next_id_context = &last_id};

        for (size_t i = 0; i < json_array_size(steps); i++) {
            run_step(json_array_get(steps, i), &s, &request);
        }
    }
}

/* ---- what no scenario has ---- */

static const struct test_column columns[] = {
    {"k", "INT NOT NULL", NULL, NULL}, {"v", "STRING", NULL, NULL}, {"id", "INT", NULL, NULL}};

static struct kv_table *simple_table(const char *property, const char *auto_increment)
{
    OWNED(schema_unrefp) struct schema *schema = test_schema(columns, 3, 1, auto_increment);
    const char *properties[] = {"table.log.arrow.compression.type=NONE", property};

    return table_of(schema, properties, 2);
}

/* A batch of rows ("\0", key, text, id) as their bytes; an empty text is a delete. */
static struct bytes batch_of(struct kv_batch_writer *w, int16_t schema_id, const char *const *rows,
                             size_t count)
{
    kv_batch_writer_begin(w, schema_id);
    for (size_t i = 0; i < count; i++) {
        uint8_t row[64] = {4, (uint8_t)(rows[i][0] - '0'), (uint8_t)strlen(rows[i] + 1)};
        size_t len = strlen(rows[i] + 1);

        memcpy(row + 3, rows[i] + 1, len);
        kv_batch_writer_add(w, bytes_of(row + 1, 1), bytes_of(row, len == 0 ? 0 : 3 + len));
    }
    return kv_batch_writer_finish(w, -1, -1);
}

static void schema_ids_beyond_the_history(void **state)
{
    static const int16_t ids[] = {INT16_MIN, -1, 0, SCHEMA_ID + 1, INT16_MAX};
    static const char *const rows[] = {"1a"};
    OWNED(kv_table_unrefp) struct kv_table *table = simple_table("table.log.format=ARROW", NULL);
    OWNED(session_fini) struct session s = session_of(table);
    struct kv_request request = {0};
    struct kv_prepared prepared;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_int_equal(run(&s, batch_of(&s.writer, ids[i], rows, 1), &request, &prepared),
                         ERR_SCHEMA_NOT_EXIST);
    }
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, rows, 1), &request, &prepared), ERR_OK);
}

/* A batch that fails leaves nothing behind in the next one. */
static void a_failed_batch_is_forgotten(void **state)
{
    static const char *const bad[] = {"1a", "2b", "1"};
    static const char *const good[] = {"3c"};
    OWNED(kv_table_unrefp)
    struct kv_table *table = simple_table("table.delete.behavior=DISABLE", NULL);
    OWNED(session_fini) struct session s = session_of(table);
    struct kv_request request = {0};
    struct kv_prepared prepared = {0};

    (void)state;
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, bad, 3), &request, &prepared),
                     ERR_DELETION_DISABLED);
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, good, 1), &request, &prepared), ERR_OK);
    assert_int_equal(prepared.record_count, 1);
    assert_int_equal(prepared.change_count, 1);
    assert_int_equal(prepared.row_delta, 1);
}

/* Inserted and removed, updated twice: one change per key, with the last record of it. */
static void one_change_per_key(void **state)
{
    static const char *const rows[] = {"1a", "2b", "1", "2c", "3x", "3", "3y"};
    OWNED(kv_table_unrefp) struct kv_table *table = simple_table("table.log.format=ARROW", NULL);
    OWNED(session_fini) struct session s = session_of(table);
    struct kv_request request = {0};
    struct kv_prepared prepared = {0};

    (void)state;
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, rows, 7), &request, &prepared), ERR_OK);
    assert_int_equal(prepared.record_count, 8);
    assert_int_equal(prepared.change_count, 3);
    assert_int_equal(prepared.row_delta, 2);
    assert_int_equal(prepared.changes[0].value.len, 0);
    assert_int_equal(prepared.changes[0].record, 2);
    assert_int_equal(prepared.changes[1].record, 4);
    assert_int_equal(prepared.changes[2].record, 7);
    vectors_assert_equal("value", prepared.changes[2].value, bytes_of("\1\0\4\3\1y", 6));
}

static void blind_writes_want_no_old_values(void **state)
{
    static const char *const upserts[] = {"1a", "2b"};
    static const char *const with_delete[] = {"1a", "2"};
    OWNED(kv_table_unrefp) struct kv_table *table = simple_table("table.changelog.image=WAL", NULL);
    OWNED(session_fini) struct session s = session_of(table);
    const struct kv_request request = {0};
    struct kv_key *keys;
    size_t count = 99;

    (void)state;
    assert_int_equal(kv_prepare_begin(s.p, batch_of(&s.writer, SCHEMA_ID, upserts, 2), &request,
                                      &keys, &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(kv_prepare_begin(s.p, batch_of(&s.writer, SCHEMA_ID, with_delete, 2), &request,
                                      &keys, &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 2);
}

static void damaged_rows_and_values(void **state)
{
    static const char *const rows[] = {"1a"};
    OWNED(kv_table_unrefp) struct kv_table *table = simple_table("table.log.format=ARROW", NULL);
    OWNED(session_fini) struct session s = session_of(table);
    static const struct {
        const char *bytes;
        size_t len;
    } values[] = {{"\1", 1}, {"\1\0", 2}, {"\2\0\4\1\1a", 6}, {"\1\0\4\1\2a", 6}};
    const struct kv_request request = {0};
    struct kv_prepared prepared;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        test_store_put(&s.store, bytes_of("\1", 1), bytes_of(values[i].bytes, values[i].len));
        assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, rows, 1), &request, &prepared),
                         ERR_KV_STORAGE);
    }
    kv_batch_writer_begin(&s.writer, SCHEMA_ID);
    kv_batch_writer_add(&s.writer, bytes_str("k"), bytes_of("\4\1\5a", 4));
    assert_int_equal(run(&s, kv_batch_writer_finish(&s.writer, -1, -1), &request, &prepared),
                     ERR_CORRUPT_RECORD);
}

static enum errcode no_more(void *context, int64_t *ret, struct error *e)
{
    (void)context;
    (void)ret;
    return error_set(e, ERR_REQUEST_TIME_OUT, "none left");
}

static void auto_increment_ends_with_its_type(void **state)
{
    static const char *const rows[] = {"1a", "2b"};
    static const int32_t targets[] = {0, 1};
    OWNED(kv_table_unrefp) struct kv_table *table = simple_table("table.log.format=ARROW", "id");
    OWNED(session_fini) struct session s = session_of(table);
    int64_t last_id = INT32_MAX - 1;
    struct kv_request request = {.merge = {.target_columns = targets, .target_count = 2},
                                 .next_id = count_up,
                                 .next_id_context = &last_id};
    struct kv_prepared prepared;

    (void)state;
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, rows, 1), &request, &prepared), ERR_OK);
    vectors_assert_equal("value", prepared.changes[0].value,
                         bytes_of("\1\0\0\1\1a\xff\xff\xff\xff\7", 11));
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, rows, 2), &request, &prepared),
                     ERR_UNKNOWN_SERVER_ERROR);
    request.next_id = no_more;
    assert_int_equal(run(&s, batch_of(&s.writer, SCHEMA_ID, rows, 2), &request, &prepared),
                     ERR_REQUEST_TIME_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_scenarios),
        cmocka_unit_test(schema_ids_beyond_the_history),
        cmocka_unit_test(a_failed_batch_is_forgotten),
        cmocka_unit_test(one_change_per_key),
        cmocka_unit_test(blind_writes_want_no_old_values),
        cmocka_unit_test(damaged_rows_and_values),
        cmocka_unit_test(auto_increment_ends_with_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
