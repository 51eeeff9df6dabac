#include "../../support/pg_fake.h"
#include "format/arrow_read.h"
#include "shell/output.h"

/* One row of one column, as its Arrow value has it; *ret: whether it has one. */
static struct row_value through(const struct client_column *column, const struct type *type,
                                const char *text, bool *ret, struct arena *arena)
{
    struct output_options options = {.format = OUTPUT_ARROW};
    const struct client_cell cell = {.text = bytes_str(text)};
    struct row_value value = {0};
    struct type_field field = {.name = "a", .type = type};
    struct type row = {.root = TYPE_ROW, .count = 1, .fields = &field};
    struct arrow_reader reader;
    struct sink sink;
    struct output o = {.options = &options, .sink = &sink};
    struct bytes stream;
    size_t schema;

    sink_init(&sink, -1);
    output_begin(&o, column, 1);
    schema = sink.pending.len;
    output_row(&o, &cell);
    output_end(&o);
    *ret = !sink.failed;
    if (*ret) {
        stream = arena_copy(arena, buffer_view(&sink.pending));
        assert_memory_equal(stream.data + stream.len - 8, "\xff\xff\xff\xff\0\0\0", 8);
        stream = bytes_slice(stream, schema, stream.len - schema - 8);
        assert_int_equal(arrow_reader_open(&row, stream, NULL, arena, &reader, NULL), ERR_OK);
        assert_int_equal(reader.row_count, 1);
        arrow_reader_row(&reader, 0, arena, &value);
    }
    buffer_clear(&sink.pending);
    sink.failed = false;
    sink_fini(&sink);
    arena_fini(&o.arena);
    return value;
}

static void values_of_types(void **state)
{
    static const struct {
        uint32_t oid;
        struct type type;
        const char *text;
        int64_t expected;
    } cases[] = {
        {20, {.root = TYPE_BIGINT}, "-9223372036854775808", INT64_MIN},
        {21, {.root = TYPE_SMALLINT}, "-7", -7},
        {16, {.root = TYPE_BOOLEAN}, "t", 1},
        {1082, {.root = TYPE_DATE}, "1969-12-31", -1},
        {1083, {.root = TYPE_TIME, .precision = 6}, "00:01:02.5", 62500},
        {1700, {.root = TYPE_DECIMAL, .precision = 10, .scale = 2}, "-0.5", -50},
    };
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    bool right = false;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client_column column = {
            .name = "a", .type = cases[i].oid, .modifier = ((10 << 16) | 2) + 4};
        struct row_value v = through(&column, &cases[i].type, cases[i].text, &right, &arena);

        assert_true(right);
        assert_int_equal(cases[i].oid == 16 ? v.boolean : v.integer, cases[i].expected);
    }
}

static void what_arrow_has_no_value_for(void **state)
{
    static const struct {
        uint32_t oid;
        const char *text;
    } cases[] = {
        {1082, "infinity"},
        {1082, "0044-03-15 BC"},
        {1114, "2026-01-01 00:00:00+00"},
        {1184, "2026-01-01 00:00:00"},
        {23, "x"},
        {1700, "1.234"},
        {17, "\\x1"},
        {17, "00"},
    };
    static const struct type any = {.root = TYPE_INTEGER};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client_column column = {
            .name = "a", .type = cases[i].oid, .modifier = ((10 << 16) | 2) + 4};
        bool right = true;

        (void)through(&column, &any, cases[i].text, &right, &arena);
        assert_false(right);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_of_types),
                                       cmocka_unit_test(what_arrow_has_no_value_for)};

    return cmocka_run_group_tests_name("shell/output_arrow", tests, NULL, NULL);
}
