#include "buffer.h"

#include <stdlib.h>

#define BUFFER_MIN ((size_t)256)

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = BUFFER_INIT;
}

void buffer_reserve(struct buffer *b, size_t len)
{
    size_t need;
    size_t cap = b->cap < BUFFER_MIN ? BUFFER_MIN : b->cap;

    ASSERT(size_add(b->len, len, &need) && need <= SIZE_MAX / 2);
    while (cap < need) {
        cap *= 2;
    }
    if (cap != b->cap) {
        b->data = mem_realloc(b->data, cap);
        b->cap = cap;
    }
}
