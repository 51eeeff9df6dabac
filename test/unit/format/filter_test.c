#include <stdio.h>
#include <stdlib.h>

#include "../../support/unit.h"
#include "../../support/value_vectors.h"
#include "format/filter.h"

/* ---- statistics sections for the columns a INT, b STRING, c BIGINT ---- */

#define COLUMN_COUNT 3
#define ROW_SIZE_MAX 256

static const struct type types[COLUMN_COUNT] = {
    {.root = TYPE_INTEGER}, {.root = TYPE_STRING}, {.root = TYPE_BIGINT}};

/* An aligned row whose strings stay within a slot or take one place behind the slots. */
static size_t put_row(uint8_t *row, const struct value *values)
{
    size_t end = 8 + 8 * COLUMN_COUNT;

    memset(row, 0, ROW_SIZE_MAX);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        uint8_t *slot = row + 8 + 8 * i;
        struct bytes text = values[i].bytes;

        if (values[i].kind == VALUE_NULL) {
            row[1] = (uint8_t)(row[1] | 1u << i);
        } else if (values[i].kind == VALUE_INT && types[i].root == TYPE_INTEGER) {
            put_i32le(slot, (int32_t)values[i].integer);
        } else if (values[i].kind == VALUE_INT) {
            put_i64le(slot, values[i].integer);
        } else if (text.len <= 7) {
            memcpy(slot, text.data, text.len);
            slot[7] = (uint8_t)(0x80 | text.len);
        } else {
            put_u64le(slot, (uint64_t)end << 32 | text.len);
            memcpy(row + end, text.data, text.len);
            end += (text.len + 7) / 8 * 8;
        }
    }
    return end;
}

static struct bytes section_of(const struct stats_column *columns, struct arena *arena)
{
    struct writer w = writer_of(arena_alloc(arena, 1024), 1024);
    struct value min[COLUMN_COUNT];
    struct value max[COLUMN_COUNT];
    uint8_t row[ROW_SIZE_MAX];
    size_t len;

    writer_u8(&w, 1);
    writer_i16le(&w, COLUMN_COUNT);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        min[i] = columns[i].min;
        max[i] = columns[i].max;
        writer_i16le(&w, (int16_t)i);
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        writer_i32le(&w, (int32_t)columns[i].null_count);
    }
    len = put_row(row, min);
    writer_i32le(&w, (int32_t)len);
    writer_bytes(&w, bytes_of(row, len));
    len = put_row(row, max);
    writer_i32le(&w, (int32_t)len);
    writer_bytes(&w, bytes_of(row, len));
    return bytes_of(w.data, w.len);
}

static bool keeps(const struct filter *f, const struct stats_column *columns, int32_t rows)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_header header = {.record_count = rows};

    return filter_keep(f, &header, section_of(columns, &arena));
}

/* ---- the predicates of the golden file, as text ---- */

struct word {
    const char *text;
    enum filter_function function;
};

/* Longer words first. */
static const struct word words[] = {
    {" IS NOT NULL", FILTER_IS_NOT_NULL},
    {" IS NULL", FILTER_IS_NULL},
    {" STARTS WITH ", FILTER_STARTS_WITH},
    {" ENDS WITH ", FILTER_ENDS_WITH},
    {" CONTAINS ", FILTER_CONTAINS},
    {" NOT IN ", FILTER_NOT_IN},
    {" IN ", FILTER_IN},
    {" <> ", FILTER_NOT_EQUAL},
    {" <= ", FILTER_LESS_OR_EQUAL},
    {" >= ", FILTER_GREATER_OR_EQUAL},
    {" = ", FILTER_EQUAL},
    {" < ", FILTER_LESS},
    {" > ", FILTER_GREATER},
};

static struct value literal(const struct type *type, char *text)
{
    if (type->root == TYPE_STRING) {
        return (struct value){.kind = VALUE_BYTES, .bytes = bytes_str(text)};
    }
    return (struct value){.kind = VALUE_INT, .integer = strtoll(text, NULL, 10)};
}

static void parse_leaf(const char *text, struct filter *f, struct arena *arena)
{
    struct value *literals = arena_array(arena, 8, sizeof *literals);
    const struct word *word = NULL;
    char *rest = NULL;

    for (size_t i = 0; i < ARRAY_LEN(words) && word == NULL; i++) {
        if (strncmp(text + 1, words[i].text, strlen(words[i].text)) == 0) {
            word = &words[i];
        }
    }
    assert_non_null(word);
    assert_in_range(text[0], 'a', 'c');
    *f = (struct filter){.kind = FILTER_LEAF,
                         .function = word->function,
                         .column = (uint32_t)(text[0] - 'a'),
                         .literals = literals};
    f->type = &types[f->column];
    rest = arena_printf(arena, "%s", text + 1 + strlen(word->text));
    for (char *token = strtok_r(rest, "(,)", &rest); token != NULL;
         token = strtok_r(NULL, "(,)", &rest)) {
        literals[f->literal_count++] = literal(f->type, token);
    }
}

static struct filter parse_predicate(const char *text, struct arena *arena)
{
    const char *and = strstr(text, " AND ");
    const char * or = strstr(text, " OR ");
    struct filter *children = arena_array(arena, 2, sizeof *children);
    struct filter f = {.children = children, .child_count = 2};
    const char *split = and != NULL ? and : or ;

    if (split == NULL) {
        parse_leaf(text, &f, arena);
        return f;
    }
    f.kind = and != NULL ? FILTER_AND : FILTER_OR;
    parse_leaf(arena_strndup(arena, text, (size_t)(split - text)), &children[0], arena);
    parse_leaf(strchr(split + 1, ' ') + 1, &children[1], arena);
    return f;
}

static void decides_like_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("filter_eval_main.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct filter f = parse_predicate(vectors_text(one, "predicate"), &arena);
        struct stats_column columns[COLUMN_COUNT];

        for (size_t i = 0; i < COLUMN_COUNT; i++) {
            columns[i].min =
                vector_value(json_array_get(vectors_get(one, "min"), i), &types[i], &arena);
            columns[i].max =
                vector_value(json_array_get(vectors_get(one, "max"), i), &types[i], &arena);
            columns[i].null_count = vector_i64(json_array_get(vectors_get(one, "null_counts"), i));
        }
        if (keeps(&f, columns, (int32_t)vectors_i64(one, "row_count")) !=
            vectors_bool(one, "keep_batch")) {
            fail_msg("%s", vectors_text(one, "predicate"));
        }
    }
}

/* ---- what the golden file leaves out ---- */

static struct value integer(int64_t i) { return (struct value){.kind = VALUE_INT, .integer = i}; }

static struct value text(const char *s)
{
    return (struct value){.kind = VALUE_BYTES, .bytes = bytes_str(s)};
}

/* a in [5, 9], b in [bb, mm], c: 10 nulls; in batches of 10 rows. */
static const struct stats_column *usual(void)
{
    static struct stats_column columns[COLUMN_COUNT];

    columns[0] = (struct stats_column){.min = integer(5), .max = integer(9)};
    columns[1] = (struct stats_column){.min = text("bb"), .max = text("mm")};
    columns[2] = (struct stats_column){.null_count = 10};
    return columns;
}

static struct filter leaf(enum filter_function function, uint32_t column,
                          const struct value *literals, size_t count)
{
    return (struct filter){.kind = FILTER_LEAF,
                           .function = function,
                           .column = column,
                           .type = &types[column % COLUMN_COUNT],
                           .literals = literals,
                           .literal_count = count};
}

static void null_literals_match_nothing(void **state)
{
    static const struct value null = {.kind = VALUE_NULL};
    struct stats_column columns[COLUMN_COUNT];
    struct value mixed[2] = {null, integer(7)};
    struct filter equal = leaf(FILTER_EQUAL, 0, &null, 1);
    struct filter contains = leaf(FILTER_CONTAINS, 1, &null, 1);
    struct filter in = leaf(FILTER_IN, 0, mixed, 2);
    struct filter in_null = leaf(FILTER_IN, 0, mixed, 1);
    struct filter not_in = leaf(FILTER_NOT_IN, 0, mixed, 2);

    (void)state;
    memcpy(columns, usual(), sizeof columns);
    assert_false(keeps(&equal, columns, 10));
    assert_false(keeps(&contains, columns, 10));
    assert_true(keeps(&in, columns, 10));
    assert_false(keeps(&in_null, columns, 10));
    assert_false(keeps(&not_in, columns, 10));
    columns[0].null_count = -1;
    assert_true(keeps(&equal, columns, 10));
}

static void unknown_null_counts_and_bounds_keep(void **state)
{
    struct stats_column columns[COLUMN_COUNT];
    struct value four = integer(4);
    struct filter equal = leaf(FILTER_EQUAL, 0, &four, 1);
    struct filter is_null = leaf(FILTER_IS_NULL, 0, NULL, 0);
    struct filter is_not_null = leaf(FILTER_IS_NOT_NULL, 0, NULL, 0);

    (void)state;
    memcpy(columns, usual(), sizeof columns);
    assert_false(keeps(&equal, columns, 10));
    assert_false(keeps(&is_null, columns, 10));
    columns[0].null_count = -1;
    assert_false(keeps(&equal, columns, 10));
    assert_true(keeps(&is_null, columns, 10));
    assert_true(keeps(&is_not_null, columns, 10));
    columns[0] = (struct stats_column){.null_count = 3, .min = {.kind = VALUE_NULL}};
    assert_true(keeps(&equal, columns, 10));
    columns[0].null_count = 10;
    assert_false(keeps(&equal, columns, 10));
    assert_false(keeps(&is_not_null, columns, 10));
}

static void what_cannot_be_decided_keeps(void **state)
{
    struct value four = integer(4);
    struct value word = text("four");
    struct filter drop = leaf(FILTER_EQUAL, 0, &four, 1);
    struct filter no_statistics = leaf(FILTER_EQUAL, 7, &four, 1);
    struct filter other_type = leaf(FILTER_EQUAL, 0, &word, 1);
    struct filter no_literal = leaf(FILTER_LESS, 0, NULL, 0);
    struct filter unknown = leaf((enum filter_function)99, 0, &four, 1);
    struct filter prefix_of_number = leaf(FILTER_STARTS_WITH, 0, &four, 1);
    struct filter empty_or = {.kind = FILTER_OR};
    const struct batch_header header = {.record_count = 10};

    (void)state;
    assert_false(keeps(&drop, usual(), 10));
    assert_true(keeps(&no_statistics, usual(), 10));
    assert_true(keeps(&other_type, usual(), 10));
    assert_true(keeps(&no_literal, usual(), 10));
    assert_true(keeps(&unknown, usual(), 10));
    assert_true(keeps(&prefix_of_number, usual(), 10));
    assert_true(keeps(&empty_or, usual(), 10));
    assert_true(filter_keep(&drop, &header, BYTES_EMPTY));
    assert_true(filter_keep(&drop, &header, bytes_str("garbage")));
    assert_true(filter_keep_batch(&drop, NULL, 10));
}

/* As in the reference, a leaf that fails counts only when it is reached. */
static void compounds_stop_early(void **state)
{
    struct value four = integer(4);
    struct value seven = integer(7);
    struct filter drop = leaf(FILTER_EQUAL, 0, &four, 1);
    struct filter keep = leaf(FILTER_EQUAL, 0, &seven, 1);
    struct filter fails = leaf(FILTER_EQUAL, 9, &four, 1);
    const struct filter drop_first[] = {drop, fails};
    const struct filter fails_first[] = {fails, drop};
    const struct filter drops[] = {drop, drop, drop};
    const struct filter last_keeps[] = {drop, drop, keep};
    struct filter f = {.kind = FILTER_AND, .children = drop_first, .child_count = 2};

    (void)state;
    assert_false(keeps(&f, usual(), 10));
    f.children = fails_first;
    assert_true(keeps(&f, usual(), 10));
    f = (struct filter){.kind = FILTER_OR, .children = drop_first, .child_count = 2};
    assert_true(keeps(&f, usual(), 10));
    f = (struct filter){.kind = FILTER_OR, .children = drops, .child_count = 3};
    assert_false(keeps(&f, usual(), 10));
    f.children = last_keeps;
    assert_true(keeps(&f, usual(), 10));
    f.kind = FILTER_AND;
    assert_false(keeps(&f, usual(), 10));
}

static void trees_too_deep_keep(void **state)
{
    struct value four = integer(4);
    struct filter nodes[FILTER_DEPTH_MAX + 2];

    (void)state;
    nodes[0] = leaf(FILTER_EQUAL, 0, &four, 1);
    for (size_t i = 1; i < ARRAY_LEN(nodes); i++) {
        nodes[i] = (struct filter){.kind = FILTER_AND, .children = &nodes[i - 1], .child_count = 1};
    }
    assert_false(keeps(&nodes[FILTER_DEPTH_MAX], usual(), 10));
    assert_true(keeps(&nodes[FILTER_DEPTH_MAX + 1], usual(), 10));
}

/* U+FFFD is EF BF BD and U+10000 is F0 90 80 80, but in UTF-16 D800 DC00 comes before FFFD. */
static void prefixes_compare_by_utf16_units(void **state)
{
    struct stats_column columns[COLUMN_COUNT];
    struct value replacement = text("\xef\xbf\xbd");
    struct value supplementary = text("\xf0\x90\x80\x80");
    struct filter f = leaf(FILTER_STARTS_WITH, 1, &replacement, 1);
    struct value invalid = text("\xff");

    (void)state;
    memcpy(columns, usual(), sizeof columns);
    columns[1].min = text("a");
    columns[1].max = supplementary;
    assert_false(keeps(&f, columns, 10)); /* max < prefix */
    f.literals = &supplementary;
    columns[1].max = replacement;
    assert_true(keeps(&f, columns, 10)); /* max > prefix */
    f.literals = &invalid;
    assert_true(keeps(&f, columns, 10));
}

static void long_strings_are_compared_whole(void **state)
{
    struct stats_column columns[COLUMN_COUNT];
    struct value v = text("a string longer than a slot, b");
    struct filter f = leaf(FILTER_GREATER, 1, &v, 1);

    (void)state;
    memcpy(columns, usual(), sizeof columns);
    columns[1].min = text("a string longer than a slot, a");
    columns[1].max = text("a string longer than a slot, b");
    assert_false(keeps(&f, columns, 10));
    columns[1].max = text("a string longer than a slot, ba");
    assert_true(keeps(&f, columns, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_like_the_reference),
        cmocka_unit_test(null_literals_match_nothing),
        cmocka_unit_test(unknown_null_counts_and_bounds_keep),
        cmocka_unit_test(what_cannot_be_decided_keeps),
        cmocka_unit_test(compounds_stop_early),
        cmocka_unit_test(trees_too_deep_keep),
        cmocka_unit_test(prefixes_compare_by_utf16_units),
        cmocka_unit_test(long_strings_are_compared_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
