/* Roaring bitmaps in values: first byte the width, second how long the first of two bitmaps is. The
 * union is a bitmap that changes no more when it is united with itself or with its parts. */
#include "kv/bitmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    enum bitmap_width width;
    struct bytes rest;
    struct bytes a;
    struct bytes b;
    struct bytes both;
    struct bytes again;
    struct error e;

    if (size < 2) {
        return 0;
    }
    width = data[0] % 2 == 0 ? BITMAP_32 : BITMAP_64;
    rest = bytes_of(data + 2, size - 2);
    a = bytes_slice(rest, 0, data[1] < rest.len ? data[1] : rest.len);
    b = bytes_slice(rest, a.len, rest.len - a.len);
    if (bitmap_union(width, a, b, &arena, &both, &e) != ERR_OK) {
        return 0;
    }
    ASSERT(bitmap_union(width, both, both, &arena, &again, &e) == ERR_OK);
    ASSERT(bytes_equal(both, again));
    ASSERT(bitmap_union(width, b, both, &arena, &again, &e) == ERR_OK);
    ASSERT(bytes_equal(both, again));
    return 0;
}
