/* Conversions between schemas and formats; prepare_test.c has whole batches. */
#include "../../support/kv_tables.h"
#include "../../support/unit.h"
#include "format/batch.h"
#include "kv/changelog.h"

static const struct test_column columns[] = {{"k", "INT NOT NULL", NULL, NULL},
                                             {"v", "CHAR(3)", NULL, NULL},
                                             {"d", "DECIMAL(20, 1)", NULL, NULL},
                                             {"a", "ARRAY<STRING>", NULL, NULL},
                                             {"n", "TIMESTAMP(9)", NULL, NULL}};

struct world {
    struct arena arena;
    struct schema *schemas[2]; /* of the first 4 and of all columns */
    struct kv_table *table;
    struct changelog *changelog;
};

static void open_world(struct world *w, const char *kv_format, const char *log_format)
{
    const char *properties[3] = {"table.log.arrow.compression.type=NONE"};
    struct table_options options;

    *w = (struct world){.arena = ARENA_INIT};
    properties[1] = arena_printf(&w->arena, "table.kv.format=%s", kv_format);
    properties[2] = arena_printf(&w->arena, "table.log.format=%s", log_format);
    options = test_options(&w->arena, properties, 3);
    w->schemas[0] = test_schema(columns, 4, 1, NULL);
    w->schemas[1] = test_schema(columns, 5, 1, NULL);
    assert_int_equal(
        kv_table_new(&options, (const struct kv_schema[]){{1, w->schemas[0]}, {2, w->schemas[1]}},
                     2, &w->table, NULL),
        ERR_OK);
    w->changelog = changelog_new(w->table);
}

static void close_world(struct world *w)
{
    changelog_free(w->changelog);
    kv_table_unref(w->table);
    schema_unref(w->schemas[0]);
    schema_unref(w->schemas[1]);
    arena_fini(&w->arena);
}

static const struct row_value *sample(struct arena *arena)
{
    struct row_value *values = arena_array(arena, 5, sizeof *values);
    struct row_value *items = arena_array(arena, 2, sizeof *items);

    items[0].bytes = bytes_str("longer than seven");
    items[1].null = true;
    values[0].integer = -7;
    values[1].bytes = bytes_str("ab");
    values[2].bytes = bytes_of("\x80\x01", 2);
    values[3] = (struct row_value){.count = 2, .items = items};
    values[4].null = true;
    return values;
}

/* Appends the sample as a row of one of the schemas. */
static enum errcode append(struct world *w, uint32_t schema)
{
    struct row_format format = {.layout = w->table->layout, .row = w->schemas[schema]->row};
    struct kv_row row = {.plan = kv_table_plan(w->table, (int16_t)(schema + 1)),
                         .schema_id = (int16_t)(schema + 1)};

    row.cells = arena_array(&w->arena, 5, sizeof *row.cells);
    assert_int_equal(row_encode(format, sample(&w->arena), &w->arena, &row.bytes, NULL), ERR_OK);
    assert_int_equal(row_cells_read(row.plan, row.bytes, row.cells, NULL), ERR_OK);
    return changelog_append(w->changelog, CHANGE_INSERT, &row, NULL);
}

/* Rows of either schema and layout give the same COMPACTED record of the latest schema. */
static void compacted_records_have_the_latest_schema(void **state)
{
    static const char *const formats[] = {"COMPACTED", "INDEXED"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world w;
        struct batch_header header;
        struct bytes batch;
        struct bytes body;
        struct bytes expected;

        open_world(&w, formats[i / 2], "COMPACTED");
        assert_int_equal(append(&w, (uint32_t)i % 2), ERR_OK);
        assert_int_equal(changelog_finish(w.changelog, 5, 6, &w.arena, &batch, NULL), ERR_OK);
        assert_int_equal(batch_parse(batch, &header, NULL), ERR_OK);
        assert_int_equal(header.schema_id, 2);
        assert_int_equal(header.writer_id, 5);
        assert_int_equal(header.batch_sequence, 6);
        assert_int_equal(header.record_count, 1);
        assert_false(batch_append_only(&header));
        body = batch_body(&header, batch);
        assert_int_equal(row_encode((struct row_format){ROW_COMPACTED, w.schemas[1]->row},
                                    sample(&w.arena), &w.arena, &expected, NULL),
                         ERR_OK);
        assert_int_equal(get_u32le(body.data), expected.len + 1);
        assert_int_equal(body.data[4], CHANGE_INSERT);
        vectors_assert_equal("row", bytes_slice(body, 5, body.len - 5), expected);
        close_world(&w);
    }
}

static void without_changes_there_is_a_header(void **state)
{
    struct world w;
    struct bytes batch;

    (void)state;
    open_world(&w, "COMPACTED", "ARROW");
    assert_int_equal(append(&w, 0), ERR_OK);
    assert_int_equal(changelog_count(w.changelog), 1);
    changelog_clear(w.changelog);
    assert_int_equal(changelog_count(w.changelog), 0);
    assert_int_equal(changelog_finish(w.changelog, -1, -1, &w.arena, &batch, NULL), ERR_OK);
    assert_int_equal(batch.len, BATCH_HEADER_SIZE_MIN);
    close_world(&w);
}

static void indexed_changelogs_are_refused(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, "INDEXED", "INDEXED");
    assert_int_equal(append(&w, 1), ERR_UNSUPPORTED_OPERATION);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compacted_records_have_the_latest_schema),
        cmocka_unit_test(without_changes_there_is_a_header),
        cmocka_unit_test(indexed_changelogs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
