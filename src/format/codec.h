/* Compression of Arrow buffers (BodyCompression method BUFFER): each buffer on its own.
 *
 *   0  8  i64 length when decompressed; -1: the rest is stored as it is
 *   8     an LZ4 frame or a ZSTD frame, or nothing when the length is 0
 *
 * A buffer of no bytes at all is an empty buffer. The announced length is a claim of the peer:
 * codec_plain_size checks it against a maximum before anything is allocated, and decompression
 * never writes more and accepts nothing less.
 *
 * struct codec keeps the contexts of the libraries, so that a buffer costs no set-up. Thread: one
 * at a time, its owner.
 */
#ifndef FORMAT_CODEC_H
#define FORMAT_CODEC_H

#include "arrow.h"

#define CODEC_ZSTD_LEVEL_DEFAULT 3 /* of table.log.arrow.compression.zstd.level */

struct codec;

struct codec *codec_new(void);
void codec_free(struct codec *c);
void codec_freep(struct codec **c); /* for OWNED */

/* Length of the buffer when decompressed; with ARROW_CODEC_NONE that of `stored`.
 * ERR_CORRUPT_RECORD: no length, a negative one, or above max. */
MUST_USE enum errcode codec_plain_size(enum arrow_codec kind, struct bytes stored, size_t max,
                                       size_t *ret, struct error *e);

/* Writes exactly `size` bytes, what codec_plain_size said, to out. ERR_CORRUPT_RECORD: damaged, or
 * another number of bytes comes out; out may then be partly written. */
MUST_USE enum errcode codec_decompress(struct codec *c, enum arrow_codec kind, struct bytes stored,
                                       uint8_t *out, size_t size, struct error *e);

/* The buffer as stored, in the arena: stored as it is when compression does not shrink it.
 * level: for ZSTD, 1 to 22. With ARROW_CODEC_NONE plain itself. */
struct bytes codec_compress(struct codec *c, enum arrow_codec kind, int level, struct bytes plain,
                            struct arena *arena);

#endif
