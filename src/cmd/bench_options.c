#include "bench_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/units.h"

#define SECOND_US 1000000

const char bench_usage[] =
    "usage: eider bench MODE [OPTIONS]\n"
    "\n"
    "Loads a server that speaks the Fluss protocol and prints one line of JSON.\n"
    "\n"
    "  produce   sends prebuilt Arrow batches of 10 columns, 125 bytes of data per row\n"
    "  fetch     reads a table from its earliest offset\n"
    "  project   the same for some columns (--columns, default 0)\n"
    "  latency   rows at a fixed rate, one per request, and a consumer that waits for them:\n"
    "            times count from when a row was due, not from when it was sent\n"
    "  upsert    rows of a primary-key table, 7 columns, 100 bytes of data each: inserts them "
    "all,\n"
    "            then replaces them by other versions, from batches prepared beforehand\n"
    "  lookup    random rows of such a table (upsert --keep) by their keys\n"
    "  prefix    all rows of random ids of one with --prefix-rows\n"
    "  limit     its first rows\n"
    "  start     runs a command (after --) and waits until the server at --server serves:\n"
    "            time, CPU until it is idle, memory; ends the command and its descendants\n"
    "\n"
    "where\n"
    "  --server HOST:PORT     any server of the cluster (127.0.0.1:9123)\n"
    "  --database NAME        (bench)\n"
    "  --table NAME           (load); produce, latency and upsert replace it\n"
    "  --keep                 produce, latency, upsert: leave the table behind\n"
    "  --existing             upsert: only the updates, of a table that was left behind\n"
    "  --server-pids A,B      report CPU time and memory of these processes\n"
    "  --settle DURATION      their CPU time until they are idle, at most so long after the load "
    "(0s)\n"
    "  --timeout DURATION     of one answer, of a start (30s)\n"
    "the table\n"
    "  --buckets N            (1)\n"
    "  --rows N               per batch (7000, about 1 MB)\n"
    "  --compression KIND     none, lz4, zstd (none; upsert: zstd, by the server)\n"
    "  --zstd-level N         (3)\n"
    "  --property KEY=VALUE   of the table; repeatable\n"
    "  --keys N               rows of a primary-key table (1000000)\n"
    "  --prefix-rows N        its rows with the same id (0: the id is the primary key)\n"
    "the load\n"
    "  --connections N        (1)\n"
    "  --outstanding N        requests in flight per bucket (produce, upsert: 5; lookup, prefix: "
    "4;\n"
    "                         limit: 1); fetch: readers (1)\n"
    "  --acks N               -1, 0, 1 (-1)\n"
    "  --idempotent           with a writer id and sequence numbers\n"
    "  --duration DURATION    how long (10s when nothing else bounds the run)\n"
    "  --bytes SIZE           produce, upsert: how many bytes of records\n"
    "  --requests N           how many requests; not fetch\n"
    "  --passes N             fetch: how often each reader reads everything (1; with --duration\n"
    "                         until then); upsert: how often all keys are replaced\n"
    "  --fetch-bytes SIZE     fetch: per bucket and request (1mb)\n"
    "  --columns A,B          fetch, project: positions, ascending\n"
    "  --rate N               latency: rows per second (1000)\n"
    "  --keys-per-request N   lookup, prefix (128)\n"
    "  --working-set N        lookup, prefix: of so many rows (all)\n"
    "  --limit N              limit: rows of a request (1000)\n"
    "  --warm DURATION        latency, lookup, prefix, limit: not counted at the beginning (2s)\n"
    "  --idle DURATION        start: so long without work is idle (3s)\n"
    "  --lookup               start: until a row of --table (--keys, --prefix-rows) is looked up\n"
    "  --kill                 start: end it with SIGKILL\n";

/* ---- values ---- */

struct option;
typedef enum errcode (*option_set_fn)(const struct option *o, const char *text,
                                      struct bench_options *ret, struct error *e);

struct option {
    const char *name;
    option_set_fn set;
    size_t offset; /* of the field in struct bench_options */
    int64_t min;
    int64_t max;
};

static void *field(const struct option *o, struct bench_options *options)
{
    return (uint8_t *)options + o->offset;
}

static enum errcode check_range(const struct option *o, int64_t value, const char *text,
                                struct error *e)
{
    if (value < o->min || value > o->max) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found %s, expected %lld to %lld", text,
                         (long long)o->min, (long long)o->max);
    }
    return ERR_OK;
}

static enum errcode set_text(const struct option *o, const char *text, struct bench_options *ret,
                             struct error *e)
{
    (void)e;
    *(const char **)field(o, ret) = text;
    return ERR_OK;
}

static enum errcode set_i32(const struct option *o, const char *text, struct bench_options *ret,
                            struct error *e)
{
    int32_t value;

    TRY(units_parse_i32(text, &value, e));
    TRY(check_range(o, value, text, e));
    *(int32_t *)field(o, ret) = value;
    return ERR_OK;
}

static enum errcode set_i64(const struct option *o, const char *text, struct bench_options *ret,
                            struct error *e)
{
    int64_t value;

    TRY(units_parse_i64(text, &value, e));
    TRY(check_range(o, value, text, e));
    *(int64_t *)field(o, ret) = value;
    return ERR_OK;
}

static enum errcode set_duration(const struct option *o, const char *text,
                                 struct bench_options *ret, struct error *e)
{
    int64_t ms;

    TRY(units_parse_duration_ms(text, &ms, e));
    TRY(check_range(o, ms, text, e));
    *(int64_t *)field(o, ret) = ms * 1000;
    return ERR_OK;
}

static enum errcode set_size(const struct option *o, const char *text, struct bench_options *ret,
                             struct error *e)
{
    int64_t bytes;

    TRY(units_parse_memory_size(text, &bytes, e));
    TRY(check_range(o, bytes, text, e));
    *(int64_t *)field(o, ret) = bytes;
    return ERR_OK;
}

static enum errcode set_fetch_bytes(const struct option *o, const char *text,
                                    struct bench_options *ret, struct error *e)
{
    int64_t bytes;

    TRY(units_parse_memory_size(text, &bytes, e));
    TRY(check_range(o, bytes, text, e));
    ret->fetch_bytes = (int32_t)bytes;
    return ERR_OK;
}

static enum errcode set_server(const struct option *o, const char *text, struct bench_options *ret,
                               struct error *e)
{
    const char *colon = strrchr(text, ':');
    int32_t port;

    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof ret->host) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found '%s', expected HOST:PORT", text);
    }
    TRY(units_parse_i32(colon + 1, &port, e));
    TRY(check_range(o, port, colon + 1, e));
    (void)snprintf(ret->host, sizeof ret->host, "%.*s", (int)(colon - text), text);
    ret->port = (uint16_t)port;
    return ERR_OK;
}

static enum errcode set_compression(const struct option *o, const char *text,
                                    struct bench_options *ret, struct error *e)
{
    static const char *const names[] = {
        [ARROW_CODEC_NONE] = "none", [ARROW_CODEC_LZ4_FRAME] = "lz4", [ARROW_CODEC_ZSTD] = "zstd"};

    (void)o;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            ret->codec = (enum arrow_codec)i;
            return ERR_OK;
        }
    }
    return error_set(e, ERR_INVALID_ARGUMENT, "found '%s', expected none, lz4 or zstd", text);
}

static enum errcode add_property(const struct option *o, const char *text,
                                 struct bench_options *ret, struct error *e)
{
    (void)o;
    if (strchr(text, '=') == NULL || ret->property_count == BENCH_PROPERTIES_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found '%s', expected at most %d of KEY=VALUE",
                         text, BENCH_PROPERTIES_MAX);
    }
    ret->properties[ret->property_count++] = text;
    return ERR_OK;
}

/* Numbers separated by commas. */
static enum errcode parse_list(const struct option *o, const char *text, int64_t *ret,
                               size_t *ret_count, struct error *e)
{
    size_t max = *ret_count;
    size_t count = 0;

    for (const char *at = text;; at++) {
        char *end;
        long long value = strtoll(at, &end, 10);

        if (end == at || count == max || (*end != ',' && *end != '\0')) {
            return error_set(e, ERR_INVALID_ARGUMENT,
                             "found '%s', expected at most %zu numbers separated by commas", text,
                             max);
        }
        TRY(check_range(o, value, text, e));
        ret[count++] = value;
        at = end;
        if (*at == '\0') {
            *ret_count = count;
            return ERR_OK;
        }
    }
}

static enum errcode set_pids(const struct option *o, const char *text, struct bench_options *ret,
                             struct error *e)
{
    ret->pid_count = BENCH_PIDS_MAX;
    return parse_list(o, text, ret->pids, &ret->pid_count, e);
}

static enum errcode set_columns(const struct option *o, const char *text, struct bench_options *ret,
                                struct error *e)
{
    int64_t columns[BENCH_COLUMNS_MAX];
    size_t count = BENCH_COLUMNS_MAX;

    TRY(parse_list(o, text, columns, &count, e));
    for (size_t i = 0; i < count; i++) {
        ret->columns[i] = (int32_t)columns[i];
    }
    ret->column_count = count;
    return ERR_OK;
}

/* ---- the command line ---- */

#define AT(f) offsetof(struct bench_options, f)

static const struct option valued[] = {
    {"--server", set_server, 0, 1, UINT16_MAX},
    {"--database", set_text, AT(database), 0, 0},
    {"--table", set_text, AT(table), 0, 0},
    {"--server-pids", set_pids, 0, 1, INT32_MAX},
    {"--timeout", set_duration, AT(timeout_us), 1, 3600000},
    {"--settle", set_duration, AT(settle_us), 0, 3600000},
    {"--buckets", set_i32, AT(buckets), 1, BENCH_BUCKETS_MAX},
    {"--rows", set_i32, AT(rows), 1, 1000000},
    {"--compression", set_compression, 0, 0, 0},
    {"--zstd-level", set_i32, AT(zstd_level), 1, 22},
    {"--property", add_property, 0, 0, 0},
    {"--connections", set_i32, AT(connections), 1, BENCH_CONNECTIONS_MAX},
    {"--outstanding", set_i32, AT(outstanding), 1, BENCH_OUTSTANDING_MAX},
    {"--acks", set_i32, AT(acks), -1, 1},
    {"--duration", set_duration, AT(seconds_us), 1, 3600000},
    {"--bytes", set_size, AT(bytes_max), 1, INT64_MAX},
    {"--requests", set_i64, AT(requests_max), 1, INT64_MAX},
    {"--passes", set_i32, AT(passes), 1, 1000000},
    {"--fetch-bytes", set_fetch_bytes, 0, 1, 256 << 20},
    {"--columns", set_columns, 0, 0, INT16_MAX},
    {"--rate", set_i32, AT(rate), 1, 100000},
    {"--warm", set_duration, AT(warm_us), 0, 600000},
    {"--keys", set_i64, AT(keys), 1, BENCH_KEYS_MAX},
    {"--prefix-rows", set_i32, AT(prefix_rows), 1, 1000000},
    {"--working-set", set_i64, AT(working_set), 1, BENCH_KEYS_MAX},
    {"--keys-per-request", set_i32, AT(keys_per_request), 1, 100000},
    {"--limit", set_i32, AT(limit), 1, 1000000},
    {"--idle", set_duration, AT(idle_us), 100, 600000},
};

static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    {"--keep", AT(keep)}, {"--idempotent", AT(idempotent)}, {"--lookup", AT(lookup)},
    {"--kill", AT(kill)}, {"--existing", AT(existing)},
};

static const struct {
    const char *name;
    enum bench_mode mode;
} modes[] = {
    {"produce", BENCH_PRODUCE}, {"fetch", BENCH_FETCH},   {"project", BENCH_FETCH},
    {"latency", BENCH_LATENCY}, {"upsert", BENCH_UPSERT}, {"lookup", BENCH_LOOKUP},
    {"prefix", BENCH_PREFIX},   {"limit", BENCH_LIMIT},   {"start", BENCH_START},
};

static const struct option *find_valued(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(valued); i++) {
        if (strcmp(name, valued[i].name) == 0) {
            return &valued[i];
        }
    }
    return NULL;
}

static bool set_flag(const char *name, struct bench_options *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strcmp(name, flags[i].name) == 0) {
            *(bool *)((uint8_t *)ret + flags[i].offset) = true;
            return true;
        }
    }
    return false;
}

static enum errcode parse_mode(const char *name, struct bench_options *ret, struct error *e)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (strcmp(name, modes[i].name) == 0) {
            ret->mode = modes[i].mode;
            ret->mode_name = name;
            return ERR_OK;
        }
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "found mode '%s', expected produce, fetch, project, latency, upsert, lookup, "
                     "prefix, limit or start",
                     name);
}

static int32_t default_outstanding(enum bench_mode mode)
{
    switch (mode) {
    case BENCH_PRODUCE:
    case BENCH_UPSERT:
        return 5;
    case BENCH_LOOKUP:
    case BENCH_PREFIX:
        return 4;
    case BENCH_FETCH:
    case BENCH_LATENCY:
    case BENCH_LIMIT:
    case BENCH_START:
        break;
    }
    return 1;
}

static enum errcode check(const struct bench_options *o, struct error *e)
{
    bool readers = o->mode == BENCH_FETCH;

    if (o->connections > (readers ? o->outstanding : o->buckets) && o->mode != BENCH_LATENCY &&
        o->mode != BENCH_START) {
        return error_set(e, ERR_INVALID_ARGUMENT, "--connections: found %d, expected at most %s",
                         o->connections, readers ? "one per reader" : "one per bucket");
    }
    if (o->mode == BENCH_START && o->command == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "start: expected -- and a command at the end");
    }
    if (o->mode == BENCH_PREFIX && o->prefix_rows == 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "prefix: expected --prefix-rows");
    }
    if (o->prefix_rows > 0 && o->keys % o->prefix_rows != 0) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "--keys: found %lld, expected a multiple of --prefix-rows",
                         (long long)o->keys);
    }
    return ERR_OK;
}

/* What follows from other options. */
static enum errcode complete(struct bench_options *o, struct error *e)
{
    bool bounded = o->seconds_us > 0 || o->bytes_max > 0 || o->requests_max > 0;

    if (strcmp(o->mode_name, "project") == 0 && o->column_count == 0) {
        o->column_count = 1;
    }
    if (o->mode == BENCH_LATENCY) {
        o->rows = 1;
    }
    if (o->outstanding == 0) {
        o->outstanding = default_outstanding(o->mode);
    }
    if (o->working_set == 0 || o->working_set > o->keys || o->mode == BENCH_LIMIT) {
        o->working_set = o->keys;
    }
    if (o->mode == BENCH_FETCH) {
        o->passes = o->passes > 0 ? o->passes : o->seconds_us > 0 ? INT32_MAX : 1;
    } else if (!bounded && o->passes == 0) {
        o->seconds_us = 10 * SECOND_US;
    }
    return check(o, e);
}

enum errcode bench_options_parse(int argc, char **argv, struct bench_options *ret, struct error *e)
{
    struct bench_options o = {
        .host = "127.0.0.1",
        .port = 9123,
        .database = "bench",
        .table = "load",
        .buckets = 1,
        .rows = 7000,
        .zstd_level = 3,
        .connections = 1,
        .acks = -1,
        .keys = 1000000,
        .keys_per_request = 128,
        .limit = 1000,
        .fetch_bytes = 1 << 20,
        .rate = 1000,
        .warm_us = 2 * SECOND_US,
        .timeout_us = 30 * SECOND_US,
        .idle_us = 3 * SECOND_US,
    };

    if (argc < 2) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a mode is expected");
    }
    TRY(parse_mode(argv[1], &o, e));
    o.codec = o.mode == BENCH_UPSERT ? ARROW_CODEC_ZSTD : ARROW_CODEC_NONE;
    for (int i = 2; i < argc; i++) {
        const struct option *option = find_valued(argv[i]);

        if (strcmp(argv[i], "--") == 0 && i + 1 < argc) {
            o.command = argv + i + 1;
            break;
        }
        if (option != NULL && i + 1 < argc) {
            if (option->set(option, argv[++i], &o, e) != ERR_OK) {
                error_wrap(e, "%s", option->name);
                return ERR_INVALID_ARGUMENT;
            }
        } else if (option != NULL) {
            return error_set(e, ERR_INVALID_ARGUMENT, "%s: a value is expected", argv[i]);
        } else if (!set_flag(argv[i], &o)) {
            return error_set(e, ERR_INVALID_ARGUMENT, "unknown option %s", argv[i]);
        }
    }
    TRY(complete(&o, e));
    *ret = o;
    return ERR_OK;
}
