#include <stdlib.h>

#include "../../support/unit.h"
#include "cmd/options.h"
#include "format/json.h"

/* What the function prints; heap. */
static char *printed(void (*describe)(FILE *out))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    describe(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void lists_every_option_with_default_and_meaning(void **state)
{
    OWNED(mem_freep) char *text = printed(options_describe);

    (void)state;
    for (size_t i = 0; i < option_table_len; i++) {
        assert_non_null(strstr(text, option_table[i].key));
        assert_non_null(strstr(text, option_table[i].meaning));
    }
    for (size_t i = 0; i < option_prefixes_len; i++) {
        assert_non_null(strstr(text, option_prefixes[i].prefix));
    }
    assert_non_null(strstr(text, "fsync  (fsync|os)\n"));
    assert_non_null(strstr(text, "Accepted, without effect in this version:"));
}

static void tells_honestly_what_has_no_effect(void **state)
{
    OWNED(mem_freep) char *text = printed(options_describe);
    const char *later = strstr(text, "Accepted, without effect in this version:");
    const char *foreign = strstr(text, "Accepted, without meaning for this program:");

    (void)state;
    assert_true(strstr(text, "  log.durability ") < later);
    assert_true(strstr(text, "  authorizer.enabled ") > later);
    assert_true(strstr(text, "  netty.server.num-worker-threads ") > foreign);
}

static void prints_json(void **state)
{
    OWNED(mem_freep) char *text = printed(options_describe_json);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *options = NULL;
    const struct json *root = NULL;
    const char *key = NULL;
    struct error e;

    (void)state;
    assert_int_equal(json_parse(bytes_str(text), NULL, &arena, &root, &e), ERR_OK);
    assert_int_equal(json_get_array(root, "options", &options, &e), ERR_OK);
    assert_int_equal(json_count(options), option_table_len);
    assert_int_equal(json_get_string(json_at(options, 0), "key", &key, &e), ERR_OK);
    assert_string_equal(key, option_table[0].key);
    assert_int_equal(json_count(json_find(root, "prefixes")), option_prefixes_len);
    assert_int_equal(json_count(json_find(root, "older_names")), option_aliases_len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_every_option_with_default_and_meaning),
        cmocka_unit_test(tells_honestly_what_has_no_effect),
        cmocka_unit_test(prints_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
