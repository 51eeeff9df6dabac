#include "bench_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "format/arrow_build.h"
#include "format/batch.h"
#include "format/json.h"

#define POOL_MASK      0xffff /* rows repeat after so many */
#define SCHEMA_ID      1      /* of a new table */
#define EVENT_TIME_MS  INT64_C(1760000000000)
#define NOTE_LEN       40
#define DECIMAL_SIZE   16
#define PROPERTY_CODEC "table.log.arrow.compression.type"

enum column { ID, SEQ, USER_NAME, SESSION, CATEGORY, PRICE, AMOUNT, EVENT_TIME, FLAG, NOTE };
static_assert(NOTE + 1 == BENCH_COLUMN_COUNT, "the columns of the header");

static const struct {
    const char *name;
    const char *type;
    int32_t precision; /* -1: the type has none */
    int32_t scale;
    struct arrow_build_node node;
} columns[BENCH_COLUMN_COUNT] = {
    [ID] = {"id", "INTEGER", -1, -1, {ARROW_BUILD_FIXED, 4, 1}},
    [SEQ] = {"seq", "BIGINT", -1, -1, {ARROW_BUILD_FIXED, 8, 1}},
    [USER_NAME] = {"user_name", "STRING", -1, -1, {ARROW_BUILD_BYTES, 0, 1}},
    [SESSION] = {"session", "STRING", -1, -1, {ARROW_BUILD_BYTES, 0, 1}},
    [CATEGORY] = {"category", "STRING", -1, -1, {ARROW_BUILD_BYTES, 0, 1}},
    [PRICE] = {"price", "DOUBLE", -1, -1, {ARROW_BUILD_FIXED, 8, 1}},
    [AMOUNT] = {"amount", "DECIMAL", 18, 2, {ARROW_BUILD_FIXED, DECIMAL_SIZE, 1}},
    [EVENT_TIME] = {"event_time", "TIMESTAMP_WITHOUT_TIME_ZONE", 3, -1, {ARROW_BUILD_FIXED, 8, 1}},
    [FLAG] = {"flag", "BOOLEAN", -1, -1, {ARROW_BUILD_BOOL, 0, 1}},
    [NOTE] = {"note", "STRING", -1, -1, {ARROW_BUILD_BYTES, 0, 1}},
};

/* ---- the table ---- */

static void write_column(struct json_writer *w, size_t i)
{
    json_write_object(w);
    json_write_string_member(w, "name", columns[i].name);
    json_write_key(w, "data_type");
    json_write_object(w);
    json_write_string_member(w, "type", columns[i].type);
    if (columns[i].precision >= 0) {
        json_write_int_member(w, "precision", columns[i].precision);
    }
    if (columns[i].scale >= 0) {
        json_write_int_member(w, "scale", columns[i].scale);
    }
    json_write_end(w);
    json_write_int_member(w, "id", (int64_t)i);
    json_write_end(w);
}

static void write_schema(struct json_writer *w)
{
    json_write_object(w);
    json_write_int_member(w, "version", 1);
    json_write_key(w, "columns");
    json_write_array(w);
    for (size_t i = 0; i < BENCH_COLUMN_COUNT; i++) {
        write_column(w, i);
    }
    json_write_end(w);
    json_write_int_member(w, "highest_field_id", BENCH_COLUMN_COUNT - 1);
    json_write_end(w);
}

static enum errcode write_properties(struct json_writer *w, const struct bench_options *options,
                                     struct arena *arena, struct error *e)
{
    static const char *const codecs[] = {[ARROW_CODEC_NONE] = "NONE",
                                         [ARROW_CODEC_LZ4_FRAME] = "LZ4_FRAME",
                                         [ARROW_CODEC_ZSTD] = "ZSTD"};

    json_write_object(w);
    json_write_string_member(w, PROPERTY_CODEC, codecs[options->codec]);
    for (size_t i = 0; i < options->property_count; i++) {
        const char *text = options->properties[i];
        const char *equals = strchr(text, '=');

        if (equals == NULL || equals == text) {
            return error_set(e, ERR_INVALID_ARGUMENT, "property '%s' has no key", text);
        }
        json_write_string_member(w, arena_strndup(arena, text, (size_t)(equals - text)),
                                 equals + 1);
    }
    json_write_end(w);
    return ERR_OK;
}

enum errcode bench_descriptor(const struct bench_options *options, struct arena *arena,
                              struct bytes *ret, struct error *e)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    json_write_key(&w, "schema");
    write_schema(&w);
    json_write_key(&w, "partition_key");
    json_write_array(&w);
    json_write_end(&w);
    json_write_key(&w, "bucket_key"); /* 0.9.1 wants it with a bucket count */
    json_write_array(&w);
    json_write_end(&w);
    json_write_int_member(&w, "bucket_count", options->buckets);
    json_write_key(&w, "properties");
    TRY(write_properties(&w, options, arena, e));
    json_write_key(&w, "custom_properties");
    json_write_object(&w);
    json_write_end(&w);
    json_write_end(&w);
    *ret = json_writer_text(&w);
    return ERR_OK;
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
    struct arrow_build_node nodes[BENCH_COLUMN_COUNT];

    for (size_t i = 0; i < BENCH_COLUMN_COUNT; i++) {
        nodes[i] = columns[i].node;
    }
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

/* Words up to 40 bytes. */
static void append_note(struct arrow_builder *b, uint64_t seed)
{
    static const char *const words[] = {
        "ship",  "order",  "parcel",  "station", "delay",  "north",  "south",  "pallet",
        "route", "driver", "clear",   "return",  "signed", "door",   "office", "late",
        "early", "cold",   "damaged", "box",     "van",    "train",  "bridge", "toll",
        "hub",   "sort",   "customs", "scan",    "label",  "weight", "crate",  "gate"};
    char text[NOTE_LEN];
    size_t len = 0;

    for (uint64_t h = seed; len < NOTE_LEN; h = hash_u64(h + 1)) {
        const char *word = words[h % ARRAY_LEN(words)];
        size_t n = strlen(word);

        n = n > NOTE_LEN - len ? NOTE_LEN - len : n;
        memcpy(text + len, word, n);
        len += n;
        if (len < NOTE_LEN) {
            text[len++] = ' ';
        }
    }
    arrow_builder_bytes(b, NOTE, bytes_of(text, NOTE_LEN));
}

static void append_row(struct arrow_builder *b, int64_t row)
{
    uint64_t place = ((uint64_t)row * 0x9e3779b1u) & POOL_MASK;
    uint64_t h = hash_u64(place + 1);
    double price = (double)(h % 1000000) / 100;
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
    append_note(b, hash_u64(h + 5));
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
