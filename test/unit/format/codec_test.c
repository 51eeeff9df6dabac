#include "../../support/arrow_vectors.h"
#include "../../support/unit.h"
#include "format/batch.h"
#include "format/codec.h"

static const enum arrow_codec kinds[] = {ARROW_CODEC_NONE, ARROW_CODEC_LZ4_FRAME, ARROW_CODEC_ZSTD};

static struct bytes plain(struct codec *c, enum arrow_codec kind, struct bytes stored,
                          struct arena *arena)
{
    struct error e;
    size_t size = 0;
    uint8_t *out;

    if (codec_plain_size(kind, stored, 1 << 24, &size, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    out = arena_alloc(arena, size);
    if (codec_decompress(c, kind, stored, out, size, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return bytes_of(out, size);
}

static struct bytes pattern(size_t size, bool random, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, size);
    uint32_t seed = 7;

    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = random ? (uint8_t)(seed >> 24) : (uint8_t)(i / 100);
    }
    return bytes_of(data, size);
}

static void round_trips(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 100, 65535, 65536, 1000000};
    OWNED(codec_freep) struct codec *c = codec_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(kinds) * 2; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        enum arrow_codec kind = kinds[i % ARRAY_LEN(kinds)];
        bool random = i / ARRAY_LEN(kinds) % 2 == 1;
        size_t size = sizes[i / ARRAY_LEN(kinds) / 2];
        struct bytes b = pattern(size, random, &arena);
        struct bytes stored = codec_compress(c, kind, CODEC_ZSTD_LEVEL_DEFAULT, b, &arena);

        assert_true(stored.len <= size + 8);
        if (kind != ARROW_CODEC_NONE && random && size > 0) {
            assert_int_equal(get_i64le(stored.data), -1);
        }
        vectors_assert_equal("round trip", plain(c, kind, stored, &arena), b);
    }
}

/* All buffers of a golden batch, decompressed, one behind the other. */
static struct bytes buffers_of(const json_t *one, struct codec *c, struct arena *arena)
{
    struct bytes data = vectors_hex(one, "hex", arena);
    struct writer w = writer_of(arena_alloc(arena, 1 << 20), 1 << 20);
    struct arrow_message m;
    struct batch_header h;
    struct bytes message;
    size_t skip;

    assert_int_equal(batch_parse(data, &h, NULL), ERR_OK);
    skip = batch_append_only(&h) ? 0 : (size_t)h.record_count;
    message = batch_body(&h, data);
    message = bytes_slice(message, skip, message.len - skip);
    if (message.len == 0) {
        return BYTES_EMPTY;
    }
    assert_int_equal(arrow_message_parse(message, &m, NULL), ERR_OK);
    for (size_t i = 0; i < m.buffer_count; i++) {
        struct arrow_buffer b = arrow_buffer(&m, i);

        writer_bytes(&w, plain(c, m.codec,
                               bytes_slice(message, m.body_at + (size_t)b.offset, (size_t)b.length),
                               arena));
    }
    return bytes_of(w.data, w.len);
}

/* The golden cases come in threes: the same rows without compression, with LZ4 and with ZSTD. */
static void reads_what_the_java_client_compressed(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_arrow.json");
    OWNED(codec_freep) struct codec *c = codec_new();
    size_t compared = 0;

    (void)state;
    for (size_t i = 0; vectors_case(document, i + 2) != NULL; i += 3) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const json_t *none = vectors_case(document, i);
        const json_t *lz4 = vectors_case(document, i + 1);
        const json_t *zstd = vectors_case(document, i + 2);
        struct bytes expected = buffers_of(none, c, &arena);

        assert_non_null(strstr(vectors_text(none, "name"), "/NONE"));
        assert_non_null(strstr(vectors_text(lz4, "name"), "/LZ4_FRAME"));
        assert_non_null(strstr(vectors_text(zstd, "name"), "/ZSTD"));
        vectors_assert_equal(vectors_text(lz4, "name"), buffers_of(lz4, c, &arena), expected);
        vectors_assert_equal(vectors_text(zstd, "name"), buffers_of(zstd, c, &arena), expected);
        compared++;
    }
    assert_int_equal(compared, 16);
}

static void empty_buffers_have_two_forms(void **state)
{
    static const uint8_t zeros[8] = {0};
    OWNED(codec_freep) struct codec *c = codec_new();
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(plain(c, kinds[i], BYTES_EMPTY, &arena).len, 0);
        if (kinds[i] != ARROW_CODEC_NONE) {
            assert_int_equal(plain(c, kinds[i], bytes_of(zeros, 8), &arena).len, 0);
        }
    }
}

static void refuses_announced_lengths_before_allocating(void **state)
{
    uint8_t stored[12] = {0};
    struct error e;
    size_t size;

    (void)state;
    put_i64le(stored, 1LL << 40);
    assert_int_equal(codec_plain_size(ARROW_CODEC_ZSTD, bytes_of(stored, 12), 1000, &size, &e),
                     ERR_CORRUPT_RECORD);
    assert_string_equal(
        e.message, "buffer of 1099511627776 bytes when decompressed, at most 1000 are allowed");
    put_i64le(stored, -2);
    assert_int_equal(codec_plain_size(ARROW_CODEC_ZSTD, bytes_of(stored, 12), 1000, &size, &e),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(codec_plain_size(ARROW_CODEC_LZ4_FRAME, bytes_of(stored, 7), 1000, &size, &e),
                     ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "compressed buffer of 7 bytes");
    assert_int_equal(codec_plain_size(ARROW_CODEC_NONE, bytes_of(stored, 12), 11, &size, &e),
                     ERR_CORRUPT_RECORD);
}

/* A frame that gives more or less than announced, or is cut anywhere, is an error and nothing is
 * written behind `size`. */
static void refuses_other_lengths_and_cut_frames(void **state)
{
    OWNED(codec_freep) struct codec *c = codec_new();
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes b = pattern(5000, false, &arena);
    uint8_t out[5002];

    (void)state;
    for (size_t k = 1; k < ARRAY_LEN(kinds); k++) {
        struct bytes stored = codec_compress(c, kinds[k], 1, b, &arena);
        uint8_t *data = (uint8_t *)(uintptr_t)stored.data;

        put_i64le(data, 4999);
        out[4999] = 0xaa;
        assert_int_equal(codec_decompress(c, kinds[k], stored, out, 4999, NULL),
                         ERR_CORRUPT_RECORD);
        assert_int_equal(out[4999], 0xaa);
        put_i64le(data, 5001);
        assert_int_equal(codec_decompress(c, kinds[k], stored, out, 5001, NULL),
                         ERR_CORRUPT_RECORD);
        put_i64le(data, 5000);
        for (size_t len = 8; len < stored.len; len++) {
            assert_int_equal(codec_decompress(c, kinds[k], bytes_of(data, len), out, 5000, NULL),
                             ERR_CORRUPT_RECORD);
        }
        assert_int_equal(codec_decompress(c, kinds[k], stored, out, 5000, NULL), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(reads_what_the_java_client_compressed),
        cmocka_unit_test(empty_buffers_have_two_forms),
        cmocka_unit_test(refuses_announced_lengths_before_allocating),
        cmocka_unit_test(refuses_other_lengths_and_cut_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
