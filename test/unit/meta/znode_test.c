#include "../../support/unit.h"
#include "meta/znode.h"

#define DECODES(kind, text, ret)                                                                   \
    assert_int_equal(znode_##kind##_decode(bytes_str(text), "node", &arena, ret, &e), ERR_OK)
#define REFUSES(kind, text, ret)                                                                   \
    assert_int_equal(znode_##kind##_decode(bytes_str(text), "node", &arena, ret, &e),              \
                     ERR_CORRUPT_FILE)

static void assert_text(struct bytes got, const char *expected)
{
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.data, expected, got.len);
}

/* The document is written again as it was read. */
static void table_registrations(void **state)
{
    static const char *const full =
        "{\"version\":1,\"table_id\":9,\"comment\":\"c\",\"partition_key\":[\"p\"],"
        "\"bucket_key\":[\"a\"],\"bucket_count\":3,"
        "\"properties\":{\"table.replication.factor\":\"1\"},"
        "\"custom_properties\":{\"x\":\"y\"},\"remote_data_dir\":\"s3://b\","
        "\"created_time\":1700000000000,\"modified_time\":1700000000001}";
    static const char *const least = "{\"version\":1,\"table_id\":9,\"bucket_count\":3,"
                                     "\"properties\":{},\"custom_properties\":{},"
                                     "\"created_time\":1,\"modified_time\":2}";
    struct arena arena = ARENA_INIT;
    struct znode_table t;
    struct error e;

    (void)state;
    DECODES(table, full, &t);
    assert_int_equal(t.table_id, 9);
    assert_string_equal(t.bucket_keys.items[0], "a");
    assert_text(znode_table_encode(&t, &arena), full);
    DECODES(table, least, &t);
    assert_null(t.comment);
    assert_text(znode_table_encode(&t, &arena), least);
    REFUSES(table, "{\"version\":1,\"bucket_count\":3}", &t);
    REFUSES(table, "", &t);
    arena_fini(&arena);
}

static void database_and_partition_registrations(void **state)
{
    static const char *const database =
        "{\"version\":1,\"comment\":\"c\",\"custom_properties\":{\"k\":\"v\"},"
        "\"created_time\":1,\"modified_time\":2}";
    static const char *const partition =
        "{\"version\":1,\"table_id\":12,\"partition_id\":3,\"remote_data_dir\":\"s3://b/fluss\"}";
    struct arena arena = ARENA_INIT;
    struct znode_database d;
    struct znode_partition p;
    struct error e;

    (void)state;
    DECODES(database, database, &d);
    assert_text(znode_database_encode(&d, &arena), database);
    REFUSES(database, "[]", &d);
    DECODES(partition, partition, &p);
    assert_text(znode_partition_encode(&p, &arena), partition);
    REFUSES(partition, "{\"table_id\":12}", &p);
    arena_fini(&arena);
}

static void assignments(void **state)
{
    struct arena arena = ARENA_INIT;
    struct znode_assignment a;
    struct error e;

    (void)state;
    DECODES(assignment, "{\"version\":1,\"buckets\":{\"1\":[7],\"0\":[7]}}", &a);
    assert_int_equal(a.bucket_count, 2);
    assert_int_equal(a.server_id, 7);
    assert_int_equal(a.table_id, -1);
    assert_null(a.dropped_database);
    assert_text(znode_assignment_encode(&a, &arena),
                "{\"version\":1,\"buckets\":{\"0\":[7],\"1\":[7]}}");
    a.table_id = 12;
    a.bucket_count = 0;
    a.dropped_database = "d";
    a.dropped_table = "t";
    a.dropped_partition = "p";
    assert_int_equal(
        znode_assignment_decode(znode_assignment_encode(&a, &arena), "node", &arena, &a, &e),
        ERR_OK);
    assert_int_equal(a.table_id, 12);
    assert_string_equal(a.dropped_partition, "p");
    REFUSES(assignment, "{\"buckets\":{\"0\":[7],\"2\":[7]}}", &a);
    REFUSES(assignment, "{\"buckets\":{\"00\":[7]}}", &a);
    REFUSES(assignment, "{\"buckets\":{\"x\":[7]}}", &a);
    REFUSES(assignment, "{\"buckets\":{\"\":[7]}}", &a);
    REFUSES(assignment, "{\"buckets\":{\"0\":7}}", &a);
    REFUSES(assignment, "{}", &a);
    arena_fini(&arena);
}

static void leaders(void **state)
{
    static const char *const text =
        "{\"version\":2,\"leader\":1,\"leader_epoch\":4,\"isr\":[1],\"coordinator_epoch\":3,"
        "\"bucket_epoch\":9,\"standby_replicas\":[]}";
    struct arena arena = ARENA_INIT;
    struct znode_leader l;
    struct error e;

    (void)state;
    DECODES(leader, text, &l);
    assert_int_equal(l.leader_epoch, 4);
    assert_int_equal(l.bucket_epoch, 9);
    assert_text(znode_leader_encode(&l, &arena), text);
    DECODES(leader,
            "{\"version\":1,\"leader\":1,\"leader_epoch\":4,\"isr\":[1,2,3],"
            "\"coordinator_epoch\":7,\"bucket_epoch\":9}",
            &l);
    REFUSES(leader, "{\"version\":1,\"leader\":1}", &l);
    arena_fini(&arena);
}

static void counters(void **state)
{
    struct arena arena = ARENA_INIT;
    struct bytes b = znode_counter_encode(0x0102, &arena);
    int64_t value = 0;

    (void)state;
    assert_memory_equal(b.data, "\0\0\0\0\0\0\1\2", 8);
    assert_int_equal(znode_counter_decode(b, "n", &value, NULL), ERR_OK);
    assert_int_equal(value, 0x0102);
    assert_int_equal(znode_counter_decode(bytes_str("12"), "n", &value, NULL), ERR_CORRUPT_FILE);
    assert_int_equal(znode_counter_decode(bytes_of("\xff\0\0\0\0\0\0\0", 8), "n", &value, NULL),
                     ERR_CORRUPT_FILE);
    arena_fini(&arena);
}

static void paths(void **state)
{
    struct arena arena = ARENA_INIT;

    (void)state;
    assert_string_equal(znode_schema_path(&arena, "d", "t", 2),
                        "/metadata/databases/d/tables/t/schemas/2");
    assert_string_equal(znode_partitions_path(&arena, "d", "t"),
                        "/metadata/databases/d/tables/t/partitions");
    assert_string_equal(znode_leader_path(&arena, 5, -1, 3),
                        "/tabletservers/tables/5/buckets/3/leader_isr");
    assert_string_equal(znode_leader_path(&arena, 5, 8, 0),
                        "/tabletservers/partitions/8/buckets/0/leader_isr");
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_registrations),
        cmocka_unit_test(database_and_partition_registrations),
        cmocka_unit_test(assignments),
        cmocka_unit_test(leaders),
        cmocka_unit_test(counters),
        cmocka_unit_test(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
