#include "../../support/unit.h"
#include "meta/znode.h"

static void assert_text(struct bytes got, const char *expected)
{
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.data, expected, got.len);
}

static void paths_are_those_of_the_reference(void **state)
{
    struct arena arena = ARENA_INIT;

    (void)state;
    assert_string_equal(znode_snapshots_path(&arena, 3, -1, 2),
                        "/tabletservers/tables/3/buckets/2/snapshots");
    assert_string_equal(znode_snapshots_path(&arena, 3, 9, 2),
                        "/tabletservers/partitions/9/buckets/2/snapshots");
    assert_string_equal(znode_snapshot_counter_path(&arena, 3, -1, 0),
                        "/tabletservers/tables/3/buckets/0/snapshot_seqid");
    assert_string_equal(znode_auto_increment_path(&arena, "d", "t", 4),
                        "/metadata/databases/d/tables/t/auto_inc/col_4");
    assert_string_equal(znode_lease_path(&arena, "x"), "/leases/kv_snapshot/x");
    arena_fini(&arena);
}

static void snapshots(void **state)
{
    static const char *const text = "{\"version\":1,\"snapshot_id\":7,\"log_offset\":1200,"
                                    "\"metadata_path\":\"s3://b/snap-7/_METADATA\"}";
    struct arena arena = ARENA_INIT;
    struct znode_snapshot s;
    struct error e;

    (void)state;
    assert_int_equal(znode_snapshot_decode(bytes_str(text), "n", &arena, &s, &e), ERR_OK);
    assert_int_equal(s.id, 7);
    assert_int_equal(s.log_offset, 1200);
    assert_text(znode_snapshot_encode(&s, &arena), text);
    assert_int_equal(znode_snapshot_decode(bytes_str("{\"version\":1}"), "n", &arena, &s, &e),
                     ERR_CORRUPT_FILE);
    arena_fini(&arena);
}

static void leases(void **state)
{
    static const char *const text = "{\"version\":1,\"expiration_time\":5,\"tables\":["
                                    "{\"table_id\":1,\"bucket_snapshots\":[7,-1,8]},"
                                    "{\"table_id\":2,\"partition_snapshots\":["
                                    "{\"partition_id\":3,\"bucket_snapshots\":[-1,4]},"
                                    "{\"partition_id\":5,\"bucket_snapshots\":[0]}]},"
                                    "{\"table_id\":6,\"bucket_snapshots\":[1]}]}";
    static const struct znode_leased items[] = {
        {1, -1, 0, 7}, {1, -1, 2, 8}, {2, 3, 1, 4}, {2, 5, 0, 0}, {6, -1, 0, 1}};
    struct arena arena = ARENA_INIT;
    struct znode_lease l;
    struct error e;

    (void)state;
    assert_int_equal(znode_lease_decode(bytes_str(text), "n", &arena, &l, &e), ERR_OK);
    assert_int_equal(l.expires_ms, 5);
    assert_int_equal(l.count, ARRAY_LEN(items));
    for (size_t i = 0; i < l.count; i++) {
        assert_int_equal(l.items[i].table_id, items[i].table_id);
        assert_int_equal(l.items[i].partition_id, items[i].partition_id);
        assert_int_equal(l.items[i].bucket, items[i].bucket);
        assert_int_equal(l.items[i].snapshot_id, items[i].snapshot_id);
    }
    assert_text(znode_lease_encode(&l, &arena), text);
    arena_fini(&arena);
}

static void leases_that_are_none(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"version\":1,\"expiration_time\":5}",
        "{\"version\":1,\"tables\":[]}",
        "{\"version\":1,\"expiration_time\":5,\"tables\":[1]}",
        "{\"version\":1,\"expiration_time\":5,\"tables\":[{\"table_id\":1}]}",
        "{\"version\":1,\"expiration_time\":5,\"tables\":[{\"bucket_snapshots\":[1]}]}",
        "{\"version\":1,\"expiration_time\":5,\"tables\":"
        "[{\"table_id\":1,\"bucket_snapshots\":[\"a\"]}]}",
        "{\"version\":1,\"expiration_time\":5,\"tables\":"
        "[{\"table_id\":1,\"partition_snapshots\":[{\"bucket_snapshots\":[1]}]}]}",
    };
    struct arena arena = ARENA_INIT;
    struct znode_lease l;
    struct error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(znode_lease_decode(bytes_str(texts[i]), "n", &arena, &l, &e),
                         ERR_CORRUPT_FILE);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_those_of_the_reference),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(leases),
        cmocka_unit_test(leases_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
