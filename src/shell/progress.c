#include "progress.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "io/clock.h"

#define FIRST_US   500000 /* shorter answers show nothing */
#define EVERY_US   100000
#define BAR_WIDTH  16
#define MARK       "<=>"
#define MARK_WIDTH 3

void progress_start(struct progress *p, FILE *to, bool until_rows)
{
    *p = (struct progress){.to = to, .until_rows = until_rows, .started_us = clock_mono_us()};
    p->next_us = p->started_us + FIRST_US;
}

void progress_step(struct progress *p, uint64_t rows, uint64_t bytes)
{
    char text[PROGRESS_TEXT_MAX];
    int64_t now_us;

    if (p->to == NULL) {
        return;
    }
    if (p->until_rows && rows > 0) {
        progress_clear(p);
        return;
    }
    now_us = clock_mono_us();
    if (now_us >= p->next_us) {
        p->next_us = now_us + EVERY_US;
        p->shown = true;
        progress_text(text, rows, bytes, now_us - p->started_us);
        fprintf(p->to, "\r\033[K%s", text);
        (void)fflush(p->to);
    }
}

void progress_clear(struct progress *p)
{
    if (p->shown) {
        p->shown = false;
        fprintf(p->to, "\r\033[K");
        (void)fflush(p->to);
    }
}

static void scaled(char *text, size_t size, uint64_t n, const char *const *units)
{
    double value = (double)n;
    size_t unit = 0;

    while (value >= 1000 && unit < 4) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(text, size, unit == 0 ? "%.0f%s" : "%.1f%s", value, units[unit]);
}

void progress_text(char text[PROGRESS_TEXT_MAX], uint64_t rows, uint64_t bytes, int64_t elapsed_us)
{
    static const char *const of_rows[] = {"", " k", " M", " G", " T"};
    static const char *const of_bytes[] = {" B", " kB", " MB", " GB", " TB"};
    const int span = BAR_WIDTH - MARK_WIDTH;
    int step = (int)(elapsed_us / EVERY_US % (2 * span)); /* there and back: the end is not known */
    int at = step < span ? step : 2 * span - step;
    char row_text[16];
    char byte_text[16];

    scaled(row_text, sizeof row_text, rows, of_rows);
    scaled(byte_text, sizeof byte_text, bytes, of_bytes);
    (void)snprintf(text, PROGRESS_TEXT_MAX, "[%*s%s%*s] %s rows, %s, %.1f s", at, "", MARK,
                   span - at, "", row_text, byte_text, (double)elapsed_us / 1e6);
}
