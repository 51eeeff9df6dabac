/* A list of free blocks for each size, blocks are never split or joined. Small ones lie side by side
 * at the bottom of the space and keep their pages from life to life; large ones are at its top, and
 * their pages are given back, so that they begin as zeros and what is not touched costs nothing.
 * Blocks say what they are in front: a second free, or one of something else, ends the process. */
#include "heap.h"

#ifdef SIM_OWN_HEAP

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

#define SPACE_BYTES ((size_t)16 << 30) /* of addresses; memory is taken at the first touch */
#define SMALL_BYTES ((size_t)4 << 30)
#define KEPT_BYTES  ((size_t)256 << 20) /* of small blocks, to the next life */
#define LARGE       ((size_t)4 << 20)
#define SIZE_MAX_OF ((size_t)1 << 32) /* of one block */
#define UNIT        16u
#define LINEAR      64u /* sizes up to LINEAR * UNIT are multiples of UNIT */
#define LINEAR_LOG  10u
#define STEPS_LOG   3u /* above, there are so many (2^n) for each power of two */
#define SIZES       (LINEAR + ((32u - LINEAR_LOG) << STEPS_LOG) + 1)
#define IN_USE      0x5ea7ab1eu
#define FREE        0xdeadb10cu

struct block {
    uint32_t size; /* its index */
    uint32_t state;
    struct block *next; /* while free */
};

static_assert(sizeof(struct block) == UNIT, "what follows is aligned");

/* The process's, as malloc has no argument that leads to it. */
static struct {
    uint8_t *space;
    size_t small; /* bytes handed out from the bottom */
    size_t large; /* and from SMALL_BYTES on */
    bool active;
    struct block *free[SIZES];
} heap;

/* glibc's own, for what does not belong to a life. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

bool heap_forgets(void) { return true; }

void heap_begin(void)
{
    if (heap.space == NULL) {
        void *space = mmap(NULL, SPACE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        ASSERT(space != MAP_FAILED);
        heap.space = space;
        (void)madvise(space, KEPT_BYTES, MADV_HUGEPAGE); /* not everywhere to be had */
    }
    ASSERT(!heap.active);
    heap.active = true;
}

void heap_end(void)
{
    ASSERT(heap.active);
    heap.active = false;
    if (heap.small > KEPT_BYTES) {
        ASSERT(madvise(heap.space + KEPT_BYTES, heap.small - KEPT_BYTES, MADV_DONTNEED) == 0);
    }
    if (heap.large > 0) {
        ASSERT(madvise(heap.space + SMALL_BYTES, heap.large, MADV_DONTNEED) == 0);
    }
    heap.small = 0;
    heap.large = 0;
    memset(heap.free, 0, sizeof heap.free);
}

/* ---- sizes ---- */

/* Index of the smallest size that is enough, and that size. */
static uint32_t size_index(size_t len, size_t *ret)
{
    unsigned log;
    size_t step;
    size_t steps;

    if (len <= (size_t)LINEAR * UNIT) {
        uint32_t units = len == 0 ? 1 : (uint32_t)((len + UNIT - 1) / UNIT);

        *ret = (size_t)units * UNIT;
        return units;
    }
    log = 63u - (unsigned)__builtin_clzl(len - 1);
    step = (size_t)1 << (log - STEPS_LOG);
    steps = (len - ((size_t)1 << log) + step - 1) / step;
    *ret = ((size_t)1 << log) + steps * step;
    return LINEAR + ((log - LINEAR_LOG) << STEPS_LOG) + (uint32_t)steps;
}

static size_t size_at(uint32_t index)
{
    unsigned log;

    if (index <= LINEAR) {
        return (size_t)index * UNIT;
    }
    index -= LINEAR + 1;
    log = LINEAR_LOG + (index >> STEPS_LOG);
    return ((size_t)1 << log) +
           (((size_t)(index & ((1u << STEPS_LOG) - 1)) + 1) << (log - STEPS_LOG));
}

/* ---- blocks ---- */

static struct block *block_of(void *p) { return (struct block *)((uint8_t *)p - UNIT); }

static bool is_ours(const void *p)
{
    return (uintptr_t)p - (uintptr_t)heap.space < SPACE_BYTES && heap.space != NULL;
}

/* *ret_zero: it is known to be all zeros. */
static void *take(size_t len, bool *ret_zero)
{
    size_t size;
    uint32_t index;
    struct block *b;

    *ret_zero = false;
    if (len >= SIZE_MAX_OF) {
        errno = ENOMEM;
        return NULL;
    }
    index = size_index(len, &size);
    b = heap.free[index];
    if (b != NULL) {
        ASSERT(b->state == FREE && b->size == index);
        heap.free[index] = b->next;
    } else if (size < LARGE) {
        ASSERT(heap.small + UNIT + size <= SMALL_BYTES);
        b = (struct block *)(heap.space + heap.small);
        heap.small += UNIT + size;
    } else {
        ASSERT(SMALL_BYTES + heap.large + UNIT + size <= SPACE_BYTES);
        b = (struct block *)(heap.space + SMALL_BYTES + heap.large);
        heap.large += UNIT + size;
        *ret_zero = true;
    }
    b->size = index;
    b->state = IN_USE;
    return (uint8_t *)b + UNIT;
}

static void give(void *p)
{
    struct block *b = block_of(p);

    ASSERT(b->state == IN_USE);
    b->state = FREE;
    b->next = heap.free[b->size];
    heap.free[b->size] = b;
}

/* ---- what the process calls ---- */

void *malloc(size_t size)
{
    bool zero;

    return heap.active ? take(size, &zero) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    size_t len;
    bool zero;
    void *p;

    if (!heap.active) {
        return __libc_calloc(count, size);
    }
    if (__builtin_mul_overflow(count, size, &len)) {
        errno = ENOMEM;
        return NULL;
    }
    p = take(len, &zero);
    return p == NULL || zero ? p : memset(p, 0, len);
}

void *realloc(void *p, size_t size)
{
    size_t have;
    void *to;

    if (p != NULL && !is_ours(p)) {
        return __libc_realloc(p, size);
    }
    have = p == NULL ? 0 : size_at(block_of(p)->size);
    if (p != NULL && size <= have) {
        return p;
    }
    to = malloc(size);
    if (to != NULL && p != NULL) {
        memcpy(to, p, have);
        give(p);
    }
    return to;
}

void free(void *p)
{
    if (!is_ours(p)) {
        __libc_free(p);
    } else if (heap.active) { /* else its life is over */
        give(p);
    }
}

/* Seldom, and not by the server: never a life's. */
void *memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

void *aligned_alloc(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    *ret = __libc_memalign(alignment, size);
    return *ret == NULL ? ENOMEM : 0;
}

size_t malloc_usable_size(void *p)
{
    return p == NULL || !is_ours(p) ? 0 : size_at(block_of(p)->size);
}

#else

bool heap_forgets(void) { return false; }

void heap_begin(void) {}

void heap_end(void) {}

#endif
