/* The simulated disk loses what it may and nothing else. */
#include "disk.h"

#include <errno.h>

#include "../support/unit.h"

#define SEEDS 300

struct fixture {
    struct trace *trace;
    struct disk *disk;
};

static struct fixture start(uint64_t seed)
{
    struct fixture f = {.trace = trace_new(stdout, false)};

    f.disk = disk_new((struct prng){.state = seed}, f.trace);
    return f;
}

static void stop(struct fixture *f)
{
    disk_free(f->disk);
    trace_free(f->trace);
}

static int put(struct disk *d, const char *path, const char *text, bool sync)
{
    int handle = -1;
    int rc;

    assert_int_equal(disk_open(d, path, DISK_CREATE, &handle), 0);
    rc = disk_write(d, handle, 0, bytes_str(text));
    if (rc == 0 && sync) {
        rc = disk_sync(d, handle);
    }
    disk_close(d, handle);
    return rc;
}

/* Whether the file is there and begins like this. */
static bool has(struct disk *d, const char *path, const char *text)
{
    char got[64] = {0};
    size_t len = sizeof got - 1;
    int handle = -1;

    if (disk_open(d, path, DISK_MUST_EXIST, &handle) != 0) {
        return false;
    }
    assert_int_equal(disk_read(d, handle, 0, got, &len), 0);
    disk_close(d, handle);
    return strncmp(got, text, strlen(text)) == 0;
}

static void what_was_synced_stays(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct fixture f = start(seed);

        assert_int_equal(disk_mkdir(f.disk, "/d"), 0);
        assert_int_equal(disk_sync_dir(f.disk, "/"), 0);
        assert_int_equal(put(f.disk, "/d/a", "first", true), 0);
        assert_int_equal(disk_sync_dir(f.disk, "/d"), 0);
        disk_crash(f.disk, false);
        assert_true(has(f.disk, "/d/a", "first"));
        stop(&f);
    }
}

static void what_was_not_synced_may_go(void **state)
{
    size_t kept = 0;
    size_t names = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct fixture f = start(seed);

        assert_int_equal(put(f.disk, "/a", "old text", true), 0);
        assert_int_equal(disk_sync_dir(f.disk, "/"), 0);
        assert_int_equal(put(f.disk, "/a", "new text", false), 0);
        assert_int_equal(put(f.disk, "/b", "x", true), 0); /* but not its name */
        assert_true(has(f.disk, "/a", "new"));
        disk_crash(f.disk, false);
        kept += has(f.disk, "/a", "new text");
        assert_true(has(f.disk, "/a", "new text") || has(f.disk, "/a", "old text"));
        names += has(f.disk, "/b", "x");
        stop(&f);
    }
    assert_in_range(kept, SEEDS / 10, SEEDS * 9 / 10);
    assert_in_range(names, SEEDS / 10, SEEDS * 9 / 10);
}

static void a_rename_is_one_change(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct fixture f = start(seed);

        assert_int_equal(put(f.disk, "/a", "old", true), 0);
        assert_int_equal(put(f.disk, "/a.tmp", "new", true), 0);
        assert_int_equal(disk_sync_dir(f.disk, "/"), 0);
        assert_int_equal(disk_rename(f.disk, "/a.tmp", "/a"), 0);
        assert_int_equal(disk_kind(f.disk, "/a.tmp"), DISK_NOTHING);
        disk_crash(f.disk, false);
        assert_true(has(f.disk, "/a", "new") != has(f.disk, "/a.tmp", "new"));
        assert_true(has(f.disk, "/a", "new") || has(f.disk, "/a", "old"));
        stop(&f);
    }
}

static void a_failed_sync_is_not_made_good_by_the_next(void **state)
{
    const struct disk_faults failing = {.sync_error = 1000000};
    const struct disk_faults none = {0};
    struct fixture f = start(1);

    (void)state;
    assert_int_equal(put(f.disk, "/a", "old", true), 0);
    assert_int_equal(disk_sync_dir(f.disk, "/"), 0);
    disk_set_faults(f.disk, &failing);
    assert_int_equal(put(f.disk, "/a", "new", true), EIO);
    disk_set_faults(f.disk, &none);
    assert_int_equal(put(f.disk, "/b", "x", true), 0);
    assert_true(has(f.disk, "/a", "new"));
    disk_crash(f.disk, false);
    assert_true(has(f.disk, "/a", "old"));
    stop(&f);
}

static void a_kill_takes_nothing(void **state)
{
    struct fixture f = start(1);
    int handle = -1;

    (void)state;
    assert_int_equal(put(f.disk, "/a", "text", false), 0);
    assert_int_equal(disk_open(f.disk, "/a", DISK_MUST_EXIST, &handle), 0);
    assert_int_equal(disk_lock(f.disk, handle), 0);
    disk_crash(f.disk, true);
    assert_true(has(f.disk, "/a", "text"));
    assert_int_equal(disk_open(f.disk, "/a", DISK_MUST_EXIST, &handle), 0);
    assert_int_equal(disk_lock(f.disk, handle), 0);
    stop(&f);
}

static void decay_hits_one_file(void **state)
{
    struct fixture f = start(1);

    (void)state;
    assert_int_equal(put(f.disk, "/a.log", "text", true), 0);
    assert_int_equal(put(f.disk, "/b", "text", true), 0);
    assert_int_equal(disk_sync_dir(f.disk, "/"), 0);
    assert_true(disk_rot(f.disk, "/a.log", &(struct disk_rot){.from = 1, .len = 1, .flip = 1}));
    assert_true(has(f.disk, "/a.log", "tdxt"));
    assert_true(has(f.disk, "/b", "text"));
    assert_false(disk_rot(f.disk, "/nowhere", &(struct disk_rot){.len = 1}));
    assert_false(disk_rot(f.disk, "/b", &(struct disk_rot){.from = 3, .len = 2}));
    stop(&f);
}

static void decay_may_wait_for_the_page_cache_to_go(void **state)
{
    struct fixture f = start(1);

    (void)state;
    assert_int_equal(put(f.disk, "/a", "text", true), 0);
    assert_int_equal(disk_sync_dir(f.disk, "/"), 0);
    assert_true(disk_rot(f.disk, "/a", &(struct disk_rot){.len = 1, .flip = 1, .hidden = true}));
    assert_true(has(f.disk, "/a", "text"));
    disk_crash(f.disk, true);
    assert_true(has(f.disk, "/a", "text"));
    disk_crash(f.disk, false);
    assert_true(has(f.disk, "/a", "uext"));
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_stays),
        cmocka_unit_test(what_was_not_synced_may_go),
        cmocka_unit_test(a_rename_is_one_change),
        cmocka_unit_test(a_failed_sync_is_not_made_good_by_the_next),
        cmocka_unit_test(a_kill_takes_nothing),
        cmocka_unit_test(decay_hits_one_file),
        cmocka_unit_test(decay_may_wait_for_the_page_cache_to_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
