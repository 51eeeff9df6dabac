/* Golden keys, see key_vectors.h. */
#include "key_vectors.h"

#include "unit.h"

#include <stdlib.h>

struct key_format key_vector_format(const json_t *one, enum key_encoding encoding,
                                    struct arena *arena)
{
    return (struct key_format){.encoding = encoding,
                               .columns = row_vector_schema(vectors_get(one, "schema"), arena)};
}

void key_vector_check_buckets(const json_t *of, struct bytes key, enum bucketing function)
{
    static const char prefix[] = "bucket_of_";
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)of, name, value)
    {
        int32_t bucket = -1;

        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            int32_t count = (int32_t)strtol(name + strlen(prefix), NULL, 10);

            assert_int_equal(bucketing_bucket(function, key, count, &bucket, NULL), ERR_OK);
            assert_int_equal(bucket, json_integer_value(value));
        }
    }
}

static void check_values(const struct key_format *format, struct bytes key,
                         const struct row_value *expected, struct arena *arena)
{
    const struct row_value *values = NULL;
    struct error e = {0};

    if (key_decode(format, key, arena, &values, &e) != ERR_OK) {
        fail_msg("%s: %s", type_text(format->columns).text, e.message);
    }
    for (uint32_t i = 0; i < format->columns->count; i++) {
        const struct type *type = format->columns->fields[i].type;
        struct row_value want = expected[i];

        if (format->encoding == KEY_ICEBERG && type->root == TYPE_TIMESTAMP) {
            want.timestamp.nanos -= want.timestamp.nanos % 1000; /* the key has microseconds */
        }
        if (!row_value_equal(type, &values[i], &want)) {
            fail_msg("%s: column %u differs", type_text(format->columns).text, i);
        }
    }
}

static void check_case(const json_t *one, const char *member, enum key_encoding encoding,
                       enum bucketing function)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct key_format format = key_vector_format(one, encoding, &arena);
    const struct row_value *values =
        row_vector_fields(vectors_get(one, "key"), format.columns, &arena);
    const json_t *expected = vectors_get(one, member);
    struct bytes golden;
    struct bytes key;

    if (json_object_get(expected, "error") != NULL) {
        assert_int_equal(key_format_check(&format, NULL), ERR_UNSUPPORTED_OPERATION);
        return;
    }
    golden = vectors_hex(expected, "hex", &arena);
    assert_int_equal(key_format_check(&format, NULL), ERR_OK);
    assert_int_equal(key_encode(&format, values, &arena, &key, NULL), ERR_OK);
    vectors_assert_equal(type_text(format.columns).text, key, golden);
    check_values(&format, golden, values, &arena);
    key_vector_check_buckets(expected, key, function);
}

void key_vectors_check(const char *member, enum key_encoding encoding, enum bucketing function)
{
    OWNED(vectors_freep) json_t *document = vectors_load("key_encoders.json");

    VECTORS_FOR_EACH(one, document) { check_case(one, member, encoding, function); }
}
