/* Plain types and values of golden vectors, see value_vectors.h. */
#include "value_vectors.h"

#include "unit.h"

#include <stdio.h>

struct word {
    const char *text;
    enum type_root root;
};

static const struct word words[] = {
#define X(root, json, text) {text, TYPE_##root},
    TYPE_ROOTS(X)
#undef X
};

bool vector_type(const char *text, struct type *ret)
{
    size_t len = strcspn(text, "(<` ");
    struct type type = {.root = TYPE_ROOT_COUNT};
    int first = 0;
    int second = 0;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].text) == len && strncmp(words[i].text, text, len) == 0) {
            type.root = words[i].root;
        }
    }
    if (type.root == TYPE_ROOT_COUNT) {
        fail_msg("unknown type %s", text);
    }
    if (type_is_nested(&type)) {
        return false;
    }
    if (text[len] == '(') {
        assert_true(sscanf(text + len, "(%d, %d)", &first, &second) >= 1);
    }
    if (type.root == TYPE_TIMESTAMP && strstr(text, "WITH LOCAL TIME ZONE") != NULL) {
        type.root = TYPE_TIMESTAMP_LTZ;
    }
    type.nullable = strstr(text, "NOT NULL") == NULL;
    type.precision = first;
    type.length = first;
    type.scale = second;
    *ret = type;
    return true;
}

/* "-12.30" with the scale written out: the digits are the unscaled number. */
static __int128 unscaled_of(const char *text)
{
    bool negative = text[0] == '-';
    __int128 number = 0;

    for (const char *p = text + (negative ? 1 : 0); *p != '\0'; p++) {
        if (*p != '.') {
            assert_true(*p >= '0' && *p <= '9');
            number = number * 10 + (*p - '0');
        }
    }
    return negative ? -number : number;
}

static struct bytes bytes_value(const json_t *value, const struct type *type, struct arena *arena)
{
    if (type->root == TYPE_BYTES || type->root == TYPE_BINARY) {
        return vector_bytes(value, arena);
    }
    assert_true(json_is_string(value));
    return bytes_str(json_string_value(value));
}

struct value vector_value(const json_t *value, const struct type *type, struct arena *arena)
{
    struct value v = {.kind = VALUE_NULL};

    if (json_is_null(value)) {
        return v;
    }
    assert_true(value_kind_of(type, &v.kind));
    switch (v.kind) {
    case VALUE_INT:
        v.integer = json_is_boolean(value) ? json_is_true(value) : vector_i64(value);
        break;
    case VALUE_REAL:
        v.real = vector_f64(value);
        if (type->root == TYPE_FLOAT) {
            v.real = (double)(float)v.real;
        }
        break;
    case VALUE_DECIMAL:
        assert_true(json_is_string(value));
        v.unscaled = unscaled_of(json_string_value(value));
        break;
    case VALUE_TIMESTAMP:
        v.timestamp.millis = vectors_i64(value, "millis");
        v.timestamp.nanos = (int32_t)vectors_i64(value, "nano_of_milli");
        break;
    case VALUE_BYTES:
        v.bytes = bytes_value(value, type, arena);
        break;
    case VALUE_NULL:
        break;
    }
    return v;
}

bool vector_value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    return a->kind == VALUE_NULL || value_compare(a, b) == 0;
}
