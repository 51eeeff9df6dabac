/* Errors of the environment: disk, peer, user. Our own mistakes are ASSERTs (check.h).
 *
 * Codes exist in one table, errors.def; front ends read their column. A function that can fail is
 * MUST_USE, returns the code, takes `struct error *e` last and writes its outputs only on success.
 * Library code does not print: it explains in e->message; the one who handles it logs or answers.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "check.h"

enum errcode {
#define X(name, fluss, retriable, text) ERR_##name,
#include "errors.def"
#undef X
    ERR_COUNT
};

struct error {
    enum errcode code;
    int os_errno;      /* when the cause was a system call, else 0 */
    char message[376]; /* for a human: which bucket, which file, which numbers */
};

/* Fills e (may be NULL) and returns code, so that `return error_set(...)` reads well.
 * Captures errno only through error_os. */
enum errcode error_set(struct error *e, enum errcode code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for a failed system call: appends ": <strerror>", picks ERR_DISK_FULL for ENOSPC and
 * EDQUOT, ERR_LOG_STORAGE for everything else. */
enum errcode error_os(struct error *e, int os_errno, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts context in front: "opening table x: <old message>". Keeps the code. */
void error_wrap(struct error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The number of the Fluss protocol (Errors.java). */
int32_t error_fluss_code(enum errcode code);
enum errcode error_from_fluss(int32_t code); /* ERR_UNKNOWN_SERVER_ERROR for unknown numbers */
const char *error_name(enum errcode code);   /* "LOG_OFFSET_OUT_OF_RANGE" */
const char *error_text(enum errcode code);   /* default text */
bool error_retriable(enum errcode code);

/* Returns from the calling function when expr is not ERR_OK. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum errcode try_code = (expr);                                                            \
        if (try_code != ERR_OK) {                                                                  \
            return try_code;                                                                       \
        }                                                                                          \
    } while (0)

#endif
