/* A sync fails, and the process is killed before it could say so in the log's directory; or that
 * directory takes no new file. The next process finds batches in the page cache that count as clean and
 * are on no device: what it serves of them a power cut must not take. */
#include "world.h"

#include "../../support/unit.h"
#include "format/batch.h"
#include "io/file.h"
#include "log/log.h"

#define DATA  "/data"
#define DIR   DATA "/db/table-1/log-0"
#define SEEDS 40
#define BATCH 600

static const struct disk_faults healthy;
static const struct disk_faults failing = {.sync_error = 1000000, .name_error = 1000000};

static struct log *open_log(struct suspects *suspects)
{
    const struct log_options options = {100000, 1000, 100, 1000000};
    const struct log_open_params params = {.dir = DIR, .options = &options, .suspects = suspects};
    struct log_open_report report;
    struct log *ret = NULL;
    struct error e;

    assert_int_equal(log_open(&params, &ret, &report, &e), ERR_OK);
    return ret;
}

static void append(struct log *log, int count)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = 1,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID,
                              .body = bytes_of(arena_zalloc(&arena, BATCH), BATCH)};
    struct log_appended appended;

    for (int i = 0; i < count; i++) {
        struct bytes batch = batch_build(&spec, &arena);

        assert_int_equal(
            log_append(log, (uint8_t *)(uintptr_t)batch.data, batch.len, 1, &appended, NULL),
            ERR_OK);
    }
}

static enum errcode sync_log(struct log *log)
{
    struct log_sync sync;
    enum errcode code;

    assert_true(log_sync_begin(log, &sync));
    log_sync_run(&sync);
    code = sync.code;
    log_sync_end(log, &sync);
    return code;
}

/* One process, ended by SIGKILL: what it wrote stays in the page cache. Returns the log's end. */
static int64_t process(struct world *w, const struct disk_faults *faults)
{
    struct suspects *suspects = suspects_new(DATA);
    struct log *log = open_log(suspects);
    int64_t end;

    append(log, 5);
    disk_set_faults(world_disk(w), faults);
    assert_int_equal(sync_log(log), faults == &healthy ? ERR_OK : ERR_LOG_STORAGE);
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
