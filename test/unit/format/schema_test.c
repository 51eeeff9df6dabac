#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/schema.h"

static struct schema *parsed(const char *text)
{
    struct schema *schema = NULL;
    struct error e = {0};

    if (schema_parse(bytes_str(text), &schema, &e) != ERR_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    return schema;
}

static void assert_json(const struct schema *schema, const char *expected)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct json_writer w;

    json_writer_init(&w, &arena);
    schema_write_json(&w, schema);
    vectors_assert_equal("json", json_writer_text(&w), bytes_str(expected));
}

static void agrees_with_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("table_descriptors.json");
    size_t seen = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        const json_t *json = json_object_get(one, "schema_json");

        if (json != NULL) {
            OWNED(mem_freep) char *text = json_dumps(json, JSON_COMPACT);
            OWNED(schema_unrefp) struct schema *schema = parsed(text);

            assert_json(schema, text);
            seen++;
        }
    }
    assert_int_equal(seen, 3);
}

#define COLUMN(name, type) "{\"name\":\"" name "\",\"data_type\":{\"type\":\"" type "\"}}"

static void finds_columns(void **state)
{
    OWNED(schema_unrefp)
    struct schema *schema = parsed("{\"columns\":[" COLUMN("b", "DATE") "," COLUMN(
        "a", "STRING") "," COLUMN("c", "BIGINT") "],\"primary_key\":[\"c\",\"b\"]}");

    (void)state;
    assert_int_equal(schema_find(schema, "a"), 1);
    assert_int_equal(schema_find(schema, "b"), 0);
    assert_int_equal(schema_find(schema, "d"), -1);
    assert_int_equal(schema_find_id(schema, 2), 2);
    assert_int_equal(schema_find_id(schema, 3), -1);
    assert_true(schema_is_primary_key(schema, 0));
    assert_false(schema_is_primary_key(schema, 1));
    assert_int_equal(schema->primary_key[0], 2);
    assert_false(schema->columns[2].type->nullable);
    assert_true(schema->columns[1].type->nullable);
    assert_int_equal(schema->arrow_nodes, 3);
    assert_int_equal(schema->arrow_buffers, 7);
    assert_int_equal(schema->highest_field_id, 2);
}

static void gives_ids_where_there_are_none(void **state)
{
    OWNED(schema_unrefp)
    struct schema *schema =
        parsed("{\"columns\":[{\"name\":\"r\",\"data_type\":{\"type\":\"ROW\",\"fields\":["
               "{\"name\":\"x\",\"field_type\":{\"type\":\"DATE\"}},"
               "{\"name\":\"y\",\"field_type\":{\"type\":\"DATE\"},\"field_id\":-1}]}}," COLUMN(
                   "b", "DATE") "]}");

    (void)state;
    assert_int_equal(schema->columns[0].id, 0);
    assert_int_equal(schema->columns[1].id, 1);
    assert_int_equal(schema->columns[0].type->fields[0].id, 2);
    assert_int_equal(schema->columns[0].type->fields[1].id, 3);
    assert_int_equal(schema->highest_field_id, 3);
}

static void assert_refused(const char *text, const char *message)
{
    struct schema *schema = NULL;
    struct error e = {0};

    assert_int_equal(schema_parse(bytes_str(text), &schema, &e), ERR_INVALID_TABLE);
    assert_null(schema);
    assert_string_equal(e.message, message);
}

static void refuses_broken_rules(void **state)
{
    (void)state;
    assert_refused("{}", "schema: \"columns\" is missing");
    assert_refused("{\"columns\":[" COLUMN("a", "DATE") "," COLUMN("a", "DATE") "]}",
                   "there is more than one column 'a'");
    assert_refused("{\"columns\":[" COLUMN("a", "DATE") "],\"primary_key\":[\"b\"]}",
                   "primary key column 'b' is not a column of the table");
    assert_refused("{\"columns\":[" COLUMN("a", "DATE") "],\"primary_key\":[]}",
                   "the primary key has no column");
    assert_refused("{\"columns\":[" COLUMN("a", "DATE") "],\"primary_key\":[\"a\",\"a\"]}",
                   "the primary key names column 'a' twice");
    assert_refused("{\"columns\":[" COLUMN("a", "INTEGER") "],\"auto_increment_column\":[\"a\"]}",
                   "auto-increment column 'a': the table has no primary key");
    assert_refused("{\"columns\":[" COLUMN("a", "INTEGER") "],\"primary_key\":[\"a\"],"
                                                           "\"auto_increment_column\":[\"a\"]}",
                   "auto-increment column 'a' is part of the primary key");
    assert_refused("{\"columns\":[" COLUMN("a", "INTEGER") "," COLUMN(
                       "b", "STRING") "],\"primary_key\":[\"a\"],"
                                      "\"auto_increment_column\":[\"b\"]}",
                   "auto-increment column 'b' has the type STRING, not INT or BIGINT");
    assert_refused("{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"BIGINT\"},"
                   "\"agg_function\":{\"type\":\"sum\"}}],\"primary_key\":[\"a\"]}",
                   "primary key column 'a' cannot have an aggregation function");
}

static void refuses_broken_ids(void **state)
{
    (void)state;
    assert_refused("{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"DATE\"},\"id\":1},"
                   "{\"name\":\"b\",\"data_type\":{\"type\":\"DATE\"},\"id\":1}]}",
                   "the field id 1 is used twice");
    assert_refused("{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"DATE\"},\"id\":1},"
                   "{\"name\":\"b\",\"data_type\":{\"type\":\"DATE\"}}]}",
                   "column 'b': all columns have an id or none");
    assert_refused("{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"DATE\"},\"id\":5}],"
                   "\"highest_field_id\":4}",
                   "highest_field_id 4 is below the field id 5");
    assert_refused("{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"ROW\",\"fields\":["
                   "{\"name\":\"x\",\"field_type\":{\"type\":\"DATE\"}}]},\"id\":0}],"
                   "\"highest_field_id\":2147483647}",
                   "field ids are exhausted");
}

static void adds_columns_at_the_end(void **state)
{
    static const struct type date = {.root = TYPE_DATE, .nullable = true};
    static const struct type_field inner[] = {{.name = "x", .type = &date, .id = 99},
                                              {.name = "y", .type = &date, .id = -1}};
    static const struct type row = {
        .root = TYPE_ROW, .nullable = true, .count = 2, .fields = inner};
    static const struct schema_column added[] = {{.name = "r", .type = &row, .comment = "new"},
                                                 {.name = "d", .type = &date}};
    OWNED(schema_unrefp)
    struct schema *old = parsed("{\"columns\":[" COLUMN("a", "DATE") "],\"highest_field_id\":7}");
    OWNED(schema_unrefp) struct schema *next = NULL;
    int32_t positions[3];

    (void)state;
    assert_int_equal(schema_add_columns(old, added, 2, &next, NULL), ERR_OK);
    assert_json(next, "{\"version\":1,\"columns\":["
                      "{\"name\":\"a\",\"data_type\":{\"type\":\"DATE\"},\"id\":0},"
                      "{\"name\":\"r\",\"data_type\":{\"type\":\"ROW\",\"fields\":["
                      "{\"name\":\"x\",\"field_type\":{\"type\":\"DATE\"},\"field_id\":9},"
                      "{\"name\":\"y\",\"field_type\":{\"type\":\"DATE\"},\"field_id\":10}]},"
                      "\"comment\":\"new\",\"id\":8},"
                      "{\"name\":\"d\",\"data_type\":{\"type\":\"DATE\"},\"id\":11}],"
                      "\"highest_field_id\":11}");
    schema_map(old, next, positions);
    assert_int_equal(positions[0], 0);
    assert_int_equal(positions[1], -1);
    assert_int_equal(positions[2], -1);
    schema_map(next, old, positions);
    assert_int_equal(positions[0], 0);
}

static void refuses_columns_that_cannot_be_added(void **state)
{
    static const struct type date = {.root = TYPE_DATE, .nullable = true};
    static const struct type filled = {.root = TYPE_DATE};
    static const struct schema_column same = {.name = "a", .type = &date};
    static const struct schema_column required = {.name = "b", .type = &filled};
    static const struct schema_column twice[] = {{.name = "b", .type = &date},
                                                 {.name = "b", .type = &date}};
    OWNED(schema_unrefp) struct schema *old = parsed("{\"columns\":[" COLUMN("a", "DATE") "]}");
    struct schema *next = NULL;

    (void)state;
    assert_int_equal(schema_add_columns(old, &same, 1, &next, NULL), ERR_INVALID_ALTER_TABLE);
    assert_int_equal(schema_add_columns(old, &required, 1, &next, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(schema_add_columns(old, twice, 2, &next, NULL), ERR_INVALID_ALTER_TABLE);
    assert_null(next);
}

static void references_keep_it_alive(void **state)
{
    struct schema *schema = parsed("{\"columns\":[]}");
    struct schema *other = schema_ref(schema);

    (void)state;
    assert_null(schema_unref(schema));
    assert_int_equal(other->count, 0);
    assert_int_equal(schema_find(other, "a"), -1);
    assert_null(schema_unref(other));
    assert_null(schema_unref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(finds_columns),
        cmocka_unit_test(gives_ids_where_there_are_none),
        cmocka_unit_test(refuses_broken_rules),
        cmocka_unit_test(refuses_broken_ids),
        cmocka_unit_test(adds_columns_at_the_end),
        cmocka_unit_test(refuses_columns_that_cannot_be_added),
        cmocka_unit_test(references_keep_it_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
