#include "bench_kv.h"

#include "bench_rows.h"
#include "bench_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "format/key.h"
#include "format/row.h"
#include "format/value_batch.h"

#define EVENT_TIME_MS INT64_C(1760000000000)
#define VERSION_MS    1000
#define STRIDE        INT64_C(2654435761) /* a prime above any number of keys */

enum column { ID, ITEM, USER_NAME, SESSION, PRICE, EVENT_TIME, NOTE };
static_assert(NOTE + 1 == BENCH_KV_COLUMNS, "the columns of the header");

static const struct bench_column columns[BENCH_KV_COLUMNS] = {
    [ID] = {"id", "BIGINT", 0, 0, true},
    [ITEM] = {"item", "INTEGER", 0, 0, true},
    [USER_NAME] = {"user_name", "STRING", 0, 0, false},
    [SESSION] = {"session", "STRING", 0, 0, false},
    [PRICE] = {"price", "DOUBLE", 0, 0, false},
    [EVENT_TIME] = {"event_time", "TIMESTAMP_WITHOUT_TIME_ZONE", 3, 0, false},
    [NOTE] = {"note", "STRING", 0, 0, false},
};

struct bench_kv {
    int64_t keys;
    int32_t prefix_rows; /* 0: id is the whole key */
    struct bytes json;
    struct table_descriptor *descriptor;
    struct table_options options;
    struct key_format primary;
    struct key_format bucket;
    struct arena arena;
};

static enum errcode describe(struct bench_kv *kv, const struct bench_options *options,
                             struct error *e)
{
    static const char *const key[] = {"id", "item"};
    struct bench_table table = {.columns = columns,
                                .column_count = BENCH_KV_COLUMNS,
                                .primary_key = key,
                                .primary_key_count = options->prefix_rows > 0 ? 2 : 1,
                                .bucket_key_count = 1};

    TRY(bench_table_json(&table, options, &kv->arena, &kv->json, e));
    TRY(table_descriptor_parse(kv->json, &kv->descriptor, e));
    return table_options_parse(kv->descriptor->def.properties, &kv->options, e);
}

enum errcode bench_kv_new(const struct bench_options *options, struct bench_kv **ret,
                          struct error *e)
{
    OWNED(bench_kv_freep) struct bench_kv *kv = mem_new(struct bench_kv);

    kv->keys = options->keys;
    kv->prefix_rows = options->prefix_rows;
    if (describe(kv, options, e) != ERR_OK) {
        return ERR_INVALID_ARGUMENT;
    }
    kv->primary = key_format_primary(kv->descriptor, &kv->options, &kv->arena);
    kv->bucket = key_format_bucket(kv->descriptor, &kv->options, &kv->arena);
    *ret = TAKE(kv);
    return ERR_OK;
}

void bench_kv_free(struct bench_kv *kv)
{
    if (kv != NULL) {
        (void)table_descriptor_unref(kv->descriptor);
        arena_fini(&kv->arena);
        free(kv);
    }
}

void bench_kv_freep(struct bench_kv **kv) { bench_kv_free(*kv); }

struct bytes bench_kv_descriptor(const struct bench_kv *kv) { return kv->json; }

int64_t bench_kv_shuffled(int64_t count, int64_t i)
{
    static_assert(BENCH_KEYS_MAX < STRIDE && BENCH_KEYS_MAX <= INT64_MAX / STRIDE,
                  "products fit and the stride divides no number of keys");
    ASSERT(i >= 0 && i < count && count <= BENCH_KEYS_MAX);
    return i * STRIDE % count;
}

int64_t bench_kv_ids(const struct bench_kv *kv)
{
    return kv->prefix_rows > 0 ? kv->keys / kv->prefix_rows : kv->keys;
}

/* ---- keys ---- */

static int64_t id_of(const struct bench_kv *kv, int64_t number)
{
    return kv->prefix_rows > 0 ? number / kv->prefix_rows : number;
}

enum errcode bench_kv_key(const struct bench_kv *kv, int64_t number, struct arena *arena,
                          struct bytes *ret, struct error *e)
{
    struct row_value values[2] = {{.integer = id_of(kv, number)}};

    if (kv->prefix_rows > 0) {
        values[1].integer = number % kv->prefix_rows;
    }
    return key_encode(&kv->primary, values, arena, ret, e);
}

enum errcode bench_kv_prefix(const struct bench_kv *kv, int64_t id, struct arena *arena,
                             struct bytes *ret, struct error *e)
{
    struct row_value value = {.integer = id};

    return key_encode(&kv->bucket, &value, arena, ret, e);
}

enum errcode bench_kv_bucket(const struct bench_kv *kv, int64_t number, int32_t count, int32_t *ret,
                             struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes key;

    if (count == 1) {
        *ret = 0;
        return ERR_OK;
    }
    TRY(bench_kv_prefix(kv, id_of(kv, number), &arena, &key, e));
    return bucketing_bucket(key_bucketing(&kv->options), key, count, ret, e);
}

/* ---- rows ---- */

static struct bytes text_of(struct arena *arena, const char *fmt, uint64_t value)
{
    char *text = arena_printf(arena, fmt, (unsigned long long)value);

    ASSERT(strlen(text) == 16);
    return bytes_of(text, 16);
}

static struct row_format format_of(const struct bench_kv *kv)
{
    enum row_layout layout =
        kv->options.kv_format == KV_FORMAT_INDEXED ? ROW_INDEXED : ROW_COMPACTED;

    return (struct row_format){layout, kv->descriptor->def.schema->row};
}

enum errcode bench_kv_row(const struct bench_kv *kv, struct bench_kv_version which,
                          struct arena *arena, struct bytes *ret, struct error *e)
{
    int64_t n = which.number;
    uint64_t h = hash_u64(((uint64_t)n << 32) + which.version + 1);
    struct row_value fields[BENCH_KV_COLUMNS] = {{0}};
    char note[BENCH_NOTE_LEN];

    bench_note(hash_u64(h + 5), note);
    fields[ID].integer = id_of(kv, n);
    fields[ITEM].integer = kv->prefix_rows > 0 ? n % kv->prefix_rows : (int64_t)(h % 1000);
    fields[USER_NAME].bytes = text_of(arena, "user-%011llu", hash_u64(h + 2) % 5000000);
    fields[SESSION].bytes = text_of(arena, "%016llx", hash_u64(h + 3));
    fields[PRICE].real64 = (double)(h % 1000000) / 100;
    fields[EVENT_TIME].timestamp.millis =
        EVENT_TIME_MS + n % VERSION_MS + (int64_t)which.version * VERSION_MS;
    fields[NOTE].bytes = bytes_of(note, sizeof note);
    return row_encode(format_of(kv), fields, arena, ret, e);
}

/* Which version of row `number` the row is, as its event time says. */
static enum errcode version_of(const struct bench_kv *kv, int64_t number, struct bytes row,
                               uint32_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value *fields;
    int64_t ms;

    TRY(row_decode(format_of(kv), row, &arena, &fields, e));
    ms = fields[EVENT_TIME].null ? 0 : fields[EVENT_TIME].timestamp.millis - EVENT_TIME_MS;
    *ret = (uint32_t)((ms - number % VERSION_MS) / VERSION_MS);
    return ERR_OK;
}

enum errcode bench_kv_check(const struct bench_kv *kv, int64_t number, struct bytes value,
                            struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bench_kv_version which = {.number = number};
    struct bytes row;

    if (value.len < VALUE_HEADER_SIZE ||
        version_of(kv, number, value_row(value), &which.version, NULL) != ERR_OK) {
        return error_set(e, ERR_CORRUPT_RECORD, "the value of row %lld is no row",
                         (long long)number);
    }
    TRY(bench_kv_row(kv, which, &arena, &row, e));
    if (!bytes_equal(value_row(value), row)) {
        return error_set(e, ERR_CORRUPT_RECORD, "the value of row %lld is not what was upserted",
                         (long long)number);
    }
    return ERR_OK;
}
