/* Reading golden vectors, see vectors.h. */
#include "vectors.h"

#include "unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int hex_digit(char c);

json_t *vectors_load_from(const char *test_dir, const char *file)
{
    char path[1024];
    json_error_t error;
    json_t *document;

    snprintf(path, sizeof path, "%s/golden/%s", test_dir, file);
    document = json_load_file(path, 0, &error);
    if (document == NULL) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    assert_true(json_array_size(vectors_get(document, "cases")) > 0);
    return document;
}

void vectors_free(json_t *document) { json_decref(document); }

void vectors_freep(json_t **document) { json_decref(*document); }

json_t *vectors_case(const json_t *document, size_t index)
{
    return json_array_get(vectors_get(document, "cases"), index);
}

json_t *vectors_get(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (value == NULL) {
        fail_msg("vector has no member \"%s\"", key);
    }
    return value;
}

const char *vectors_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(vectors_get(object, key));

    if (text == NULL) {
        fail_msg("vector member \"%s\" is not a string", key);
    }
    return text;
}

bool vectors_bool(const json_t *object, const char *key)
{
    json_t *value = vectors_get(object, key);

    assert_true(json_is_boolean(value));
    return json_is_true(value);
}

int64_t vectors_i64(const json_t *object, const char *key)
{
    return vector_i64(vectors_get(object, key));
}

struct bytes vectors_hex(const json_t *object, const char *key, struct arena *arena)
{
    return vector_unhex(vectors_text(object, key), arena);
}

int64_t vector_i64(const json_t *value)
{
    char *end = NULL;
    int64_t number;

    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    assert_true(json_is_string(value));
    errno = 0;
    number = strtoll(json_string_value(value), &end, 10);
    assert_true(errno == 0 && *end == '\0');
    return number;
}

double vector_f64(const json_t *value)
{
    const char *text;

    if (json_is_number(value)) {
        return json_number_value(value);
    }
    text = json_string_value(value);
    assert_non_null(text);
    if (strcmp(text, "NaN") == 0) {
        return (double)NAN;
    }
    assert_true(strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0);
    return text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
}

struct bytes vector_bytes(const json_t *value, struct arena *arena)
{
    const char *text = json_string_value(value);

    assert_non_null(text);
    assert_int_equal(strncmp(text, "hex:", 4), 0);
    return vector_unhex(text + 4, arena);
}

struct bytes vector_unhex(const char *hex, struct arena *arena)
{
    size_t len = strlen(hex);
    uint8_t *data = arena_alloc(arena, len / 2);

    assert_int_equal(len % 2, 0);
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);

        assert_true(high >= 0 && low >= 0);
        data[i] = (uint8_t)(high << 4 | low);
    }
    return bytes_of(data, len / 2);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void print_hex(const char *title, struct bytes b)
{
    print_error("%s (%zu bytes):\n", title, b.len);
    for (size_t i = 0; i < b.len; i++) {
        print_error("%02x%s", b.data[i], i + 1 == b.len || i % 32 == 31 ? "\n" : "");
    }
}

void vectors_assert_equal(const char *name, struct bytes got, struct bytes expected)
{
    size_t at = 0;

    if (bytes_equal(got, expected)) {
        return;
    }
    while (at < got.len && at < expected.len && got.data[at] == expected.data[at]) {
        at++;
    }
    print_hex("got", got);
    print_hex("expected", expected);
    fail_msg("%s: first difference at byte %zu", name, at);
}
