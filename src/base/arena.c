#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_ALIGN     16
#define ARENA_BLOCK_MIN 2048
#define ARENA_BLOCK_MAX (256 * 1024)
#define ARENA_KEEP_MAX  (4 * ARENA_BLOCK_MAX) /* one huge request is not paid for ever after */

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(ARENA_ALIGN) uint8_t data[];
};

void arena_init(struct arena *a) { *a = ARENA_INIT; }

void arena_fini(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b != NULL;) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    *a = ARENA_INIT;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    if (keep == NULL || keep->size > ARENA_KEEP_MAX) {
        arena_fini(a);
        return;
    }
    a->blocks = keep->next;
    keep->next = NULL;
    arena_fini(a);
    *a =
        (struct arena){.blocks = keep, .next = keep->data, .left = keep->size, .total = keep->size};
}

static void arena_grow(struct arena *a, size_t size)
{
    size_t want = a->total < ARENA_BLOCK_MIN ? ARENA_BLOCK_MIN : a->total;
    struct arena_block *b;

    if (want > ARENA_BLOCK_MAX) {
        want = ARENA_BLOCK_MAX;
    }
    if (want < size) {
        want = size;
    }
    b = mem_alloc(sizeof *b + want);
    b->next = a->blocks;
    b->size = want;
    a->blocks = b;
    a->next = b->data;
    a->left = want;
    a->total += want;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded;
    uint8_t *p;

    ASSERT(size_add(size, ARENA_ALIGN - 1, &rounded));
    rounded &= ~(size_t)(ARENA_ALIGN - 1);
    if (rounded > a->left || a->next == NULL) {
        arena_grow(a, rounded);
    }
    p = a->next;
    a->next += rounded;
    a->left -= rounded;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size) { return memset(arena_alloc(a, size), 0, size); }

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;

    ASSERT(!__builtin_mul_overflow(count, size, &total));
    return arena_zalloc(a, total);
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
    uint8_t *p = arena_alloc(a, b.len);

    if (b.len > 0) {
        memcpy(p, b.data, b.len);
    }
    return bytes_of(p, b.len);
}

char *arena_strndup(struct arena *a, const void *text, size_t len)
{
    char *p = arena_alloc(a, len + 1);

    if (len > 0) {
        memcpy(p, text, len);
    }
    p[len] = '\0';
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    int len;
    char *p;

    va_start(ap, fmt);
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(len >= 0);
    p = arena_alloc(a, (size_t)len + 1);
    (void)vsnprintf(p, (size_t)len + 1, fmt, again);
    va_end(again);
    return p;
}
