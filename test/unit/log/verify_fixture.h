/* What the tests of log_verify share: a closed log and the findings about it. */
#ifndef TEST_LOG_VERIFY_FIXTURE_H
#define TEST_LOG_VERIFY_FIXTURE_H

#include "fixture.h"

#include <stdio.h>

#include "base/diag.h"
#include "log/internal.h"

#define VERIFY_BATCHES 100

static const struct log_options verify_options = {
    .segment_bytes_max = 12000,
    .index_bytes_max = 1 << 16,
    .index_interval = 512,
    .writer_expiry_ms = 1000000,
};

struct verify_fixture {
    struct arena arena;
    char *dir;
    int64_t bases[16];
    size_t segment_count;
    uint64_t positions[VERIFY_BATCHES + 1]; /* in their segments */
    size_t finding_count;
    enum log_finding_kind kinds[256];
    uint64_t at[256];
    char last[512];
    struct log_verified verified;
    bool refuse; /* all payloads */
};

/* VERIFY_BATCHES batches of one record, those of odd number by writer 7. */
static inline int verify_set_up(void **state)
{
    struct verify_fixture *f = mem_new(struct verify_fixture);
    struct diag_sink sink = {.level = DIAG_ERROR};
    struct log *log;
    struct error e;

    diag_configure(&sink);
    f->dir = fixture_dir(&f->arena);
    log = fixture_open_with(f->dir, &verify_options, false, 0, NULL);
    for (int32_t i = 0; i < VERIFY_BATCHES; i++) {
        struct bytes batch = i % 2 == 1 ? fixture_writer_batch(&f->arena, 7, i / 2, 300)
                                        : fixture_batch(&f->arena, 1, 200 + (size_t)i, 9);

        OK(fixture_append(log, batch, 100 + i, NULL));
        f->positions[i] = log_active(log)->size - batch.len;
    }
    f->segment_count = log->segment_count;
    for (size_t i = 0; i < log->segment_count; i++) {
        f->bases[i] = log->segments[i]->base_offset;
    }
    OK(log_close(log, &e));
    log_free(log);
    *state = f;
    return 0;
}

static inline int verify_tear_down(void **state)
{
    struct verify_fixture *f = *state;
    struct diag_sink sink = {.level = DIAG_INFO};

    diag_configure(&sink);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static inline void verify_note(void *context, const struct log_finding *finding)
{
    struct verify_fixture *f = context;

    assert_true(f->finding_count < 256);
    f->kinds[f->finding_count] = finding->kind;
    f->at[f->finding_count++] = finding->position;
    (void)snprintf(f->last, sizeof f->last, "%s: %s", finding->path, finding->what.message);
}

static inline enum errcode verify_payload(void *context, const struct batch_header *header,
                                          struct bytes data, struct error *e)
{
    const struct verify_fixture *f = context;

    assert_int_equal(data.len, header->size);
    return f->refuse ? error_set(e, ERR_CORRUPT_RECORD, "refused") : ERR_OK;
}

static inline void verify_run(struct verify_fixture *f, bool clean, bool repair,
                              int64_t recovery_point)
{
    struct log_verify_params params = {
        .dir = f->dir,
        .options = &verify_options,
        .clean = clean,
        .repair = repair,
        .recovery_point = recovery_point,
        .now_ms = 1000,
        .context = f,
        .found = verify_note,
        .payload = verify_payload,
    };
    struct error e;

    f->finding_count = 0;
    f->last[0] = '\0';
    OK(log_verify(&params, &f->verified, &e));
}

#endif
