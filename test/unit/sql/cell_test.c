#include "../../support/sql_store.h"
#include "format/row.h"
#include "sql/cell.h"
#include "sql/fill.h"

struct sample {
    struct type type;
    struct row_value value;
};

/* A value on its two ways: the long one goes through an Arrow column and a vector. */
struct ways {
    struct arena arena;
    struct sql_type made;
    struct arrow_rows *rows;
    struct arrow_reader reader;
    void *chunk;
    struct buffer expected;
    struct buffer found;
};

static bool long_way(struct ways *w, const struct type *row, const struct row_value *value,
                     struct sql_value *ret)
{
    static const struct arrow_build_codec plain = {.kind = ARROW_CODEC_NONE};
    const struct duckdb *d = duckdb();
    struct bytes message = {0};
    struct fill f = {.duckdb = d, .count = 1};
    void *type = fill_type(d, row->fields[0].type);

    w->chunk = d->create_data_chunk(&type, 1);
    assert_int_equal(value_type_make(d, type, &w->arena, &w->made, NULL), ERR_OK);
    w->rows = arrow_rows_new(row);
    assert_int_equal(arrow_rows_append_values(w->rows, value, NULL), ERR_OK);
    assert_int_equal(arrow_rows_finish(w->rows, &plain, &w->arena, &message, NULL), ERR_OK);
    assert_int_equal(arrow_reader_open(row, message, NULL, &w->arena, &w->reader, NULL), ERR_OK);
    f.vector = d->data_chunk_get_vector(w->chunk, 0);
    *ret = (struct sql_value){.duckdb = d, .type = &w->made, .vector = f.vector};
    return fill_values(&f, row->fields[0].type, w->reader.nodes, 0, NULL) == ERR_OK;
}

static bool short_way(struct ways *w, struct row_format format, const struct row_value *value,
                      union value_plain *ret)
{
    const struct row_plan *plan = row_plan_new(format.layout, format.row, &w->arena);
    struct bytes bytes = {0};
    struct row_cell cell;

    assert_int_equal(row_encode(format, value, &w->arena, &bytes, NULL), ERR_OK);
    assert_int_equal(row_cells_read(plan, bytes, &cell, NULL), ERR_OK);
    return cell_value(&plan->columns[0], cell, ret);
}

static void expect_same(const struct sample *s, enum row_layout layout)
{
    const struct type_field field = {.name = "x", .type = &s->type};
    const struct type row = {.root = TYPE_ROW, .count = 1, .fields = &field};
    struct ways w = {.arena = ARENA_INIT};
    struct sql_value one;
    union value_plain plain;
    bool there = long_way(&w, &row, &s->value, &one);

    assert_true(cell_is_plain(&s->type));
    assert_int_equal(short_way(&w, (struct row_format){layout, &row}, &s->value, &plain), there);
    if (there) {
        struct sql_value other = {.duckdb = one.duckdb, .type = one.type, .plain = &plain};

        assert_true(value_text(&one, &w.expected) && value_binary(&one, &w.expected));
        assert_true(value_text(&other, &w.found) && value_binary(&other, &w.found));
        assert_int_equal(w.found.len, w.expected.len);
        assert_memory_equal(w.found.data, w.expected.data, w.found.len);
    }
    value_type_fini(one.duckdb, &w.made);
    duckdb()->destroy_data_chunk(&w.chunk);
    arrow_rows_free(w.rows);
    buffer_fini(&w.expected);
    buffer_fini(&w.found);
    arena_fini(&w.arena);
}

static void expect_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_same(&samples[i], ROW_COMPACTED);
        expect_same(&samples[i], ROW_INDEXED);
    }
}

static void numbers(void **state)
{
    static const uint8_t wide[] = {0x80, 0, 0, 0, 0, 0, 0, 1, 2};
    const struct sample samples[] = {
        {{.root = TYPE_BOOLEAN}, {.boolean = true}},
        {{.root = TYPE_BOOLEAN}, {.boolean = false}},
        {{.root = TYPE_TINYINT}, {.integer = INT8_MIN}},
        {{.root = TYPE_SMALLINT}, {.integer = INT16_MIN}},
        {{.root = TYPE_INTEGER}, {.integer = INT32_MIN}},
        {{.root = TYPE_INTEGER}, {.integer = 7}},
        {{.root = TYPE_BIGINT}, {.integer = INT64_MIN}},
        {{.root = TYPE_BIGINT}, {.integer = INT64_MAX}},
        {{.root = TYPE_FLOAT}, {.real32 = -1.5f}},
        {{.root = TYPE_FLOAT}, {.real32 = 0.1f}},
        {{.root = TYPE_DOUBLE}, {.real64 = 0.1}},
        {{.root = TYPE_DOUBLE}, {.real64 = -1e300}},
        {{.root = TYPE_DECIMAL, .precision = 4, .scale = 1}, {.integer = -9999}},
        {{.root = TYPE_DECIMAL, .precision = 9, .scale = 9}, {.integer = 1}},
        {{.root = TYPE_DECIMAL, .precision = 18, .scale = 2}, {.integer = -123456789012345678}},
        {{.root = TYPE_DECIMAL, .precision = 38, .scale = 10},
         {.bytes = bytes_of(wide, sizeof wide)}},
        {{.root = TYPE_DECIMAL, .precision = 4, .scale = 1}, {.integer = 100000}}, /* too wide */
    };

    (void)sql_ready(state);
    expect_all(samples, ARRAY_LEN(samples));
}

static void times(void **state)
{
    struct sample s = {.value = {.integer = 0}};
    const int64_t millis[] = {0, -1, 1, 999, -1001, 1700000000123, INT64_MAX / 2, INT64_MIN};
    const int64_t times_of_day[] = {0, 1, 999, 86399999, 86400000, -1};

    (void)sql_ready(state);
    s.type.root = TYPE_DATE;
    s.value.integer = -719162;
    expect_all(&s, 1);
    for (int32_t precision = 0; precision <= 9; precision++) {
        s.type = (struct type){.root = TYPE_TIME, .precision = precision};
        for (size_t i = 0; i < ARRAY_LEN(times_of_day); i++) {
            s.value = (struct row_value){.integer = times_of_day[i]};
            expect_all(&s, 1);
        }
        for (size_t i = 0; i < ARRAY_LEN(millis); i++) {
            s.value = (struct row_value){
                .timestamp = {.millis = millis[i], .nanos = precision > 3 ? 123456 : 0}};
            s.type.root = TYPE_TIMESTAMP;
            expect_all(&s, 1);
            s.type.root = TYPE_TIMESTAMP_LTZ;
            expect_all(&s, 1);
        }
    }
}

static void texts(void **state)
{
    const struct sample samples[] = {
        {{.root = TYPE_STRING}, {.bytes = bytes_str("")}},
        {{.root = TYPE_STRING}, {.bytes = bytes_str("twelve bytes")}},
        {{.root = TYPE_STRING}, {.bytes = bytes_str("thirteen byte")}},
        {{.root = TYPE_CHAR, .length = 5}, {.bytes = bytes_str("\xc3\xa9t\xc3\xa9")}},
        {{.root = TYPE_BYTES}, {.bytes = bytes_str("\xff\x01")}},
        {{.root = TYPE_BYTES}, {.bytes = bytes_str("more than twelve bytes")}},
        {{.root = TYPE_STRING}, {.bytes = bytes_str("\xff")}}, /* no text */
    };

    (void)sql_ready(state);
    expect_all(samples, ARRAY_LEN(samples));
}

static void types_that_are_not_plain(void **state)
{
    static const enum type_root roots[] = {TYPE_BINARY, TYPE_ARRAY, TYPE_MAP, TYPE_ROW};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        assert_false(cell_is_plain(&(struct type){.root = roots[i]}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(numbers), SQL_TEST(times), SQL_TEST(texts),
                                       cmocka_unit_test(types_that_are_not_plain)};

    return cmocka_run_group_tests_name("sql/cell", tests, NULL, NULL);
}
