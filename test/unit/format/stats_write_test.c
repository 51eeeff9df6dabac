#include <float.h>
#include <math.h>

#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/stats.h"
#include "format/stats_write.h"

/* ---- bytes of the Java client ---- */

/* The Java client counts nanoseconds that TIMESTAMP(6) does not store. */
static void cut_nanoseconds(struct bytes section, size_t index)
{
    uint8_t *p = (uint8_t *)(uintptr_t)section.data;
    size_t count = get_u16le(p + 1);
    size_t slot = (count + 8 + 63) / 64 * 8 + 8 * index;
    uint8_t *min = p + 3 + 6 * count + 4;
    uint8_t *max = min + get_u32le(min - 4) + 4;

    put_u32le(min + slot, get_u32le(min + slot) / 1000 * 1000);
    put_u32le(max + slot, get_u32le(max + slot) / 1000 * 1000);
}

static void check_golden(const json_t *one, const json_t *expected)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const json_t *listed = vectors_get(expected, "columns");
    const json_t *records = vectors_get(one, "records");
    const struct type *row = row_vector_schema(vectors_get(one, "schema"), &arena);
    struct bytes section = vectors_hex(expected, "hex", &arena);
    uint32_t positions[16];
    struct stats_columns columns = {.positions = positions, .count = json_array_size(listed)};
    OWNED(stats_writer_freep) struct stats_writer *w = NULL;

    for (size_t i = 0; i < columns.count; i++) {
        positions[i] = (uint32_t)json_integer_value(json_array_get(listed, i));
        if (row->fields[positions[i]].type->root == TYPE_TIMESTAMP) {
            cut_nanoseconds(section, i);
        }
    }
    w = stats_writer_new(row, &columns);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *values = vectors_get(json_array_get(records, i), "row");

        stats_writer_add(w, row_vector_fields(values, row, &arena));
    }
    vectors_assert_equal(vectors_text(one, "name"), stats_writer_section(w, &arena), section);
}

static void golden_sections(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_v1_v2_main.json");
    int checked = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        const json_t *expected = json_object_get(one, "statistics");

        if (expected != NULL) {
            check_golden(one, expected);
            checked++;
        }
    }
    assert_int_equal(checked, 10);
}

/* ---- which columns ---- */

static void assert_columns(const char *option, const char *expected)
{
    static const char text[] =
        "{\"version\":1,\"columns\":["
        "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":0},"
        "{\"name\":\"b\",\"data_type\":{\"type\":\"BYTES\"},\"id\":1},"
        "{\"name\":\"c d\",\"data_type\":{\"type\":\"CHAR\",\"length\":3},\"id\":2},"
        "{\"name\":\"e\",\"data_type\":{\"type\":\"BINARY\",\"length\":3},\"id\":3},"
        "{\"name\":\"f\",\"data_type\":{\"type\":\"STRING\"},\"id\":4}],\"highest_field_id\":4}";
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = NULL;
    struct stats_columns columns;
    const char *found = "";

    assert_int_equal(schema_parse(bytes_str(text), &schema, NULL), ERR_OK);
    columns = stats_columns_of(option, schema, &arena);
    for (size_t i = 0; i < columns.count; i++) {
        found = arena_printf(&arena, "%s%u", found, (unsigned)columns.positions[i]);
    }
    assert_string_equal(found, expected);
}

static void columns_of_the_option(void **state)
{
    (void)state;
    assert_columns(NULL, "");
    assert_columns("", "");
    assert_columns("*", "024");
    assert_columns(" * ", "024");
    assert_columns("a", "0");
    assert_columns(" f ,c d,, a", "420");
    assert_columns("later,f", "4");
    assert_columns("b,e", "");
}

static void at_most_as_many_as_the_count_can_say(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = NULL;
    char *option = arena_alloc(&arena, 80001);

    (void)state;
    for (size_t i = 0; i < 80000; i++) {
        option[i] = i % 2 == 0 ? 'a' : ',';
    }
    option[80000] = '\0';
    assert_int_equal(
        schema_parse(bytes_str("{\"version\":1,\"columns\":[{\"name\":\"a\",\"data_type\":"
                               "{\"type\":\"INTEGER\"},\"id\":0}],\"highest_field_id\":0}"),
                     &schema, NULL),
        ERR_OK);
    assert_int_equal(stats_columns_of(option, schema, &arena).count, INT16_MAX);
}

/* ---- bounds ---- */

static const struct type *one_column(const char *type, struct arena *arena)
{
    return row_vector_type(arena_printf(arena, "ROW<`a` %s>", type), arena);
}

static struct stats_column bounds_of(const struct type *row, const struct row_value *values,
                                     size_t count, struct arena *arena)
{
    const uint32_t position = 0;
    const struct stats_columns columns = {.positions = &position, .count = 1};
    OWNED(stats_writer_freep) struct stats_writer *w = stats_writer_new(row, &columns);
    struct stats stats;
    struct stats_column ret = {0};

    for (size_t i = 0; i < count; i++) {
        stats_writer_add(w, &values[i]);
    }
    assert_int_equal(stats_parse(stats_writer_section(w, arena), &stats, NULL), ERR_OK);
    assert_int_equal(stats_column(&stats, 0, row->fields[0].type, &ret, NULL), ERR_OK);
    return ret;
}

static void only_nulls_have_no_bounds(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value nulls[3] = {{.null = true}, {.null = true}, {.null = true}};
    static const char *const types[] = {"INT", "STRING", "DECIMAL(30, 2)", "TIMESTAMP(9)"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct stats_column c = bounds_of(one_column(types[i], &arena), nulls, 3, &arena);

        assert_int_equal(c.null_count, 3);
        assert_int_equal(c.min.kind, VALUE_NULL);
        assert_int_equal(c.max.kind, VALUE_NULL);
    }
}

static void char_has_nulls_only(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value values[] = {{.bytes = bytes_str("x")}, {.null = true}};
    struct stats_column c = bounds_of(one_column("CHAR(3)", &arena), values, 2, &arena);

    (void)state;
    assert_int_equal(c.null_count, 1);
    assert_int_equal(c.min.kind, VALUE_NULL);
    assert_int_equal(c.max.kind, VALUE_NULL);
}

static void reals_have_the_order_of_java(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value values[] = {
        {.real32 = 0.0f}, {.real32 = NAN}, {.real32 = -0.0f}, {.real32 = FLT_MAX}};
    struct stats_column c = bounds_of(one_column("FLOAT", &arena), values, 4, &arena);

    (void)state;
    assert_true(c.min.real == 0 && signbit(c.min.real) != 0);
    assert_true(isnan(c.max.real));
}

/* What TIMESTAMP(0) and the like cut off must not stand in the bounds, or a query for what is
 * stored would leave the batch out. */
static void bounds_are_of_what_is_stored(void **state)
{
    static const struct {
        const char *type;
        int64_t millis;
        int32_t nanos;
    } stored[] = {{"TIMESTAMP(0)", 1000, 0},
                  {"TIMESTAMP(2)", 1999, 0},
                  {"TIMESTAMP(5)", 1999, 999000},
                  {"TIMESTAMP(9)", 1999, 999999},
                  {"TIMESTAMP_LTZ(0)", 1000, 0}};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value value = {.timestamp = {.millis = 1999, .nanos = 999999}};
    const struct row_value time = {.integer = 1999};
    struct stats_column c;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
        c = bounds_of(one_column(stored[i].type, &arena), &value, 1, &arena);
        assert_int_equal(c.min.timestamp.millis, stored[i].millis);
        assert_int_equal(c.max.timestamp.millis, stored[i].millis);
        assert_int_equal(c.min.timestamp.nanos, stored[i].nanos);
    }
    c = bounds_of(one_column("TIME(0)", &arena), &time, 1, &arena);
    assert_int_equal(c.max.integer, 1000);
    c = bounds_of(one_column("TIME(3)", &arena), &time, 1, &arena);
    assert_int_equal(c.max.integer, 1999);
}

static void what_wraps_around_has_no_bounds(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value values[] = {{.timestamp = {.millis = INT64_MAX / 1000000 + 1}},
                                       {.timestamp = {.millis = 5}}};
    struct stats_column c = bounds_of(one_column("TIMESTAMP(9)", &arena), values, 2, &arena);

    (void)state;
    assert_int_equal(c.null_count, 0);
    assert_int_equal(c.min.kind, VALUE_NULL);
    assert_int_equal(c.max.kind, VALUE_NULL);
    c = bounds_of(one_column("TIMESTAMP(3)", &arena), values, 2, &arena);
    assert_int_equal(c.min.timestamp.millis, 5);
}

static void more_than_55_columns_take_a_second_header_word(void **state)
{
    (void)state;
    for (uint32_t count = 50; count < 70; count++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        uint32_t *positions = arena_array(&arena, count, sizeof *positions);
        struct row_value *values = arena_array(&arena, count, sizeof *values);
        struct type_field *fields = arena_array(&arena, count, sizeof *fields);
        const struct type row = {.root = TYPE_ROW, .count = count, .fields = fields};
        const struct stats_columns columns = {.positions = positions, .count = count};
        OWNED(stats_writer_freep) struct stats_writer *w = NULL;
        struct stats stats;

        for (uint32_t i = 0; i < count; i++) {
            positions[i] = i;
            fields[i].type = row_vector_type("INT", &arena);
            values[i] = (struct row_value){.null = i % 3 == 0, .integer = (int64_t)i + 1};
        }
        w = stats_writer_new(&row, &columns);
        stats_writer_add(w, values);
        assert_int_equal(stats_parse(stats_writer_section(w, &arena), &stats, NULL), ERR_OK);
        for (uint32_t i = 0; i < count; i++) {
            struct stats_column c;

            assert_int_equal(stats_column(&stats, i, fields[i].type, &c, NULL), ERR_OK);
            assert_int_equal(c.null_count, i % 3 == 0);
            assert_int_equal(c.max.kind, i % 3 == 0 ? VALUE_NULL : VALUE_INT);
            assert_true(i % 3 == 0 || c.max.integer == (int64_t)i + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_sections),
        cmocka_unit_test(columns_of_the_option),
        cmocka_unit_test(at_most_as_many_as_the_count_can_say),
        cmocka_unit_test(only_nulls_have_no_bounds),
        cmocka_unit_test(char_has_nulls_only),
        cmocka_unit_test(reals_have_the_order_of_java),
        cmocka_unit_test(bounds_are_of_what_is_stored),
        cmocka_unit_test(what_wraps_around_has_no_bounds),
        cmocka_unit_test(more_than_55_columns_take_a_second_header_word),
    };

    return cmocka_run_group_tests_name("format/stats_write", tests, NULL, NULL);
}
