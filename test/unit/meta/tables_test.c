/* CREATE TABLE and DROP TABLE. The rules for descriptors have their own test; here it is that each
 * error comes out, in the stated order, and that nothing is stored then. */
#include "world.h"

static void stores_what_clients_read(void **state)
{
    struct world *w = *state;
    const struct meta_table *t;
    const char *json = TABLE_JSON("", "", "\"bucket_key\":[],\"bucket_count\":2,",
                                  "\"table.replication.factor\":\"1\"");

    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(w->published, 1);
    for (int round = 0; round < 2; round++) {
        t = table_of(w, "t");
        assert_int_equal(t->id, 0);
        assert_int_equal(t->buckets.count, 2);
        assert_int_equal(t->schema_count, 1);
        assert_int_equal(t->created_ms, NOW_MS);
        assert_int_equal(t->modified_ms, NOW_MS);
        assert_false(meta_table_partitioned(t));
        assert_int_equal(t->options->log_ttl_ms, INT64_C(7) * 24 * 3600 * 1000);
        assert_int_equal(t->json.len, strlen(json));
        assert_memory_equal(t->json.data, json, t->json.len);
        assert_non_null(meta_table_schema(t, 1));
        assert_null(meta_table_schema(t, 2));
        world_restart(w);
    }
}

static void fills_in_defaults(void **state)
{
    struct world *w = *state;

    w->options.default_bucket_count = 3;
    w->options.remote_data_dir = "file:///remote";
    world_restart(w);
    assert_int_equal(create_table(w, "fluss", "t", TABLE_JSON("", "", "", ""), false), ERR_OK);
    w->options.remote_data_dir = NULL;
    world_restart(w);
    assert_int_equal(table_of(w, "t")->buckets.count, 3);
    assert_int_equal(table_of(w, "t")->options->replication_factor, 1);
    assert_string_equal(table_of(w, "t")->remote_data_dir, "file:///remote");
}

static void ids_are_never_used_again(void **state)
{
    struct world *w = *state;

    for (int64_t id = 0; id < 4; id++) {
        assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
        assert_int_equal(table_of(w, "t")->id, id);
        assert_int_equal(drop_table(w, "fluss", "t", false), ERR_OK);
        assert_null(table_of(w, "t"));
        assert_null(meta_view_table_by_id(meta_current(w->meta), id));
        if (id == 1) {
            world_restart(w);
        }
    }
}

#define PK      ",\"primary_key\":[\"n\"]"
#define ONE(p)  TABLE_JSON("", "", "\"bucket_count\":1,", p)
#define KEYED   TABLE_JSON(PK, "", "\"bucket_count\":1,", "")
#define PART(p) TABLE_JSON("", "\"day\"", "\"bucket_count\":1,", p)

static void every_error_has_its_code(void **state)
{
    static const struct {
        enum errcode code;
        const char *database;
        const char *table;
        const char *json;
    } cases[] = {
        {ERR_INVALID_DATABASE, "no good", "t", PLAIN_TABLE},
        {ERR_INVALID_TABLE, "fluss", "no good", PLAIN_TABLE},
        {ERR_INVALID_TABLE, "fluss", "__t", PLAIN_TABLE},
        {ERR_INVALID_TABLE, "fluss", "t", "{}"},
        {ERR_INVALID_TABLE, "fluss", "t", ""},
        {ERR_INVALID_TABLE, "fluss", "t", TABLE_JSON(PK, "\"n\"", "\"bucket_count\":1,", "")},
        {ERR_INVALID_CONFIG, "fluss", "t",
         TABLE_JSON(PK, "", "\"bucket_count\":1,", "\"table.log.format\":\"INDEXED\"")},
        {ERR_INVALID_TABLE, "fluss", "t", ONE("\"table.datalake.enabled\":\"true\"")},
        {ERR_INVALID_TABLE, "fluss", "t", TABLE_JSON("", "\"x\"", "", "")},
        {ERR_INVALID_TABLE, "fluss", "t", TABLE_JSON("", "", "\"bucket_key\":[\"x\"],", "")},
        {ERR_INVALID_CONFIG, "fluss", "t", ONE("\"table.nonsense\":\"1\"")},
        {ERR_INVALID_CONFIG, "fluss", "t", ONE("\"table.log.ttl\":\"soon\"")},
        {ERR_INVALID_CONFIG, "fluss", "t", ONE("\"table.replication.factor\":\"0\"")},
        {ERR_INVALID_CONFIG, "fluss", "t", ONE("\"table.auto-partition.enabled\":\"true\"")},
        {ERR_INVALID_CONFIG, "fluss", "t",
         PART("\"table.auto-partition.time-zone\":\"Middle/Earth\"")},
        {ERR_BUCKET_MAX_NUM, "fluss", "t", TABLE_JSON("", "", "\"bucket_count\":17,", "")},
        {ERR_INVALID_ARGUMENT, "fluss", "t", TABLE_JSON("", "", "\"bucket_count\":0,", "")},
        {ERR_INVALID_REPLICATION_FACTOR, "fluss", "t", ONE("\"table.replication.factor\":\"2\"")},
        {ERR_DATABASE_NOT_EXIST, "none", "t", PLAIN_TABLE},
        {ERR_TABLE_ALREADY_EXIST, "fluss", "there", PLAIN_TABLE},
        /* order: the descriptor before what exists, existence of the table before the database */
        {ERR_INVALID_CONFIG, "none", "t", ONE("\"table.log.ttl\":\"soon\"")},
        {ERR_INVALID_CONFIG, "fluss", "there", ONE("\"table.log.ttl\":\"soon\"")},
    };
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "there", PLAIN_TABLE, false), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum errcode code =
            create_table(w, cases[i].database, cases[i].table, cases[i].json, false);

        if (code != cases[i].code) {
            fail_msg("case %zu: %s, %s", i, error_name(code), w->error.message);
        }
        assert_true(w->error.message[0] != '\0');
    }
    assert_int_equal(create_table(w, "fluss", "there", ONE(""), true), ERR_OK);
    assert_int_equal(w->published, 1);
    assert_int_equal(create_table(w, "fluss", "next", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(table_of(w, "next")->id, 1); /* failures took no id */
}

static void creation_can_be_switched_off(void **state)
{
    struct world *w = *state;

    w->options.allow_log_tables = false;
    world_restart(w);
    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_INVALID_TABLE);
    assert_int_equal(create_table(w, "fluss", "k", KEYED, false), ERR_OK);
    w->options.allow_log_tables = true;
    w->options.allow_kv_tables = false;
    world_restart(w);
    assert_int_equal(create_table(w, "fluss", "l", KEYED, false), ERR_INVALID_TABLE);
    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    assert_non_null(table_of(w, "k")); /* what exists stays */
}

static const char *property(struct world *w, const char *table, const char *key)
{
    return text_map_get(table_of(w, table)->descriptor->def.properties, key);
}

static void a_primary_key_table_gets_what_it_did_not_say(void **state)
{
    struct world *w = *state;
    const struct table_def *def;

    assert_int_equal(create_table(w, "fluss", "k", KEYED, false), ERR_OK);
    world_restart(w);
    def = &table_of(w, "k")->descriptor->def;
    assert_int_equal(def->bucket_keys.count, 1);
    assert_string_equal(def->bucket_keys.items[0], "n");
    assert_string_equal(property(w, "k", "table.kv.format-version"), "2");
    assert_string_equal(property(w, "k", "table.kv.standby-replica.enabled"), "true");
    assert_null(property(w, "k", "table.delete.behavior"));
    assert_int_equal(create_table(w, "fluss", "f",
                                  TABLE_JSON(PK, "", "\"bucket_count\":1,",
                                             "\"table.merge-engine\":\"first_row\""),
                                  false),
                     ERR_OK);
    assert_string_equal(property(w, "f", "table.delete.behavior"), "IGNORE");
}

/* Dropping such a table would have removed the catalog. */
static void no_table_lies_where_the_catalog_is(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_database(w, "meta", "", false), ERR_OK);
    assert_int_equal(create_table(w, "meta", "snapshot", PLAIN_TABLE, false), ERR_INVALID_TABLE);
    assert_int_equal(create_table(w, "meta", "journal", PLAIN_TABLE, false), ERR_INVALID_TABLE);
    assert_int_equal(create_table(w, "meta", "snapshots", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "fluss", "snapshot", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(drop_table(w, "meta", "snapshots", false), ERR_OK);
}

static void dropping_a_missing_table(void **state)
{
    struct world *w = *state;

    assert_int_equal(drop_table(w, "fluss", "t", false), ERR_TABLE_NOT_EXIST);
    assert_int_equal(drop_table(w, "none", "t", false), ERR_TABLE_NOT_EXIST);
    assert_int_equal(drop_table(w, "fluss", "t", true), ERR_OK);
    assert_int_equal(w->published, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(stores_what_clients_read),
        WORLD_TEST(fills_in_defaults),
        WORLD_TEST(ids_are_never_used_again),
        WORLD_TEST(every_error_has_its_code),
        WORLD_TEST(creation_can_be_switched_off),
        WORLD_TEST(dropping_a_missing_table),
        WORLD_TEST(a_primary_key_table_gets_what_it_did_not_say),
        WORLD_TEST(no_table_lies_where_the_catalog_is),
    };

    return RUN_TESTS(tests);
}
