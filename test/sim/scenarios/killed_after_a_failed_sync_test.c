/* A sync fails, and the process is killed before it could say so in the log's directory; or that
 * directory takes no new file. The next process finds batches in the page cache that count as clean and
 * are on no device: what it serves of them a power cut must not take. */
#include "one_log.h"
#include "world.h"

#include "io/file.h"

#define DATA  "/data"
#define DIR   DATA "/db/table-1/log-0"
#define SEEDS 40

static const struct disk_faults healthy;
static const struct disk_faults failing = {.sync_error = 1000000, .name_error = 1000000};

static struct log *open_log(struct suspects *suspects)
{
    const struct log_options options = one_log_options();
    const struct log_open_params params = {.dir = DIR, .options = &options, .suspects = suspects};
    struct log_open_report report;
    struct log *ret = NULL;
    struct error e;

    assert_int_equal(log_open(&params, &ret, &report, &e), ERR_OK);
    return ret;
}

/* One process, ended by SIGKILL: what it wrote stays in the page cache. Returns the log's end. */
static int64_t process(struct world *w, const struct disk_faults *faults)
{
    struct suspects *suspects = suspects_new(DATA);
    struct log *log = open_log(suspects);
    int64_t end;

    one_log_append(log, 5);
    disk_set_faults(world_disk(w), faults);
    assert_int_equal(one_log_sync(log), faults == &healthy ? ERR_OK : ERR_LOG_STORAGE);
    disk_set_faults(world_disk(w), &healthy);
    end = log_end_offset(log);
    log_free(log);
    suspects_free(suspects, false);
    return end;
}

static void life(uint64_t seed)
{
    const struct world_options options = {.seed = seed, .out = stdout};
    struct world *w = world_new(&options);
    struct suspects *suspects;
    struct log *log;
    struct error e;
    int64_t end;

    assert_int_equal(dir_create(DATA, &e), ERR_OK);
    (void)process(w, &healthy);
    end = process(w, &failing);
    suspects = suspects_new(DATA);
    log = open_log(suspects); /* and serves all of it */
    assert_int_equal(log_durable_offset(log), end);
    log_free(log);
    suspects_free(suspects, false);
    disk_crash(world_disk(w), false);
    suspects = suspects_new(DATA);
    log = open_log(suspects);
    assert_int_equal(log_end_offset(log), end);
    log_free(log);
    suspects_free(suspects, false);
    world_free(w);
}

static void what_was_served_after_the_kill_survives_a_power_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        life(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_served_after_the_kill_survives_a_power_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
