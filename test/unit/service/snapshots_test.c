#include "../../support/node.h"
#include "../../support/unit.h"
#include "kv/snapshot.h"

/* Columns a INT, b STRING; primary key a, or a and b when partitioned by b. */
#define KEYED(key, partition_key)                                                                  \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":0},"                              \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"},\"id\":1}],"                              \
    "\"primary_key\":[" key "],\"highest_field_id\":1},\"partition_key\":[" partition_key "],"     \
    "\"bucket_count\":2,\"properties\":{},\"custom_properties\":{}}"

struct tables {
    int64_t log;
    int64_t keyed;
    int64_t partitioned;
    int64_t partition;
};

static struct tables make_tables(struct test_node *n)
{
    struct tables t = {
        .log = store_create_table(n->store, "log", STORE_PLAIN),
        .keyed = store_create_table(n->store, "keyed", KEYED("\"a\"", "")),
        .partitioned = store_create_table(n->store, "partitioned", KEYED("\"a\",\"b\"", "\"b\"")),
    };

    t.partition = store_create_partition(n->store, "partitioned", "x");
    return t;
}

struct adding {
    struct meta_add_snapshot add;
    struct meta *meta;
    struct gate *gate;
};

static void added(struct meta_job *job)
{
    gate_pass(container_of(job, struct adding, add.job)->gate);
}

static void add_run(void *context)
{
    struct adding *a = context;

    meta_submit(a->meta, &a->add.job);
}

/* Its log offset is ten times its id. */
static void add(struct test_node *n, struct meta_bucket_id bucket, int64_t id)
{
    struct adding a = {.add = {.job = {.kind = META_ADD_SNAPSHOT, .done = added},
                               .bucket = bucket,
                               .snapshot_id = id,
                               .log_offset = id * 10,
                               .metadata_path = arena_printf(&n->arena, "%s/r/snap-%d/_METADATA",
                                                             n->store->dir, (int)id),
                               .arena = &n->arena},
                       .meta = n->store->meta,
                       .gate = gate_new(1)};

    on_shard(n->store->shards[0], add_run, &a);
    gate_wait(a.gate);
    assert_int_equal(a.add.job.code, ERR_OK);
}

static struct meta_bucket_id bucket(int64_t table_id, int64_t partition_id, int32_t b)
{
    return (struct meta_bucket_id){.table_id = table_id, .partition_id = partition_id, .bucket = b};
}

/* ---- GET_LATEST_KV_SNAPSHOTS ---- */

static void every_bucket_has_an_entry(void **state)
{
    struct test_node *n = *state;
    struct tables t = make_tables(n);
    struct msg_get_latest_kv_snapshots_request m = {.table_path = node_path("keyed")};
    struct msg_get_latest_kv_snapshots_response *r = node_ask(n, API_GET_LATEST_KV_SNAPSHOTS, &m);

    assert_int_equal(r->table_id, t.keyed);
    assert_false(r->has_partition_id);
    assert_int_equal(r->latest_snapshots_count, 2);
    assert_false(r->latest_snapshots[0].has_snapshot_id || r->latest_snapshots[0].has_log_offset);
    add(n, bucket(t.keyed, -1, 1), 3);
    add(n, bucket(t.keyed, -1, 1), 4);
    r = node_ask(n, API_GET_LATEST_KV_SNAPSHOTS, &m);
    assert_int_equal(r->latest_snapshots_count, 2);
    assert_int_equal(r->latest_snapshots[0].bucket_id, 0);
    assert_false(r->latest_snapshots[0].has_snapshot_id || r->latest_snapshots[0].has_log_offset);
    assert_int_equal(r->latest_snapshots[1].bucket_id, 1);
    assert_true(r->latest_snapshots[1].has_snapshot_id && r->latest_snapshots[1].has_log_offset);
    assert_int_equal(r->latest_snapshots[1].snapshot_id, 4);
    assert_int_equal(r->latest_snapshots[1].log_offset, 40);
}

static void partitions_are_asked_for_by_name(void **state)
{
    struct test_node *n = *state;
    struct tables t = make_tables(n);
    struct msg_get_latest_kv_snapshots_request m = {.table_path = node_path("partitioned"),
                                                    .has_partition_name = true,
                                                    .partition_name = bytes_str("x")};
    struct msg_get_latest_kv_snapshots_response *r;

    add(n, bucket(t.partitioned, t.partition, 0), 0);
    r = node_ask(n, API_GET_LATEST_KV_SNAPSHOTS, &m);
    assert_true(r->has_partition_id);
    assert_int_equal(r->partition_id, t.partition);
    assert_true(r->latest_snapshots[0].has_snapshot_id);
    assert_int_equal(r->latest_snapshots[0].snapshot_id, 0);
    m.partition_name = bytes_str("y");
    assert_int_equal(node_refused(n, API_GET_LATEST_KV_SNAPSHOTS, &m), ERR_PARTITION_NOT_EXISTS);
    m.has_partition_name = false;
    assert_int_equal(node_refused(n, API_GET_LATEST_KV_SNAPSHOTS, &m), ERR_PARTITION_NOT_EXISTS);
    m.has_partition_name = true;
    m.table_path = node_path("keyed");
    assert_int_equal(node_refused(n, API_GET_LATEST_KV_SNAPSHOTS, &m), ERR_TABLE_NOT_PARTITIONED);
    m.table_path = node_path("log");
    assert_int_equal(node_refused(n, API_GET_LATEST_KV_SNAPSHOTS, &m), ERR_NON_PRIMARY_KEY_TABLE);
    m.table_path = node_path("none");
    assert_int_equal(node_refused(n, API_GET_LATEST_KV_SNAPSHOTS, &m), ERR_TABLE_NOT_EXIST);
}

/* ---- LIST_KV_SNAPSHOTS ---- */

static void all_snapshots_are_listed(void **state)
{
    struct test_node *n = *state;
    struct tables t = make_tables(n);
    struct msg_list_kv_snapshots_request m = {
        .table_id = t.partitioned, .has_partition_id = true, .partition_id = t.partition};
    struct msg_list_kv_snapshots_response *r;

    add(n, bucket(t.partitioned, t.partition, 1), 5);
    r = node_ask(n, API_LIST_KV_SNAPSHOTS, &m);
    assert_int_equal(r->active_snapshots_count, 1);
    assert_int_equal(r->active_snapshots[0].bucket_id, 1);
    assert_int_equal(r->active_snapshots[0].snapshot_id, 5);
    assert_false(r->active_snapshots[0].has_log_offset);
    assert_true(r->has_partition_id && r->partition_id == t.partition);
    m.table_id = t.keyed;
    assert_int_equal(node_refused(n, API_LIST_KV_SNAPSHOTS, &m), ERR_PARTITION_NOT_EXISTS);
    m.table_id = t.partitioned;
    m.partition_id = 99;
    assert_int_equal(node_refused(n, API_LIST_KV_SNAPSHOTS, &m), ERR_PARTITION_NOT_EXISTS);
    m.has_partition_id = false;
    r = node_ask(n, API_LIST_KV_SNAPSHOTS, &m);
    assert_int_equal(r->active_snapshots_count, 0);
    m.table_id = t.log;
    r = node_ask(n, API_LIST_KV_SNAPSHOTS, &m);
    assert_int_equal(r->active_snapshots_count, 0);
    m.table_id = 99;
    assert_int_equal(node_refused(n, API_LIST_KV_SNAPSHOTS, &m), ERR_TABLE_NOT_EXIST);
}

/* ---- GET_KV_SNAPSHOT_METADATA ---- */

static void write_document(struct test_node *n, int64_t id)
{
    struct kv_snapshot_file own = {.path = "file:///r/u", .name = "CURRENT", .size = 6};
    struct kv_snapshot s = {.partition_id = -1,
                            .id = id,
                            .location = "file:///r",
                            .own = {.items = &own, .count = 1},
                            .checkpoint.state.offset = id * 10};
    char *dir = arena_printf(&n->arena, "%s/r/snap-%d", n->store->dir, (int)id);
    struct json_writer w;

    json_writer_init(&w, &n->arena);
    kv_snapshot_format(&s, &w);
    assert_int_equal(dir_create(dir, NULL), ERR_OK);
    assert_int_equal(
        file_replace(arena_printf(&n->arena, "%s/_METADATA", dir), json_writer_text(&w), NULL),
        ERR_OK);
}

static void files_of_a_snapshot(void **state)
{
    struct test_node *n = *state;
    struct tables t = make_tables(n);
    struct msg_get_kv_snapshot_metadata_request m = {
        .table_id = t.keyed, .bucket_id = 1, .snapshot_id = 2};
    struct msg_get_kv_snapshot_metadata_response *r;

    write_document(n, 2);
    assert_int_equal(node_refused(n, API_GET_KV_SNAPSHOT_METADATA, &m),
                     ERR_KV_SNAPSHOT_NOT_EXIST); /* the catalog does not know it */
    add(n, bucket(t.keyed, -1, 1), 2);
    add(n, bucket(t.keyed, -1, 0), 3);
    r = node_ask(n, API_GET_KV_SNAPSHOT_METADATA, &m);
    assert_int_equal(r->log_offset, 20);
    assert_int_equal(r->snapshot_files_count, 1);
    assert_true(bytes_equal_str(r->snapshot_files[0].remote_path, "file:///r/u"));
    assert_true(bytes_equal_str(r->snapshot_files[0].local_file_name, "CURRENT"));
    m.bucket_id = 0;
    m.snapshot_id = 3; /* without a document */
    assert_int_equal(node_refused(n, API_GET_KV_SNAPSHOT_METADATA, &m), ERR_KV_SNAPSHOT_NOT_EXIST);
    m.bucket_id = -1;
    m.snapshot_id = 2;
    assert_int_equal(node_refused(n, API_GET_KV_SNAPSHOT_METADATA, &m), ERR_KV_SNAPSHOT_NOT_EXIST);
    m.table_id = 99;
    m.bucket_id = 0;
    assert_int_equal(node_refused(n, API_GET_KV_SNAPSHOT_METADATA, &m), ERR_KV_SNAPSHOT_NOT_EXIST);
}

/* ---- leases ---- */

static size_t unavailable(struct test_node *n, const char *id, int64_t table_id, int32_t b,
                          int64_t snapshot_id)
{
    struct msg_pb_kv_snapshot_lease_for_bucket asked[] = {
        {.bucket_id = 0, .snapshot_id = 77}, {.bucket_id = b, .snapshot_id = snapshot_id}};
    struct msg_pb_kv_snapshot_lease_for_table table = {
        .table_id = table_id, .bucket_snapshots = asked, .bucket_snapshots_count = 2};
    struct msg_acquire_kv_snapshot_lease_request m = {.lease_id = bytes_str(id),
                                                      .lease_duration_ms = 3600000,
                                                      .snapshots_to_lease = &table,
                                                      .snapshots_to_lease_count = 1};
    struct msg_acquire_kv_snapshot_lease_response *r =
        node_ask(n, API_ACQUIRE_KV_SNAPSHOT_LEASE, &m);

    assert_int_equal(r->unavailable_snapshots_count, 1);
    assert_int_equal(r->unavailable_snapshots[0].table_id, table_id);
    assert_int_equal(r->unavailable_snapshots[0].bucket_snapshots[0].snapshot_id, 77);
    return r->unavailable_snapshots[0].bucket_snapshots_count;
}

static size_t listed(struct test_node *n, int64_t table_id)
{
    struct msg_list_kv_snapshots_request m = {.table_id = table_id};

    return ((struct msg_list_kv_snapshots_response *)node_ask(n, API_LIST_KV_SNAPSHOTS, &m))
        ->active_snapshots_count;
}

static void a_leased_snapshot_stays(void **state)
{
    struct test_node *n = *state;
    struct tables t = make_tables(n);
    struct msg_pb_table_bucket of[] = {{.table_id = t.keyed, .bucket_id = 1}};
    struct msg_release_kv_snapshot_lease_request release = {
        .lease_id = bytes_str("one"), .buckets_to_release = of, .buckets_to_release_count = 1};
    struct msg_drop_kv_snapshot_lease_request drop = {.lease_id = bytes_str("two")};

    add(n, bucket(t.keyed, -1, 1), 0); /* this store keeps one */
    assert_int_equal(unavailable(n, "one", t.keyed, 1, 0), 1);
    assert_int_equal(unavailable(n, "two", t.keyed, 1, 0), 1);
    assert_int_equal(unavailable(n, "two", t.keyed, 1, 9), 2);
    add(n, bucket(t.keyed, -1, 1), 1);
    assert_int_equal(listed(n, t.keyed), 2);
    (void)node_ask(n, API_RELEASE_KV_SNAPSHOT_LEASE, &release);
    add(n, bucket(t.keyed, -1, 1), 2);
    assert_int_equal(listed(n, t.keyed), 2);
    (void)node_ask(n, API_DROP_KV_SNAPSHOT_LEASE, &drop);
    (void)node_ask(n, API_DROP_KV_SNAPSHOT_LEASE, &drop); /* unknown by now */
    add(n, bucket(t.keyed, -1, 1), 3);
    assert_int_equal(listed(n, t.keyed), 1);
}

static void leases_are_of_primary_key_tables(void **state)
{
    struct test_node *n = *state;
    struct tables t = make_tables(n);
    struct msg_pb_kv_snapshot_lease_for_table table = {.table_id = t.log};
    struct msg_acquire_kv_snapshot_lease_request acquire = {.lease_id = bytes_str("l"),
                                                            .lease_duration_ms = 1,
                                                            .snapshots_to_lease = &table,
                                                            .snapshots_to_lease_count = 1};
    struct msg_pb_table_bucket of = {.table_id = t.log};
    struct msg_release_kv_snapshot_lease_request release = {
        .lease_id = bytes_str("l"), .buckets_to_release = &of, .buckets_to_release_count = 1};
    struct msg_drop_kv_snapshot_lease_request drop = {.lease_id = bytes_str("a/b")};

    assert_int_equal(node_refused(n, API_ACQUIRE_KV_SNAPSHOT_LEASE, &acquire),
                     ERR_NON_PRIMARY_KEY_TABLE);
    assert_int_equal(node_refused(n, API_RELEASE_KV_SNAPSHOT_LEASE, &release),
                     ERR_NON_PRIMARY_KEY_TABLE);
    table.table_id = of.table_id = 99;
    assert_int_equal(node_refused(n, API_ACQUIRE_KV_SNAPSHOT_LEASE, &acquire),
                     ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(node_refused(n, API_RELEASE_KV_SNAPSHOT_LEASE, &release),
                     ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(node_refused(n, API_DROP_KV_SNAPSHOT_LEASE, &drop), ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(every_bucket_has_an_entry), NODE_TEST(partitions_are_asked_for_by_name),
        NODE_TEST(all_snapshots_are_listed),  NODE_TEST(files_of_a_snapshot),
        NODE_TEST(a_leased_snapshot_stays),   NODE_TEST(leases_are_of_primary_key_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
