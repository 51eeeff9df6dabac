/* A log beside a list of what was appended to it: random appends, reads and syncs, each checked. It is used
 * by one test, so its functions are static. */
#ifndef TEST_LOG_MODEL_H
#define TEST_LOG_MODEL_H

#include "fixture.h"

#include "log/internal.h"

#define MODEL_BATCHES 400
#define MODEL_WRITERS 3

struct model_batch {
    struct bytes data; /* as it must be in the file */
    int64_t end_offset;
    int64_t writer; /* -1: none */
    int32_t sequence;
};

struct model {
    struct arena arena;
    struct model_batch batches[MODEL_BATCHES];
    size_t count;
    int32_t next_sequence[MODEL_WRITERS];
    char *dir;
    struct log_options options;
    struct log *log;
    int64_t checkpointed; /* recovery point in the checkpoint file */
    int64_t now_ms;
    uint64_t seed;
};

static uint32_t pick(struct model *m, uint32_t bound)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->seed >> 33) % bound;
}

static struct bytes model_batch(struct model *m, struct model_batch *ret, bool *taken)
{
    uint32_t writer = pick(m, MODEL_WRITERS + 2);
    size_t size = pick(m, 8) == 0 ? pick(m, 3000) : pick(m, 200);

    ret->writer = -1;
    ret->sequence = -1;
    if (writer >= MODEL_WRITERS || taken[writer]) {
        return fixture_batch(&m->arena, (int32_t)pick(m, 4), size, (uint32_t)m->seed);
    }
    taken[writer] = true;
    ret->writer = writer;
    ret->sequence = m->next_sequence[writer];
    return fixture_writer_batch(&m->arena, writer, ret->sequence, size);
}

static void model_append(struct model *m)
{
    uint32_t count = 1 + (pick(m, 4) == 0 ? pick(m, 3) : 0);
    bool taken[MODEL_WRITERS] = {false};
    struct bytes all = BYTES_EMPTY;
    struct model_batch added[4];
    int64_t offset = log_end_offset(m->log);
    struct log_appended appended;
    size_t at = 0;
    struct error e;

    if (m->count + count > MODEL_BATCHES) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        all = fixture_concat(&m->arena, all, model_batch(m, &added[i], taken));
    }
    m->now_ms += pick(m, 3);
    OK(log_append(m->log, (uint8_t *)(uintptr_t)all.data, all.len, m->now_ms, &appended, &e));
    assert_int_equal(appended.base_offset, offset);
    for (uint32_t i = 0; i < count; i++) {
        struct batch_header header = {0};

        OK(batch_parse(bytes_slice(all, at, all.len - at), &header, &e));
        added[i].data = bytes_slice(all, at, header.size);
        added[i].end_offset = batch_next_offset(&header);
        m->batches[m->count++] = added[i];
        if (added[i].writer >= 0) {
            m->next_sequence[added[i].writer]++;
        }
        at += header.size;
    }
}

/* The commit timestamp is the one field that nothing protects: damage may have changed it. */
static void model_check_batch(const uint8_t *got, struct bytes expected)
{
    assert_memory_equal(got, expected.data, 13);
    assert_memory_equal(got + 21, expected.data + 21, expected.len - 21);
}

static void model_check_range(struct model *m, struct log_range *range)
{
    size_t at = 0;
    size_t i = 0;
    uint8_t *got;
    struct error e;

    while (i < m->count && m->batches[i].end_offset <= range->base_offset) {
        i++;
    }
    got = arena_alloc(&m->arena, range->len);
    OK(file_read_at(range->file, range->position, got, range->len, &e));
    for (; at < range->len; i++) {
        assert_true(i < m->count);
        assert_true(range->len - at >= m->batches[i].data.len);
        model_check_batch(got + at, m->batches[i].data);
        at += m->batches[i].data.len;
    }
    assert_int_equal(range->end_offset, m->batches[i - 1].end_offset);
    (void)file_unref(range->file);
}

static void model_read(struct model *m)
{
    int64_t end = log_end_offset(m->log);
    struct log_read read = {.max_bytes = pick(m, 2000),
                            .min_one = pick(m, 3) > 0,
                            .limit_offset =
                                m->count == 0 || pick(m, 2) == 0
                                    ? end
                                    : m->batches[pick(m, (uint32_t)m->count)].end_offset};
    struct log_range range;
    struct error e;

    read.offset = log_start_offset(m->log) + pick(m, (uint32_t)(end + 1));
    for (int i = 0; i < 5 && read.offset < read.limit_offset; i++) {
        OK(log_read(m->log, &read, &range, &e));
        if (range.len == 0) {
            assert_false(read.min_one);
            return;
        }
        assert_true(range.base_offset <= read.offset && range.end_offset > read.offset);
        assert_true(range.end_offset <= read.limit_offset);
        model_check_range(m, &range);
        read.offset = range.end_offset;
    }
}

static void model_sync(struct model *m)
{
    if (pick(m, 3) == 0) {
        log_want_recovery_point(m->log);
    }
    fixture_sync(m->log);
    assert_int_equal(log_durable_offset(m->log), log_end_offset(m->log));
    if (pick(m, 2) == 0) {
        m->checkpointed = log_recovery_point(m->log);
    }
}

static void model_work(struct model *m)
{
    uint32_t steps = pick(m, 40);

    for (uint32_t i = 0; i < steps; i++) {
        uint32_t what = pick(m, 12);

        if (what < 8) {
            model_append(m);
        } else if (what < 10) {
            model_read(m);
        } else {
            model_sync(m);
        }
    }
}

#endif
