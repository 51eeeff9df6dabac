#include <string.h>

#include "../../support/unit.h"
#include "base/diag.h"

static char line[8192];
static size_t line_len;
static int lines;

static void keep_line(const char *text, size_t len)
{
    assert_true(len < sizeof line);
    memcpy(line, text, len);
    line[len] = '\0';
    line_len = len;
    lines++;
}

static int64_t fixed_clock(void) { return 1769860800123; }

static int configure(enum diag_level level, bool json)
{
    const struct diag_sink sink = {
        .level = level, .json = json, .wall_ms = fixed_clock, .write = keep_line};

    diag_configure(&sink);
    lines = 0;
    return 0;
}

static void text_lines(void **state)
{
    (void)state;
    configure(DIAG_INFO, false);
    diag_warn("log", "bucket %d of %s", 3, "t");
    assert_string_equal(line, "2026-01-31T12:00:00.123Z WARN  log: bucket 3 of t\n");
    diag_error("log", "%s", "a\nb\rc");
    assert_string_equal(line, "2026-01-31T12:00:00.123Z ERROR log: a b c\n");
}

static void lines_below_the_level_are_dropped(void **state)
{
    (void)state;
    configure(DIAG_WARN, false);
    diag_debug("x", "no");
    diag_info("x", "no");
    assert_int_equal(lines, 0);
    diag_warn("x", "yes");
    diag_error("x", "yes");
    assert_int_equal(lines, 2);
}

static void json_lines_are_escaped(void **state)
{
    (void)state;
    configure(DIAG_DEBUG, true);
    diag_debug("io", "say \"hi\" \\ \t.");
    assert_string_equal(line,
                        "{\"ts\":\"2026-01-31T12:00:00.123Z\",\"level\":\"debug\","
                        "\"component\":\"io\",\"message\":\"say \\\"hi\\\" \\\\ \\u0009.\"}\n");
}

static void a_long_message_stays_one_line(void **state)
{
    char text[5000];

    (void)state;
    memset(text, '"', sizeof text - 1); /* doubles when escaped */
    text[sizeof text - 1] = '\0';
    for (int json = 0; json < 2; json++) {
        configure(DIAG_INFO, json != 0);
        diag_info("x", "%s", text);
        assert_int_equal(lines, 1);
        assert_true(line_len > 900 && line[line_len - 1] == '\n');
        assert_ptr_equal(strchr(line, '\n'), line + line_len - 1);
    }
    assert_string_equal(line + line_len - 4, "\"\"}\n"); /* the object is closed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines),
        cmocka_unit_test(lines_below_the_level_are_dropped),
        cmocka_unit_test(json_lines_are_escaped),
        cmocka_unit_test(a_long_message_stays_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
