/* What the tests of a bucket's state share: numbered keys, numbered values, random numbers. */
#ifndef TEST_KV_ROWS_H
#define TEST_KV_ROWS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "base/hash.h"
#include "io/file.h"
#include "kv/kv.h"

#define OK(expr)                                                                                   \
    do {                                                                                           \
        if ((expr) != ERR_OK) {                                                                    \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #expr, e.message);                       \
        }                                                                                          \
    } while (0)

struct rows_random {
    uint64_t state;
};

static inline uint32_t rows_below(struct rows_random *r, uint32_t n)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->state >> 33) % n;
}

/* Keys in the order of their numbers; every eight share the three bytes in front. */
#define ROWS_PREFIX_LEN 3u

static inline size_t rows_prefix_of(const void *context, struct bytes key)
{
    (void)context;
    return key.len < ROWS_PREFIX_LEN ? 0 : ROWS_PREFIX_LEN;
}

static inline struct bytes rows_key(struct arena *arena, uint32_t number)
{
    return bytes_str(arena_printf(arena, "%03u/%04u", number / 8, number));
}

/* Of a length that depends on the number, 0: removed. */
static inline struct bytes rows_value(struct arena *arena, uint32_t number)
{
    return number == 0
               ? BYTES_EMPTY
               : bytes_str(arena_printf(arena, "%u%.*s", number, (int)(number % 50),
                                        "--------------------------------------------------"));
}

static inline uint32_t rows_key_number(struct bytes key)
{
    char text[5] = {0};

    memcpy(text, key.data + ROWS_PREFIX_LEN + 1, 4);
    return (uint32_t)strtoul(text, NULL, 10);
}

static inline uint32_t rows_number(struct bytes value)
{
    char text[16] = {0};

    if (value.len == 0) {
        return 0;
    }
    memcpy(text, value.data, value.len < 15 ? value.len : 15);
    return (uint32_t)strtoul(text, NULL, 10);
}

static inline struct kv_change rows_change(struct arena *arena, uint32_t key, uint32_t value)
{
    struct kv_change change = {.key = rows_key(arena, key), .value = rows_value(arena, value)};

    change.hash = hash_bytes(change.key);
    return change;
}

static inline char *rows_dir(struct arena *arena)
{
    char *dir = NULL;
    struct error e;

    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    OK(dir_create_temporary("eider-kv-test", arena, &dir, &e));
    return dir;
}

static inline void rows_dir_remove(const char *dir)
{
    struct error e;

    OK(path_remove_tree(dir, &e));
}

#endif
