#include "../../support/key_vectors.h"
#include "../../support/unit.h"

static void golden_keys(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("key_encoder_hudi_main.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct key_format format = key_vector_format(one, KEY_HUDI, &arena);
        const struct row_value *values =
            row_vector_fields(vectors_get(one, "key"), format.columns, &arena);
        struct bytes key;

        if (json_object_get(one, "error") != NULL) {
            assert_int_equal(key_format_check(&format, NULL), ERR_UNSUPPORTED_OPERATION);
            continue;
        }
        if (format.columns->fields[0].type->root == TYPE_FLOAT && values[0].real32 < -1e10f) {
            continue; /* what Java before 19 makes of -3.25E10 */
        }
        assert_int_equal(key_format_check(&format, NULL), ERR_OK);
        assert_int_equal(key_encode(&format, values, &arena, &key, NULL), ERR_OK);
        vectors_assert_equal(type_text(format.columns).text, key, vectors_hex(one, "hex", &arena));
        key_vector_check_buckets(one, key, BUCKETING_HUDI);
    }
}

static void texts_that_hudi_would_misread(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct key_format two = {.encoding = KEY_HUDI,
                             .columns =
                                 row_vector_type("ROW<`a` STRING NOT NULL, `b` INT>", &arena)};
    struct key_format one = {.encoding = KEY_HUDI,
                             .columns = row_vector_type("ROW<`a` STRING NOT NULL>", &arena)};
    static const char *const bad[] = {"a,b", "__null__", "__empty__"};
    const struct row_value *read = NULL;
    struct bytes key;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct row_value values[] = {{.bytes = bytes_str(bad[i])}, {.null = true}};

        assert_int_equal(key_encode(&two, values, &arena, &key, NULL), ERR_INVALID_ARGUMENT);
        assert_int_equal(key_encode(&one, values, &arena, &key, NULL), ERR_OK);
    }
    assert_int_equal(key_decode(&one, key, &arena, &read, NULL), ERR_UNSUPPORTED_OPERATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_keys),
        cmocka_unit_test(texts_that_hudi_would_misread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
