#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "kv/aggregate.h"

/* One column of one type in one layout, and values of it as JSON. */
struct column {
    const struct row_plan *plan;
    struct row_format format;
    struct arena arena;
};

static void column_init(struct column *c, const char *type, enum row_layout layout)
{
    c->arena = ARENA_INIT;
    c->format.layout = layout;
    c->format.row = row_vector_type(arena_printf(&c->arena, "ROW<`a` %s>", type), &c->arena);
    c->plan = row_plan_new(layout, c->format.row, &c->arena);
}

static struct row_cell cell_of(struct column *c, const char *json)
{
    OWNED(vectors_freep) json_t *row = json_loads(arena_printf(&c->arena, "[%s]", json), 0, NULL);
    const struct row_value *values = row_vector_fields(row, c->format.row, &c->arena);
    struct bytes encoded = BYTES_EMPTY;
    struct row_cell cell;

    assert_int_equal(row_encode(c->format, values, &c->arena, &encoded, NULL), ERR_OK);
    assert_int_equal(row_cells_read(c->plan, encoded, &cell, NULL), ERR_OK);
    return cell;
}

struct sample {
    enum agg_kind kind;
    const char *type;
    const char *before;
    const char *input;
    const char *after;
};

static void check_sample(const struct sample *s, enum row_layout layout)
{
    const struct kv_aggregation function = {.kind = s->kind, .delimiter = bytes_str("; ")};
    struct column c;
    struct row_cell value;
    struct row_cell expected;

    column_init(&c, s->type, layout);
    value = cell_of(&c, s->before);
    expected = cell_of(&c, s->after);
    assert_int_equal(
        aggregate(&function, &c.plan->columns[0], cell_of(&c, s->input), &c.arena, &value, NULL),
        ERR_OK);
    assert_int_equal(value.data == NULL, expected.data == NULL);
    vectors_assert_equal(arena_printf(&c.arena, "%s of %s", agg_kind_name(s->kind), s->type),
                         row_cell_bytes(value), row_cell_bytes(expected));
    arena_fini(&c.arena);
}

#define TIME(millis, nanos) "{\"millis\":" millis ",\"nano_of_milli\":" nanos "}"

static void values_of_every_function(void **state)
{
    static const struct sample samples[] = {
        {AGG_SUM, "TINYINT", "100", "100", "-56"},
        {AGG_SUM, "SMALLINT", "32767", "1", "-32768"},
        {AGG_SUM, "INT", "2147483647", "2", "-2147483647"},
        {AGG_SUM, "BIGINT", "\"9223372036854775807\"", "1", "\"-9223372036854775808\""},
        {AGG_SUM, "FLOAT", "16777216", "1", "16777216"},
        {AGG_SUM, "DOUBLE", "0.5", "-2.25", "-1.75"},
        {AGG_SUM, "DECIMAL(5, 2)", "\"999.99\"", "\"0.01\"", "\"1000.00\""},
        {AGG_SUM, "DECIMAL(20, 0)", "\"99999999999999999999\"", "\"1\"", "null"},
        {AGG_SUM, "DECIMAL(20, 0)", "\"99999999999999999998\"", "\"1\"",
         "\"99999999999999999999\""},
        {AGG_SUM, "INT", "null", "7", "7"},
        {AGG_SUM, "INT", "7", "null", "7"},
        {AGG_SUM, "INT", "null", "null", "null"},
        {AGG_PRODUCT, "TINYINT", "16", "17", "16"},
        {AGG_PRODUCT, "INT", "65536", "65537", "65536"},
        {AGG_PRODUCT, "BIGINT", "-3", "7", "-21"},
        {AGG_PRODUCT, "FLOAT", "1.5", "3", "4.5"},
        {AGG_PRODUCT, "DECIMAL(5, 2)", "\"0.05\"", "\"0.10\"", "\"0.01\""},
        {AGG_PRODUCT, "DECIMAL(5, 2)", "\"999.99\"", "\"2.00\"", "null"},
        {AGG_PRODUCT, "DECIMAL(38, 10)", "\"-2.5000000000\"", "\"2.0000000001\"",
         "\"-5.0000000003\""},
        {AGG_MAX, "INT", "-5", "3", "3"},
        {AGG_MAX, "DOUBLE", "1", "\"NaN\"", "\"NaN\""},
        {AGG_MAX, "STRING", "\"b\"", "\"abc\"", "\"b\""},
        {AGG_MAX, "CHAR(3)", "\"b\"", "\"ba\"", "\"ba\""},
        {AGG_MAX, "DECIMAL(20, 1)", "\"-10.0\"", "\"9.0\"", "\"9.0\""},
        {AGG_MAX, "DATE", "-1", "0", "0"},
        {AGG_MAX, "TIMESTAMP(9)", TIME("5", "7"), TIME("5", "8"), TIME("5", "8")},
        {AGG_MIN, "TIMESTAMP_LTZ(3)", TIME("-5", "0"), TIME("-4", "0"), TIME("-5", "0")},
        {AGG_MIN, "BIGINT", "4", "4", "4"},
        {AGG_MIN, "FLOAT", "0.0", "-0.0", "-0.0"},
        {AGG_MIN, "TIME(3)", "null", "5", "5"},
        {AGG_LAST_VALUE, "ARRAY<INT>", "[1]", "[2, 3]", "[2, 3]"},
        {AGG_LAST_VALUE, "STRING", "\"a\"", "null", "null"},
        {AGG_LAST_VALUE_IGNORE_NULLS, "STRING", "\"a\"", "null", "\"a\""},
        {AGG_LAST_VALUE_IGNORE_NULLS, "STRING", "\"a\"", "\"\"", "\"\""},
        {AGG_FIRST_VALUE, "STRING", "\"a\"", "\"b\"", "\"a\""},
        {AGG_FIRST_VALUE, "STRING", "null", "\"b\"", "\"b\""},
        {AGG_FIRST_VALUE_IGNORE_NULLS, "STRING", "null", "\"b\"", "\"b\""},
        {AGG_LISTAGG, "STRING", "\"a\"", "\"b\"", "\"a; b\""},
        {AGG_STRING_AGG, "STRING", "\"\"", "\"\"", "\"; \""},
        {AGG_STRING_AGG, "STRING", "null", "\"b\"", "\"b\""},
        {AGG_BOOL_AND, "BOOLEAN", "true", "false", "false"},
        {AGG_BOOL_AND, "BOOLEAN", "false", "true", "false"},
        {AGG_BOOL_AND, "BOOLEAN", "true", "true", "true"},
        {AGG_BOOL_OR, "BOOLEAN", "false", "true", "true"},
        {AGG_BOOL_OR, "BOOLEAN", "true", "false", "true"},
        {AGG_BOOL_OR, "BOOLEAN", "null", "false", "false"},
        {AGG_RBM32, "BYTES", "null", "\"hex:3a30\"", "\"hex:3a30\""},
        {AGG_RBM64, "BYTES", "\"hex:00\"", "\"hex:00\"", "\"hex:00\""},
        {AGG_RBM32, "BYTES", "\"hex:3a30000000000000\"", "\"hex:3a30000000000000\"",
         "\"hex:3a30000000000000\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        check_sample(&samples[i], ROW_COMPACTED);
        check_sample(&samples[i], ROW_INDEXED);
    }
}

static enum errcode run(enum agg_kind kind, const char *type, const char *before, const char *input)
{
    const struct kv_aggregation function = {.kind = kind};
    struct column c;
    struct row_cell value;
    enum errcode code;

    column_init(&c, type, ROW_COMPACTED);
    value = cell_of(&c, before);
    code = aggregate(&function, &c.plan->columns[0], cell_of(&c, input), &c.arena, &value, NULL);
    arena_fini(&c.arena);
    return code;
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run(AGG_PRODUCT, "DECIMAL(5, 0) NOT NULL", "\"99999\"", "\"2\""),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(run(AGG_RBM32, "BYTES", "\"hex:3a30\"", "\"hex:3a30\""), ERR_CORRUPT_RECORD);
    assert_int_equal(run(AGG_RBM64, "BYTES", "\"hex:00\"", "\"hex:02\""), ERR_CORRUPT_RECORD);
}

/* Arrow decimals have the digits they were declared with, rows may have more. */
static void sums_of_too_many_digits(void **state)
{
    const struct kv_aggregation function = {.kind = AGG_SUM, .declared_digits = true};
    struct column c;
    struct row_cell value;

    (void)state;
    column_init(&c, "DECIMAL(5, 2)", ROW_COMPACTED);
    value = cell_of(&c, "\"999.98\"");
    for (int i = 0; i < 2; i++) { /* the second one is refused and changes nothing */
        assert_int_equal(aggregate(&function, &c.plan->columns[0], cell_of(&c, "\"0.01\""),
                                   &c.arena, &value, NULL),
                         i == 0 ? ERR_OK : ERR_INVALID_ARGUMENT);
        vectors_assert_equal("sum", row_cell_bytes(value),
                             row_cell_bytes(cell_of(&c, "\"999.99\"")));
    }
    arena_fini(&c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_function),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(sums_of_too_many_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
