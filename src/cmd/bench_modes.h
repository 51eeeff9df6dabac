/* The modes of `eider bench`. Each prints its report. Thread: main. */
#ifndef CMD_BENCH_MODES_H
#define CMD_BENCH_MODES_H

#include "bench_options.h"

MUST_USE enum errcode bench_produce(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_fetch(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_latency(const struct bench_options *options, struct error *e);
MUST_USE enum errcode bench_start(const struct bench_options *options, struct error *e);

#endif
