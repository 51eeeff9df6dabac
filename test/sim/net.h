/* The network: connections between clients (world.h) and the sockets of the machine (io/). A
 * connection is two pipes; what is in a pipe arrives later, in order, in runs of any size.
 *
 * Sockets of the machine are numbers as descriptors are. Thread: the only one. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

#include "base/list.h"

#define NET_SOCKETS 1024

/* Who is told that something can be done with a socket of the machine: a client waits to be accepted,
 * bytes or an end have arrived, or there is room again. Never inside a call. */
struct net_end {
    void (*ready)(struct net_end *end);
};

struct net_socket {
    bool used;
    uint16_t port; /* of a listener: its own; 0 for connections */
    struct world_conn *conn;
    struct net_end *end; /* NULL: nobody listens yet */
};

struct net {
    struct world *world;
    struct prng random;
    struct list conns;
    struct net_socket sockets[NET_SOCKETS];
    uint64_t next_number;
};

void net_init(struct net *n, struct world *w);
void net_fini(struct net *n);

/* -1: the port is taken. */
int net_listen(struct net *n, uint16_t port);
/* A client that waits; -1: none. */
int net_accept(struct net *n, int listener);
void net_attach(struct net *n, int socket, struct net_end *end);
/* Bytes that have arrived; 0 with *ret_over: the connection is over. */
size_t net_recv(struct net *n, int socket, void *buffer, size_t len, bool *ret_over);
/* Whether net_recv would have something to say. */
bool net_readable(const struct net *n, int socket);
/* Bytes that may be sent now. */
size_t net_room(const struct net *n, int socket);
/* At most that many. */
void net_send(struct net *n, int socket, struct bytes b);
void net_close(struct net *n, int socket);
/* For messages. */
uint64_t net_number(const struct net *n, int socket);

/* The machine is gone with all its sockets. quiet: peers are not told. */
void net_machine_gone(struct net *n, bool quiet);

#endif
