#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/table_descriptor.h"

static struct table_descriptor *parsed(const char *text)
{
    struct table_descriptor *table = NULL;
    struct error e = {0};

    if (table_descriptor_parse(bytes_str(text), &table, &e) != ERR_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    return table;
}

static void agrees_with_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("table_descriptors.json");
    size_t seen = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        const json_t *json = json_object_get(one, "table_descriptor_json");
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct json_writer w;

        if (json != NULL) {
            OWNED(mem_freep) char *text = json_dumps(json, JSON_COMPACT);
            OWNED(table_descriptor_unrefp) struct table_descriptor *table = parsed(text);

            json_writer_init(&w, &arena);
            table_descriptor_write_json(&w, table);
            vectors_assert_equal("table", json_writer_text(&w), bytes_str(text));
            seen++;
        }
    }
    assert_int_equal(seen, 3);
}

static void databases_agree_with_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("table_descriptors.json");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct database_descriptor database;
    struct json_writer w;
    size_t seen = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        const json_t *json = json_object_get(one, "database_descriptor_json");

        if (json != NULL) {
            OWNED(mem_freep) char *text = json_dumps(json, JSON_COMPACT);

            assert_int_equal(database_descriptor_parse(bytes_str(text), &arena, &database, NULL),
                             ERR_OK);
            json_writer_init(&w, &arena);
            database_descriptor_write_json(&w, &database);
            vectors_assert_equal("database", json_writer_text(&w), bytes_str(text));
            seen++;
        }
    }
    assert_int_equal(seen, 1);
    assert_int_equal(database_descriptor_parse(bytes_str("{}"), &arena, &database, NULL),
                     ERR_INVALID_DATABASE);
}

#define COLUMN(name)        "{\"name\":\"" name "\",\"data_type\":{\"type\":\"STRING\"}}"
#define COLUMNS             "\"columns\":[" COLUMN("a") "," COLUMN("b") "," COLUMN("c") "]"
#define LOG_SCHEMA          "\"schema\":{" COLUMNS "}"
#define KEY_SCHEMA          "\"schema\":{" COLUMNS ",\"primary_key\":[\"a\",\"b\"]}"
#define NO_PROPERTIES       "\"properties\":{},\"custom_properties\":{}"
#define TABLE(schema, keys) "{" schema "," keys "," NO_PROPERTIES "}"

static void bucket_keys_default_to_the_primary_key(void **state)
{
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *plain = parsed(TABLE(KEY_SCHEMA, "\"partition_key\":[]"));
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *partitioned =
        parsed(TABLE(KEY_SCHEMA, "\"partition_key\":[\"a\"],\"bucket_key\":[],\"bucket_count\":2"));
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *free_log = parsed(TABLE(LOG_SCHEMA, "\"partition_key\":[]"));
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *counted =
        parsed(TABLE(LOG_SCHEMA, "\"partition_key\":[],\"bucket_count\":0"));

    (void)state;
    assert_int_equal(plain->def.bucket_keys.count, 2);
    assert_true(plain->def.distributed);
    assert_false(plain->def.has_bucket_count);
    assert_true(table_has_primary_key(plain));
    assert_int_equal(partitioned->def.bucket_keys.count, 1);
    assert_string_equal(partitioned->def.bucket_keys.items[0], "b");
    assert_true(table_is_partitioned(partitioned));
    assert_false(free_log->def.distributed);
    assert_true(counted->def.distributed && counted->def.has_bucket_count);
    assert_int_equal(counted->def.bucket_count, 0);
}

static void assert_refused(const char *text, const char *message)
{
    struct table_descriptor *table = NULL;
    struct error e = {0};

    assert_int_equal(table_descriptor_parse(bytes_str(text), &table, &e), ERR_INVALID_TABLE);
    assert_null(table);
    assert_string_equal(e.message, message);
}

static void refuses_broken_rules(void **state)
{
    (void)state;
    assert_refused("[]", "table descriptor: expected an object, found an array");
    assert_refused("{" LOG_SCHEMA "}", "table descriptor: \"partition_key\" is missing");
    assert_refused("{" LOG_SCHEMA ",\"partition_key\":[],\"properties\":{}}",
                   "table descriptor: \"custom_properties\" is missing");
    assert_refused("{\"schema\":{\"columns\":[{\"name\":7}]}}",
                   "table descriptor: schema.columns[0].name: expected a string, found an integer");
    assert_refused(TABLE(LOG_SCHEMA, "\"partition_key\":[\"x\"]"),
                   "partition key 'x' is not a column of the table");
    assert_refused(TABLE(LOG_SCHEMA, "\"partition_key\":[\"a\",\"a\"]"),
                   "partition key 'a' is named twice");
    assert_refused(TABLE(LOG_SCHEMA, "\"partition_key\":[],\"bucket_key\":[\"x\"]"),
                   "bucket key 'x' is not a column of the table");
    assert_refused(TABLE(LOG_SCHEMA, "\"partition_key\":[\"a\"],\"bucket_key\":[\"a\"]"),
                   "bucket key 'a' is a partition key");
    assert_refused(TABLE(KEY_SCHEMA, "\"partition_key\":[\"c\"]"),
                   "partition key 'c' is not part of the primary key");
    assert_refused(TABLE(KEY_SCHEMA, "\"partition_key\":[],\"bucket_key\":[\"c\"]"),
                   "bucket key 'c' is not part of the primary key");
    assert_refused(TABLE(KEY_SCHEMA, "\"partition_key\":[\"a\",\"b\"]"),
                   "the primary key consists of the partition keys only");
}

static void references_keep_it_alive(void **state)
{
    struct table_descriptor *table = parsed(TABLE(LOG_SCHEMA, "\"partition_key\":[]"));
    struct table_descriptor *other = table_descriptor_ref(table);

    (void)state;
    assert_null(table_descriptor_unref(table));
    assert_int_equal(other->def.schema->count, 3);
    assert_null(table_descriptor_unref(other));
    assert_null(table_descriptor_unref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(databases_agree_with_the_reference),
        cmocka_unit_test(bucket_keys_default_to_the_primary_key),
        cmocka_unit_test(refuses_broken_rules),
        cmocka_unit_test(references_keep_it_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
