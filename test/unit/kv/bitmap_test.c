#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "kv/bitmap.h"

static struct bytes unite(enum bitmap_width width, struct bytes a, struct bytes b,
                          struct arena *arena)
{
    struct bytes both = BYTES_EMPTY;
    struct error e = {0};

    if (bitmap_union(width, a, b, arena, &both, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return both;
}

/* The same numbers as the union that Java made, and the same from both sides. */
static void golden_unions(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("roaring.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        enum bitmap_width width = vectors_i64(one, "bits") == 32 ? BITMAP_32 : BITMAP_64;
        struct bytes a = vectors_hex(one, "a", &arena);
        struct bytes b = vectors_hex(one, "b", &arena);
        struct bytes java = vectors_hex(one, "union", &arena);
        struct bytes ours = unite(width, a, b, &arena);

        if (width == BITMAP_32) {
            vectors_assert_equal(vectors_text(one, "name"), ours, java);
        }
        vectors_assert_equal(vectors_text(one, "name"), unite(width, java, a, &arena), ours);
        vectors_assert_equal(vectors_text(one, "name"), unite(width, b, a, &arena), ours);
        vectors_assert_equal(vectors_text(one, "name"), unite(width, ours, ours, &arena), ours);
    }
}

static enum errcode read_container(enum bitmap_kind kind, uint32_t cardinality, struct bytes in)
{
    struct reader r = reader_of(in);
    struct bitmap_container c;

    return bitmap_container_read(&r, kind, cardinality, &c, NULL);
}

static void containers_that_no_writer_makes(void **state)
{
    static uint8_t bitset[8192];

    (void)state;
    assert_int_equal(read_container(BITMAP_ARRAY, 2, bytes_of("\1\0\2\0", 4)), ERR_OK);
    assert_int_equal(read_container(BITMAP_ARRAY, 2, bytes_of("\2\0\2\0", 4)), ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_ARRAY, 2, bytes_of("\1\0\2", 3)), ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_ARRAY, 0, BYTES_EMPTY), ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_ARRAY, 65537, BYTES_EMPTY), ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_RUN, 0, bytes_of("\1\0\xff\xff\0\0", 6)), ERR_OK);
    assert_int_equal(read_container(BITMAP_RUN, 0, bytes_of("\1\0\xff\xff\1\0", 6)),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_RUN, 0, bytes_of("\2\0\0\0\5\0\5\0\0\0", 10)),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_RUN, 0, bytes_of("\2\0\0\0\5\0\6\0\0\0", 10)), ERR_OK);
    assert_int_equal(read_container(BITMAP_RUN, 0, bytes_of("\0\0", 2)), ERR_CORRUPT_RECORD);
    bitset[100] = 3;
    assert_int_equal(read_container(BITMAP_BITSET, 2, bytes_of(bitset, sizeof bitset)), ERR_OK);
    assert_int_equal(read_container(BITMAP_BITSET, 1, bytes_of(bitset, sizeof bitset)),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(read_container(BITMAP_BITSET, 2, bytes_of(bitset, 8191)), ERR_CORRUPT_RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_unions),
        cmocka_unit_test(containers_that_no_writer_makes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
