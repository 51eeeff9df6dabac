/* Where the server listens and what it tells clients: bind.listeners and advertised.listeners.
 *
 *   list      NAME://host:port[,NAME2://host:port ...]
 *   name      letters, digits, '_', '-', '.'; unique in a list
 *   host      a name or address; IPv6 in brackets: FLUSS://[::1]:9123
 *   port      0 to 65535; 0 is any free port; two listeners share no other one
 *
 * advertised.listeners replaces host and port of the listeners it names, which must be bound.
 * Without bind.listeners there is one listener, FLUSS://127.0.0.1:9123, or what the old
 * coordinator.host and coordinator.port say. All listeners speak plain text: any other value in
 * security.protocol.map is refused rather than served without protection.
 * Pure. Thread: any.
 */
#ifndef CMD_LISTENERS_H
#define CMD_LISTENERS_H

#include "options.h"

#define LISTENERS_MAX         16
#define LISTENER_PORT_DEFAULT 9123

struct listener_address {
    const char *name;
    const char *host; /* without brackets */
    uint16_t port;
};

struct listener_list {
    size_t count;                        /* at least 1 */
    struct listener_address *bind;       /* port 0: any free one */
    struct listener_address *advertised; /* by the same index; port 0: the port that was bound */
};

/* The listeners the options describe, in the arena. ERR_INVALID_ARGUMENT names the option. */
MUST_USE enum errcode listeners_parse(const struct options *options, struct arena *arena,
                                      struct listener_list *ret, struct error *e);
/* Rewrites bind.listeners for --host and --port (NULL and -1: as before); only one listener can be
 * meant, so with several bound it is an error. */
MUST_USE enum errcode listeners_override(struct options *options, const char *host, int32_t port,
                                         struct error *e);
/* One list, as described above; `what` is the option it stands in, for messages. */
MUST_USE enum errcode listeners_parse_text(const char *text, const char *what, struct arena *arena,
                                           struct listener_list *ret, struct error *e);

#endif
