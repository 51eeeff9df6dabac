#include "../../support/unit.h"
#include "cmd/option_value.h"

static const struct option number = {"n", OPTION_INT, NULL, "1..10", OPTION_HONOURED, ""};
static const struct option ratio = {"r", OPTION_DOUBLE, NULL, "0..1", OPTION_HONOURED, ""};
static const struct option word = {"w", OPTION_ENUM, NULL, "fsync|os", OPTION_HONOURED, ""};
static const struct option list = {"l", OPTION_LIST, NULL, NULL, OPTION_HONOURED, ""};
static const struct option map = {"m", OPTION_MAP, NULL, NULL, OPTION_HONOURED, ""};
static const struct option text = {"t", OPTION_STRING, NULL, NULL, OPTION_HONOURED, ""};
static const struct option size = {"s", OPTION_MEMORY, NULL, "1024..4096", OPTION_HONOURED, ""};
static const struct option period = {"d", OPTION_DURATION, NULL, "1000..", OPTION_HONOURED, ""};
static const struct option secret = {"password.map", OPTION_MAP, NULL, NULL, OPTION_LATER, ""};
static const struct option truth = {"b", OPTION_BOOL, NULL, NULL, OPTION_HONOURED, ""};
static const struct option wide = {"L", OPTION_LONG, NULL, "..5", OPTION_HONOURED, ""};

static struct option_value good(const struct option *option, const char *found, struct arena *arena)
{
    struct option_value v = {.where = "untouched"};
    struct error e;

    assert_int_equal(option_value_parse(option, bytes_str(found), arena, &v, &e), ERR_OK);
    assert_null(v.where);
    return v;
}

static void bad(const struct option *option, const char *found, const char *message)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct option_value v = {.number = 77};
    struct error e;

    assert_int_equal(option_value_parse(option, bytes_str(found), &arena, &v, &e),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, message);
    assert_int_equal(v.number, 77);
}

static void reads_each_type(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_int_equal(good(&number, " 7 ", &arena).number, 7);
    assert_true(good(&ratio, "0.5", &arena).real == 0.5);
    assert_true(good(&ratio, "1", &arena).real == 1.0);
    assert_int_equal(good(&truth, "TRUE", &arena).number, 1);
    assert_int_equal(good(&truth, "false", &arena).number, 0);
    assert_int_equal(good(&wide, "-9223372036854775808", &arena).number, INT64_MIN);
    assert_int_equal(good(&size, "2kb", &arena).number, 2048);
    assert_int_equal(good(&period, "2 s", &arena).number, 2000);
    assert_string_equal(good(&word, "FSYNC", &arena).text, "fsync");
    assert_string_equal(good(&word, "os", &arena).text, "os");
    assert_string_equal(good(&text, " a b\n", &arena).text, " a b\n");
    assert_string_equal(good(&text, "", &arena).text, "");
}

static void long_durations_mean_a_thousand_years(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_int_equal(good(&period, "9223372036854775807ms", &arena).number, OPTION_DURATION_MAX_MS);
    assert_true(OPTION_DURATION_MAX_MS < INT64_MAX / 1000 / 2);
}

static void reads_lists(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct option_value v = good(&list, "a, b c ,,d", &arena);

    (void)state;
    assert_int_equal(v.list_len, 3);
    assert_string_equal(v.list[0], "a");
    assert_string_equal(v.list[1], "b c");
    assert_string_equal(v.list[2], "d");
    assert_int_equal(good(&list, "", &arena).list_len, 0);
    assert_int_equal(good(&list, " , ", &arena).list_len, 0);
    v = good(&map, "A:SASL, B:x:y,C:", &arena);
    assert_int_equal(v.list_len, 3);
    assert_string_equal(v.list[1], "B:x:y");
}

static void says_what_is_expected(void **state)
{
    (void)state;
    bad(&number, "many", "found \"many\", expected a whole number of 32 bits");
    bad(&number, "0", "found \"0\", expected at least 1");
    bad(&number, "11", "found \"11\", expected at most 10");
    bad(&ratio, "1.1", "found \"1.1\", expected at most 1");
    bad(&ratio, "-0.1", "found \"-0.1\", expected at least 0");
    bad(&wide, "6", "found \"6\", expected at most 5");
    bad(&size, "1b", "found \"1b\", expected at least 1 kb");
    bad(&size, "5kb", "found \"5kb\", expected at most 4 kb");
    bad(&period, "10ms", "found \"10ms\", expected at least 1 s");
    bad(&word, "maybe", "found \"maybe\", expected one of fsync|os");
    bad(&word, "fsync|os", "found \"fsync|os\", expected one of fsync|os");
    bad(&truth, "perhaps", "found \"perhaps\", expected true or false");
    bad(&map, "A:x,B", "found \"B\", expected key:value,key:value");
    bad(&map, ":x", "found \":x\", expected key:value,key:value");
}

static void never_repeats_a_secret(void **state)
{
    (void)state;
    bad(&secret, "hunter2", "expected key:value,key:value");
}

static void refuses_what_no_message_can_carry(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *longest = arena_alloc(&arena, OPTION_VALUE_MAX + 2);
    struct option_value v;
    struct error e;

    (void)state;
    memset(longest, 'x', OPTION_VALUE_MAX + 1);
    longest[OPTION_VALUE_MAX + 1] = '\0';
    bad(&text, longest, "found 65537 bytes, expected at most 65536");
    bad(&text, "\xff", "found bytes that are not UTF-8, expected text");
    bad(&text, "a\x1b[0m", "found control characters, expected text");
    bad(&list, "a\nb", "found control characters, expected text");
    assert_int_equal(option_value_parse(&text, bytes_of("a\0b", 3), &arena, &v, &e),
                     ERR_INVALID_ARGUMENT);
}

static void ranges(void **state)
{
    (void)state;
    assert_int_equal(option_range(&number).low, 1);
    assert_int_equal(option_range(&number).high, 10);
    assert_int_equal(option_range(&period).high, INT64_MAX);
    assert_int_equal(option_range(&wide).low, INT64_MIN);
    assert_int_equal(option_range(&text).low, INT64_MIN);
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    for (int type = OPTION_STRING; type <= OPTION_MAP; type++) {
        assert_true(strlen(option_type_name((enum option_type)type)) > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_type),
        cmocka_unit_test(long_durations_mean_a_thousand_years),
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(says_what_is_expected),
        cmocka_unit_test(never_repeats_a_secret),
        cmocka_unit_test(refuses_what_no_message_can_carry),
        cmocka_unit_test(ranges),
        cmocka_unit_test(every_type_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
