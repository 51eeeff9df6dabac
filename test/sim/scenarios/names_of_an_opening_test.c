/* A log is opened after a crash, renames what does not belong to it any more, and fails or is killed
 * before the directory is synced. The next opening finds all in order, but in the page cache alone: what
 * is appended then must not be lost with those names at a power cut. */
#include "one_log.h"
#include "world.h"

#include "io/file.h"
#include "log/names.h"

#define DIR   "/log"
#define SEEDS 40
#define LEFT  2 /* batches of the first segment, up to its recovery point */

static enum errcode open_log(int64_t recovery_point, struct log **ret)
{
    const struct log_options options = one_log_options();
    const struct log_open_params params = {
        .dir = DIR, .options = &options, .recovery_point = recovery_point};
    struct log_open_report report;
    struct error e;

    return log_open(&params, ret, &report, &e);
}

static void make_file(struct disk *d, const char *path)
{
    int handle = -1;

    assert_int_equal(disk_open(d, path, DISK_CREATE_NEW, &handle), 0);
    assert_int_equal(disk_write(d, handle, 0, bytes_str("no batch")), 0);
    assert_int_equal(disk_sync(d, handle), 0);
    assert_int_equal(disk_sync_dir(d, DIR), 0);
    disk_close(d, handle);
}

/* A power cut has taken the third batch of the first segment, and left the second one. An opening has
 * set that aside, and was killed before the sync of the directory. */
static void make_log(struct disk *d)
{
    struct log *log = NULL;
    char path[LOG_PATH_MAX];
    char aside[LOG_PATH_MAX + 8];

    assert_int_equal(open_log(0, &log), ERR_OK);
    one_log_append(log, LEFT);
    log_want_recovery_point(log);
    assert_int_equal(one_log_sync(log), ERR_OK);
    assert_int_equal(log_recovery_point(log), LEFT);
    log_free(log);
    log_path(path, DIR, LEFT + 1, LOG_FILE_DATA);
    make_file(d, path);
    (void)snprintf(aside, sizeof aside, "%s.aside", path);
    assert_int_equal(disk_rename(d, path, aside), 0);
}

static void life(uint64_t seed)
{
    const struct world_options options = {.seed = seed, .out = stdout};
    struct world *w = world_new(&options);
    struct log *log = NULL;
    int64_t end;

    make_log(world_disk(w));
    assert_int_equal(open_log(LEFT, &log), ERR_OK);
    one_log_append(log, 5); /* behind where the second segment began */
    assert_int_equal(one_log_sync(log), ERR_OK);
    end = log_end_offset(log);
    log_free(log);
    disk_crash(world_disk(w), false);
    assert_int_equal(open_log(LEFT, &log), ERR_OK);
    assert_int_equal(log_end_offset(log), end);
    log_free(log);
    world_free(w);
}

static void what_follows_a_killed_opening_is_not_lost_with_its_names(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        life(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_a_killed_opening_is_not_lost_with_its_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
