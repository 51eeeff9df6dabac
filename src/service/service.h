/* What each API does: check, split by bucket, gather, answer. A protocol front end turns its bytes
 * into requests and hands them to service_dispatch; it never reaches a log or the catalog itself.
 *
 * struct node is the server as seen by all shards (constant after start), struct service is one
 * shard's part of it. A request belongs to the shard of its connection and is answered there,
 * exactly once, in any order.
 * Thread: shard of the service.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "meta/meta.h"
#include "replica/replica.h"
#include "rpc/api.h"
#include "rpc/codec.h"

struct service;

/* One listener: where it listens and what clients are told. */
struct node_listener {
    const char *name; /* "FLUSS" */
    const char *host; /* advertised */
    uint16_t port;    /* advertised */
};

struct node {
    unsigned shard_count;
    struct service **services; /* by shard index */
    struct shard **shards;
    struct meta *meta;
    int32_t server_id;
    const char *rack; /* NULL: none */
    const struct node_listener *listeners;
    size_t listener_count;
    int64_t wait_us_max; /* longest long poll */
};

struct service {
    struct node *node;
    struct shard *shard;
    struct replica_set *replicas;
    struct meta_view *view; /* a reference; the current catalog as this shard knows it */
    struct list parked;     /* long polls: struct fetch_request */
    bool draining;          /* parked requests are answered at once */
};

struct service *service_new(struct node *node, struct shard *shard, struct replica_set *replicas);
/* Replaces the view (takes over the reference). */
void service_set_view(struct service *s, struct meta_view *view);
/* Answers what is parked and keeps nothing waiting from now on. */
void service_drain(struct service *s);
/* The shard's loop has ended. */
void service_free(struct service *s);

/* ---- requests ---- */

/* Made by a front end: zeroed, then arena and parts initialised (request_init), then what it knows
 * filled in. */
struct request {
    struct arena arena; /* message, response and everything between */
    struct service *service;
    const struct node_listener *listener; /* it came in on */
    const struct rpc_api *api;
    int16_t version;
    struct service *owner; /* the one shard that owns all its buckets, when there is just one */
    struct chunk *frame;   /* a reference: the message points into it */
    struct bytes body;
    void *message;        /* decoded */
    const void *response; /* of api->response */
    enum errcode code;    /* outcome of the whole request */
    struct error error;
    struct list parts; /* struct part: memory of other shards' answers, freed with the request */
    struct meta_view *view;          /* a reference, when something of it is kept: request_view */
    void (*done)(struct request *r); /* the front end's; owns the request again */
};

void request_init(struct request *r);
/* Decodes and runs. r->done is called now or later, on this shard. */
void service_dispatch(struct request *r);
/* Frees what the request holds; for the front end, when the response has been sent: it may refer to
 * all of that. Also for a request that was never dispatched. */
void request_fini(struct request *r);

/* ---- inside service/ ---- */

/* Answers. The response lives in the request's arena. */
void request_answer(struct request *r, const void *response);
void request_fail(struct request *r, enum errcode code, const struct error *e);
/* The shard's view as of the first call; what is found in it lives as long as the request. */
const struct meta_view *request_view(struct request *r);
void request_failf(struct request *r, enum errcode code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A partition spec as the catalog takes it; borrows from the message. */
struct meta_spec *request_spec(struct request *r, const struct msg_pb_partition_spec *spec);

/* The handler of an API; NULL when none is served. */
typedef void (*request_handler_fn)(struct request *r);

/* One file per group of APIs. */
void handle_api_versions(struct request *r);     /* admin.c */
void handle_authenticate(struct request *r);     /* admin.c */
void handle_describe_configs(struct request *r); /* admin.c */
void handle_cluster_health(struct request *r);   /* admin.c */
void handle_security_token(struct request *r);   /* admin.c */
void handle_init_writer(struct request *r);      /* admin.c */
void handle_metadata(struct request *r);         /* metadata.c */
void handle_list_databases(struct request *r);   /* catalog.c: reads of the catalog */
void handle_database_exists(struct request *r);
void handle_database_info(struct request *r);
void handle_list_tables(struct request *r);
void handle_table_exists(struct request *r);
void handle_table_info(struct request *r);
void handle_table_schema(struct request *r);
void handle_list_partitions(struct request *r);
void handle_create_database(struct request *r); /* ddl.c: changes of the catalog */
void handle_alter_database(struct request *r);
void handle_drop_database(struct request *r);
void handle_create_table(struct request *r);
void handle_alter_table(struct request *r);
void handle_drop_table(struct request *r);
void handle_create_partition(struct request *r);
void handle_drop_partition(struct request *r);
void handle_produce_log(struct request *r);  /* produce.c */
void handle_put_kv(struct request *r);       /* put.c */
void handle_fetch_log(struct request *r);    /* fetch.c */
void handle_list_offsets(struct request *r); /* buckets.c */
void handle_limit_scan(struct request *r);
void handle_table_stats(struct request *r);
void handle_lookup(struct request *r); /* lookup.c */
void handle_prefix_lookup(struct request *r);
void handle_scan_kv(struct request *r);             /* kv_scan.c */
void handle_latest_kv_snapshots(struct request *r); /* snapshots.c */
void handle_list_kv_snapshots(struct request *r);
void handle_kv_snapshot_metadata(struct request *r);
void handle_acquire_kv_snapshot_lease(struct request *r);
void handle_release_kv_snapshot_lease(struct request *r);
void handle_drop_kv_snapshot_lease(struct request *r);

/* Whether keys of the request are encoded as those of the table. ERR_UNSUPPORTED_VERSION. */
MUST_USE enum errcode kv_version_check(struct request *r, int64_t table_id, struct error *e);

/* ---- parts: what other shards do for a request ---- */

/* Work of one shard for a request: its buckets, with memory of its own. Sent to the owner, filled
 * there, sent back. Embedded first in a handler's part. */
struct part {
    struct message message;
    struct list link; /* in request->parts */
    struct request *request;
    struct service *owner;
    struct arena arena;               /* used by the owner between start and finish */
    uint32_t waiting;                 /* operations not yet done */
    void (*start)(struct part *p);    /* on the owner: submit operations */
    void (*finished)(struct part *p); /* on the request's shard */
};

/* A zeroed part of `size` bytes for the shard, linked to the request. */
struct part *part_new(struct request *r, struct service *owner, size_t size);
/* Sends it to its owner; the same shard: runs at once. */
void part_send(struct part *p);
/* The owner: one operation is done; the last one sends the part home. `waiting` starts at 1 for
 * the start call itself. */
void part_operation_done(struct part *p);

/* ---- fan-out: one operation per bucket, then one answer ---- */

#define FAN_BUCKETS_MAX 65536 /* of one request */

/* Whether a request may name so many buckets; if not it has been answered. To be asked before
 * anything is allocated for them: an entry of few bytes becomes several hundred. */
MUST_USE bool fan_accepts(struct request *r, size_t count);

struct fan {
    struct request *request;
    struct bucket_op **ops; /* in request order; op.id set */
    size_t count;           /* accepted */
    void (*submit)(struct replica_set *set, struct bucket_op *op);
    void (*answer)(struct fan *fan); /* on the request's shard, when all are done */
    size_t parts_waiting;
};
/* Runs the operations on the shards that own their buckets; those of one shard are submitted in
 * order. Sets op.done, and op.context to the struct part of the shard: its arena is there for what
 * `submit` allocates. */
void fan_run(struct fan *fan);

#endif
