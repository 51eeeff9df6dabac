/* Unions of serialized roaring bitmaps, as Java's RoaringBitmap (32 bits, bitmap32.c) and
 * Roaring64Bitmap (bitmap64.c) write them.
 *
 * A bitmap is cut into containers of 2^16 numbers, told apart by the bits above. A container is
 * (little-endian)
 *   array   its numbers as u16, ascending
 *   bitset  1024 u64, the lowest bit first
 *   run     u16 count, then that many pairs of u16: first number, how many follow it; ascending
 *
 * What comes in is checked completely: users write these bytes. What goes out has every container
 * in its smallest form; arrays have up to 4096 numbers. An empty bitmap has no containers.
 * Source: the RoaringBitmap format specification; RoaringBitmap for Java. Thread: any.
 */
#ifndef KV_BITMAP_H
#define KV_BITMAP_H

#include "base/arena.h"
#include "base/error.h"

enum bitmap_width { BITMAP_32, BITMAP_64 };

/* In the arena. ERR_CORRUPT_RECORD: one of them is not a bitmap; bytes behind one are ignored. */
MUST_USE enum errcode bitmap_union(enum bitmap_width width, struct bytes a, struct bytes b,
                                   struct arena *arena, struct bytes *ret, struct error *e);

/* ---- between the files ---- */

enum bitmap_kind { BITMAP_RUN, BITMAP_BITSET, BITMAP_ARRAY }; /* numbers of the 64-bit format */

struct bitmap_container {
    uint64_t key; /* the bits above: 16 or 48 */
    enum bitmap_kind kind;
    uint32_t cardinality;
    struct bytes data; /* as drawn above */
};

struct bitmap_list {
    struct bitmap_container *items; /* by ascending key */
    size_t count;
};

/* Reads data and checks it. cardinality: as announced; ignored for runs. */
MUST_USE enum errcode bitmap_container_read(struct reader *r, enum bitmap_kind kind,
                                            uint32_t cardinality, struct bitmap_container *ret,
                                            struct error *e);

MUST_USE enum errcode bitmap32_read(struct bytes in, struct arena *arena, struct bitmap_list *ret,
                                    struct error *e);
struct bytes bitmap32_write(const struct bitmap_list *list, struct arena *arena);
MUST_USE enum errcode bitmap64_read(struct bytes in, struct arena *arena, struct bitmap_list *ret,
                                    struct error *e);
struct bytes bitmap64_write(const struct bitmap_list *list, struct arena *arena);

#endif
