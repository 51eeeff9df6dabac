/* The PostgreSQL protocol as a front end: its connections on one shard. Bytes are moved here; what
 * they say is done by pg_session.h in steps, each a job of the pool `sql`. One step or one write of a
 * connection is under way at a time, so a client that does not read is not worked for. One that keeps
 * asking for rows of another shard by their keys moves there.
 * Thread: the shard. */
#ifndef FRONT_POSTGRES_H
#define FRONT_POSTGRES_H

#include "io/pool.h"
#include "service/service.h"
#include "sql/sql.h"

struct postgres_front;

struct postgres_options {
    struct sql_engine *engine;
    struct pool *pool;                    /* of steps */
    struct postgres_front *const *fronts; /* of all shards, by index */
    unsigned shard_count;
    uint32_t connections_max; /* of this shard */
};

struct postgres_front *postgres_front_new(struct service *service,
                                          const struct postgres_options *options);
/* A new connection; takes over the socket, and closes it at once after stop. */
void postgres_front_accept(struct postgres_front *f, int fd);
/* Ends all queries and connections, then calls done. */
void postgres_front_stop(struct postgres_front *f, void (*done)(void *context), void *context);
/* After stop. */
void postgres_front_free(struct postgres_front *f);

#endif
