/* The terminal and the standard streams, for programs that a person uses. Thread: main. */
#ifndef IO_TERMINAL_H
#define IO_TERMINAL_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"

bool terminal_is(int fd);
/* Characters in a line; 0: it is no terminal, or does not tell. */
unsigned terminal_columns(int fd);
/* All bytes, however long the reader takes. ERR_LOG_STORAGE, ERR_DISK_FULL; EPIPE in os_errno: the
 * reader is gone. */
MUST_USE enum errcode descriptor_write(int fd, struct bytes b, struct error *e);
/* Up to len bytes of a stream, fewer only at its end. ERR_LOG_STORAGE. */
MUST_USE enum errcode stream_read(FILE *in, void *buffer, size_t len, size_t *ret, struct error *e);

/* From here on SIGINT ends nothing: it makes the descriptor readable. In this thread and those it
 * starts later; SIGPIPE is ignored. -1: the system has no more descriptors. */
int interrupt_open(void);
/* Whether one came since the last call; does not wait. */
bool interrupt_take(int fd);

#endif
