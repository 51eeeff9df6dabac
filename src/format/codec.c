/* Compression of Arrow buffers with lz4 and zstd; the bytes are drawn in codec.h. */
#include "codec.h"

#include <inttypes.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <zstd.h>

#define LENGTH_SIZE  8
#define STORED_AS_IS (-1)
/* No frame is shorter: header, header of a block, one byte; LZ4 has an end mark, too. */
#define LZ4_FRAME_MIN  16
#define ZSTD_FRAME_MIN 10

/* Contexts are made at first use. */
struct codec {
    LZ4F_dctx *lz4;
    ZSTD_DCtx *zstd;
    ZSTD_CCtx *zstd_compress;
};

static enum errcode decompress_lz4(struct codec *c, struct bytes frame, uint8_t *out, size_t size,
                                   struct error *e);
static enum errcode run_lz4(struct codec *c, struct bytes frame, struct writer *out,
                            struct error *e);
static enum errcode decompress_zstd(struct codec *c, struct bytes frame, uint8_t *out, size_t size,
                                    struct error *e);
static size_t compress_bound(enum arrow_codec kind, size_t size);
static size_t compress(struct codec *c, enum arrow_codec kind, int level, struct bytes plain,
                       struct writer room);

struct codec *codec_new(void) { return mem_new(struct codec); }

void codec_free(struct codec *c)
{
    if (c == NULL) {
        return;
    }
    (void)LZ4F_freeDecompressionContext(c->lz4);
    (void)ZSTD_freeDCtx(c->zstd);
    (void)ZSTD_freeCCtx(c->zstd_compress);
    free(c);
}

void codec_freep(struct codec **c) { codec_free(*c); }

enum errcode codec_plain_size(enum arrow_codec kind, struct bytes stored, size_t max, size_t *ret,
                              struct error *e)
{
    int64_t size = (int64_t)stored.len;

    if (kind != ARROW_CODEC_NONE && stored.len > 0) {
        if (stored.len < LENGTH_SIZE) {
            return error_set(e, ERR_CORRUPT_RECORD, "compressed buffer of %zu bytes", stored.len);
        }
        size = get_i64le(stored.data);
        if (size == STORED_AS_IS) {
            size = (int64_t)(stored.len - LENGTH_SIZE);
        }
    }
    if (size < 0 || (uint64_t)size > max) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "buffer of %" PRId64 " bytes when decompressed, at most %zu are allowed",
                         size, max);
    }
    *ret = (size_t)size;
    return ERR_OK;
}

enum errcode codec_decompress(struct codec *c, enum arrow_codec kind, struct bytes stored,
                              uint8_t *out, size_t size, struct error *e)
{
    struct bytes frame = stored;
    bool as_is = kind == ARROW_CODEC_NONE || stored.len == 0;
    size_t announced;

    TRY(codec_plain_size(kind, stored, SIZE_MAX / 2, &announced, e));
    ASSERT(size == announced);
    if (!as_is) {
        as_is = get_i64le(stored.data) == STORED_AS_IS;
        frame = bytes_slice(stored, LENGTH_SIZE, stored.len - LENGTH_SIZE);
    }
    if (as_is || size == 0) {
        if (size > 0) {
            memcpy(out, frame.data, size);
        }
        return ERR_OK;
    }
    return kind == ARROW_CODEC_LZ4_FRAME ? decompress_lz4(c, frame, out, size, e)
                                         : decompress_zstd(c, frame, out, size, e);
}

static enum errcode decompress_lz4(struct codec *c, struct bytes frame, uint8_t *out, size_t size,
                                   struct error *e)
{
    struct writer w = writer_of(out, size);
    enum errcode code;

    if (c->lz4 == NULL) {
        ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&c->lz4, LZ4F_VERSION)));
    }
    code = run_lz4(c, frame, &w, e);
    LZ4F_resetDecompressionContext(c->lz4);
    if (code == ERR_OK && w.len != size) {
        return error_set(e, ERR_CORRUPT_RECORD, "LZ4 frame of %zu bytes, %zu announced", w.len,
                         size);
    }
    return code;
}

/* One frame; bytes behind it are ignored. */
static enum errcode run_lz4(struct codec *c, struct bytes frame, struct writer *out,
                            struct error *e)
{
    size_t hint = 1;

    while (hint != 0) {
        size_t taken = frame.len;
        size_t made = out->cap - out->len;

        hint = LZ4F_decompress(c->lz4, out->data + out->len, &made, frame.data, &taken, NULL);
        if (LZ4F_isError(hint)) {
            return error_set(e, ERR_CORRUPT_RECORD, "LZ4: %s", LZ4F_getErrorName(hint));
        }
        if (taken == 0 && made == 0 && hint != 0) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "LZ4 frame cut short or longer than announced: %zu of %zu bytes",
                             out->len, out->cap);
        }
        frame = bytes_slice(frame, taken, frame.len - taken);
        out->len += made;
    }
    return ERR_OK;
}

static enum errcode decompress_zstd(struct codec *c, struct bytes frame, uint8_t *out, size_t size,
                                    struct error *e)
{
    size_t made;

    if (c->zstd == NULL) {
        c->zstd = ZSTD_createDCtx();
        ASSERT(c->zstd != NULL);
    }
    made = ZSTD_decompressDCtx(c->zstd, out, size, frame.data, frame.len);
    if (ZSTD_isError(made)) {
        return error_set(e, ERR_CORRUPT_RECORD, "ZSTD: %s", ZSTD_getErrorName(made));
    }
    if (made != size) {
        return error_set(e, ERR_CORRUPT_RECORD, "ZSTD frame of %zu bytes, %zu announced", made,
                         size);
    }
    return ERR_OK;
}

struct bytes codec_compress(struct codec *c, enum arrow_codec kind, int level, struct bytes plain,
                            struct arena *arena)
{
    uint8_t *stored;
    size_t frame_min = kind == ARROW_CODEC_LZ4_FRAME ? LZ4_FRAME_MIN : ZSTD_FRAME_MIN;
    size_t size = plain.len;
    size_t bound;

    if (kind == ARROW_CODEC_NONE) {
        return plain;
    }
    bound = compress_bound(kind, plain.len);
    stored = arena_alloc(arena, LENGTH_SIZE + bound);
    put_i64le(stored, (int64_t)plain.len);
    if (plain.len > frame_min) {
        size = compress(c, kind, level, plain, writer_of(stored + LENGTH_SIZE, bound));
    }
    if (plain.len > 0 && size >= plain.len) {
        put_i64le(stored, STORED_AS_IS);
        memcpy(stored + LENGTH_SIZE, plain.data, plain.len);
        size = plain.len;
    }
    return bytes_of(stored, LENGTH_SIZE + size);
}

static size_t compress_bound(enum arrow_codec kind, size_t size)
{
    return kind == ARROW_CODEC_LZ4_FRAME ? LZ4F_compressFrameBound(size, NULL)
                                         : ZSTD_compressBound(size);
}

/* Cannot fail: there is room for the worst case. */
static size_t compress(struct codec *c, enum arrow_codec kind, int level, struct bytes plain,
                       struct writer room)
{
    size_t size;

    if (kind == ARROW_CODEC_LZ4_FRAME) {
        size = LZ4F_compressFrame(room.data, room.cap, plain.data, plain.len, NULL);
        ASSERT(!LZ4F_isError(size));
        return size;
    }
    if (c->zstd_compress == NULL) {
        c->zstd_compress = ZSTD_createCCtx();
        ASSERT(c->zstd_compress != NULL);
    }
    size = ZSTD_compressCCtx(c->zstd_compress, room.data, room.cap, plain.data, plain.len, level);
    ASSERT(!ZSTD_isError(size));
    return size;
}
