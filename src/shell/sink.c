#include "sink.h"

#include <stdarg.h>
#include <stdio.h>

#include "io/file.h"
#include "io/terminal.h"

#define PENDING_MAX ((size_t)64 << 10)

void sink_init(struct sink *s, int fd) { *s = (struct sink){.fd = fd}; }

void sink_fini(struct sink *s)
{
    sink_flush(s);
    s->file = file_unref(s->file);
    buffer_fini(&s->pending);
}

enum errcode sink_turn(struct sink *s, const char *path, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    sink_flush(s);
    if (path != NULL) {
        TRY(file_open(path, FILE_CREATE, &file, e));
        TRY(file_truncate(file, 0, e));
    }
    (void)file_unref(s->file);
    s->file = TAKE(file);
    s->at = 0;
    s->failed = false;
    return ERR_OK;
}

void sink_flush(struct sink *s)
{
    struct bytes b = buffer_view(&s->pending);

    if (!s->failed && b.len > 0) {
        enum errcode code = s->file != NULL ? file_write_at(s->file, s->at, b, &s->error)
                                            : descriptor_write(s->fd, b, &s->error);

        s->failed = code != ERR_OK;
        s->at += b.len;
    }
    buffer_clear(&s->pending);
}

void sink_bytes(struct sink *s, struct bytes b)
{
    buffer_bytes(&s->pending, b);
    if (s->pending.len >= PENDING_MAX) {
        sink_flush(s);
    }
}

void sink_text(struct sink *s, const char *text) { sink_bytes(s, bytes_str(text)); }

void sink_printf(struct sink *s, const char *fmt, ...)
{
    char text[1024]; /* for short ones: numbers, names */
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ASSERT(len >= 0);
    sink_bytes(s, bytes_of(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1));
}

void sink_repeat(struct sink *s, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sink_text(s, text);
    }
}
