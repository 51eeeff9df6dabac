/* What the tests of the log share: a fresh directory, batches, and files to look at and damage. */
#ifndef TEST_LOG_FIXTURE_H
#define TEST_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/batch.h"
#include "io/file.h"
#include "log/log.h"
#include "log/names.h"

/* A directory in memory where the machine has one: these tests sync a lot. */
static inline char *fixture_dir(struct arena *arena)
{
    char *dir = NULL;
    struct error e;

    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    assert_int_equal(dir_create_temporary("eider-log-test", arena, &dir, &e), ERR_OK);
    return dir;
}

static inline void fixture_remove(const char *dir)
{
    struct error e;

    assert_int_equal(path_remove_tree(dir, &e), ERR_OK);
}

/* Fails the test with the message of an error. */
#define OK(expr)                                                                                   \
    do {                                                                                           \
        if ((expr) != ERR_OK) {                                                                    \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #expr, e.message);                       \
        }                                                                                          \
    } while (0)

/* A batch of `records` records with a body of `size` bytes that `seed` determines. */
static inline struct bytes fixture_batch(struct arena *arena, int32_t records, size_t size,
                                         uint32_t seed)
{
    uint8_t *body = arena_alloc(arena, size);
    struct batch_spec spec = {
        .append_only = true,
        .schema_id = 1,
        .record_count = records,
        .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
        .writer_id = BATCH_NO_WRITER_ID,
        .body = bytes_of(body, size),
    };

    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        body[i] = (uint8_t)(seed >> 24);
    }
    return batch_build(&spec, arena);
}

/* The same from an idempotent writer. */
static inline struct bytes fixture_writer_batch(struct arena *arena, int64_t writer,
                                                int32_t sequence, size_t size)
{
    uint8_t *body = arena_zalloc(arena, size);
    struct batch_spec spec = {
        .append_only = true,
        .schema_id = 1,
        .record_count = 1,
        .batch_sequence = sequence,
        .writer_id = writer,
        .body = bytes_of(body, size),
    };

    return batch_build(&spec, arena);
}

static inline struct bytes fixture_concat(struct arena *arena, struct bytes a, struct bytes b)
{
    size_t cap = a.len + b.len;
    struct writer both = writer_of(arena_alloc(arena, cap), cap);

    writer_bytes(&both, a);
    writer_bytes(&both, b);
    return bytes_of(both.data, both.len);
}

static const struct log_options fixture_options = {
    .segment_bytes_max = 1 << 20,
    .index_bytes_max = 1 << 16,
    .index_interval = 256,
    .writer_expiry_ms = INT64_C(7) * 24 * 3600 * 1000,
};

static inline struct log *fixture_open_with(const char *dir, const struct log_options *options,
                                            bool clean, int64_t recovery_point,
                                            struct log_open_report *ret)
{
    struct log_open_params params = {
        .dir = dir,
        .options = options,
        .clean = clean,
        .recovery_point = recovery_point,
        .now_ms = 1000,
    };
    struct log_open_report report;
    struct log *log = NULL;
    struct error e;

    OK(log_open(&params, &log, ret != NULL ? ret : &report, &e));
    return log;
}

static inline struct log *fixture_open(const char *dir)
{
    return fixture_open_with(dir, &fixture_options, false, 0, NULL);
}

/* Appends a copy, so that the caller's bytes stay as they are. */
static inline enum errcode fixture_append(struct log *log, struct bytes batches, int64_t now_ms,
                                          struct log_appended *ret)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes copy = arena_copy(&arena, batches);
    struct log_appended appended;
    struct error e;

    return log_append(log, (uint8_t *)(uintptr_t)copy.data, copy.len, now_ms,
                      ret != NULL ? ret : &appended, &e);
}

static inline void fixture_sync(struct log *log)
{
    struct log_sync sync;

    if (log_sync_begin(log, &sync)) {
        log_sync_run(&sync);
        log_sync_end(log, &sync);
    }
}

/* A whole file of the log; the test fails when it is missing. */
static inline struct bytes fixture_file(struct arena *arena, const char *dir, int64_t offset,
                                        enum log_file_kind kind)
{
    char path[LOG_PATH_MAX];
    struct bytes contents = BYTES_EMPTY;
    bool exists = false;
    struct error e;

    log_path(path, dir, offset, kind);
    OK(file_read_whole(path, (size_t)1 << 30, arena, &contents, &exists, &e));
    assert_true(exists);
    return contents;
}

static inline bool fixture_exists(const char *dir, int64_t offset, enum log_file_kind kind)
{
    char path[LOG_PATH_MAX];

    log_path(path, dir, offset, kind);
    return path_exists(path);
}

/* Overwrites bytes of a file, creating it when missing. */
static inline void fixture_poke(const char *dir, int64_t offset, enum log_file_kind kind,
                                uint64_t position, struct bytes b)
{
    OWNED(file_unrefp) struct file *f = NULL;
    char path[LOG_PATH_MAX];
    struct error e;

    log_path(path, dir, offset, kind);
    OK(file_open(path, FILE_CREATE, &f, &e));
    OK(file_write_at(f, position, b, &e));
}

static inline void fixture_truncate(const char *dir, int64_t offset, enum log_file_kind kind,
                                    uint64_t size)
{
    OWNED(file_unrefp) struct file *f = NULL;
    char path[LOG_PATH_MAX];
    struct error e;

    log_path(path, dir, offset, kind);
    OK(file_open(path, FILE_WRITE, &f, &e));
    OK(file_truncate(f, size, &e));
}

/* All bytes the log serves from its start to its end. */
static inline struct bytes fixture_read_all(struct log *log, size_t max_bytes, struct arena *arena)
{
    size_t cap = (size_t)log_size_bytes(log) + 1;
    struct writer all = writer_of(arena_alloc(arena, cap), cap);
    int64_t offset = log_start_offset(log);
    struct error e;

    while (offset < log_end_offset(log)) {
        struct log_read read = {.offset = offset,
                                .limit_offset = log_end_offset(log),
                                .max_bytes = max_bytes,
                                .min_one = true};
        struct log_range range;

        OK(log_read(log, &read, &range, &e));
        assert_true(range.len > 0 && range.end_offset > offset && !range.cold);
        OK(file_read_at(range.file, range.position, writer_room(&all, range.len), range.len, &e));
        (void)file_unref(range.file);
        offset = range.next_offset >= 0 ? range.next_offset : range.end_offset;
    }
    return bytes_of(all.data, all.len);
}

#endif
