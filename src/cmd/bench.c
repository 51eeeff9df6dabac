/* `eider bench`: a native load generator of the protocol. One thread drives all connections by
 * waiting for all of them at once, so that little of a shared machine is the client's. */
#include "bench_modes.h"
#include "cmd.h"

#include <stdio.h>
#include <string.h>

static enum errcode run(const struct bench_options *options, struct error *e)
{
    switch (options->mode) {
    case BENCH_PRODUCE:
        return bench_produce(options, e);
    case BENCH_FETCH:
        return bench_fetch(options, e);
    case BENCH_LATENCY:
        return bench_latency(options, e);
    case BENCH_UPSERT:
        return bench_upsert(options, e);
    case BENCH_LOOKUP:
    case BENCH_PREFIX:
    case BENCH_LIMIT:
        return bench_lookup(options, e);
    case BENCH_START:
        return bench_start(options, e);
    }
    return ERR_OK;
}

int cmd_bench(int argc, char **argv)
{
    struct bench_options options;
    struct error e;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            printf("%s", bench_usage);
            return 0;
        }
    }
    if (bench_options_parse(argc, argv, &options, &e) != ERR_OK) {
        fprintf(stderr, "eider bench: %s\n\n%s", e.message, bench_usage);
        return 2;
    }
    if (run(&options, &e) != ERR_OK) {
        fprintf(stderr, "eider bench: %s: %s\n", error_name(e.code), e.message);
        return 1;
    }
    return 0;
}
