#include "../../support/unit.h"
#include "format/arrow.h"
#include "format/schema.h"

static const char schema_json[] =
    "{\"version\":1,\"columns\":["
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":0},"
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"},\"id\":1},"
    "{\"name\":\"c\",\"data_type\":{\"type\":\"MAP\",\"key_type\":{\"type\":\"STRING\","
    "\"nullable\":false},\"value_type\":{\"type\":\"ARRAY\",\"element_type\":"
    "{\"type\":\"BOOLEAN\"}}},\"id\":2}],\"highest_field_id\":2}";

static void counts_nodes_and_buffers_per_column(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = NULL;
    struct arrow_layout layout;
    struct error e;

    (void)state;
    if (schema_parse(bytes_str(schema_json), &schema, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    layout = arrow_layout_of(schema, &arena);
    assert_int_equal(layout.count, 3);
    assert_int_equal(layout.columns[0].nodes, 1);
    assert_int_equal(layout.columns[0].buffers, 2);
    assert_int_equal(layout.columns[1].nodes, 1);
    assert_int_equal(layout.columns[1].buffers, 3);
    /* map and entries, key, list, element */
    assert_int_equal(layout.columns[2].nodes, 2 + 1 + 1 + 1);
    assert_int_equal(layout.columns[2].buffers, 3 + 3 + 2 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_nodes_and_buffers_per_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
