#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define KEPT     256 /* lines for trace_show_last */
#define LINE_MAX 320

struct trace {
    FILE *out;
    bool show;
    uint64_t seed;
    int64_t now_us;
    uint64_t hash;
    size_t violations;
    size_t lines;
    char kept[KEPT][LINE_MAX];
};

struct trace *trace_new(FILE *out, bool show)
{
    struct trace *t = mem_new(struct trace);

    t->out = out;
    t->show = show;
    t->hash = UINT64_C(0xcbf29ce484222325);
    return t;
}

void trace_free(struct trace *t) { free(t); }

void trace_set_seed(struct trace *t, uint64_t seed) { t->seed = seed; }

void trace_at(struct trace *t, int64_t now_us) { t->now_us = now_us; }

void trace_mix(struct trace *t, uint64_t value)
{
    t->hash = (t->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    t->hash ^= t->hash >> 29;
}

static void show_line(const struct trace *t, const char *line) { fprintf(t->out, "%s\n", line); }

/* Returns the line, kept until KEPT more have come. */
static const char *add_line(struct trace *t, const char *who, const char *fmt, va_list ap)
{
    char *line = t->kept[t->lines++ % KEPT];
    int len = snprintf(line, LINE_MAX, "%" PRId64 ".%06" PRId64 " %s: ", t->now_us / 1000000,
                       t->now_us % 1000000, who);

    ASSERT(len > 0 && len < LINE_MAX);
    (void)vsnprintf(line + len, (size_t)(LINE_MAX - len), fmt, ap);
    for (const char *p = line; *p != '\0'; p++) {
        trace_mix(t, (uint8_t)*p);
    }
    return line;
}

void trace_line(struct trace *t, const char *who, const char *fmt, ...)
{
    const char *line;
    va_list ap;

    va_start(ap, fmt);
    line = add_line(t, who, fmt, ap);
    va_end(ap);
    if (t->show) {
        show_line(t, line);
    }
}

void trace_violation(struct trace *t, const char *who, const char *fmt, ...)
{
    const char *line;
    va_list ap;

    va_start(ap, fmt);
    line = add_line(t, who, fmt, ap);
    va_end(ap);
    t->violations++;
    fprintf(t->out, "VIOLATION of seed %" PRIu64 ": %s\n", t->seed, line);
}

bool trace_shown(const struct trace *t) { return t->show; }

uint64_t trace_hash(const struct trace *t) { return t->hash; }

size_t trace_violations(const struct trace *t) { return t->violations; }

void trace_show_last(const struct trace *t)
{
    size_t from = t->lines > KEPT ? t->lines - KEPT : 0;

    for (size_t i = from; !t->show && i < t->lines; i++) {
        show_line(t, t->kept[i % KEPT]);
    }
}
