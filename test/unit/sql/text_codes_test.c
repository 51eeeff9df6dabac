#include <stdio.h>

#include "../../support/unit.h"
#include "base/buffer.h"
#include "sql/text_codes.h"

#define ROWS 2000u

static const struct type string = {.root = TYPE_STRING};
static const struct type blob = {.root = TYPE_BYTES};

/* A column of texts, made value by value. */
struct texts {
    struct buffer offsets;
    struct buffer data;
    uint8_t validity[ROWS / 8];
    struct arrow_read_node node;
    uint8_t codes[ROWS];
    struct text_codes found;
};

static void begin(struct texts *t)
{
    memset(t, 0, sizeof *t);
    memset(t->validity, 0xff, sizeof t->validity);
    buffer_u32le(&t->offsets, 0);
}

static void add(struct texts *t, struct bytes value)
{
    buffer_bytes(&t->data, value);
    buffer_u32le(&t->offsets, (uint32_t)t->data.len);
    t->node.length++;
}

static void add_null(struct texts *t)
{
    t->validity[t->node.length / 8] &= (uint8_t) ~(1u << t->node.length % 8);
    t->node.null_count++;
    add(t, bytes_str("\xff under a null"));
}

static bool find(struct texts *t, const struct type *type)
{
    t->node.kind = ARROW_BUILD_BYTES;
    t->node.span = 1;
    t->node.validity = bytes_of(t->validity, sizeof t->validity);
    t->node.offsets = buffer_view(&t->offsets);
    t->node.data = buffer_view(&t->data);
    return text_codes_may_be(type, &t->node) &&
           text_codes_find(&t->found, type, &t->node, t->codes);
}

static bool end(struct texts *t, bool found)
{
    buffer_fini(&t->offsets);
    buffer_fini(&t->data);
    return found;
}

/* Whether `rows` rows of `count` values, each of so many bytes at least, have codes. */
static bool few(size_t count, size_t rows, int width)
{
    struct texts t;
    bool found;

    begin(&t);
    for (size_t i = 0; i < rows; i++) {
        char text[2000];

        (void)snprintf(text, sizeof text, "%0*zu", width, i * 7 % count);
        add(&t, bytes_str(text));
    }
    found = find(&t, &string);
    for (size_t i = 0; found && i < rows; i++) {
        char text[2000];

        (void)snprintf(text, sizeof text, "%0*zu", width, i * 7 % count);
        assert_true(bytes_equal_str(t.found.values[t.codes[i]], text));
    }
    assert_true(!found || t.found.count == count);
    return end(&t, found);
}

static void up_to_so_many_values(void **state)
{
    (void)state;
    assert_true(few(1, ROWS, 1));
    assert_true(few(TEXT_CODES_MAX, ROWS, 1));
    assert_false(few(TEXT_CODES_MAX + 1, ROWS, 1));
    assert_false(few(ROWS, ROWS, 1));
}

static void rows_that_are_worth_it(void **state)
{
    (void)state;
    assert_true(few(5, TEXT_CODES_ROWS_MIN, 1));
    assert_false(few(5, TEXT_CODES_ROWS_MIN - 1, 1));
    assert_true(few(100, 100 * TEXT_CODES_ROWS_EACH, 1));
    assert_false(few(100, 100 * TEXT_CODES_ROWS_EACH - 1, 1));
}

static void values_that_are_not_too_long(void **state)
{
    (void)state;
    assert_true(few(8, ROWS, TEXT_CODES_BYTES_MAX / 8));
    assert_false(few(9, ROWS, TEXT_CODES_BYTES_MAX / 8));
}

static void nulls_and_empty_texts(void **state)
{
    struct texts t;

    (void)state;
    begin(&t);
    for (size_t i = 0; i < ROWS; i += 4) {
        add(&t, BYTES_EMPTY);
        add_null(&t);
        add(&t, bytes_str("a"));
        add_null(&t);
    }
    assert_true(find(&t, &string));
    assert_int_equal(t.found.count, 3);
    assert_int_equal(t.found.bytes, 1);
    assert_int_equal(t.found.null_count, 1);
    assert_int_equal(t.found.null, 1);
    assert_memory_equal(t.codes, ((const uint8_t[]){0, 1, 2, 1, 0, 1, 2, 1}), 8);
    (void)end(&t, true);
    begin(&t);
    for (size_t i = 0; i < ROWS; i++) {
        add_null(&t);
    }
    assert_true(find(&t, &string));
    assert_int_equal(t.found.count, 1);
    assert_int_equal(t.found.null_count, 1);
    (void)end(&t, true);
}

/* A null takes a code like a value. */
static void a_null_at_the_bound(void **state)
{
    (void)state;
    for (size_t values = TEXT_CODES_MAX - 1; values <= TEXT_CODES_MAX; values++) {
        struct texts t;

        begin(&t);
        for (size_t i = 0; i < ROWS; i++) {
            char text[8];

            (void)snprintf(text, sizeof text, "%zu", i % values);
            if (i == ROWS - 1) {
                add_null(&t);
            } else {
                add(&t, bytes_str(text));
            }
        }
        assert_int_equal(end(&t, find(&t, &string)), values < TEXT_CODES_MAX);
    }
}

static void texts_are_utf8_and_bytes_are_not(void **state)
{
    struct texts t;

    (void)state;
    begin(&t);
    for (size_t i = 0; i < ROWS; i++) {
        add(&t, bytes_str(i % 2 == 0 ? "\xc3\xa9" : "\xff"));
    }
    assert_false(find(&t, &string));
    assert_true(find(&t, &blob));
    assert_int_equal(t.found.count, 2);
    (void)end(&t, true);
}

static void other_types_have_none(void **state)
{
    static const struct type others[] = {{.root = TYPE_BIGINT}, {.root = TYPE_BINARY}};
    struct arrow_read_node node = {.kind = ARROW_BUILD_FIXED, .width = 8, .length = ROWS};

    (void)state;
    assert_false(text_codes_may_be(&others[0], &node));
    assert_false(text_codes_may_be(&others[1], &node));
    node.kind = ARROW_BUILD_LIST;
    assert_false(text_codes_may_be(&(const struct type){.root = TYPE_ARRAY}, &node));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_so_many_values),
        cmocka_unit_test(rows_that_are_worth_it),
        cmocka_unit_test(values_that_are_not_too_long),
        cmocka_unit_test(nulls_and_empty_texts),
        cmocka_unit_test(a_null_at_the_bound),
        cmocka_unit_test(texts_are_utf8_and_bytes_are_not),
        cmocka_unit_test(other_types_have_none),
    };

    return cmocka_run_group_tests_name("sql/text_codes", tests, NULL, NULL);
}
