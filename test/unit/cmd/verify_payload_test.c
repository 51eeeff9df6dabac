#include <stdlib.h>

#include "../../support/unit.h"
#include "cmd/bench_rows.h"
#include "cmd/verify_payload.h"
#include "format/row.h"
#include "format/schema.h"

#define ROWS 50

static const char two_columns[] =
    "{\"version\":1,\"columns\":[{\"name\":\"id\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":0},"
    "{\"name\":\"name\",\"data_type\":{\"type\":\"STRING\"},\"id\":1}],\"highest_field_id\":1}";

struct world {
    struct arena arena;
    struct table_options options;
    struct meta_schema schema;
    struct meta_table table;
    struct verify_payload payload;
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct schema *schema = NULL;

    assert_int_equal(schema_parse(bytes_str(two_columns), &schema, NULL), ERR_OK);
    w->schema = (struct meta_schema){.id = 1, .schema = schema};
    w->table = (struct meta_table){.id = 3,
                                   .database = "db",
                                   .name = "t",
                                   .options = &w->options,
                                   .schemas = &w->schema,
                                   .schema_count = 1};
    verify_payload_init(&w->payload, &w->table);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    verify_payload_fini(&w->payload);
    (void)schema_unref((struct schema *)(uintptr_t)w->schema.schema);
    arena_fini(&w->arena);
    mem_freep(state);
    return 0;
}

/* Rows (change type, row) behind one another, as the formats INDEXED and COMPACTED have them. */
static struct bytes rows_of(struct world *w, enum row_layout layout, uint8_t type)
{
    struct row_format format = {.layout = layout, .row = w->schema.schema->row};
    struct writer body = writer_of(arena_alloc(&w->arena, 64 * ROWS), (size_t)64 * ROWS);

    for (int32_t i = 0; i < ROWS; i++) {
        struct row_value values[] = {{.integer = i}, {.bytes = bytes_str("a name")}};
        struct bytes row;

        assert_int_equal(row_encode(format, values, &w->arena, &row, NULL), ERR_OK);
        writer_u32le(&body, (uint32_t)row.len + 1);
        writer_u8(&body, type);
        writer_bytes(&body, row);
    }
    return bytes_of(body.data, body.len);
}

static enum errcode check(struct world *w, const struct batch_spec *spec)
{
    struct bytes data = batch_build(spec, &w->arena);
    struct batch_header header;
    struct error e;

    assert_int_equal(batch_parse(data, &header, NULL), ERR_OK);
    return verify_payload_check(&w->payload, &header, data, &e);
}

static void rows_are_decoded(void **state)
{
    static const enum log_format formats[] = {LOG_FORMAT_INDEXED, LOG_FORMAT_COMPACTED};
    static const enum row_layout layouts[] = {ROW_INDEXED, ROW_COMPACTED};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct bytes body = rows_of(w, layouts[i], 0);
        struct batch_spec spec = {.schema_id = 1, .record_count = ROWS, .body = body};

        w->options.log_format = formats[i];
        assert_int_equal(check(w, &spec), ERR_OK);
        spec.body.len -= 1;
        assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
        spec.body = body;
        spec.record_count = ROWS - 1;
        assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
        spec.record_count = ROWS;
        spec.schema_id = 2;
        assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
        spec.schema_id = 1;
        spec.body = rows_of(w, layouts[i], 9);
        assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
    }
}

static void a_batch_without_records_is_empty(void **state)
{
    struct world *w = *state;
    struct batch_spec spec = {.schema_id = 1};

    assert_int_equal(check(w, &spec), ERR_OK);
    spec.body = bytes_str("x");
    assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
}

/* The load generator's rows against their own schema, and against another one. */
static void arrow_messages_fit_the_schema(void **state)
{
    struct world *w = *state;
    struct bench_options options = {.rows = ROWS};
    OWNED(bench_rows_freep) struct bench_rows *rows = bench_rows_new(&options);
    struct batch_spec spec = {.append_only = true, .schema_id = 1, .record_count = ROWS};

    w->options.log_format = LOG_FORMAT_ARROW;
    assert_int_equal(bench_rows_message(rows, 0, ROWS, &w->arena, &spec.body, NULL), ERR_OK);
    assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD); /* ten columns, not two */
    spec.record_count = ROWS - 1;
    assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
    spec.record_count = ROWS;
    spec.body.len -= 8;
    assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
    spec.body.len = 20;
    assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD);
    spec.append_only = false;
    assert_int_equal(check(w, &spec), ERR_CORRUPT_RECORD); /* no room for change types */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_decoded),
        TEST(a_batch_without_records_is_empty),
        TEST(arrow_messages_fit_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
