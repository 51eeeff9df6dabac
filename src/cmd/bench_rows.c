#include "bench_rows.h"

#include "bench_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "format/arrow_build.h"
#include "format/batch.h"

#define POOL_MASK     0xffff /* rows repeat after so many */
#define SCHEMA_ID     1      /* of a new table */
#define EVENT_TIME_MS INT64_C(1760000000000)
#define DECIMAL_SIZE  16

enum column { ID, SEQ, USER_NAME, SESSION, CATEGORY, PRICE, AMOUNT, EVENT_TIME, FLAG, NOTE };
static_assert(NOTE + 1 == BENCH_COLUMN_COUNT, "the columns of the header");

static const struct bench_column columns[BENCH_COLUMN_COUNT] = {
    [ID] = {"id", "INTEGER", 0, 0, false},
    [SEQ] = {"seq", "BIGINT", 0, 0, false},
    [USER_NAME] = {"user_name", "STRING", 0, 0, false},
    [SESSION] = {"session", "STRING", 0, 0, false},
    [CATEGORY] = {"category", "STRING", 0, 0, false},
    [PRICE] = {"price", "DOUBLE", 0, 0, false},
    [AMOUNT] = {"amount", "DECIMAL", 18, 2, false},
    [EVENT_TIME] = {"event_time", "TIMESTAMP_WITHOUT_TIME_ZONE", 3, 0, false},
    [FLAG] = {"flag", "BOOLEAN", 0, 0, false},
    [NOTE] = {"note", "STRING", 0, 0, false},
};

static const struct arrow_build_node nodes[BENCH_COLUMN_COUNT] = {
    [ID] = {ARROW_BUILD_FIXED, 4, 1},
    [SEQ] = {ARROW_BUILD_FIXED, 8, 1},
    [USER_NAME] = {ARROW_BUILD_BYTES, 0, 1},
    [SESSION] = {ARROW_BUILD_BYTES, 0, 1},
    [CATEGORY] = {ARROW_BUILD_BYTES, 0, 1},
    [PRICE] = {ARROW_BUILD_FIXED, 8, 1},
    [AMOUNT] = {ARROW_BUILD_FIXED, DECIMAL_SIZE, 1},
    [EVENT_TIME] = {ARROW_BUILD_FIXED, 8, 1},
    [FLAG] = {ARROW_BUILD_BOOL, 0, 1},
    [NOTE] = {ARROW_BUILD_BYTES, 0, 1},
};

enum errcode bench_descriptor(const struct bench_options *options, struct arena *arena,
                              struct bytes *ret, struct error *e)
{
    struct bench_table table = {.columns = columns, .column_count = BENCH_COLUMN_COUNT};

    return bench_table_json(&table, options, arena, ret, e);
}

/* ---- the rows ---- */

struct bench_rows {
    struct arrow_builder *builder;
    struct codec *codec;
    struct arrow_build_codec build;
};

struct bench_rows *bench_rows_new(const struct bench_options *options)
{
    struct bench_rows *r = mem_new(struct bench_rows);

    r->builder = arrow_builder_new(nodes, BENCH_COLUMN_COUNT);
    r->codec = codec_new();
    r->build = (struct arrow_build_codec){
        .codec = r->codec, .kind = options->codec, .level = options->zstd_level};
    return r;
}

void bench_rows_free(struct bench_rows *r)
{
    if (r != NULL) {
        arrow_builder_free(r->builder);
        codec_free(r->codec);
        free(r);
    }
}

void bench_rows_freep(struct bench_rows **r) { bench_rows_free(*r); }

static void append_text(struct arrow_builder *b, size_t column, const char *fmt, uint64_t value)
{
    char text[32];
    int len = snprintf(text, sizeof text, fmt, (unsigned long long)value);

    ASSERT(len == 16);
    arrow_builder_bytes(b, column, bytes_of(text, (size_t)len));
}

void bench_note(uint64_t seed, char ret[static BENCH_NOTE_LEN])
{
    static const char *const words[] = {
        "ship",  "order",  "parcel",  "station", "delay",  "north",  "south",  "pallet",
        "route", "driver", "clear",   "return",  "signed", "door",   "office", "late",
        "early", "cold",   "damaged", "box",     "van",    "train",  "bridge", "toll",
        "hub",   "sort",   "customs", "scan",    "label",  "weight", "crate",  "gate"};
    size_t len = 0;

    for (uint64_t h = seed; len < BENCH_NOTE_LEN; h = hash_u64(h + 1)) {
        const char *word = words[h % ARRAY_LEN(words)];
        size_t n = strlen(word);

        n = n > BENCH_NOTE_LEN - len ? BENCH_NOTE_LEN - len : n;
        memcpy(ret + len, word, n);
        len += n;
        if (len < BENCH_NOTE_LEN) {
            ret[len++] = ' ';
        }
    }
}

static void append_row(struct arrow_builder *b, int64_t row)
{
    uint64_t place = ((uint64_t)row * 0x9e3779b1u) & POOL_MASK;
    uint64_t h = hash_u64(place + 1);
    double price = (double)(h % 1000000) / 100;
    char note[BENCH_NOTE_LEN];
    uint8_t amount[DECIMAL_SIZE] = {0};
    uint8_t bits[sizeof price];
    uint64_t raw;

    memcpy(&raw, &price, sizeof raw);
    put_u64le(bits, raw);
    put_u64le(amount, hash_u64(h) % 100000000);
    arrow_builder_i32(b, ID, (int32_t)row);
    arrow_builder_i64(b, SEQ, row);
    append_text(b, USER_NAME, "user-%011llu", hash_u64(h + 2) % 5000000);
    append_text(b, SESSION, "%016llx", hash_u64(h + 3));
    append_text(b, CATEGORY, "category-%07llu", hash_u64(h + 4) % 1000);
    arrow_builder_fixed(b, PRICE, bits);
    arrow_builder_fixed(b, AMOUNT, amount);
    arrow_builder_i64(b, EVENT_TIME, EVENT_TIME_MS + row / 100);
    arrow_builder_bool(b, FLAG, (place & 1) == 0);
    bench_note(hash_u64(h + 5), note);
    arrow_builder_bytes(b, NOTE, bytes_of(note, sizeof note));
}

enum errcode bench_rows_message(struct bench_rows *r, int64_t first, int32_t count,
                                struct arena *arena, struct bytes *ret, struct error *e)
{
    arrow_builder_clear(r->builder);
    for (int64_t row = first; row < first + count; row++) {
        append_row(r->builder, row);
    }
    return arrow_builder_finish(r->builder, &r->build, arena, ret, e);
}

struct bytes bench_batch(struct bytes message, int32_t count, struct bench_writer writer,
                         struct arena *arena)
{
    struct batch_spec spec = {
        .append_only = true,
        .schema_id = SCHEMA_ID,
        .record_count = count,
        .writer_id = writer.id,
        .batch_sequence = writer.sequence,
        .body = message,
    };

    return batch_build(&spec, arena);
}
