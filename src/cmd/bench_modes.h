/* The modes of `eider bench`. Each prints its report. Thread: main. */
#ifndef CMD_BENCH_MODES_H
#define CMD_BENCH_MODES_H

#include "bench_options.h"

MUST_USE enum errcode bench_produce(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_fetch(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_latency(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_upsert(const struct bench_options *options, struct error *e);
/* lookup, prefix and limit. */
MUST_USE enum errcode bench_lookup(const struct bench_options *options, struct error *e);
/* One request of the kind to each bucket over new connections, its answer checked; no report. */
MUST_USE enum errcode bench_lookup_once(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_start(const struct bench_options *options, struct error *e);

#endif
