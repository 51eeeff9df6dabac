#include <stdio.h>

#include "../../support/pg_fake.h"
#include "shell/complete.h"

static const char *found(const struct complete *c, const char *before)
{
    static char text[1024];
    struct arena arena = ARENA_INIT;
    struct edit_matches m;
    size_t at = 0;

    complete_find(c, bytes_str(before), &arena, &m);
    text[0] = '\0';
    for (size_t i = 0; i < m.count && at < sizeof text - 1; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i == 0 ? "" : " ", m.items[i]);
    }
    arena_fini(&arena);
    return text;
}

static void words_become_keywords_and_names(void **state)
{
    const char *names[] = {"readings", "sensor", "\"two words\"", "\"t$changelog\"", "Select_me"};
    struct complete c = {.count = 0};

    (void)state;
    complete_set(&c, names, 5);
    assert_string_equal(found(&c, "sel"), "select Select_me");
    assert_string_equal(found(&c, "SEL"), "SELECT Select_me");
    assert_string_equal(found(&c, "select * from rea"), "readings");
    assert_string_equal(found(&c, "select * from x.s"), "Select_me sensor");
    assert_string_equal(found(&c, "t$"), "\"t$changelog\"");
    assert_string_equal(found(&c, "\"tw"), "\"two words\"");
    assert_string_equal(found(&c, "nothing_like_it"), "");
    complete_fini(&c);
}

static void names_come_from_the_server(void **state)
{
    static const char *const rows[] = {"plain", "with space", "1st", NULL};
    struct complete c = {.count = 0};
    struct client *client = NULL;
    struct client_options options;
    struct pg_fake fake;
    struct error e;

    (void)state;
    fake_greets(&fake);
    fake_answers(&fake, "name", 25, rows);
    options = fake_options(&fake);
    assert_int_equal(client_open(&options, &client, &e), ERR_OK);
    assert_int_equal(complete_refresh(&c, client, &e), ERR_OK);
    assert_int_equal(complete_refresh(&c, client, &e), ERR_OK); /* is not asked again */
    assert_string_equal(found(&c, "x."), "\"1st\" \"with space\" plain");
    complete_fini(&c);
    client_close(client);
    fake_fini(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_keywords_and_names),
        cmocka_unit_test(names_come_from_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
