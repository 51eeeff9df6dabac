#include "../../support/unit.h"
#include "io/blocking.h"
#include "shell/progress.h"

static void texts_say_how_far(void **state)
{
    char text[PROGRESS_TEXT_MAX];

    (void)state;
    progress_text(text, 12, 999, 600000);
    assert_string_equal(text, "[      <=>       ] 12 rows, 999 B, 0.6 s");
    progress_text(text, 1234567, 4200000000u, 1400000);
    assert_string_equal(text, "[            <=> ] 1.2 M rows, 4.2 GB, 1.4 s");
    progress_text(text, UINT64_MAX, UINT64_MAX, INT64_MAX);
}

static void short_answers_show_nothing(void **state)
{
    struct progress p;
    char got[256] = "";
    FILE *to = fmemopen(got, sizeof got, "w");

    (void)state;
    progress_start(&p, to, false);
    assert_in_range(p.next_us - p.started_us, 100000, 1000000);
    p.next_us += 60000000; /* it is still short where the machine is slow */
    progress_step(&p, 1, 1);
    progress_clear(&p);
    assert_int_equal(ftell(to), 0);
    p.next_us = 0;
    progress_step(&p, 1, 1);
    assert_true(p.shown);
    progress_clear(&p);
    assert_false(p.shown);
    assert_true(ftell(to) > 0);
    (void)fclose(to);
    progress_start(&p, NULL, false);
    p.next_us = 0;
    progress_step(&p, 1, 1);
    assert_false(p.shown);
}

static void rows_on_the_terminal_say_it_themselves(void **state)
{
    struct progress p;

    (void)state;
    progress_start(&p, stderr, true);
    p.next_us = 0;
    progress_step(&p, 5, 1);
    assert_false(p.shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_say_how_far),
        cmocka_unit_test(short_answers_show_nothing),
        cmocka_unit_test(rows_on_the_terminal_say_it_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
