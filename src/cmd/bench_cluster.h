/* The cluster under load: where things are, and the table. Servers may play one role each, as
 * those of Apache Fluss do, or all of them. Thread: main. */
#ifndef CMD_BENCH_CLUSTER_H
#define CMD_BENCH_CLUSTER_H

#include "bench_options.h"

#include "rpc/client.h"

/* Where a server is reached. */
struct bench_node {
    int32_t id;
    char host[256];
    uint16_t port;
};

#define BENCH_NODES_MAX 64

struct bench_cluster {
    const struct bench_options *options;
    struct rpc_client *coordinator;
    struct bench_node tablets[BENCH_NODES_MAX];
    size_t tablet_count;
    int64_t table_id;
    int32_t bucket_count;
    size_t leaders[BENCH_BUCKETS_MAX]; /* by bucket: index in tablets */
};

/* Asks the server of --server for the others and connects to the coordinator. Fails while there is
 * no coordinator or no tablet server. cluster_close even after an error. */
MUST_USE enum errcode cluster_open(struct bench_cluster *c, const struct bench_options *options,
                                   struct error *e);
void cluster_close(struct bench_cluster *c); /* for OWNED */

/* Creates the database when missing and the table anew, as its descriptor says, and waits until
 * its buckets have leaders. */
MUST_USE enum errcode cluster_create_table(struct bench_cluster *c, struct bytes descriptor,
                                           struct error *e);
MUST_USE enum errcode cluster_drop_table(struct bench_cluster *c, struct error *e);
/* Finds a table that exists; waits until its buckets have leaders. */
MUST_USE enum errcode cluster_find_table(struct bench_cluster *c, struct error *e);

/* A new connection to a tablet server, ready for requests. */
MUST_USE enum errcode cluster_connect(const struct bench_cluster *c, size_t tablet,
                                      struct rpc_client **ret, struct error *e);
MUST_USE enum errcode cluster_new_writer(const struct bench_cluster *c, struct rpc_client *client,
                                         int64_t *ret, struct error *e);

/* Connections of a run, --connections to each tablet server that leads a bucket. */
struct bench_links {
    struct rpc_client *clients[RPC_CLIENTS_MAX];
    size_t count;
    size_t first[BENCH_NODES_MAX]; /* by tablet: its first connection */
};

MUST_USE enum errcode links_open(struct bench_links *l, const struct bench_cluster *c,
                                 struct error *e);
void links_close(struct bench_links *l); /* for OWNED */
/* The connection that serves the bucket, its turn-th one when there are several. */
size_t links_of(const struct bench_links *l, const struct bench_cluster *c, int32_t bucket,
                size_t turn);

#endif
