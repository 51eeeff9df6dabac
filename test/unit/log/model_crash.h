/* A crash of the model's log (model.h): it is closed without a stop, and what was not synced may be damaged,
 * indexes and writer snapshots in any case. */
#ifndef TEST_LOG_MODEL_CRASH_H
#define TEST_LOG_MODEL_CRASH_H

#include "model.h"

/* What is left to a crash: for each segment the bytes that were not synced. */
struct exposed {
    int64_t base_offset;
    uint64_t synced;
    uint64_t size;
};

static void damage_data(struct model *m, const struct exposed *x)
{
    uint64_t at = x->synced + pick(m, (uint32_t)(x->size - x->synced) + 1);
    uint8_t junk[300] = {0};
    size_t len = 1 + pick(m, sizeof junk);

    switch (pick(m, 5)) {
    case 0:
        fixture_truncate(m->dir, x->base_offset, LOG_FILE_DATA, at);
        return;
    case 1: /* garbage, also behind the end */
        for (size_t i = 0; i < len; i++) {
            junk[i] = (uint8_t)pick(m, 256);
        }
        fixture_poke(m->dir, x->base_offset, LOG_FILE_DATA, at, bytes_of(junk, len));
        return;
    case 2: /* zeros */
        fixture_poke(m->dir, x->base_offset, LOG_FILE_DATA, at, bytes_of(junk, len));
        return;
    case 3: /* zeros to the end */
        fixture_truncate(m->dir, x->base_offset, LOG_FILE_DATA, at);
        fixture_truncate(m->dir, x->base_offset, LOG_FILE_DATA, x->size);
        return;
    default: /* a huge length */
        put_u32le(junk, 0x7fffff00);
        fixture_poke(m->dir, x->base_offset, LOG_FILE_DATA, at, bytes_of(junk, 4));
        return;
    }
}

static void damage_other(struct model *m, int64_t base_offset)
{
    enum log_file_kind kind = LOG_FILE_OFFSET_INDEX + pick(m, 3);
    char path[LOG_PATH_MAX];
    uint8_t junk[64];
    struct bytes now;
    struct error e;

    if (!fixture_exists(m->dir, base_offset, kind)) {
        return;
    }
    now = fixture_file(&m->arena, m->dir, base_offset, kind);
    for (size_t i = 0; i < sizeof junk; i++) {
        junk[i] = pick(m, 3) == 0 ? (uint8_t)pick(m, 256) : 0;
    }
    switch (pick(m, 4)) {
    case 0:
        log_path(path, m->dir, base_offset, kind);
        OK(path_remove(path, &e));
        return;
    case 1:
        fixture_truncate(m->dir, base_offset, kind, pick(m, (uint32_t)now.len + 1));
        return;
    case 2:
        fixture_truncate(m->dir, base_offset, kind, now.len + pick(m, 100));
        return;
    default:
        fixture_poke(m->dir, base_offset, kind, pick(m, (uint32_t)now.len + 1),
                     bytes_of(junk, pick(m, sizeof junk)));
        return;
    }
}

static void model_crash(struct model *m)
{
    struct exposed exposed[MODEL_BATCHES];
    size_t count = log_segment_count(m->log);
    size_t victims;

    for (size_t i = 0; i < count; i++) {
        const struct segment *s = m->log->segments[i];
        bool durable = s->end_offset <= log_durable_offset(m->log);

        exposed[i] = (struct exposed){s->base_offset, durable ? s->size : s->synced_size, s->size};
    }
    log_free(m->log);
    victims = pick(m, 3);
    for (size_t i = 0; i < victims; i++) {
        const struct exposed *x = &exposed[pick(m, (uint32_t)count)];

        if (x->synced < x->size) {
            damage_data(m, x);
        }
    }
    victims = pick(m, 3) == 0 ? pick(m, 4) : 0;
    for (size_t i = 0; i < victims; i++) {
        damage_other(m, exposed[pick(m, (uint32_t)count)].base_offset);
    }
}

#endif
