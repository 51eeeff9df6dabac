#include <stdio.h>

#include "../../support/unit.h"
#include "base/calendar.h"
#include "format/tz.h"

static int64_t instant(int32_t year, int32_t month, int32_t day, int32_t hour)
{
    return calendar_seconds((struct civil){.year = year, .month = month, .day = day, .hour = hour});
}

static void names_of_fixed_offsets(void **state)
{
    static const struct {
        const char *name;
        int32_t seconds;
    } good[] = {
        {"UTC", 0},
        {"GMT", 0},
        {"Z", 0},
        {"UT", 0},
        {"GMT+8", 28800},
        {"+08:00", 28800},
        {"UTC-03:30", -12600},
        {"+0530", 19800},
        {"-00:00:01", -1},
        {"+18:00", 64800},
        {"UT+1", 3600},
    };
    static const char *const bad[] = {
        "", "z", "UTC+", "+", "+18:00:01", "+1:", "GMT+8x", "Europe/Paris", "+08:60", "CET", "+-8"};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct tz *tz = tz_fixed(good[i].name, &arena);

        assert_non_null(tz);
        assert_int_equal(tz_offset_at(tz, 1700000000), good[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_null(tz_fixed(bad[i], &arena));
    }
}

static void names_of_files_stay_in_their_folder(void **state)
{
    (void)state;
    assert_true(tz_name_is_file("Europe/Paris"));
    assert_true(tz_name_is_file("America/Argentina/Buenos_Aires"));
    assert_true(tz_name_is_file("Etc/GMT-8"));
    assert_false(tz_name_is_file(""));
    assert_false(tz_name_is_file("/etc/passwd"));
    assert_false(tz_name_is_file("../etc/passwd"));
    assert_false(tz_name_is_file("Europe/../../etc/passwd"));
    assert_false(tz_name_is_file("Europe/"));
    assert_false(tz_name_is_file("Europe//Paris"));
}

/* A version 2 file built by hand: an empty version 1 part, two transitions, a rule. */
struct zone_file {
    uint8_t data[512];
    size_t len;
};

static void put_header(struct writer *w, uint32_t times, uint32_t types)
{
    writer_bytes(w, bytes_str("TZif2"));
    writer_zeros(w, 15);
    writer_zeros(w, 12);
    writer_u32be(w, times);
    writer_u32be(w, types);
    writer_u32be(w, 4);
}

static struct zone_file zone_with_rule(const char *rule)
{
    struct zone_file f = {.len = 0};
    struct writer w = writer_of(f.data, sizeof f.data);

    put_header(&w, 0, 1);
    writer_zeros(&w, 6 + 4);
    put_header(&w, 2, 2);
    writer_i64be(&w, 1000);
    writer_i64be(&w, 2000);
    writer_bytes(&w, bytes_of("\1\0", 2));
    writer_i32be(&w, 3600);
    writer_zeros(&w, 2);
    writer_i32be(&w, 7200);
    writer_zeros(&w, 2);
    writer_zeros(&w, 4);
    writer_u8(&w, '\n');
    writer_bytes(&w, bytes_str(rule));
    writer_u8(&w, '\n');
    f.len = w.len;
    return f;
}

static const struct tz *parsed(struct arena *arena, const struct zone_file *f)
{
    const struct tz *tz = NULL;
    struct error e = {0};

    if (tz_parse(bytes_of(f->data, f->len), arena, &tz, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return tz;
}

static void transitions_then_the_rule(void **state)
{
    struct zone_file f = zone_with_rule("CET-1CEST,M3.5.0,M10.5.0/3");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct tz *tz = parsed(&arena, &f);

    (void)state;
    assert_int_equal(tz_offset_at(tz, INT64_MIN), 3600);
    assert_int_equal(tz_offset_at(tz, 999), 3600);
    assert_int_equal(tz_offset_at(tz, 1000), 7200);
    assert_int_equal(tz_offset_at(tz, 1999), 7200);
    /* the last Sunday of March 2024 is the 31st, of October the 27th; both change at 1:00 UTC */
    assert_int_equal(tz_offset_at(tz, instant(2024, 3, 31, 1) - 1), 3600);
    assert_int_equal(tz_offset_at(tz, instant(2024, 3, 31, 1)), 7200);
    assert_int_equal(tz_offset_at(tz, instant(2024, 10, 27, 1) - 1), 7200);
    assert_int_equal(tz_offset_at(tz, instant(2024, 10, 27, 1)), 3600);
    assert_int_equal(tz_offset_at(tz, INT64_MAX), 3600);
}

static void rules_of_all_kinds(void **state)
{
    struct zone_file south = zone_with_rule("AEST-10AEDT,M10.1.0,M4.1.0/3");
    struct zone_file julian = zone_with_rule("<-03>3<-02>2:30,J60/0,J300/-1");
    struct zone_file plain = zone_with_rule("<+0545>-5:45");
    struct zone_file days = zone_with_rule("AAA0BBB,59/0,299/0");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_int_equal(tz_offset_at(parsed(&arena, &south), instant(2024, 1, 1, 0)), 39600);
    assert_int_equal(tz_offset_at(parsed(&arena, &south), instant(2024, 7, 1, 0)), 36000);
    assert_int_equal(tz_offset_at(parsed(&arena, &south), instant(2024, 12, 31, 23)), 39600);
    assert_int_equal(tz_offset_at(parsed(&arena, &julian), instant(2024, 3, 1, 2)), -10800);
    assert_int_equal(tz_offset_at(parsed(&arena, &julian), instant(2024, 3, 1, 3)), -9000);
    assert_int_equal(tz_offset_at(parsed(&arena, &julian), instant(2023, 3, 1, 3)), -9000);
    assert_int_equal(tz_offset_at(parsed(&arena, &plain), instant(2024, 3, 1, 3)), 20700);
    assert_int_equal(tz_offset_at(parsed(&arena, &days), instant(2024, 2, 29, 0)), 3600);
    assert_int_equal(tz_offset_at(parsed(&arena, &days), instant(2023, 2, 28, 23)), 0);
}

static void refuses_damaged_files(void **state)
{
    static const char *const bad_rules[] = {"C",
                                            "CET",
                                            "CET-1CEST",
                                            "CET-1CEST,M3.5.0",
                                            "CET-1CEST,M13.5.0,M10.5.0",
                                            "CET-1CEST,J0,J1",
                                            "CET-168",
                                            "CET-1CEST,M3.5.0,M10.5.0x",
                                            "<CET-1"};
    struct zone_file good = zone_with_rule("UTC0");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct tz *tz = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_rules); i++) {
        struct zone_file f = zone_with_rule(bad_rules[i]);

        assert_int_equal(tz_parse(bytes_of(f.data, f.len), &arena, &tz, NULL),
                         ERR_INVALID_ARGUMENT);
    }
    for (size_t len = 0; len < good.len; len++) {
        assert_int_equal(tz_parse(bytes_of(good.data, len), &arena, &tz, NULL),
                         ERR_INVALID_ARGUMENT);
    }
    assert_int_equal(tz_parse(bytes_of(good.data, good.len), &arena, &tz, NULL), ERR_OK);
    good.data[0] = 't';
    assert_int_equal(tz_parse(bytes_of(good.data, good.len), &arena, &tz, NULL),
                     ERR_INVALID_ARGUMENT);
}

static void reads_the_system_database(void **state)
{
    FILE *f = fopen("/usr/share/zoneinfo/America/New_York", "rb");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct tz *tz = NULL;
    static uint8_t data[TZ_FILE_SIZE_MAX];
    size_t len;

    (void)state;
    if (f == NULL) {
        skip();
    }
    len = fread(data, 1, sizeof data, f);
    fclose(f);
    assert_int_equal(tz_parse(bytes_of(data, len), &arena, &tz, NULL), ERR_OK);
    assert_int_equal(tz_offset_at(tz, instant(2024, 3, 10, 7) - 1), -18000);
    assert_int_equal(tz_offset_at(tz, instant(2024, 3, 10, 7)), -14400);
    assert_int_equal(tz_offset_at(tz, instant(2060, 7, 1, 0)), -14400);
    assert_int_equal(tz_offset_at(tz, instant(1980, 7, 1, 0)), -14400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_fixed_offsets),
        cmocka_unit_test(names_of_files_stay_in_their_folder),
        cmocka_unit_test(transitions_then_the_rule),
        cmocka_unit_test(rules_of_all_kinds),
        cmocka_unit_test(refuses_damaged_files),
        cmocka_unit_test(reads_the_system_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
