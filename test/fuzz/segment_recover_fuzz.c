/* Arbitrary bytes as the last data file of a log, below a whole first one: opening must give a log
 * that can be read from start to end and appended to. */
#include "log_dir.h"
#include "mutate.h"

#include <stdlib.h>

#include "base/diag.h"
#include "log/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct log_options options = {
    .segment_bytes_max = 1 << 16,
    .index_bytes_max = 1 << 12,
    .index_interval = 64,
    .writer_expiry_ms = 1000,
};

static void read_all(struct log *log)
{
    int64_t offset = log_start_offset(log);

    while (offset < log_end_offset(log)) {
        struct log_read read = {.offset = offset,
                                .limit_offset = log_end_offset(log),
                                .max_bytes = 100,
                                .min_one = true};
        struct log_range range;
        struct error e;

        ASSERT(log_read(log, &read, &range, &e) == ERR_OK);
        /* what is left of the log may be damage that no crash did */
        ASSERT(range.len > 0 || range.end_offset == log_end_offset(log));
        ASSERT(range.end_offset > offset);
        (void)file_unref(range.file);
        offset = range.next_offset >= 0 ? range.next_offset : range.end_offset;
    }
}

static void open_and_use(const char *dir, bool clean, int64_t recovery_point)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct log_open_params params = {
        .dir = dir, .options = &options, .clean = clean, .recovery_point = recovery_point};
    struct batch_spec spec = {.writer_id = -1, .batch_sequence = -1, .body = bytes_str("body")};
    struct bytes batch = batch_build(&spec, &arena);
    OWNED(log_freep) struct log *log = NULL;
    struct log_open_report report;
    struct log_appended appended;
    enum errcode code;
    int64_t at;
    struct error e;

    ASSERT(log_open(&params, &log, &report, &e) == ERR_OK);
    read_all(log);
    IGNORE(log_offset_at(log, 5, NULL, &at, &e));
    code = log_append(log, (uint8_t *)(uintptr_t)batch.data, batch.len, 0, &appended, &e);
    /* offsets may have come close to their end */
    ASSERT(code == ERR_OK || code == ERR_CORRUPT_RECORD);
    read_all(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct diag_sink quiet = {.level = DIAG_ERROR};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *dir = log_dir_new(&arena);

    diag_configure(&quiet);
    /* one input, three starts: crashed, crashed behind a recovery point, stopped cleanly */
    for (int i = 0; i < 3; i++) {
        log_dir_put(dir, "00000000000000000007.log", bytes_of(data, size), &arena);
        open_and_use(dir, i == 2, i == 1 ? 8 : 0);
        log_dir_clear(dir);
    }
    log_dir_free(dir);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_units(MUTATE_LOG_FILE, data, size, max, seed);
}
