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

/* Prepares a batch over the store and, when that works, changes the store. */
static enum errcode run(struct kv_prepare *p, struct bytes batch, const struct kv_request *request,
                        struct test_store *store, struct arena *arena, struct kv_prepared *ret)
{
    struct kv_key *keys = NULL;
    size_t count = 0;
    struct error e = {0};

    TRY(kv_prepare_begin(p, batch, request, &keys, &count, &e));
    for (size_t i = 0; i < count; i++) {
        keys[i].old = test_store_get(store, keys[i].key);
    }
    TRY(kv_prepare_finish(p, arena, ret, &e));
    for (size_t i = 0; i < ret->change_count; i++) {
        test_store_put(store, ret->changes[i].key, ret->changes[i].value);
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

static void run_step(const json_t *step, struct kv_prepare *p, struct test_store *store,
                     struct kv_request *request)
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
    assert_int_equal(
        run(p, vectors_hex(step, "kv_batch_hex", &arena), request, store, &arena, &prepared),
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
        OWNED(kv_prepare_freep) struct kv_prepare *p = kv_prepare_new(table);
        OWNED(test_store_fini) struct test_store store = {0};
        const json_t *steps = vectors_get(one, "steps");
        int64_t last_id = 0;
        struct kv_request request = {.next_id = count_up, .next_id_context = &last_id};

        for (size_t i = 0; i < json_array_size(steps); i++) {
            run_step(json_array_get(steps, i), p, &store, &request);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_scenarios),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
