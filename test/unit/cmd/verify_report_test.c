#include <stdlib.h>

#include "../../support/unit.h"
#include "cmd/verify_report.h"

static const struct verify_finding damage = {
    .kind = VERIFY_RECORDS, .path = "a/b.log", .position = 77, .what = "no batch"};
static const struct verify_finding rebuilt = {
    .kind = VERIFY_INDEX, .path = "a/b.index", .position = 8, .repaired = true, .what = "wrong"};
static const struct verify_finding notice = {
    .kind = VERIFY_NOTICE, .path = "a/c", .position = -1, .what = "kept"};

static char *printed(const struct verify_report *r, bool json)
{
    struct verify_effort effort = {.duration_us = 2000000, .cpu_us = 1000000, .threads = 3};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (json) {
        verify_report_print_json(r, &effort, out);
    } else {
        verify_report_print(r, &effort, out);
    }
    (void)fclose(out);
    return text;
}

static void notices_and_repaired_indexes_are_no_damage(void **state)
{
    OWNED(verify_report_fini) struct verify_report r = {.count = 0};

    (void)state;
    assert_false(verify_report_damaged(&r));
    verify_report_add(&r, &notice);
    assert_false(verify_report_damaged(&r));
    verify_report_add(&r, &rebuilt);
    assert_false(verify_report_damaged(&r));
    verify_report_add(&r, &damage);
    assert_true(verify_report_damaged(&r));
}

static void each_finding_is_a_line(void **state)
{
    OWNED(verify_report_fini) struct verify_report r = {.bytes = 4000000000u, .batches = 5};
    OWNED(mem_freep) char *text = NULL;

    (void)state;
    verify_report_add(&r, &damage);
    verify_report_add(&r, &rebuilt);
    verify_report_add(&r, &notice);
    text = printed(&r, false);
    assert_non_null(strstr(text, "records     a/b.log:77: no batch\n"));
    assert_non_null(strstr(text, "index       a/b.index:8: wrong (rebuilt)\n"));
    assert_non_null(strstr(text, "notice      a/c: kept\n"));
    assert_non_null(strstr(text, "2.00 GB/s, 4.00 GB per second of processor time"));
    assert_non_null(strstr(text, "batches     5\n"));
}

static void json_says_the_same(void **state)
{
    OWNED(verify_report_fini) struct verify_report r = {.records = 9};
    OWNED(mem_freep) char *text = NULL;

    (void)state;
    verify_report_add(&r, &damage);
    verify_report_add(&r, &notice);
    text = printed(&r, true);
    assert_non_null(strstr(text, "\"damaged\":true"));
    assert_non_null(strstr(text, "{\"kind\":\"records\",\"path\":\"a/b.log\",\"position\":77,"
                                 "\"repaired\":false,\"what\":\"no batch\"}"));
    assert_non_null(strstr(text, "\"records\":9"));
}

static void reports_are_added_up(void **state)
{
    OWNED(verify_report_fini) struct verify_report sum = {.count = 0};

    (void)state;
    for (int i = 0; i < 40; i++) {
        OWNED(verify_report_fini) struct verify_report one = {.buckets = 1, .lost_offsets = 2};

        verify_report_add(&one, &damage);
        verify_report_add(&one, &rebuilt);
        verify_report_merge(&sum, &one);
    }
    assert_int_equal(sum.count, 80);
    assert_int_equal(sum.by_kind[VERIFY_RECORDS], 40);
    assert_int_equal(sum.repaired, 40);
    assert_int_equal(sum.buckets, 40);
    assert_int_equal(sum.lost_offsets, 80);
    assert_string_equal(sum.findings[79].path, "a/b.index");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notices_and_repaired_indexes_are_no_damage),
        cmocka_unit_test(each_finding_is_a_line),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(reports_are_added_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
