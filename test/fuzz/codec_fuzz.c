/* Compressed Arrow buffers from outside. Byte 0 chooses the codec, the rest is the stored buffer.
 * Whatever decompresses must come back the same after being compressed again. */
#include "format/codec.h"

#define PLAIN_SIZE_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(codec_freep) struct codec *c = codec_new();
    struct reader r = reader_of(bytes_of(data, size));
    enum arrow_codec kind = (enum arrow_codec)(reader_u8(&r) % 3);
    struct bytes stored;
    uint8_t *plain;
    uint8_t *again;
    size_t len = 0;

    if (codec_plain_size(kind, r.rest, PLAIN_SIZE_MAX, &len, NULL) != ERR_OK) {
        return 0;
    }
    ASSERT(len <= PLAIN_SIZE_MAX);
    plain = mem_alloc(len + 1); /* heap: overruns are seen */
    again = mem_alloc(len + 1);
    if (codec_decompress(c, kind, r.rest, plain, len, NULL) == ERR_OK) {
        stored = codec_compress(c, kind, 1, bytes_of(plain, len), &arena);
        ASSERT(codec_decompress(c, kind, stored, again, len, NULL) == ERR_OK);
        ASSERT(memcmp(plain, again, len) == 0);
    }
    mem_freep(&plain);
    mem_freep(&again);
    return 0;
}
