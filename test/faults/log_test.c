/* One call of the system fails, each in turn, anywhere in the life of a log: in its recovery, an append, a
 * roll, a sync, its close. The next start, on a disk that works, has a log without a gap that holds all
 * that was acknowledged, and takes writes. */
#include "fail_nth.h"

#include "../unit/log/fixture.h"
#include "base/diag.h"
#include "log/internal.h"

#define BEFORE    12 /* batches that the log has, one record each */
#define DURING    8  /* batches that a life adds */
#define WRITER    5
#define LIVES_MAX 2000

static const struct log_options options = {
    .segment_bytes_max = 700,
    .index_bytes_max = 1 << 12,
    .index_interval = 64,
    .writer_expiry_ms = INT64_C(1) << 40,
};

struct fixture {
    struct arena arena;
    char *dir;
};

static int set_up(void **state)
{
    static const struct diag_sink quiet = {.level = DIAG_ERROR};
    struct fixture *f = mem_new(struct fixture);

    diag_configure(&quiet);
    f->dir = fixture_dir(&f->arena);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* Appends batches of one idempotent writer, syncing after every second; *durable is the first offset that
 * was not synced. false: the log takes no more. */
static bool append_some(struct log *log, int count, int64_t *durable)
{
    for (int i = 0; i < count; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        int32_t sequence = (int32_t)log_end_offset(log);

        if (fixture_append(log, fixture_writer_batch(&arena, WRITER, sequence, 100), 10 * sequence,
                           NULL) != ERR_OK) {
            return log_failed(log) == ERR_OK;
        }
        if (i % 2 == 1) {
            fixture_sync(log);
            *durable = log_failed(log) == ERR_OK ? log_durable_offset(log) : *durable;
        }
    }
    return true;
}

/* A log of some segments that was not stopped, with half a batch at its end. */
static void make_log(const char *dir, struct arena *arena)
{
    struct log *log = fixture_open_with(dir, &options, false, 0, NULL);
    struct bytes half = fixture_writer_batch(arena, WRITER, BEFORE, 100);
    int64_t durable = 0;
    char path[LOG_PATH_MAX];
    int64_t last = 0;
    uint64_t size = 0;
    struct file *file;
    struct error e;

    assert_true(append_some(log, BEFORE, &durable));
    assert_int_equal(durable, BEFORE);
    assert_true(log_segment_count(log) > 2);
    log_free(log);
    for (int64_t offset = 0; offset < BEFORE; offset++) {
        last = fixture_exists(dir, offset, LOG_FILE_DATA) ? offset : last;
    }
    log_path(path, dir, last, LOG_FILE_DATA);
    OK(file_open(path, FILE_WRITE, &file, &e));
    OK(file_size(file, &size, &e));
    OK(file_write_at(file, size, bytes_slice(half, 0, half.len / 2), &e));
    (void)file_unref(file);
}

/* One start and what follows, with a failure somewhere in it. Returns what is durable for certain. */
static int64_t live(const char *dir, int64_t recovery_point, bool clean)
{
    struct log_open_params params = {.dir = dir,
                                     .options = &options,
                                     .clean = clean,
                                     .recovery_point = recovery_point,
                                     .now_ms = 1000};
    struct log_expiry expiry = {.now_ms = 5000, .ttl_ms = 0, .limit_offset = 0};
    OWNED(log_freep) struct log *log = NULL;
    int64_t durable = BEFORE;
    struct log_open_report report;
    struct log_trash trash = {0};
    struct error e = {0};

    if (log_open(&params, &log, &report, &e) != ERR_OK) {
        assert_true(e.message[0] != '\0');
        return durable;
    }
    assert_int_equal(log_end_offset(log), BEFORE);
    if (!append_some(log, DURING, &durable)) {
        /* what did not fail goes on being read */
        assert_true(log_end_offset(log) >= BEFORE);
        return durable;
    }
    if (log_expire(log, &expiry, &trash, &e) == ERR_OK) {
        log_trash_run(&trash);
    }
    if (log_close(log, &e) == ERR_OK) {
        durable = log_end_offset(log);
    }
    return durable;
}

/* The rows are 0, 1, 2 ... of the writer, one to a batch, at least up to `durable`; and it goes on. */
static void judge(const char *dir, int64_t durable)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct log *log = fixture_open_with(dir, &options, false, 0, NULL);
    struct bytes all = fixture_read_all(log, 1000, &arena);
    struct batch_iterator it;
    struct batch batch;
    int64_t next = 0;
    bool found = true;
    struct error e;

    batch_iterator_init(&it, all);
    for (;;) {
        OK(batch_next(&it, &batch, &found, &e));
        if (!found) {
            break;
        }
        OK(batch_check_crc(&batch.header, batch.data, &e));
        assert_int_equal(batch.header.base_offset, next);
        assert_int_equal(batch.header.batch_sequence, next);
        next = batch_next_offset(&batch.header);
    }
    assert_int_equal(next, log_end_offset(log));
    assert_true(next >= durable && next <= BEFORE + DURING);
    assert_true(append_some(log, 1, &durable));
    assert_int_equal(log_end_offset(log), next + 1);
    OK(log_close(log, &e));
    log_free(log);
}

static void run(struct fixture *f, int code, int64_t recovery_point, bool clean)
{
    unsigned rounds = 0;

    for (unsigned n = 0; fail_nth(n, code); n++) {
        int64_t durable;
        struct error e;

        OK(path_remove_tree(f->dir, &e));
        OK(dir_create(f->dir, &e));
        make_log(f->dir, &f->arena);
        fail_begin();
        durable = live(f->dir, recovery_point, clean);
        fail_end();
        judge(f->dir, durable);
        rounds++;
    }
    assert_in_range(rounds, 50, LIVES_MAX);
}

static void after_a_crash(void **state) { run(*state, EIO, 0, false); }

static void after_a_crash_behind_a_recovery_point(void **state) { run(*state, EIO, 6, false); }

static void when_the_disk_is_full(void **state) { run(*state, ENOSPC, 0, false); }

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(after_a_crash),
        TEST(after_a_crash_behind_a_recovery_point),
        TEST(when_the_disk_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
