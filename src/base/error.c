#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
    int32_t fluss;
    bool retriable;
} error_table[ERR_COUNT] = {
#define X(name, fluss, retriable, text) [ERR_##name] = {#name, text, fluss, retriable},
#include "errors.def"
#undef X
};

static void error_vformat(struct error *e, const char *fmt, va_list ap)
{
    (void)vsnprintf(e->message, sizeof e->message, fmt, ap);
}

enum errcode error_set(struct error *e, enum errcode code, const char *fmt, ...)
{
    va_list ap;

    ASSERT(code != ERR_OK && code < ERR_COUNT);
    if (e != NULL) {
        e->code = code;
        e->os_errno = 0;
        va_start(ap, fmt);
        error_vformat(e, fmt, ap);
        va_end(ap);
    }
    return code;
}

enum errcode error_os(struct error *e, int os_errno, const char *fmt, ...)
{
    enum errcode code = os_errno == ENOSPC || os_errno == EDQUOT ? ERR_DISK_FULL : ERR_LOG_STORAGE;
    va_list ap;
    size_t len;

    if (e != NULL) {
        e->code = code;
        e->os_errno = os_errno;
        va_start(ap, fmt);
        error_vformat(e, fmt, ap);
        va_end(ap);
        len = strlen(e->message);
        (void)snprintf(e->message + len, sizeof e->message - len, ": %s", strerror(os_errno));
    }
    return code;
}

void error_wrap(struct error *e, const char *fmt, ...)
{
    char old[sizeof e->message];
    va_list ap;
    size_t len;

    if (e == NULL) {
        return;
    }
    memcpy(old, e->message, sizeof old);
    va_start(ap, fmt);
    error_vformat(e, fmt, ap);
    va_end(ap);
    len = strlen(e->message);
    (void)snprintf(e->message + len, sizeof e->message - len, ": %.*s",
                   (int)(sizeof e->message - len - 3), old);
}

int32_t error_fluss_code(enum errcode code)
{
    ASSERT(code < ERR_COUNT);
    return error_table[code].fluss;
}

enum errcode error_from_fluss(int32_t code)
{
    for (int i = 0; i < ERR_COUNT; i++) {
        if (error_table[i].fluss == code) {
            return (enum errcode)i;
        }
    }
    return ERR_UNKNOWN_SERVER_ERROR;
}

const char *error_name(enum errcode code)
{
    ASSERT(code < ERR_COUNT);
    return error_table[code].name;
}

const char *error_text(enum errcode code)
{
    ASSERT(code < ERR_COUNT);
    return error_table[code].text;
}

bool error_retriable(enum errcode code)
{
    ASSERT(code < ERR_COUNT);
    return error_table[code].retriable;
}
