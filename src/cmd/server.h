/* The server as one struct: everything it is made of, in the order it is started.
 *
 *   pools        disk (opens, cold reads, removal), sync (fdatasync), kv (writes of state)
 *   coordinator  one shard that may block: the catalog, deletions, checkpoints
 *   shards       one per core: connections, services, replicas
 *   listeners    on the first shard, which deals new connections to all
 *
 * Stop goes the other way: no new connections, no new requests, answer what is in flight, end the
 * coordinator, sync and close the logs, write the checkpoints, end all threads, and only then free
 * what they might still have sent each other messages about; last the marker of a clean stop.
 * Thread: main, except where stated.
 */
#ifndef CMD_SERVER_H
#define CMD_SERVER_H

#include "remote_root.h"

#include "front/fluss.h"
#include "front/postgres.h"
#include "io/gate.h"
#include "kv/kv.h"
#include "log/log.h"

#define SERVER_SHARDS_MAX    256
#define SERVER_LISTENERS_MAX 16

/* Where to listen and what to tell clients. */
struct server_listener {
    const char *name;
    const char *host;
    uint16_t port;               /* 0: any free one */
    const char *advertised_host; /* NULL: as listened on */
    uint16_t advertised_port;    /* 0: as listened on */
};

/* Everything a server needs to know, as plain values; made from options by server_config.c. */
struct server_config {
    const char *data_dir; /* NULL: a temporary one, removed at exit */
    unsigned shards;
    size_t memory_bytes; /* for frames being received and requests in flight, all shards together */
    struct server_listener listeners[SERVER_LISTENERS_MAX];
    size_t listener_count;
    struct meta_options meta;       /* data_dir, coordinator and listener are filled in */
    struct replica_config replicas; /* directories, pools, clean and hints are filled in */
    struct fluss_front_options front;
    const char *remote_data_dir; /* remote.data.dir; NULL: below the data directory */
    const char *rack;            /* NULL: none */
    int64_t checkpoint_us;       /* between two writes of the checkpoint files */
    int64_t recovery_point_us;   /* between two moves of all recovery points */
    int64_t fetch_wait_us_max;   /* longest long poll */
    unsigned disk_threads;
    unsigned read_threads;
    unsigned sync_threads;
    unsigned kv_threads;
    unsigned snapshot_threads;
    struct kv_env_options kv;                                   /* shard_count is filled in */
    struct server_listener sql_listeners[SERVER_LISTENERS_MAX]; /* of the PostgreSQL protocol */
    size_t sql_listener_count;
    bool sql_may_miss;      /* a port that is taken does not prevent the start */
    bool sql_private;       /* without listeners, too: for server_sql_adopt */
    struct sql_options sql; /* spool_dir is filled in */
};

enum { CHECKPOINT_RECOVERY, CHECKPOINT_WATERMARK, CHECKPOINT_COUNT };

struct publication; /* deletions.c */

struct server {
    const struct server_config *config;
    char *data_dir;
    struct remote_root remote;
    struct file *lock;
    struct suspects *suspects;                 /* NULL before there are any */
    bool clean;                                /* the last stop was */
    struct arena arena;                        /* what lives as long as the server */
    struct checkpoint hints[CHECKPOINT_COUNT]; /* what the last run wrote, sorted */

    struct pool *disk;
    struct pool *reads;
    struct pool *sync;
    struct pool *kv;
    struct pool *snapshots;
    struct kv_env_lazy kv_env; /* of all states of primary-key tables */
    atomic_uint scanners;      /* open ones of SCAN_KV */
    struct shard *coordinator;
    struct meta *meta;
    struct publication *latest; /* coordinator: of this turn */
    struct deferred publication_over;
    struct list publications; /* coordinator: views that not all shards have settled */
    struct list deletions;    /* coordinator: directories being removed */
    struct timer checkpoint_timer;
    int64_t recovery_points_wanted_us;
    struct bytes checkpoint_written[CHECKPOINT_COUNT]; /* heap: what the files hold */

    struct node node;
    struct shard *shards[SERVER_SHARDS_MAX];
    struct service *services[SERVER_SHARDS_MAX];
    struct replica_set *replicas[SERVER_SHARDS_MAX];
    struct fluss_front *fronts[SERVER_SHARDS_MAX];
    struct replica_config replica_config;

    struct node_listener listeners[SERVER_LISTENERS_MAX];
    struct listener *accepting[SERVER_LISTENERS_MAX]; /* first shard */
    int listen_fds[SERVER_LISTENERS_MAX];
    unsigned next_shard; /* of the next connection; first shard */

    struct node_listener sql_listeners[SERVER_LISTENERS_MAX]; /* those that listen */
    size_t sql_listener_count;
    int sql_fds[SERVER_LISTENERS_MAX];
    struct listener *sql_accepting[SERVER_LISTENERS_MAX]; /* first shard */
    struct postgres_front *sql_fronts[SERVER_SHARDS_MAX];
    struct pool *sql_pool;
    struct sql_engine *sql;

    struct gate *stopping;
    atomic_bool ending; /* no removal is begun any more */
    atomic_bool closed_clean;
};

/* Starts everything; when it returns, requests are being served. config and what it points to must
 * live as long as the server. Nothing is left behind after an error. */
MUST_USE enum errcode server_start(const struct server_config *config, struct server **ret,
                                   struct error *e);
/* Stops in order and frees; true: cleanly, the next start need not scan. */
bool server_stop(struct server *s);

/* ---- deletions.c ---- */

/* meta's callbacks; coordinator. */
void server_published(struct meta_view *view, void *context);
void server_dropped(const struct meta_deletion *deletion, void *context);
void deletions_init(struct server *s);
/* Removes what an earlier run left; before meta_start. */
MUST_USE enum errcode deletions_resume(struct server *s, struct error *e);
/* What was under way when the threads ended; the next start does it again. */
void deletions_free(struct server *s);

/* ---- server_sql.c ---- */

/* Listens. ERR_NETWORK: a port is taken and that is not allowed. */
MUST_USE enum errcode server_sql_listen(struct server *s, struct error *e);
/* Fronts on all shards, which run; on the first, accepting. */
void server_sql_start(struct server *s);
/* Serves a connected, non-blocking socket of the PostgreSQL protocol, which it takes over. Thread: any. */
void server_sql_adopt(struct server *s, int fd);
/* Ends all sessions; the shards run. */
void server_sql_stop(struct server *s);
/* The shards' loops have ended. */
void server_sql_free(struct server *s);

/* ---- checkpoints.c ---- */

MUST_USE enum errcode checkpoints_load(struct server *s, struct error *e);
struct bucket_hint checkpoints_hint(void *context, const struct bucket_id *id);
/* Coordinator: writes the files now and then. */
void checkpoints_start(struct server *s);
/* Writes both files as of now. Coordinator, or main when that has ended. */
MUST_USE enum errcode checkpoints_write(struct server *s, struct error *e);
void checkpoints_free(struct server *s);

#endif
