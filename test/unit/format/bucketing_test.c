#include <stdlib.h>

#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/bucketing.h"

/* "fluss_bucket_of_7" of a case, for every such member. */
static void check_buckets(const json_t *one, const char *prefix, enum bucketing function,
                          struct bytes key)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)one, name, value)
    {
        int32_t bucket = -1;

        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            int32_t count = (int32_t)strtol(name + strlen(prefix), NULL, 10);

            assert_int_equal(bucketing_bucket(function, key, count, &bucket, NULL), ERR_OK);
            assert_int_equal(bucket, json_integer_value(value));
        }
    }
}

static void golden_hashes(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("hashes.json");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        struct bytes key = vectors_hex(one, "hex", &arena);

        assert_int_equal(bucketing_hash(key), vectors_i64(one, "murmur_fluss_seed42"));
        assert_int_equal(bucketing_rehash(bucketing_hash(key)),
                         vectors_i64(one, "math_murmur_of_hash"));
        check_buckets(one, "fluss_bucket_of_", BUCKETING_FLUSS, key);
        check_buckets(one, "iceberg_bucket_of_", BUCKETING_ICEBERG, key);
        check_buckets(one, "paimon_bucket_of_", BUCKETING_PAIMON, key);
    }
}

static void golden_hudi_buckets(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("key_encoder_hudi_main.json");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int32_t bucket;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        if (json_object_get(one, "hex") != NULL) {
            check_buckets(one, "bucket_of_", BUCKETING_HUDI, vectors_hex(one, "hex", &arena));
        }
    }
    assert_int_equal(bucketing_bucket(BUCKETING_HUDI, bytes_str("abc"), 3, &bucket, NULL),
                     ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_hashes),
        cmocka_unit_test(golden_hudi_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
