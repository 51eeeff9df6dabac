#include "bench_meter.h"

#include <stdio.h>

#include "io/blocking.h"
#include "io/clock.h"
#include "io/process.h"

#define SUB_COUNT    (1 << HISTOGRAM_SUB_BITS)
#define SAMPLE_US    100000 /* of CPU time */
#define IDLE_SAMPLES 4
#define IDLE_SHARE   10 /* a tenth of a core is next to nothing */

/* ---- latencies ---- */

/* Slots are linear up to 2 * SUB_COUNT, then SUB_COUNT to each doubling. */
static size_t slot_of(uint64_t value)
{
    unsigned shift;

    if (value < SUB_COUNT) {
        return value;
    }
    shift = 63 - HISTOGRAM_SUB_BITS - (unsigned)__builtin_clzll(value);
    return ((size_t)shift << HISTOGRAM_SUB_BITS) + (value >> shift);
}

/* The largest value of the slot. */
static int64_t slot_end(size_t slot)
{
    size_t shift = slot >> HISTOGRAM_SUB_BITS;

    if (shift <= 1) {
        return (int64_t)slot;
    }
    shift--;
    return (int64_t)((((slot - (shift << HISTOGRAM_SUB_BITS)) + 1) << shift) - 1);
}

void histogram_add(struct histogram *h, int64_t value)
{
    if (value < 0) {
        value = 0;
    }
    h->count++;
    h->max = value > h->max ? value : h->max;
    h->slots[slot_of((uint64_t)value)]++;
}

int64_t histogram_quantile(const struct histogram *h, double quantile)
{
    double wanted = quantile * (double)h->count;
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_SLOTS; i++) {
        seen += h->slots[i];
        if (h->slots[i] > 0 && (double)seen >= wanted) {
            int64_t end = slot_end(i);

            return end < h->max ? end : h->max;
        }
    }
    return h->max;
}

/* ---- resources ---- */

enum errcode meter_start(struct meter *m, const struct bench_options *options, struct error *e)
{
    *m = (struct meter){.options = options};
    for (size_t i = 0; i < options->pid_count; i++) {
        struct process_usage usage;

        process_reset_peak(options->pids[i]);
        TRY(process_usage_of(options->pids[i], &usage, e));
        m->server_cpu_us[i] = usage.cpu_us;
    }
    m->client_cpu_us = clock_cpu_us();
    m->started_us = clock_mono_us();
    return ERR_OK;
}

static enum errcode servers_cpu_us(const struct bench_options *options, int64_t *ret,
                                   struct error *e)
{
    int64_t sum = 0;

    for (size_t i = 0; i < options->pid_count; i++) {
        struct process_usage usage;

        TRY(process_usage_of(options->pids[i], &usage, e));
        sum += usage.cpu_us;
    }
    *ret = sum;
    return ERR_OK;
}

/* Until the servers have done next to nothing for a while, or the time is over. */
static enum errcode settle(const struct bench_options *options, struct error *e)
{
    int64_t deadline_us = clock_mono_us() + options->settle_us;
    int64_t idle = 0;
    int64_t before_us;

    TRY(servers_cpu_us(options, &before_us, e));
    while (idle < IDLE_SAMPLES && clock_mono_us() < deadline_us) {
        int64_t since_us = clock_mono_us();
        int64_t now_us;

        thread_sleep_us(SAMPLE_US);
        TRY(servers_cpu_us(options, &now_us, e));
        idle = (now_us - before_us) * IDLE_SHARE < clock_mono_us() - since_us ? idle + 1 : 0;
        before_us = now_us;
    }
    return ERR_OK;
}

enum errcode meter_stop(struct meter *m, struct error *e)
{
    m->elapsed_us = clock_mono_us() - m->started_us;
    m->client_cpu_us = clock_cpu_us() - m->client_cpu_us;
    TRY(settle(m->options, e));
    for (size_t i = 0; i < m->options->pid_count; i++) {
        struct process_usage usage;

        TRY(process_usage_of(m->options->pids[i], &usage, e));
        m->server_cpu_us[i] = usage.cpu_us - m->server_cpu_us[i];
        m->server_rss += usage.rss_bytes;
        m->server_rss_peak += usage.rss_peak_bytes;
    }
    return ERR_OK;
}

int64_t meter_server_cpu_us(const struct meter *m)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->options->pid_count; i++) {
        sum += m->server_cpu_us[i];
    }
    return sum;
}

/* ---- the report ---- */

static const char *codec_name(enum arrow_codec codec)
{
    static const char *const names[] = {
        [ARROW_CODEC_NONE] = "none", [ARROW_CODEC_LZ4_FRAME] = "lz4", [ARROW_CODEC_ZSTD] = "zstd"};

    return names[codec];
}

static bool is_writer(enum bench_mode mode)
{
    return mode == BENCH_PRODUCE || mode == BENCH_LATENCY || mode == BENCH_UPSERT;
}

static bool is_of_keys(enum bench_mode mode)
{
    return mode == BENCH_UPSERT || mode == BENCH_LOOKUP || mode == BENCH_PREFIX ||
           mode == BENCH_LIMIT;
}

static void report_keys(struct json_writer *w, const struct bench_options *options)
{
    json_write_int_member(w, "keys", options->keys);
    json_write_int_member(w, "prefix_rows", options->prefix_rows);
    if (options->mode == BENCH_LOOKUP || options->mode == BENCH_PREFIX) {
        json_write_int_member(w, "working_set", options->working_set);
        json_write_int_member(w, "keys_per_request", options->keys_per_request);
    }
    if (options->mode == BENCH_LIMIT) {
        json_write_int_member(w, "limit", options->limit);
    }
}

void report_begin(struct json_writer *w, const struct bench_options *options)
{
    json_writer_init(w, NULL);
    json_write_object(w);
    json_write_string_member(w, "mode", options->mode_name);
    if (options->mode == BENCH_START) {
        return;
    }
    json_write_string_member(w, "table", options->table);
    json_write_int_member(w, "connections", options->connections);
    json_write_int_member(w, "outstanding", options->outstanding);
    if (is_of_keys(options->mode)) {
        report_keys(w, options);
    }
    if (is_writer(options->mode)) {
        json_write_int_member(w, "buckets", options->buckets);
        json_write_string_member(w, "compression", codec_name(options->codec));
        json_write_int_member(w, "rows_per_batch", options->rows);
        json_write_int_member(w, "acks", options->acks);
        json_write_bool_member(w, "idempotent", options->idempotent);
    }
    if (options->column_count > 0) {
        json_write_int_member(w, "columns", (int64_t)options->column_count);
    }
}

void report_real(struct json_writer *w, const char *key, double value)
{
    double scale = 1;

    ASSERT(value >= 0 && value < 1e15);
    while (value * scale < 1000 && scale < 1e9) {
        scale *= 10;
    }
    if (scale == 1) {
        json_write_int_member(w, key, (int64_t)(value + 0.5));
        return;
    }
    json_write_key(w, key);
    json_write_real(w, (double)(int64_t)(value * scale + 0.5) / scale);
}

static void report_servers(struct json_writer *w, const struct meter *m,
                           const struct bench_counts *counts)
{
    double cpu_s = (double)meter_server_cpu_us(m) / 1e6;

    report_real(w, "server_cpu_s", cpu_s);
    if (counts->bytes > 0) {
        report_real(w, "server_cpu_s_per_gb", cpu_s / (double)counts->bytes * 1e9);
    }
    if (counts->requests > 0) {
        report_real(w, "server_cpu_us_per_request", cpu_s / (double)counts->requests * 1e6);
    }
    if (counts->rows > 0) {
        report_real(w, "server_cpu_s_per_million_rows", cpu_s / (double)counts->rows * 1e6);
    }
    report_real(w, "server_rss_mib", (double)m->server_rss / (1 << 20));
    report_real(w, "server_rss_peak_mib", (double)m->server_rss_peak / (1 << 20));
}

void report_counts(struct json_writer *w, const struct meter *m, const struct bench_counts *counts)
{
    double seconds = (double)(m->elapsed_us > 0 ? m->elapsed_us : 1) / 1e6;

    report_real(w, "seconds", seconds);
    json_write_int_member(w, "requests", counts->requests);
    json_write_int_member(w, "rows", counts->rows);
    json_write_int_member(w, "bytes", counts->bytes);
    report_real(w, "requests_per_s", (double)counts->requests / seconds);
    report_real(w, "rows_per_s", (double)counts->rows / seconds);
    report_real(w, "bytes_per_s", (double)counts->bytes / seconds);
    report_real(w, "client_cpu_s", (double)m->client_cpu_us / 1e6);
    if (m->options->pid_count > 0) {
        report_servers(w, m, counts);
    }
}

void report_latencies(struct json_writer *w, const char *name, const struct histogram *h)
{
    static const struct {
        const char *name;
        double quantile;
    } marks[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        char key[64];

        (void)snprintf(key, sizeof key, "%s_%s_ms", name, marks[i].name);
        report_real(w, key, (double)histogram_quantile(h, marks[i].quantile) / 1e3);
    }
}

void report_end(struct json_writer *w)
{
    struct bytes text;

    json_write_end(w);
    text = json_writer_text(w);
    printf("%.*s\n", (int)text.len, (const char *)text.data);
    (void)fflush(stdout);
    json_writer_fini(w);
}
