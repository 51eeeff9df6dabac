/* What readers get from a log whose files have decayed while it was closed. */
#include "fixture.h"

#include "base/diag.h"
#include "log/damage.h"
#include "log/internal.h"

#define BATCHES 300

static const struct log_options options = {
    .segment_bytes_max = 24 << 10,
    .index_bytes_max = 1 << 16,
    .index_interval = 1024,
    .writer_expiry_ms = 1000000,
};

/* A log that was closed, and what is in it. */
struct fixture {
    struct arena arena;
    char *dir;
    struct bytes batches[BATCHES]; /* as stored; number is offset / 2 */
    struct dir_list files;
    struct bytes *contents; /* by number of the file */
    uint32_t chance;
};

static uint32_t next_random(struct fixture *f, uint32_t below)
{
    f->chance = f->chance * 1664525u + 1013904223u;
    return (f->chance >> 8) % below;
}

static void keep_batches(struct fixture *f, struct log *log)
{
    struct bytes all = fixture_read_all(log, 1 << 20, &f->arena);
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    struct error e;

    batch_iterator_init(&it, all);
    for (size_t i = 0; i < BATCHES; i++) {
        OK(batch_next(&it, &batch, &found, &e));
        assert_int_equal(batch.header.base_offset, 2 * i);
        f->batches[i] = batch.data;
    }
}

static void keep_files(struct fixture *f)
{
    struct error e;

    OK(dir_read(f->dir, &f->arena, &f->files, &e));
    f->contents = arena_array(&f->arena, f->files.count, sizeof *f->contents);
    for (size_t i = 0; i < f->files.count; i++) {
        const char *path = arena_printf(&f->arena, "%s/%s", f->dir, f->files.entries[i].name);
        bool exists = false;

        OK(file_read_whole(path, SIZE_MAX, &f->arena, &f->contents[i], &exists, &e));
    }
}

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    struct diag_sink sink = {.level = DIAG_ERROR};
    struct log *log;
    struct error e;

    diag_configure(&sink);
    f->dir = fixture_dir(&f->arena);
    log = fixture_open_with(f->dir, &options, false, 0, NULL);
    for (int32_t i = 0; i < BATCHES; i++) {
        struct batch_spec spec = {
            .append_only = true,
            .schema_id = 1,
            .record_count = 2,
            .batch_sequence = i / 3,
            .writer_id = 7,
            /* a sector of one batch in the place of another of the same length would go unseen */
            .body = bytes_of(arena_zalloc(&f->arena, (size_t)i + 1), (size_t)i + 1),
        };
        struct bytes batch = i % 3 == 0
                                 ? batch_build(&spec, &f->arena)
                                 : fixture_batch(&f->arena, 2, (size_t)i * 37 % 900, (uint32_t)i);

        OK(fixture_append(log, batch, 1000 + i, NULL));
    }
    keep_batches(f, log);
    OK(log_close(log, &e));
    log_free(log);
    keep_files(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct diag_sink sink = {.level = DIAG_INFO};

    diag_configure(&sink);
    fixture_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* All files as they were after the close. */
static void restore(struct fixture *f)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    fixture_remove(f->dir);
    OK(dir_create(f->dir, &e));
    for (size_t i = 0; i < f->files.count; i++) {
        OWNED(file_unrefp) struct file *file = NULL;
        const char *path = arena_printf(&arena, "%s/%s", f->dir, f->files.entries[i].name);

        OK(file_open(path, FILE_CREATE, &file, &e));
        OK(file_write_at(file, 0, f->contents[i], &e));
    }
}

static void poke(struct fixture *f, size_t number, uint64_t position, struct bytes b)
{
    OWNED(file_unrefp) struct file *file = NULL;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = arena_printf(&arena, "%s/%s", f->dir, f->files.entries[number].name);
    struct error e;

    OK(file_open(path, FILE_WRITE, &file, &e));
    OK(file_write_at(file, position, b, &e));
}

/* What one read gave: each batch is one that was written, where it was written. Timestamp, checksum
 * and the rest of the header that no checksum covers may differ. */
static int64_t check_range(struct fixture *f, const struct log_range *range, bool *seen)
{
    OWNED(mem_freep) uint8_t *bytes = mem_alloc(range->len);
    int64_t expected = range->base_offset;
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    struct error e;

    OK(file_read_at(range->file, range->position, bytes, range->len, &e));
    batch_iterator_init(&it, bytes_of(bytes, range->len));
    for (;;) {
        OK(batch_next(&it, &batch, &found, &e));
        if (!found) {
            break;
        }
        const struct bytes *written;

        assert_int_equal(batch.header.base_offset, expected);
        assert_true(expected >= 0 && expected % 2 == 0 && expected / 2 < BATCHES);
        written = &f->batches[expected / 2];
        assert_int_equal(batch.data.len, written->len);
        assert_memory_equal(batch.data.data + 25, written->data + 25, written->len - 25);
        seen[expected / 2] = true;
        expected = batch_next_offset(&batch.header);
    }
    assert_int_equal(it.position, range->len);
    assert_int_equal(expected, range->end_offset);
    return range->next_offset >= 0 ? range->next_offset : range->end_offset;
}

static int64_t read_at(struct fixture *f, struct log *log, int64_t offset, size_t max_bytes,
                       bool *seen)
{
    struct log_read read = {.offset = offset,
                            .limit_offset = log_end_offset(log),
                            .max_bytes = max_bytes,
                            .min_one = true,
                            .nowait = next_random(f, 2) == 0};
    struct log_range range = {0};
    int64_t next = log_end_offset(log);
    struct error e;

    OK(log_read(log, &read, &range, &e));
    if (range.cold) {
        (void)file_unref(range.file);
        read.nowait = false;
        OK(log_read(log, &read, &range, &e));
    }
    if (range.len > 0) {
        assert_true(range.end_offset > offset);
        next = check_range(f, &range, seen);
    }
    (void)file_unref(range.file);
    return next;
}

/* Reads everything, from anywhere first; returns how many batches were not there. */
static size_t read_everything(struct fixture *f, struct log *log)
{
    bool seen[BATCHES] = {false};
    size_t lost = 0;

    for (int i = 0; i < 20; i++) {
        (void)read_at(f, log, next_random(f, 2 * BATCHES), next_random(f, 5000), seen);
    }
    for (int64_t at = 0; at < log_end_offset(log);) {
        at = read_at(f, log, at, next_random(f, 20000), seen);
    }
    for (size_t i = 0; i < BATCHES; i++) {
        lost += seen[i] ? 0 : 1;
    }
    return lost;
}

/* Batches of which a byte lies in [from, to) of the data file with that number. */
static size_t hit(const struct fixture *f, size_t number, uint64_t from, uint64_t to)
{
    struct log_name name = log_name_parse(f->files.entries[number].name);
    uint64_t at = 0;
    size_t count = 0;

    if (name.kind != LOG_FILE_DATA) {
        return 0;
    }
    for (size_t i = (size_t)name.offset / 2; i < BATCHES && at < f->contents[number].len; i++) {
        count += at < to && at + f->batches[i].len > from ? 1 : 0;
        at += f->batches[i].len;
    }
    return count;
}

/* A sector or a bit somewhere; returns how many batches it hits. */
static size_t decay(struct fixture *f, uint32_t kind)
{
    size_t number = next_random(f, (uint32_t)f->files.count);
    struct bytes whole = f->contents[number];
    uint8_t sector[512] = {0};
    uint64_t position;
    size_t len;

    if (whole.len == 0) {
        return 0;
    }
    position = next_random(f, (uint32_t)whole.len);
    if (kind == 0) {
        uint8_t flipped = (uint8_t)(whole.data[position] ^ (1u << next_random(f, 8)));

        poke(f, number, position, bytes_of(&flipped, 1));
        return hit(f, number, position, position + 1);
    }
    position &= ~UINT64_C(511);
    len = whole.len - position < sizeof sector ? (size_t)(whole.len - position) : sizeof sector;
    if (kind == 2) { /* another sector in its place */
        uint64_t other = next_random(f, (uint32_t)whole.len) & ~511u;
        size_t most = (size_t)(whole.len - other) < len ? (size_t)(whole.len - other) : len;

        memcpy(sector, whole.data + other, most);
    }
    poke(f, number, position, bytes_of(sector, len));
    return hit(f, number, position, position + len);
}

static void nothing_wrong_is_ever_read(void **state)
{
    struct fixture *f = *state;

    for (uint32_t seed = 1; seed <= 600; seed++) {
        bool clean = seed % 2 == 0;
        struct log_open_report report;
        size_t most;
        struct log *log;

        f->chance = seed * 2654435761u;
        restore(f);
        most = decay(f, seed % 3);
        log = fixture_open_with(f->dir, &options, clean, clean ? 0 : 2 * BATCHES, &report);
        assert_int_equal(log_end_offset(log), 2 * BATCHES);
        assert_int_equal(report.aside_bytes, 0);
        if (read_everything(f, log) > most) {
            fail_msg("seed %u: more than %zu batches are lost", seed, most);
        }
        log_free(log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_wrong_is_ever_read, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
