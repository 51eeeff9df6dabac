#include "running.h"

#include "cmd/verify_server.h"

static struct place place_of(const char *text)
{
    struct place place;

    assert_int_equal(place_parse(text, "--server", &place, NULL), ERR_OK);
    return place;
}

static enum errcode check(struct running *r, struct verify_report *report)
{
    struct place place =
        place_of(arena_printf(&r->arena, "127.0.0.1:%u", r->server->listeners[0].port));

    return verify_server(&place, CALL_US, report, &r->error);
}

static void create_partitioned(struct running *r)
{
    struct msg_create_table_request request = {.table_path = table_path(PARTITIONED),
                                               .table_json = bytes_str(PARTITIONED_JSON)};
    struct msg_create_table_response response;
    struct msg_pb_key_value day = {.key = bytes_str("day"), .value = bytes_str("monday")};
    struct msg_create_partition_request partition = {
        .table_path = table_path(PARTITIONED),
        .partition_spec = {.partition_key_values = &day, .partition_key_values_count = 1}};
    struct msg_create_partition_response created;

    call_ok(r, API_CREATE_TABLE, &request, &response);
    call_ok(r, API_CREATE_PARTITION, &partition, &created);
}

static void everything_a_server_has_is_read(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    int64_t id;

    running_start(r);
    create_table(r, TABLE);
    create_partitioned(r);
    id = find_table(r, TABLE).table_id;
    for (int i = 0; i < 20; i++) {
        (void)append(r, id, i % BUCKETS);
    }
    if (check(r, &report) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
    assert_int_equal(report.count, 0);
    assert_int_equal(report.tables, 2);
    assert_int_equal(report.buckets, BUCKETS + 1);
    assert_int_equal(report.batches, 20);
    assert_int_equal(report.records, 20 * ROWS);
}

static void lost_records_are_found(void **state)
{
    struct running *r = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    int64_t id;

    running_start(r);
    create_table(r, TABLE);
    id = find_table(r, TABLE).table_id;
    for (int i = 0; i < 5; i++) {
        (void)append(r, id, 0);
    }
    assert_true(running_stop(r));
    {
        OWNED(file_unrefp) struct file *f = NULL;

        assert_int_equal(file_open(PATH_OF(r, "fluss/" TABLE "-%lld/log-0/00000000000000000000.log",
                                           (long long)id),
                                   FILE_WRITE, &f, NULL),
                         ERR_OK);
        assert_int_equal(file_write_at(f, 70, bytes_str("???"), NULL), ERR_OK);
    }
    running_start(r);
    assert_int_equal(check(r, &report), ERR_OK);
    assert_int_equal(report.count, 1);
    assert_int_equal(report.findings[0].kind, VERIFY_RECORDS);
    assert_int_equal(report.lost_offsets, ROWS);
    assert_int_equal(report.batches, 4);
}

static void a_server_that_is_not_there_is_an_error(void **state)
{
    struct place place = place_of("127.0.0.1:1");
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};

    (void)state;
    assert_int_equal(verify_server(&place, CALL_US, &report, NULL), ERR_NETWORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(everything_a_server_has_is_read),
        RUNNING_TEST(lost_records_are_found),
        RUNNING_TEST(a_server_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
