/* What `eider bench` is to do: the command line as a struct. Thread: main. */
#ifndef CMD_BENCH_OPTIONS_H
#define CMD_BENCH_OPTIONS_H

#include "base/error.h"
#include "format/arrow.h"

#define BENCH_COLUMNS_MAX     16
#define BENCH_PIDS_MAX        16
#define BENCH_PROPERTIES_MAX  16
#define BENCH_BUCKETS_MAX     128
#define BENCH_OUTSTANDING_MAX 1024
#define BENCH_CONNECTIONS_MAX 64
#define BENCH_KEYS_MAX        1000000000 /* of a primary-key table */

enum bench_mode {
    BENCH_PRODUCE,
    BENCH_FETCH,
    BENCH_LATENCY,
    BENCH_UPSERT,
    BENCH_LOOKUP,
    BENCH_PREFIX,
    BENCH_LIMIT,
    BENCH_START
};

struct bench_options {
    enum bench_mode mode;
    const char *mode_name;
    char host[256]; /* any server of the cluster */
    uint16_t port;
    const char *database;
    const char *table;
    bool keep;     /* the table stays behind */
    bool existing; /* upsert: the table and its rows are there */

    /* the table and its batches */
    int32_t buckets;
    int32_t rows; /* per batch */
    enum arrow_codec codec;
    int32_t zstd_level;
    const char *properties[BENCH_PROPERTIES_MAX]; /* "key=value" of the table */
    size_t property_count;

    /* the rows of a primary-key table */
    int64_t keys;
    int32_t prefix_rows; /* of each id; 0: the id is the primary key */
    int64_t working_set; /* so many rows are asked for */

    /* the load */
    int32_t connections;
    int32_t outstanding; /* fetch: readers; else requests in flight per bucket */
    int32_t acks;
    bool idempotent;
    int64_t seconds_us;   /* of load; 0: bounded otherwise */
    int64_t bytes_max;    /* of records; 0: bounded otherwise */
    int64_t requests_max; /* 0: bounded otherwise */
    int32_t passes;       /* fetch: how often each reader reads everything; upsert: all keys */
    int32_t fetch_bytes;  /* per bucket and request */
    int32_t columns[BENCH_COLUMNS_MAX];
    size_t column_count; /* 0: all, no projection */
    int32_t rate;        /* latency: rows per second */
    int64_t warm_us;     /* latency, lookup, prefix, limit: not counted */
    int32_t keys_per_request;
    int32_t limit; /* rows of a limit scan */

    /* the server */
    int64_t pids[BENCH_PIDS_MAX];
    size_t pid_count;
    int64_t timeout_us; /* of a single answer, of a start */
    int64_t settle_us;  /* for what is still done after the load; 0: not waited for */
    int64_t idle_us;    /* start: so long without work is idle */
    bool lookup;        /* start: until a lookup is answered */
    bool kill;          /* start: end it as a crash would */
    char **command;     /* start: NULL-terminated */
};

extern const char bench_usage[];

/* argv[0] is ignored. The texts stay argv's. ERR_INVALID_ARGUMENT says which option, what was
 * found and what is expected. */
MUST_USE enum errcode bench_options_parse(int argc, char **argv, struct bench_options *ret,
                                          struct error *e);

#endif
