/* Where results go: standard output or a file. An error sticks: what follows is dropped, and whoever
 * made it asks once. Thread: main. */
#ifndef SHELL_SINK_H
#define SHELL_SINK_H

#include "base/buffer.h"
#include "base/error.h"

struct file;

struct sink {
    int fd;            /* when there is no file */
    struct file *file; /* NULL: none */
    uint64_t at;       /* end of the file */
    struct buffer pending;
    bool failed;
    struct error error; /* when failed */
};

void sink_init(struct sink *s, int fd);
/* Flushes, and closes the file. */
void sink_fini(struct sink *s);
/* From now on into this file, which becomes empty, or with NULL back to the descriptor. On an error
 * it stays as it was. */
MUST_USE enum errcode sink_turn(struct sink *s, const char *path, struct error *e);
void sink_flush(struct sink *s);
void sink_bytes(struct sink *s, struct bytes b);
void sink_text(struct sink *s, const char *text);
void sink_printf(struct sink *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* count times. */
void sink_repeat(struct sink *s, const char *text, size_t count);

#endif
