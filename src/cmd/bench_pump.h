/* Requests in flight: lanes, each with a fixed number of requests on their way at a time, over the
 * connections of a run. One lane is one bucket. What is asked and what is made of the answers is
 * the mode's, as two functions. Thread: main. */
#ifndef CMD_BENCH_PUMP_H
#define CMD_BENCH_PUMP_H

#include "bench_cluster.h"
#include "bench_meter.h"

#include "base/list.h"
#include "base/map.h"

struct bench_lane;

/* One request. The mode keeps in `work` what it needs when the answer comes. */
struct bench_slot {
    struct bench_lane *lane;
    struct list link; /* among the free ones of the lane */
    int64_t sent_us;
    int64_t rows;  /* set by next or take: what the request counts for */
    int64_t bytes; /* likewise, of records */
    void *work;
    struct arena arena; /* emptied before next */
};

struct bench_lane {
    int32_t bucket;
    size_t link; /* connection */
    bool ended;  /* asked in vain since the last answer */
    struct list free_slots;
};

struct bench_work {
    enum rpc_api_key api;
    void *context;
    /* The lane's next request, in the slot's arena; large runs of bytes in it stay as they are
     * until the response. NULL: nothing more of this lane, unless an answer of it changes that. */
    enum errcode (*next)(void *context, struct bench_slot *slot, const void **ret_request,
                         struct error *e);
    /* Looks at the response; it dies afterwards. */
    enum errcode (*take)(void *context, struct bench_slot *slot, const void *response,
                         struct error *e);
};

/* What ends a run, besides the end of all lanes: nothing more is sent then. 0: not that. */
struct bench_bounds {
    int64_t seconds_us;
    int64_t requests;
    int64_t bytes;
};

struct bench_pump {
    const struct bench_options *options;
    struct bench_links links;
    struct bench_lane *lanes; /* by bucket */
    size_t lane_count;
    struct bench_slot *slots;
    size_t slot_count;
    struct map inflight[RPC_CLIENTS_MAX]; /* by connection: request id to slot */
    size_t inflight_count;
    struct arena arena;         /* of the response that is looked at */
    struct bench_counts counts; /* of the last run; likewise: */
    struct histogram answers;   /* from sent to answered */
};

/* Connects; a lane for each bucket of the table, which is known. bench_pump_close also after an
 * error. */
MUST_USE enum errcode bench_pump_open(struct bench_pump *p, const struct bench_cluster *cluster,
                                      struct error *e);
void bench_pump_close(struct bench_pump *p);

/* One request of each lane after the other (every lane has one), tried again while the server does
 * not know the bucket yet. Counts as nothing. */
MUST_USE enum errcode bench_pump_prime(struct bench_pump *p, const struct bench_work *work,
                                       struct error *e);
/* Sends until the bounds are reached and takes all answers. */
MUST_USE enum errcode bench_pump_run(struct bench_pump *p, const struct bench_work *work,
                                     struct bench_bounds bounds, struct error *e);

/* The bounds of the command line. */
struct bench_bounds bench_bounds_of(const struct bench_options *options);

/* The error a bucket was answered with; 0: none. */
MUST_USE enum errcode bench_check_bucket(int32_t bucket, int32_t error_code, struct bytes message,
                                         struct error *e);

#endif
