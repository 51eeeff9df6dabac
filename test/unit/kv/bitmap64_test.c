#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "kv/bitmap.h"

/* Bytes of Java and of ours name the same containers. */
static void golden_bitmaps_round_trip(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("roaring.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct bytes java = vectors_hex(one, "union", &arena);
        struct bitmap_list list;
        struct bitmap_list again;

        if (vectors_i64(one, "bits") != 64) {
            continue;
        }
        assert_int_equal(bitmap64_read(java, &arena, &list, NULL), ERR_OK);
        assert_int_equal(bitmap64_read(bitmap64_write(&list, &arena), &arena, &again, NULL),
                         ERR_OK);
        assert_int_equal(again.count, list.count);
        for (size_t i = 0; i < list.count; i++) {
            assert_int_equal(again.items[i].key, list.items[i].key);
            assert_int_equal(again.items[i].kind, list.items[i].kind);
            assert_int_equal(again.items[i].cardinality, list.items[i].cardinality);
            vectors_assert_equal("container", again.items[i].data, list.items[i].data);
        }
    }
}

/* Any cut and any changed byte is either noticed or another bitmap, never a crash. */
static void damaged_bitmaps(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("roaring.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct bytes java = vectors_hex(one, "union", &arena);
        uint8_t *copy = arena_alloc(&arena, java.len);
        struct bitmap_list list;

        if (vectors_i64(one, "bits") != 64 || java.len > 4096) {
            continue;
        }
        memcpy(copy, java.data, java.len);
        for (size_t i = 0; i < java.len; i++) {
            assert_int_equal(bitmap64_read(bytes_of(copy, i), &arena, &list, NULL),
                             ERR_CORRUPT_RECORD);
            copy[i] ^= 0x5a;
            if (bitmap64_read(bytes_of(copy, java.len), &arena, &list, NULL) == ERR_OK) {
                assert_true(bitmap64_write(&list, &arena).len > 0);
            }
            copy[i] ^= 0x5a;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bitmaps_round_trip),
        cmocka_unit_test(damaged_bitmaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
