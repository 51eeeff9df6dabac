#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DIAG_LINE_MAX 2048

static struct diag_sink diag_sink_now = {.level = DIAG_INFO}; /* see diag.h */

void diag_configure(const struct diag_sink *sink) { diag_sink_now = *sink; }

static int64_t diag_wall_ms(void)
{
    struct timespec ts;

    if (diag_sink_now.wall_ms != NULL) {
        return diag_sink_now.wall_ms();
    }
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static size_t diag_append_json(char *out, size_t cap, const char *text)
{
    size_t len = 0;

    for (const char *p = text; *p != '\0' && len + 7 < cap; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\') {
            out[len++] = '\\';
            out[len++] = (char)c;
        } else if (c < 0x20) {
            len += (size_t)snprintf(out + len, cap - len, "\\u%04x", c);
        } else {
            out[len++] = (char)c;
        }
    }
    out[len] = '\0';
    return len;
}

static int diag_format(char *line, size_t cap, enum diag_level level, const char *component,
                       const char *message)
{
    static const char *const upper[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    static const char *const lower[] = {"debug", "info", "warn", "error"};
    int64_t ms = diag_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char stamp[40];
    char escaped[DIAG_LINE_MAX];

    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!diag_sink_now.json) {
        return snprintf(line, cap, "%s.%03dZ %s %s: %s", stamp, (int)(ms % 1000), upper[level],
                        component, message);
    }
    (void)diag_append_json(escaped, sizeof escaped, message);
    return snprintf(
        line, cap, "{\"ts\":\"%s.%03dZ\",\"level\":\"%s\",\"component\":\"%s\",\"message\":\"%s\"}",
        stamp, (int)(ms % 1000), lower[level], component, escaped);
}

void diag_line(enum diag_level level, const char *component, const char *fmt, ...)
{
    char message[1024];
    char line[2 * DIAG_LINE_MAX];
    va_list ap;
    int len;

    if (level < diag_sink_now.level) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    for (char *p = message; *p != '\0'; p++) {
        *p = *p == '\n' || *p == '\r' ? ' ' : *p;
    }
    len = diag_format(line, sizeof line - 1, level, component, message);
    if (len < 0) {
        return;
    }
    if ((size_t)len > sizeof line - 2) {
        len = (int)sizeof line - 2;
    }
    line[len] = '\n';
    if (diag_sink_now.write != NULL) {
        diag_sink_now.write(line, (size_t)len + 1);
    } else if (write(STDERR_FILENO, line, (size_t)len + 1) < 0) {
        return; /* nowhere left to complain */
    }
}
