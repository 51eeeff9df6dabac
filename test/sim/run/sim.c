/* Runs seeds of the simulation, one after the other in a process of their own: what a crashed server
 * held goes with the heap of its life (heap.h), and an assertion ends one seed only.
 *
 *   eider_sim N [--trace]                one seed; its trace on stdout
 *   eider_sim A-B --first                one after the other until one fails
 *   ... --mutant NAME                    the server is that mutant, in a build that has them
 *   eider_sim --mutants                  their names and what they do wrong
 *   eider_sim A-B [--jobs N] [--twice]   many; failing ones with their last lines, then a summary;
 *                                        twice: each is run again and must have the same trace
 *
 * Exit: 0 all is well, 1 a seed failed, 2 wrong usage. */
#include "heap.h"
#include "mutant.h"
#include "scenario.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX       64
#define CPU_SECONDS    100 /* a seed that takes longer hangs */
#define FAILURES_SHOWN 100
#define SPEEDS         256
#define SPEED_STEP     20 /* simulated seconds for each of the processor */

struct order {
    uint64_t first;
    uint64_t last;
    unsigned jobs;
    bool trace;
    bool twice;
    bool until_failure;
};

/* Sums over seeds. */
struct totals {
    uint64_t seeds;
    uint64_t failed;
    uint64_t traces; /* sum of their hashes */
    struct scenario_result sum;
    uint32_t speeds[SPEEDS]; /* seeds by their speed, in steps */
    uint64_t failures[FAILURES_SHOWN];
    uint64_t failure_count;
};

/* ---- one seed ---- */

static struct scenario_result run_here(uint64_t seed, bool trace, FILE *out)
{
    const struct world_options options = {.seed = seed, .out = out, .trace = trace};
    struct scenario_result result;

    heap_begin();
    result = scenario_run(&options);
    heap_end();
    return result;
}

static bool read_all(int fd, void *buffer, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read(fd, (uint8_t *)buffer + done, len - done);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_all(int fd, const void *buffer, size_t len)
{
    return write(fd, buffer, len) == (ssize_t)len; /* less than a pipe holds */
}

/* What all processes of seeds took of the processors. */
static double cpu_seconds(int whose)
{
    struct rusage u;

    ASSERT(getrusage(whose, &u) == 0);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* What a seed comes to. */
struct outcome {
    struct scenario_result result;
    double cpu;
};

/* A process that plays seeds. */
struct player {
    pid_t pid; /* 0: none */
    int seeds; /* pipes */
    int outcomes;
};

static _Noreturn void player_main(int seeds, int outcomes)
{
    uint64_t seed;

    while (read_all(seeds, &seed, sizeof seed)) {
        double before = cpu_seconds(RUSAGE_SELF);
        struct outcome outcome = {0};
        struct rlimit limit;

        ASSERT(getrlimit(RLIMIT_CPU, &limit) == 0);
        limit.rlim_cur = (rlim_t)before + 1 + CPU_SECONDS;
        ASSERT(setrlimit(RLIMIT_CPU, &limit) == 0);
        outcome.result = run_here(seed, false, stdout);
        outcome.cpu = cpu_seconds(RUSAGE_SELF) - before;
        fflush(NULL);
        ASSERT(write_all(outcomes, &outcome, sizeof outcome));
    }
    _exit(0);
}

static void player_start(struct player *p)
{
    int seeds[2];
    int outcomes[2];

    ASSERT(pipe(seeds) == 0 && pipe(outcomes) == 0);
    fflush(NULL);
    p->pid = fork();
    ASSERT(p->pid >= 0);
    if (p->pid == 0) {
        (void)close(seeds[1]);
        (void)close(outcomes[0]);
        player_main(seeds[0], outcomes[1]);
    }
    (void)close(seeds[0]);
    (void)close(outcomes[1]);
    p->seeds = seeds[1];
    p->outcomes = outcomes[0];
}

/* Returns how it ended. */
static int player_stop(struct player *p)
{
    int status = 0;

    if (p->pid > 0) {
        (void)close(p->seeds);
        (void)close(p->outcomes);
        ASSERT(waitpid(p->pid, &status, 0) == p->pid);
        p->pid = 0;
    }
    return status;
}

/* false: the process died, and has said why on stderr. */
static bool run_apart(struct player *p, uint64_t seed, struct outcome *ret)
{
    int status;

    if (p->pid == 0) {
        player_start(p);
    }
    ASSERT(write_all(p->seeds, &seed, sizeof seed));
    if (read_all(p->outcomes, ret, sizeof *ret)) {
        if (!heap_forgets()) {
            (void)player_stop(p);
        }
        return true;
    }
    *ret = (struct outcome){0};
    status = player_stop(p);
    printf("seed %llu %s\n", (unsigned long long)seed,
           WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? "hangs" : "died");
    return false;
}

/* ---- many ---- */

static void add(struct totals *t, uint64_t seed, const struct scenario_result *r, bool ok)
{
    t->seeds++;
    t->sum.simulated_us += r->simulated_us;
    t->sum.starts += r->starts;
    t->sum.crashes += r->crashes;
    t->sum.decays += r->decays;
    t->sum.stats.started += r->stats.started;
    t->sum.stats.succeeded += r->stats.succeeded;
    t->sum.stats.failed += r->stats.failed;
    t->sum.stats.unknown += r->stats.unknown;
    if (!ok || r->violations > 0) {
        t->failed++;
        if (t->failure_count < FAILURES_SHOWN) {
            t->failures[t->failure_count++] = seed;
        }
    }
}

static void add_speed(struct totals *t, const struct outcome *r)
{
    double steps = (double)r->result.simulated_us / 1e6 / (r->cpu + 1e-6) / SPEED_STEP;

    t->speeds[steps < SPEEDS ? (unsigned)steps : SPEEDS - 1]++;
    t->traces += r->result.hash;
}

/* Half of the seeds are faster. */
static unsigned median_speed(const struct totals *t)
{
    uint64_t seen = 0;
    unsigned at = 0;

    while (at < SPEEDS && (seen += t->speeds[at]) * 2 < t->seeds) {
        at++;
    }
    return at * SPEED_STEP;
}

/* Every jobs-th seed. */
static void work(const struct order *o, unsigned job, struct totals *t)
{
    struct player player = {0};
    bool over = false;

    for (uint64_t seed = o->first + job; seed <= o->last && !over; seed += o->jobs) {
        struct outcome r;
        struct outcome again;
        bool ok = run_apart(&player, seed, &r);

        if (ok && r.result.violations > 0) {
            printf("seed %llu: %llu violations\n", (unsigned long long)seed,
                   (unsigned long long)r.result.violations);
        }
        if (ok && o->twice && run_apart(&player, seed, &again) &&
            again.result.hash != r.result.hash) {
            printf("seed %llu: two runs have different traces\n", (unsigned long long)seed);
            ok = false;
        }
        add(t, seed, &r.result, ok);
        add_speed(t, &r);
        over = o->until_failure && t->failed > 0;
    }
    (void)player_stop(&player);
}

static void merge(struct totals *all, const struct totals *t)
{
    uint64_t failed = all->failed + t->failed;
    uint64_t seeds = all->seeds + t->seeds;

    add(all, 0, &t->sum, true);
    all->failed = failed;
    all->seeds = seeds;
    all->traces += t->traces;
    for (unsigned i = 0; i < SPEEDS; i++) {
        all->speeds[i] += t->speeds[i];
    }
    for (uint64_t i = 0; i < t->failure_count && all->failure_count < FAILURES_SHOWN; i++) {
        all->failures[all->failure_count++] = t->failures[i];
    }
}

static int64_t now_ms(void)
{
    struct timespec ts;

    ASSERT(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void report(const struct totals *t, int64_t ms, unsigned jobs)
{
    double seconds = (double)(ms > 0 ? ms : 1) / 1000;
    double simulated = (double)t->sum.simulated_us / 1e6;
    double cpu = cpu_seconds(RUSAGE_CHILDREN) + 0.001;

    for (uint64_t i = 0; i < t->failure_count; i++) {
        printf("failed: seed %llu (make sim SEED=%llu TRACE=1)\n",
               (unsigned long long)t->failures[i], (unsigned long long)t->failures[i]);
    }
    printf("%llu seeds, %llu failed; %.0f simulated seconds in %.1f, %u at once; %.1f seconds of "
           "processors: %.0f for each, more than %u in half of the lives\n",
           (unsigned long long)t->seeds, (unsigned long long)t->failed, simulated, seconds, jobs,
           cpu, simulated / cpu, median_speed(t));
    printf("%llu starts, %llu crashes, %llu places decayed; operations: %llu, %llu succeeded, %llu "
           "failed, %llu without an answer; traces %016llx\n",
           (unsigned long long)t->sum.starts, (unsigned long long)t->sum.crashes,
           (unsigned long long)t->sum.decays, (unsigned long long)t->sum.stats.started,
           (unsigned long long)t->sum.stats.succeeded, (unsigned long long)t->sum.stats.failed,
           (unsigned long long)t->sum.stats.unknown, (unsigned long long)t->traces);
}

static int run_many(const struct order *o)
{
    struct totals all = {0};
    int64_t started_ms = now_ms();
    int results[JOBS_MAX];

    for (unsigned job = 0; job < o->jobs; job++) {
        int ends[2];
        pid_t pid;

        ASSERT(pipe(ends) == 0);
        fflush(NULL);
        pid = fork();
        ASSERT(pid >= 0);
        if (pid == 0) {
            struct totals t = {0};

            work(o, job, &t);
            fflush(NULL);
            _exit(write_all(ends[1], &t, sizeof t) ? 0 : 1);
        }
        (void)close(ends[1]);
        results[job] = ends[0];
    }
    for (unsigned job = 0; job < o->jobs; job++) {
        struct totals t;

        ASSERT(read_all(results[job], &t, sizeof t));
        merge(&all, &t);
        (void)close(results[job]);
    }
    while (wait(NULL) > 0) {
    }
    report(&all, now_ms() - started_ms, o->jobs);
    return all.failed > 0;
}

/* ---- the command ---- */

static bool parse(int argc, char **argv, struct order *ret)
{
    char *end = NULL;

    *ret = (struct order){.jobs = 1};
    if (argc < 2) {
        return false;
    }
    ret->first = strtoull(argv[1], &end, 10);
    ret->last = *end == '-' ? strtoull(end + 1, &end, 10) : ret->first;
    if (*end != '\0' || end == argv[1] || ret->last < ret->first) {
        return false;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            ret->trace = true;
        } else if (strcmp(argv[i], "--twice") == 0) {
            ret->twice = true;
        } else if (strcmp(argv[i], "--first") == 0) {
            ret->until_failure = true;
        } else if (strcmp(argv[i], "--mutant") == 0 && i + 1 < argc && mutant_choose(argv[i + 1])) {
            i++;
        } else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc) {
            ret->jobs = (unsigned)strtoul(argv[++i], &end, 10);
        } else {
            return false;
        }
    }
    return ret->jobs > 0 && ret->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    static char out[BUFSIZ]; /* longer than a life, in which its first line may be written */
    struct order order;

    if (argc == 2 && strcmp(argv[1], "--mutants") == 0) {
        for (unsigned i = 0; mutant_name(i) != NULL; i++) {
            printf("%s\t%s\n", mutant_name(i), mutant_meaning(i));
        }
        return 0;
    }
    if (!parse(argc, argv, &order)) {
        fprintf(stderr,
                "usage: eider_sim SEED [--trace] | FIRST-LAST [--jobs N] [--twice] [--first]\n");
        return 2;
    }
    (void)setvbuf(stdout, out, _IOLBF, sizeof out);
    if (order.first == order.last && !order.twice) {
        struct scenario_result r = run_here(order.first, order.trace, stdout);

        printf("seed %llu: hash %016llx, %llu violations, %.0f simulated seconds, %llu starts\n",
               (unsigned long long)order.first, (unsigned long long)r.hash,
               (unsigned long long)r.violations, (double)r.simulated_us / 1e6,
               (unsigned long long)r.starts);
        return r.violations > 0;
    }
    return run_many(&order);
}
