/* What tools ask a cluster over the Fluss protocol: its databases and tables, a table with all its
 * buckets, and where these end. One request at a time. Thread: main. */
#ifndef CMD_TOOL_CLIENT_H
#define CMD_TOOL_CLIENT_H

#include "place.h"

#include "format/table_descriptor.h"
#include "rpc/client.h"

#define TOOL_SERVERS_MAX 64
#define TOOL_TIMEOUT_US  30000000 /* what tools wait for an answer unless told otherwise */

struct tool_node {
    int32_t id;
    struct rpc_client *client;
};

struct tool_client {
    const char *software;   /* what the server is told */
    int64_t timeout_us;     /* of one answer */
    struct rpc_client *any; /* knows the catalog */
    struct tool_node nodes[TOOL_SERVERS_MAX];
    size_t node_count;
};

struct tool_bucket {
    const char *partition; /* name; NULL: the table has no partitions */
    int64_t partition_id;  /* -1: the same */
    int32_t bucket;
    int32_t leader;            /* -1: none at the moment */
    struct rpc_client *client; /* of the leader; NULL: none */
};

struct tool_table {
    int64_t timeout_us; /* of the client it is from */
    int64_t id;
    int32_t schema_id;
    int64_t created_ms;
    struct bytes json;
    struct table_descriptor *descriptor; /* one reference */
    struct tool_bucket *buckets;
    size_t bucket_count;
    size_t partition_count;
};

enum tool_offset { TOOL_EARLIEST = 0, TOOL_LATEST = 1, TOOL_BY_TIME = 2 };

/* Connects; software: a literal. ERR_NETWORK. */
MUST_USE enum errcode tool_open(const struct place *place, const char *software, int64_t timeout_us,
                                struct tool_client *ret, struct error *e);
void tool_close(struct tool_client *t); /* for OWNED; accepts zeros */

/* Names, sorted, in the arena. */
MUST_USE enum errcode tool_databases(struct tool_client *t, struct arena *arena,
                                     struct text_list *ret, struct error *e);
MUST_USE enum errcode tool_tables(struct tool_client *t, const char *database, struct arena *arena,
                                  struct text_list *ret, struct error *e);
/* The table with its buckets. *ret is to be freed also after an error. */
MUST_USE enum errcode tool_table_get(struct tool_client *t, const char *database, const char *table,
                                     struct arena *arena, struct tool_table *ret, struct error *e);
void tool_table_fini(struct tool_table *table); /* for OWNED */

struct tool_where {
    enum tool_offset type;
    int64_t timestamp_ms; /* with TOOL_BY_TIME */
};
/* Of all buckets, in their order; -1 where there is no answer, for want of a leader. */
MUST_USE enum errcode tool_offsets(const struct tool_table *table, struct tool_where where,
                                   int64_t *ret, struct error *e);
/* Of one of its buckets. ERR_LEADER_NOT_AVAILABLE, and what the server answers. */
MUST_USE enum errcode tool_offset(const struct tool_table *table, const struct tool_bucket *bucket,
                                  struct tool_where where, int64_t *ret, struct error *e);

/* "db.table" on a command line, in the arena. ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode tool_path_parse(const char *text, struct arena *arena, const char **ret_db,
                                      const char **ret_table, struct error *e);

#endif
