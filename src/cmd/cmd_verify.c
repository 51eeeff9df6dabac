/* eider verify: is what is stored what was written? Exit codes: 0 yes, or all that was wrong has been
 * rebuilt; 1 damage was found; 2 it could not be checked, or wrong usage. */
#include "cmd.h"
#include "flag.h"
#include "tool_client.h"
#include "verify_dir.h"
#include "verify_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/units.h"
#include "io/clock.h"

#define THREADS_MAX 256

static const char usage[] =
    "usage: eider verify DIR [--repair] [--json] [--threads N]\n"
    "       eider verify --server HOST:PORT [--json]\n"
    "\n"
    "Checks the data directory of a server that is stopped: all record batches (checksums, "
    "offsets,\n"
    "timestamps, contents against the schemas), indexes, writer snapshots, offset checkpoints, "
    "the\n"
    "catalog, and of primary-key tables the state against its changelog and the snapshots in\n"
    "DIR/remote. With --server, what a running one gives to readers: all records of all tables.\n"
    "\n"
    "  --repair     rebuild indexes that are wrong; records are never touched\n"
    "  --json       one JSON object instead of lines\n"
    "  --threads N  buckets that are read at the same time (default: one per processor)\n"
    "  -h, --help   print this\n"
    "\n"
    "Each finding is a line: what kind, file and position, what is wrong. Exit code 0: nothing is\n"
    "damaged, or not any more; 1: something is; 2: it could not be checked.\n";

struct verify_args {
    struct verify_dir_options dir;
    struct place server;
    bool online;
    bool json;
    bool help;
};

static enum errcode parse_threads(const char *text, struct verify_args *ret, struct error *e)
{
    int32_t threads = 0;

    if (units_parse_i32(text, &threads, NULL) != ERR_OK || threads < 1 || threads > THREADS_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "--threads: found \"%.80s\", expected 1 to %d",
                         text, THREADS_MAX);
    }
    ret->dir.threads = (unsigned)threads;
    return ERR_OK;
}

static enum errcode parse_word(int argc, char **argv, int *at, struct verify_args *a,
                               struct error *e)
{
    const char *word = argv[*at];
    const char *server = flag_value("--server", argc, argv, at);
    const char *threads = server == NULL ? flag_value("--threads", argc, argv, at) : NULL;

    if (server != NULL) {
        a->online = true;
        return place_parse(server, "--server", &a->server, e);
    }
    if (threads != NULL) {
        return parse_threads(threads, a, e);
    }
    if (strcmp(word, "--repair") == 0) {
        a->dir.repair = true;
    } else if (strcmp(word, "--json") == 0) {
        a->json = true;
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        a->help = true;
    } else if (word[0] == '-' || a->dir.dir != NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "found \"%.80s\", expected one directory or a "
                         "flag that 'eider verify --help' lists",
                         word);
    } else {
        a->dir.dir = word;
    }
    return ERR_OK;
}

static enum errcode parse(int argc, char **argv, struct verify_args *a, struct error *e)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    a->dir.threads = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
    for (int at = 1; at < argc && !a->help; at++) {
        TRY(parse_word(argc, argv, &at, a, e));
    }
    if (!a->help && a->online == (a->dir.dir != NULL)) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "expected a data directory, or --server HOST:PORT");
    }
    if (a->online && a->dir.repair) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "--repair needs the data directory of a server that is stopped");
    }
    return ERR_OK;
}

static int run(const struct verify_args *a)
{
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    struct verify_effort effort = {.threads = a->online ? 1 : a->dir.threads};
    int64_t started_us = clock_mono_us();
    int64_t cpu_us = clock_cpu_us();
    struct error e;
    enum errcode code = a->online ? verify_server(&a->server, TOOL_TIMEOUT_US, &report, &e)
                                  : verify_dir(&a->dir, &report, &e);

    effort.duration_us = clock_mono_us() - started_us;
    effort.cpu_us = clock_cpu_us() - cpu_us;
    if (a->json) {
        verify_report_print_json(&report, &effort, stdout);
    } else if (code == ERR_OK || report.count > 0) {
        verify_report_print(&report, &effort, stdout);
    }
    if (code != ERR_OK) {
        fprintf(stderr, "eider verify: not everything could be checked: %s\n", e.message);
        return 2;
    }
    return verify_report_damaged(&report) ? 1 : 0;
}

int cmd_verify(int argc, char **argv)
{
    struct verify_args args = {.online = false};
    struct error e;

    if (parse(argc, argv, &args, &e) != ERR_OK) {
        fprintf(stderr, "eider verify: %s\n\n%s", e.message, usage);
        return 2;
    }
    if (args.help) {
        printf("%s", usage);
        return 0;
    }
    return run(&args);
}
