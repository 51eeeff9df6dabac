/* Arbitrary bytes as index files: first byte, which one and how the log stopped. What the data file
 * holds must come back whatever they say. */
#include "log_dir.h"

#include <stdlib.h>

#include "base/diag.h"
#include "log/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BATCHES 20

static const struct log_options options = {
    .segment_bytes_max = 600,
    .index_bytes_max = 1 << 12,
    .index_interval = 64,
    .writer_expiry_ms = 1000,
};

static struct log *open_log(const char *dir, bool clean, int64_t recovery_point)
{
    struct log_open_params params = {
        .dir = dir, .options = &options, .clean = clean, .recovery_point = recovery_point};
    struct log *log = NULL;
    struct log_open_report report;
    struct error e;

    ASSERT(log_open(&params, &log, &report, &e) == ERR_OK);
    ASSERT(report.aside_bytes == 0 && report.missing_offsets == 0);
    return log;
}

/* Two records a batch, committed at 0, 10, 20, ... */
static void fill(const char *dir, struct arena *arena)
{
    OWNED(log_freep) struct log *log = open_log(dir, false, 0);
    struct error e;

    for (int64_t i = 0; i < BATCHES; i++) {
        struct batch_spec spec = {
            .writer_id = -1, .batch_sequence = -1, .record_count = 2, .body = bytes_str("body")};
        struct bytes batch = batch_build(&spec, arena);
        struct log_appended appended;

        ASSERT(log_append(log, (uint8_t *)(uintptr_t)batch.data, batch.len, 10 * i, &appended,
                          &e) == ERR_OK);
    }
    ASSERT(log_close(log, &e) == ERR_OK);
}

static void check(struct log *log)
{
    struct error e;

    ASSERT(log_end_offset(log) == (int64_t)2 * BATCHES);
    for (int64_t offset = 0; offset < log_end_offset(log); offset += 3) {
        struct log_read read = {.offset = offset,
                                .limit_offset = log_end_offset(log),
                                .max_bytes = 120,
                                .min_one = true};
        struct log_range range;

        ASSERT(log_read(log, &read, &range, &e) == ERR_OK);
        ASSERT(range.len > 0 && range.base_offset == (offset & ~INT64_C(1)));
        (void)file_unref(range.file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct diag_sink quiet = {.level = DIAG_ERROR};
    static const char *const names[] = {
        "00000000000000000000.index",
        "00000000000000000000.timeindex",
        "00000000000000000030.index",
        "00000000000000000030.timeindex",
    };
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *dir = log_dir_new(&arena);
    uint8_t how = size > 0 ? data[0] : 0;
    int64_t at;
    struct log *log;
    struct error e;

    diag_configure(&quiet);
    fill(dir, &arena);
    if (size > 0) {
        const char *name = names[how % ARRAY_LEN(names)];

        if ((how & 4) != 0) {
            ASSERT(path_remove(arena_printf(&arena, "%s/%s", dir, name), &e) == ERR_OK);
        }
        log_dir_put(dir, name, bytes_of(data + 1, size - 1), &arena);
    }
    log = open_log(dir, (how & 8) != 0, (how & 16) != 0 ? (int64_t)2 * BATCHES : 25);
    check(log);
    ASSERT(log_offset_at(log, 100, NULL, &at, &e) == ERR_OK);
    log_free(log);
    log_dir_free(dir);
    return 0;
}
