/* Diagnostics: one line each on stderr, text or JSON. The word "log" means the record log only.
 *
 * Text: 2026-01-31T12:00:00.123Z WARN  component: message
 * JSON: {"ts":"...","level":"warn","component":"...","message":"..."}
 * The sink (format, level, clock) is set once at start by cmd/ and is the only process-wide
 * mutable state. A line is written by one write(2). Thread: any.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "check.h"

enum diag_level { DIAG_DEBUG, DIAG_INFO, DIAG_WARN, DIAG_ERROR };

struct diag_sink {
    enum diag_level level; /* lines below it are dropped */
    bool json;
    int64_t (*wall_ms)(void);                    /* NULL: CLOCK_REALTIME */
    void (*write)(const char *line, size_t len); /* NULL: stderr */
};

void diag_configure(const struct diag_sink *sink);
void diag_line(enum diag_level level, const char *component, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#define diag_debug(component, ...) diag_line(DIAG_DEBUG, component, __VA_ARGS__)
#define diag_info(component, ...)  diag_line(DIAG_INFO, component, __VA_ARGS__)
#define diag_warn(component, ...)  diag_line(DIAG_WARN, component, __VA_ARGS__)
#define diag_error(component, ...) diag_line(DIAG_ERROR, component, __VA_ARGS__)

#endif
