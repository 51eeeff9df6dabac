/* Language helpers that every file uses: assertions, scope-owned resources, must-check results.
 *
 * ASSERT is for our own mistakes and stays on in release builds; whatever comes from outside
 * (peers, disk, users) is a struct error, see error.h. DEBUG_ASSERT is for O(n) walks.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
/* OWNED(free_fn): the variable is released by free_fn(&variable) when its scope ends. */
#define OWNED(fn) __attribute__((cleanup(fn)))
#define UNUSED    __attribute__((unused))
/* Says that the result of a MUST_USE call does not matter here. */
#define IGNORE(expr)                                                                               \
    do {                                                                                           \
        if (expr) {                                                                                \
        }                                                                                          \
    } while (0)
#define NORETURN __attribute__((noreturn))

NORETURN void check_failed(const char *file, int line, const char *what);

#define ASSERT(c)                                                                                  \
    do {                                                                                           \
        if (__builtin_expect(!(c), 0)) {                                                           \
            check_failed(__FILE__, __LINE__, #c);                                                  \
        }                                                                                          \
    } while (0)

#ifdef EIDER_DEBUG
#define DEBUG_ASSERT(c) ASSERT(c)
#else
#define DEBUG_ASSERT(c) ((void)sizeof(c))
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The object that contains the given member. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Takes the value out of an owned pointer, so that the scope no longer frees it. */
#define TAKE(ptr)                                                                                  \
    __extension__({                                                                                \
        __typeof__(ptr) take_tmp = (ptr);                                                          \
        (ptr) = NULL;                                                                              \
        take_tmp;                                                                                  \
    })

/* Heap memory that aborts on exhaustion: for small objects whose number is bounded elsewhere.
 * Anything sized by a peer asks a struct budget first (chunk.h). mem_new zeroes. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *ptr, size_t size);
char *mem_strdup(const char *text);
#define mem_new(type) ((type *)mem_zalloc(sizeof(type)))

/* Freed memory stays with the process, for whole frames of a few MiB that come and go all the time.
 * Once, by the program itself. */
void mem_keep_freed(void);

/* For OWNED(mem_freep) on any pointer variable. */
void mem_freep(void *ptr_to_ptr);

#endif
