/* Request memory: everything decoded or built for one request is allocated here and dies with it.
 *
 * An arena is a list of blocks; allocation moves a pointer, nothing is freed one by one.
 * Small allocations abort on exhaustion; a caller that allocates by a size that came from outside
 * bounds it first (frame limits bound the sum). Thread: one at a time, the owner of the request.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    uint8_t *next;              /* free part of the newest block */
    size_t left;
    size_t total; /* bytes taken from the heap */
};

#define ARENA_INIT ((struct arena){0})

void arena_init(struct arena *a);
/* Frees all blocks; the arena is then as after arena_init. */
void arena_fini(struct arena *a);
/* Takes back all allocations and keeps the newest block, unless that is huge: an arena that serves
 * one small request after the other allocates nothing. */
void arena_reset(struct arena *a);
/* Aligned to 16. Never NULL; size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
/* count * size, zeroed; aborts on overflow, so count must be bounded by the caller. */
void *arena_array(struct arena *a, size_t count, size_t size);
struct bytes arena_copy(struct arena *a, struct bytes b);
/* NUL-terminated copy. */
char *arena_strndup(struct arena *a, const void *text, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define arena_new(a, type) ((type *)arena_zalloc(a, sizeof(type)))

#endif
