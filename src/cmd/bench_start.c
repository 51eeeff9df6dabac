/* start: how long a server takes from the start of its process to the first request it serves, the
 * CPU time it then still spends, and the memory it holds when idle.
 *
 * Served means API_VERSIONS and GET_METADATA answered, with a coordinator and a tablet server, and
 * with --lookup a row of a table that upsert left behind looked up and found as it was. The
 * command may start several processes and end itself; all its living descendants count. */
#include "bench_cluster.h"
#include "bench_meter.h"
#include "bench_modes.h"

#include "io/blocking.h"
#include "io/clock.h"
#include "io/process.h"

#define AGAIN_US    1000   /* between two attempts to connect */
#define SAMPLE_US   100000 /* of CPU time */
#define IDLE_SHARE  50     /* a 50th of a core is idle */
#define IDLE_FOR_US 120000000
#define END_FOR_US  20000000

struct totals {
    int64_t cpu_us;
    uint64_t rss;
    uint64_t rss_peak;
    size_t processes;
};

static struct totals totals_of_descendants(void)
{
    int64_t pids[PROCESS_DESCENDANTS_MAX];
    size_t count = process_descendants(pids, PROCESS_DESCENDANTS_MAX);
    struct totals t = {0};

    for (size_t i = 0; i < count; i++) {
        struct process_usage usage;

        if (process_usage_of(pids[i], &usage, NULL) == ERR_OK) {
            t.cpu_us += usage.cpu_us;
            t.rss += usage.rss_bytes;
            t.rss_peak += usage.rss_peak_bytes;
            t.processes++;
        }
    }
    return t;
}

/* Until the first answer. */
static enum errcode await_service(const struct bench_options *options, int64_t started_us,
                                  int64_t *ret_us, struct error *e)
{
    for (;;) {
        OWNED(cluster_close) struct bench_cluster cluster = {0};
        enum errcode code =
            options->lookup ? bench_lookup_once(options, e) : cluster_open(&cluster, options, e);

        *ret_us = clock_mono_us() - started_us;
        if (code == ERR_OK || *ret_us > options->timeout_us) {
            return code;
        }
        thread_sleep_us(AGAIN_US);
    }
}

/* Until the processes have done next to nothing for --idle; the totals at its beginning. */
static enum errcode await_idle(const struct bench_options *options, struct totals *ret,
                               struct error *e)
{
    int64_t give_up_us = clock_mono_us() + IDLE_FOR_US;
    struct totals since = totals_of_descendants();
    int64_t since_us = clock_mono_us();

    while (clock_mono_us() - since_us < options->idle_us) {
        struct totals now;

        thread_sleep_us(SAMPLE_US);
        now = totals_of_descendants();
        if ((now.cpu_us - since.cpu_us) * IDLE_SHARE > clock_mono_us() - since_us) {
            since = now;
            since_us = clock_mono_us();
        }
        if (clock_mono_us() > give_up_us) {
            return error_set(e, ERR_REQUEST_TIME_OUT, "the server does not become idle");
        }
    }
    *ret = since;
    return ERR_OK;
}

static enum errcode measure(const struct bench_options *options, struct error *e)
{
    int64_t started_us = clock_mono_us();
    struct totals served;
    struct totals settled = {0};
    struct totals idle;
    struct json_writer w;
    int64_t first_us;
    int64_t pid;

    TRY(process_start(options->command, &pid, e));
    TRY(await_service(options, started_us, &first_us, e));
    served = totals_of_descendants();
    TRY(await_idle(options, &settled, e));
    idle = totals_of_descendants();
    report_begin(&w, options);
    report_real(&w, "first_request_ms", (double)first_us / 1e3);
    report_real(&w, "first_request_cpu_s", (double)served.cpu_us / 1e6);
    report_real(&w, "idle_cpu_s", (double)settled.cpu_us / 1e6);
    report_real(&w, "idle_rss_mib", (double)idle.rss / (1 << 20));
    report_real(&w, "rss_peak_mib", (double)idle.rss_peak / (1 << 20));
    json_write_int_member(&w, "processes", (int64_t)idle.processes);
    report_end(&w);
    return ERR_OK;
}

enum errcode bench_start(const struct bench_options *options, struct error *e)
{
    int64_t pids[PROCESS_DESCENDANTS_MAX];
    enum errcode code;

    process_adopt();
    code = measure(options, e);
    process_end(pids, process_descendants(pids, PROCESS_DESCENDANTS_MAX),
                options->kill ? 0 : END_FOR_US);
    return code;
}
