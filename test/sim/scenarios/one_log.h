/* What scenarios over one log, without a server, share. */
#ifndef SIM_SCENARIOS_ONE_LOG_H
#define SIM_SCENARIOS_ONE_LOG_H

#include "../../support/unit.h"
#include "format/batch.h"
#include "log/log.h"

#define ONE_LOG_BATCH 600 /* bytes of a batch's body */

static inline struct log_options one_log_options(void)
{
    return (struct log_options){.segment_bytes_max = 100000,
                                .index_bytes_max = 1000,
                                .index_interval = 100,
                                .writer_expiry_ms = 1000000};
}

/* That many batches of one record each. */
static inline void one_log_append(struct log *log, int count)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = 1,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID,
                              .body = bytes_of(arena_zalloc(&arena, ONE_LOG_BATCH), ONE_LOG_BATCH)};
    struct log_appended appended;

    for (int i = 0; i < count; i++) {
        struct bytes batch = batch_build(&spec, &arena);

        assert_int_equal(
            log_append(log, (uint8_t *)(uintptr_t)batch.data, batch.len, 1, &appended, NULL),
            ERR_OK);
    }
}

/* The outcome; ERR_OK: all of it is durable. */
static inline enum errcode one_log_sync(struct log *log)
{
    struct log_sync sync;
    enum errcode code;

    assert_true(log_sync_begin(log, &sync));
    log_sync_run(&sync);
    code = sync.code;
    log_sync_end(log, &sync);
    assert_true(code != ERR_OK || log_durable_offset(log) == log_end_offset(log));
    return code;
}

#endif
