/* HOST:PORT on a command line. */
#ifndef CMD_PLACE_H
#define CMD_PLACE_H

#include "base/error.h"

struct place {
    char host[256];
    uint16_t port;
    char text[300]; /* as given */
};

/* flag: for the message. "[::1]:5433" for addresses with colons. ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode place_parse(const char *text, const char *flag, struct place *ret,
                                  struct error *e);

#endif
