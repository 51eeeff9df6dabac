#include "../../support/unit.h"
#include "cmd/follow.h"

static const char *columns_of(const char *text)
{
    static char got[256];
    struct buffer out = BUFFER_INIT;

    follow_put_columns(text, &out);
    buffer_u8(&out, 0);
    assert_true(out.len <= sizeof got);
    memcpy(got, out.data, out.len);
    buffer_fini(&out);
    return got;
}

static void columns_are_quoted(void **state)
{
    (void)state;
    assert_string_equal(columns_of("a"), "\"a\"");
    assert_string_equal(columns_of(" a , B b,c\"d"), "\"a\", \"B b\", \"c\"\"d\"");
    assert_string_equal(columns_of("a,"), "\"a\", \"\"");
}

static const char *condition(const char *type, const char *partition, struct error *e)
{
    static char got[512];
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct tool_bucket bucket = {.bucket = 3, .partition = partition};
    struct tool_table table = {.id = 1};
    struct follow_range range = {.table = &table, .bucket = &bucket, .from = 5, .end = 9};
    struct buffer out = BUFFER_INIT;
    const char *json = arena_printf(
        &arena,
        "{\"version\":1,\"schema\":{\"version\":1,\"columns\":[{\"name\":\"p\",\"data_type\":"
        "{\"type\":\"%s\"},\"id\":0},{\"name\":\"v\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":1}"
        "],"
        "\"highest_field_id\":1},\"partition_key\":[%s],\"properties\":{},\"custom_properties\":{}"
        "}",
        type, partition == NULL ? "" : "\"p\"");

    assert_int_equal(table_descriptor_parse(bytes_str(json), &table.descriptor, e), ERR_OK);
    e->code = follow_condition(&range, &out, e);
    buffer_u8(&out, 0);
    assert_true(out.len <= sizeof got);
    memcpy(got, out.data, out.len);
    buffer_fini(&out);
    tool_table_fini(&table);
    return got;
}

static void a_range_is_a_condition(void **state)
{
    struct error e = {.code = ERR_OK};

    (void)state;
    assert_string_equal(condition("STRING", NULL, &e),
                        "_bucket = 3 AND _log_offset >= 5 AND _log_offset < 9");
    assert_string_equal(condition("STRING", "e'u", &e),
                        "_bucket = 3 AND _log_offset >= 5 AND _log_offset < 9 AND \"p\" = 'e''u'");
    assert_non_null(strstr(condition("BIGINT", "-7", &e), "\"p\" = -7"));
    assert_non_null(strstr(condition("DATE", "2026-11-21", &e), "\"p\" = DATE '2026-11-21'"));
    assert_int_equal(e.code, ERR_OK);
    (void)condition("DOUBLE", "1_5", &e);
    assert_int_equal(e.code, ERR_UNSUPPORTED_OPERATION);
}

static void without_a_server_it_ends(void **state)
{
    struct follow_options options = {.database = "d", .table = "t"};
    struct error e;

    (void)state;
    assert_int_equal(place_parse("127.0.0.1:1", "--server", &options.server, &e), ERR_OK);
    assert_int_equal(follow(&options, &e), ERR_NETWORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_quoted),
        cmocka_unit_test(a_range_is_a_condition),
        cmocka_unit_test(without_a_server_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
