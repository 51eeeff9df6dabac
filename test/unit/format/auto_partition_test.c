#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "base/calendar.h"
#include "format/auto_partition.h"

static const char *const one_key[] = {"day"};
static const char *const two_keys[] = {"region", "day"};
static const struct text_list single = {.items = one_key, .count = 1};
static const struct text_list several = {.items = two_keys, .count = 2};

/* 2024-02-29T23:05:06Z */
#define NOW_MS 1709247906000

#define LIST(...)                                                                                  \
    ((struct text_list){.items = (const char *const[]){__VA_ARGS__},                               \
                        .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)})

static enum partition_unit unit_named(const char *name)
{
    static const char *const names[] = {"YEAR", "QUARTER", "MONTH", "DAY", "HOUR"};

    for (int i = 0; i < PARTITION_UNIT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum partition_unit)i;
        }
    }
    fail_msg("unit %s", name);
    return PARTITION_DAY;
}

static void agrees_with_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("partition_names.json");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct partition_format format;
    size_t seen = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        const char *name = json_string_value(json_object_get(one, "auto_partition_unit"));
        struct auto_partition options = {.enabled = true};
        struct auto_partition_state s = {.options = &options, .tz = tz_utc(), .now_ms = NOW_MS};

        if (name == NULL) {
            continue;
        }
        assert_string_equal(vectors_text(one, "now"), "2024-02-29T23:05:06Z");
        options.unit = unit_named(name);
        assert_int_equal(partition_format_parse(NULL, options.unit, &format, NULL), ERR_OK);
        assert_string_equal(
            auto_partition_value(&s, &format, (int32_t)vectors_i64(one, "offset"), &arena),
            vectors_text(one, "spec"));
        assert_true(partition_format_matches(&format, vectors_text(one, "spec")));
        seen++;
    }
    assert_int_equal(seen, 15);
}

static const char *value_in(const char *pattern, enum partition_unit unit, const char *zone,
                            struct arena *arena)
{
    struct auto_partition options = {.enabled = true, .unit = unit};
    struct auto_partition_state s = {
        .options = &options, .tz = tz_fixed(zone, arena), .now_ms = NOW_MS};
    struct partition_format format;

    assert_non_null(s.tz);
    assert_int_equal(partition_format_parse(pattern, unit, &format, NULL), ERR_OK);
    return auto_partition_value(&s, &format, 0, arena);
}

static void custom_patterns_and_zones(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_string_equal(value_in("yyyy-MM-dd", PARTITION_DAY, "UTC", &arena), "2024-02-29");
    assert_string_equal(value_in("yyyy-MM-dd", PARTITION_DAY, "+08:00", &arena), "2024-03-01");
    assert_string_equal(value_in("uuuuLLdd_HH", PARTITION_HOUR, "GMT-1", &arena), "20240229_22");
    assert_string_equal(value_in("'d'yyyyMMdd", PARTITION_DAY, "Z", &arena), "d20240229");
    assert_string_equal(value_in("yyyy'Q'q", PARTITION_QUARTER, "Z", &arena), "2024Q1");
}

static void refuses_other_patterns(void **state)
{
    static const struct {
        const char *pattern;
        enum partition_unit unit;
    } bad[] = {
        {"", PARTITION_DAY},           {"yyyyMM", PARTITION_DAY},
        {"ddMMyyyy", PARTITION_DAY},   {"yyMMdd", PARTITION_DAY},
        {"yyyyMMddHH", PARTITION_DAY}, {"yyyyMMdd[HH]", PARTITION_HOUR},
        {"yyyyMMdd'", PARTITION_DAY},  {"yyyy/MM/dd", PARTITION_DAY},
        {"yyyyMMdd''", PARTITION_DAY}, {"yyyyMMddX", PARTITION_DAY},
        {"yyyyMMdd#", PARTITION_DAY},  {"__yyyyMMdd", PARTITION_DAY},
        {"yyyyMMMdd", PARTITION_DAY},  {"yyyyMMddyyyy", PARTITION_DAY},
    };
    struct partition_format format;
    char pattern[NAME_LEN_MAX + 9];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(partition_format_parse(bad[i].pattern, bad[i].unit, &format, NULL),
                         ERR_INVALID_TABLE);
    }
    memset(pattern, '-', sizeof pattern);
    memcpy(pattern + NAME_LEN_MAX, "yyyyMMdd", 9);
    assert_int_equal(partition_format_parse(pattern, PARTITION_DAY, &format, NULL),
                     ERR_INVALID_TABLE);
    assert_int_equal(partition_format_parse(pattern + 8, PARTITION_DAY, &format, NULL), ERR_OK);
    assert_int_equal(partition_format_parse(pattern + 7, PARTITION_DAY, &format, NULL),
                     ERR_INVALID_TABLE);
}

static void values_match_their_format(void **state)
{
    struct partition_format format;

    (void)state;
    assert_int_equal(partition_format_parse("yyyy-MM-dd", PARTITION_DAY, &format, NULL), ERR_OK);
    assert_true(partition_format_matches(&format, "2024-02-31"));
    assert_false(partition_format_matches(&format, "2024-02-32"));
    assert_false(partition_format_matches(&format, "2024-13-01"));
    assert_false(partition_format_matches(&format, "2024-02-1"));
    assert_false(partition_format_matches(&format, "2024-02-011"));
    assert_false(partition_format_matches(&format, "20240201"));
    assert_false(partition_format_matches(&format, ""));
}

static void created_partitions_must_fit(void **state)
{
    struct auto_partition options = {.enabled = true, .unit = PARTITION_DAY, .retention = 2};
    struct auto_partition_state s = {
        .options = &options, .partition_keys = single, .tz = tz_utc(), .now_ms = NOW_MS};
    struct error e;

    (void)state;
    assert_int_equal(auto_partition_check(&s, LIST("20240227"), &e), ERR_OK);
    assert_int_equal(auto_partition_check(&s, LIST("20240226"), &e), ERR_PARTITION_SPEC_INVALID);
    assert_string_equal(
        e.message, "partition value '20240226' lies before '20240227', the oldest that is kept");
    assert_int_equal(auto_partition_check(&s, LIST("2024022"), &e), ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(auto_partition_check(&s, LIST("99991231"), &e), ERR_OK);
    options.retention = -1;
    assert_int_equal(auto_partition_check(&s, LIST("19700101"), &e), ERR_OK);
    options.enabled = false;
    assert_int_equal(auto_partition_check(&s, LIST("anything"), &e), ERR_OK);
    options.format = "yyyy-MM-dd";
    assert_int_equal(auto_partition_check(&s, LIST("anything"), &e), ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(auto_partition_check(&s, LIST("1970-01-01"), &e), ERR_OK);
    options.key = "day";
    s.partition_keys = several;
    assert_int_equal(auto_partition_check(&s, LIST("x", "1970-01-01"), &e), ERR_OK);
    options.key = "gone";
    assert_int_equal(auto_partition_check(&s, LIST("x", "1970-01-01"), &e),
                     ERR_PARTITION_SPEC_INVALID);
}

static void plans_for_a_single_key(void **state)
{
    struct auto_partition options = {
        .enabled = true, .unit = PARTITION_DAY, .precreate = 3, .retention = 1};
    struct auto_partition_state s = {
        .options = &options, .partition_keys = single, .tz = tz_utc(), .now_ms = NOW_MS};
    struct text_list existing =
        LIST("20240227", "20240228", "20240301", "20240101", PARTITION_HISTORICAL);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct auto_partition_plan plan;

    (void)state;
    assert_int_equal(auto_partition_plan(&s, existing, &arena, &plan, NULL), ERR_OK);
    assert_string_equal(text_list_text(plan.create, &arena), "[20240229, 20240302]");
    assert_string_equal(text_list_text(plan.drop, &arena), "[20240227, 20240101]");
    options.retention = -1;
    options.precreate = 0;
    assert_int_equal(auto_partition_plan(&s, existing, &arena, &plan, NULL), ERR_OK);
    assert_int_equal(plan.create.count + plan.drop.count, 0);
    options = (struct auto_partition){.precreate = 2};
    assert_int_equal(auto_partition_plan(&s, existing, &arena, &plan, NULL), ERR_OK);
    assert_int_equal(plan.create.count + plan.drop.count, 0);
}

static void plans_for_several_keys(void **state)
{
    struct auto_partition options = {
        .enabled = true, .unit = PARTITION_DAY, .key = "day", .precreate = 0, .retention = 0};
    struct auto_partition_state s = {
        .options = &options, .partition_keys = several, .tz = tz_utc(), .now_ms = NOW_MS};
    struct text_list existing = LIST("eu$20240228", "us$20240229", "us$19990101", "broken");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct auto_partition_plan plan;

    (void)state;
    assert_int_equal(auto_partition_plan(&s, existing, &arena, &plan, NULL), ERR_OK);
    assert_int_equal(plan.create.count, 0);
    assert_string_equal(text_list_text(plan.drop, &arena), "[eu$20240228, us$19990101]");
}

static void far_offsets_stay_defined(void **state)
{
    static const int32_t offsets[] = {INT32_MIN + 1, INT32_MAX};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct partition_format format;

    (void)state;
    for (int unit = 0; unit < PARTITION_UNIT_COUNT; unit++) {
        struct auto_partition options = {.unit = (enum partition_unit)unit};
        struct auto_partition_state s = {
            .options = &options, .tz = tz_utc(), .now_ms = INT64_C(1) << 50};

        assert_int_equal(partition_format_parse(NULL, options.unit, &format, NULL), ERR_OK);
        for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
            assert_true(partition_format_matches(
                &format, auto_partition_value(&s, &format, offsets[i], &arena)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),   cmocka_unit_test(custom_patterns_and_zones),
        cmocka_unit_test(refuses_other_patterns),      cmocka_unit_test(values_match_their_format),
        cmocka_unit_test(created_partitions_must_fit), cmocka_unit_test(plans_for_a_single_key),
        cmocka_unit_test(plans_for_several_keys),      cmocka_unit_test(far_offsets_stay_defined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
