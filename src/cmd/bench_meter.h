/* Measuring a run: time, CPU and memory of the servers, latencies; and the line of JSON that
 * reports it. Thread: main. */
#ifndef CMD_BENCH_METER_H
#define CMD_BENCH_METER_H

#include "bench_options.h"

#include "format/json.h"

/* ---- latencies ---- */

#define HISTOGRAM_SUB_BITS 7 /* values are kept to 1 in 128 */
#define HISTOGRAM_SLOTS    ((64 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS)

/* Counts of non-negative values, exact up to 2^HISTOGRAM_SUB_BITS, else to 0.8 %. */
struct histogram {
    uint64_t count;
    int64_t max;
    uint64_t slots[HISTOGRAM_SLOTS];
};

void histogram_add(struct histogram *h, int64_t value);
/* The value that a share of `quantile` (0 to 1) does not exceed; 0 when empty. */
int64_t histogram_quantile(const struct histogram *h, double quantile);

/* ---- resources ---- */

struct meter {
    const struct bench_options *options;
    int64_t started_us;
    int64_t elapsed_us;
    int64_t client_cpu_us;
    int64_t server_cpu_us[BENCH_PIDS_MAX];
    uint64_t server_rss;      /* at the end, all servers */
    uint64_t server_rss_peak; /* during the run */
};

/* ERR_INVALID_ARGUMENT: one of the servers does not live. */
MUST_USE enum errcode meter_start(struct meter *m, const struct bench_options *options,
                                  struct error *e);
/* The load is over. With --settle, work that the servers put off counts as well: their CPU time is
 * taken when they have become idle, the time itself is not. */
MUST_USE enum errcode meter_stop(struct meter *m, struct error *e);
int64_t meter_server_cpu_us(const struct meter *m);

/* ---- the report ---- */

struct bench_counts {
    int64_t requests;
    int64_t rows;
    int64_t bytes; /* of records, as sent or received */
};

/* {"mode":...: opens the object and says what was run. */
void report_begin(struct json_writer *w, const struct bench_options *options);
/* Rates, and with --server-pids what the servers used, per unit too. */
void report_counts(struct json_writer *w, const struct meter *m, const struct bench_counts *counts);
/* "<name>_p50_ms" to "<name>_max_ms" of microseconds. */
void report_latencies(struct json_writer *w, const char *name, const struct histogram *h);
/* Rounds to what is worth reading: 4 significant digits, whole numbers from 1000 on. */
void report_real(struct json_writer *w, const char *key, double value);
/* Closes the object and prints it. */
void report_end(struct json_writer *w);

#endif
