#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "format/arrow_read.h"
#include "format/batch.h"
#include "format/value_batch.h"

#define COLUMNS_MAX (6 + TABLE_SCHEMAS_MAX)
#define TEXT_MAX    4096

#define VERSIONED_JSON                                                                             \
    ",\"table.merge-engine\":\"versioned\",\"table.merge-engine.versioned.ver-column\":\"b\""

/* ---- what rows hold ---- */

static uint64_t mix(int64_t a, int64_t b, uint64_t c)
{
    return hash_u64(hash_u64((uint64_t)a * 31 + c) ^ (uint64_t)b);
}

/* Mostly short, sometimes long, so that segments roll. */
static size_t text_length(uint64_t h)
{
    if (h % 61 == 0) {
        return 500 + (h >> 8) % 3000;
    }
    return (h >> 8) % 40;
}

/* prefix and a tail of letters that follows from h. */
static struct bytes text_of(struct arena *arena, const char *prefix, uint64_t h)
{
    size_t head = strlen(prefix);
    size_t len = head + text_length(h);
    uint8_t *text = arena_alloc(arena, len);

    ASSERT(len <= TEXT_MAX);
    memcpy(text, prefix, head);
    for (size_t at = head; at < len; at += 4) {
        uint64_t rest;

        h = h * UINT64_C(6364136223846793005) + 1442695040888963407u;
        rest = h;
        for (size_t i = at; i < at + 4 && i < len; i++) { /* 16 bits make a letter */
            text[i] = (uint8_t)('a' + ((rest & 0xffff) * 26 >> 16));
            rest >>= 16;
        }
    }
    return bytes_of(text, len);
}

static struct bytes note_of(int64_t writer, int64_t number, struct arena *arena)
{
    return text_of(arena, "", mix(writer, number, 1));
}

static struct bytes c_text(int64_t c, struct arena *arena)
{
    return text_of(arena, arena_printf(arena, "%" PRId64 ":", c), mix(c, c, 2));
}

/* The number that c_text made a text of. */
static bool c_number(struct bytes text, int64_t *ret)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *end;

    *ret = strtoll(arena_strndup(&arena, text.data, text.len), &end, 10);
    return *end == ':' && bytes_equal(text, c_text(*ret, &arena));
}

static int64_t x_of(int64_t writer, int64_t number, size_t column)
{
    return (int64_t)mix(writer, number, 100 + column);
}

/* ---- descriptors ---- */

static const char *column_json(struct arena *a, const char *name, const char *type,
                               const char *more)
{
    return arena_printf(a, "{\"name\":\"%s\",\"data_type\":{\"type\":\"%s\"%s}", name, type, more);
}

/* Columns of the table before any ALTER, as the first part of a schema. */
static const char *first_columns(const struct table *t, struct arena *a, int32_t *ret_count)
{
    const char *required = ",\"nullable\":false";
    const char *key = arena_printf(a, "%s,\"id\":0}", column_json(a, "k", "BIGINT", required));
    bool sum = t->engine == ENGINE_SUM;

    if (!table_keyed(t)) {
        bool parts = t->partition_count > 0;

        *ret_count = parts ? 4 : 3;
        return arena_printf(
            a, "%s,\"id\":0},%s,\"id\":1},%s,\"id\":2}%s", column_json(a, "writer", "BIGINT", ""),
            column_json(a, "number", "BIGINT", ""), column_json(a, "note", "STRING", ""),
            parts ? arena_printf(a, ",%s,\"id\":3}", column_json(a, "part", "STRING", "")) : "");
    }
    if (t->prefixed) {
        key = arena_printf(a, "%s,%s,\"id\":1}", key, column_json(a, "sub", "BIGINT", required));
    }
    *ret_count = t->prefixed ? 5 : 4;
    return arena_printf(a, "%s,%s%s,\"id\":%d},%s%s,\"id\":%d},%s%s,\"id\":%d}", key,
                        column_json(a, "a", "BIGINT", ""),
                        sum ? ",\"agg_function\":{\"type\":\"last_value\"}" : "", *ret_count - 3,
                        column_json(a, "b", "BIGINT", ""),
                        sum ? ",\"agg_function\":{\"type\":\"sum\"}" : "", *ret_count - 2,
                        column_json(a, "c", "STRING", ""),
                        sum ? ",\"agg_function\":{\"type\":\"last_value\"}" : "", *ret_count - 1);
}

const char *table_column(const struct table *t, int32_t index, struct arena *arena)
{
    (void)t;
    return arena_printf(arena, "x%d", index);
}

static const char *schema_json(const struct table *t, int32_t added, struct arena *a)
{
    int32_t count;
    const char *columns = first_columns(t, a, &count);

    for (int32_t i = 1; i <= added; i++) {
        columns = arena_printf(a, "%s,%s,\"id\":%d}", columns,
                               column_json(a, table_column(t, i, a), "BIGINT", ""), count++);
    }
    return arena_printf(a, "{\"version\":1,\"columns\":[%s],%s\"highest_field_id\":%d}", columns,
                        !table_keyed(t) ? ""
                                        : (t->prefixed ? "\"primary_key\":[\"k\",\"sub\"],"
                                                       : "\"primary_key\":[\"k\"],"),
                        count - 1);
}

static const char *properties_json(const struct table *t, struct prng *prng, struct arena *a)
{
    static const char *const codecs[] = {"NONE", "LZ4_FRAME", "ZSTD"};
    static const char *const engines[] = {[ENGINE_LOG] = "",
                                          [ENGINE_LAST_ROW] = "",
                                          [ENGINE_FIRST_ROW] =
                                              ",\"table.merge-engine\":\"first_row\"",
                                          [ENGINE_VERSIONED] = VERSIONED_JSON,
                                          [ENGINE_SUM] = ",\"table.merge-engine\":\"aggregation\""};

    return arena_printf(
        a, "{\"table.log.arrow.compression.type\":\"%s\",\"table.log.ttl\":\"36500 d\"%s}",
        codecs[prng_below(prng, ARRAY_LEN(codecs))], engines[t->engine]);
}

static struct schema *parse_schema(const char *json)
{
    struct schema *schema = NULL;
    struct error e;

    if (schema_parse(bytes_str(json), &schema, &e) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", e.message);
        ASSERT(false);
    }
    return schema;
}

static void describe(struct table *t, struct prng *prng)
{
    const char *json = arena_printf(
        &t->arena,
        "{\"version\":1,\"schema\":%s,\"partition_key\":[%s],\"bucket_key\":[%s],"
        "\"bucket_count\":%d,\"properties\":%s,\"custom_properties\":{}}",
        schema_json(t, 0, &t->arena), t->partition_count > 0 ? "\"part\"" : "",
        table_keyed(t) ? "\"k\"" : "", t->bucket_count, properties_json(t, prng, &t->arena));
    struct error e;

    t->json = bytes_str(json);
    if (table_descriptor_parse(t->json, &t->descriptor, &e) != ERR_OK ||
        table_options_parse(t->descriptor->def.properties, &t->options, &e) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", e.message);
        ASSERT(false);
    }
    if (table_keyed(t)) {
        t->primary = key_format_primary(t->descriptor, &t->options, &t->arena);
        t->bucket = key_format_bucket(t->descriptor, &t->options, &t->arena);
    }
}

static void draw(struct table *t, struct prng *prng, unsigned number)
{
    static const enum engine engines[] = {ENGINE_LOG,       ENGINE_LAST_ROW, ENGINE_LOG,
                                          ENGINE_LAST_ROW,  ENGINE_SUM,      ENGINE_VERSIONED,
                                          ENGINE_FIRST_ROW, ENGINE_LOG};

    t->engine = number < 2 ? engines[number] : engines[prng_below(prng, ARRAY_LEN(engines))];
    t->bucket_count = (int32_t)prng_between(prng, 1, 3);
    t->keys = prng_between(prng, 2, 24);
    if (table_keyed(t)) {
        t->prefixed = prng_below(prng, 3) == 0;
    } else if (number > 0 && prng_below(prng, 2) == 0) {
        t->partition_count = TABLE_PARTITIONS_MAX;
    }
}

static void draw_names(struct table *t, unsigned number)
{
    struct arena *a = &t->arena;

    t->database = "sim";
    t->name = arena_printf(a, "t%u", number);
    t->full_name = arena_printf(a, "sim.%s", t->name);
    for (size_t i = 0; i < t->partition_count; i++) {
        t->partitions[i].name = arena_printf(a, "p%zu", i);
        t->partitions[i].id = -1;
        t->partitions[i].doomed = -2; /* none */
        t->partitions[i].full_name = arena_printf(a, "%s/%s", t->full_name, t->partitions[i].name);
    }
}

struct table *table_new(struct prng *prng, unsigned number)
{
    struct table *t = mem_new(struct table);

    draw(t, prng, number);
    draw_names(t, number);
    describe(t, prng);
    for (int32_t i = 0; i < TABLE_SCHEMAS_MAX; i++) {
        t->schemas[i] = parse_schema(schema_json(t, i, &t->arena));
        t->rows[i] = arrow_rows_new(t->schemas[i]->row);
    }
    t->narrow = parse_schema(arena_printf(&t->arena,
                                          "{\"version\":1,\"columns\":[%s,\"id\":0},%s,\"id\":1},"
                                          "%s,\"id\":2}],\"highest_field_id\":2}",
                                          column_json(&t->arena, "writer", "BIGINT", ""),
                                          column_json(&t->arena, "number", "BIGINT", ""),
                                          column_json(&t->arena, "note", "STRING", "")));
    t->codec = codec_new();
    t->id = -1;
    t->schema_id = 1;
    return t;
}

void table_free(struct table *t)
{
    for (int32_t i = 0; i < TABLE_SCHEMAS_MAX; i++) {
        arrow_rows_free(t->rows[i]);
        (void)schema_unref(t->schemas[i]);
    }
    (void)schema_unref(t->narrow);
    (void)table_descriptor_unref(t->descriptor);
    kv_batch_writer_fini(&t->kv_writer);
    codec_free(t->codec);
    arena_fini(&t->arena);
    free(t);
}

/* ---- writing ---- */

static size_t fill_log_row(const struct table *t, const struct table_run *run, int64_t number,
                           struct arena *arena, struct row_value *fields)
{
    const struct schema *schema = t->schemas[t->schema_id - 1];
    size_t n = 3;

    fields[0].integer = run->writer;
    fields[1].integer = number;
    fields[2].bytes = note_of(run->writer, number, arena);
    if (t->partition_count > 0) {
        fields[n++].bytes = bytes_str(run->partition);
    }
    for (; n < schema->count; n++) {
        fields[n].integer = x_of(run->writer, number, n);
    }
    return n;
}

struct bytes table_log_batch(struct table *t, const struct table_run *run,
                             struct table_writer writer, struct arena *arena)
{
    struct arrow_rows *rows = t->rows[t->schema_id - 1];
    struct arrow_build_codec build = {t->codec, t->options.arrow_compression,
                                      CODEC_ZSTD_LEVEL_DEFAULT};
    struct batch_spec spec = {.append_only = true,
                              .schema_id = (int16_t)t->schema_id,
                              .record_count = run->count,
                              .writer_id = writer.id,
                              .batch_sequence = writer.sequence};
    enum errcode code = ERR_OK;

    arrow_rows_clear(rows);
    for (int32_t i = 0; i < run->count && code == ERR_OK; i++) {
        struct row_value fields[COLUMNS_MAX] = {{0}};

        (void)fill_log_row(t, run, run->first + i, arena, fields);
        code = arrow_rows_append_values(rows, fields, NULL);
    }
    if (code == ERR_OK) {
        code = arrow_rows_finish(rows, &build, arena, &spec.body, NULL);
    }
    ASSERT(code == ERR_OK);
    return batch_build(&spec, arena);
}

static struct row_format kv_row_format(const struct table *t, int32_t schema_id)
{
    return (struct row_format){t->options.kv_format == KV_FORMAT_INDEXED ? ROW_INDEXED
                                                                         : ROW_COMPACTED,
                               t->schemas[schema_id - 1]->row};
}

/* The key's columns; returns how many. */
static size_t fill_key(const struct table *t, int64_t key, struct row_value *fields)
{
    fields[0].integer = t->prefixed ? key / TABLE_SUBS : key;
    if (t->prefixed) {
        fields[1].integer = key % TABLE_SUBS;
    }
    return t->prefixed ? 2 : 1;
}

static struct bytes kv_row(const struct table *t, const struct table_put *put, struct arena *arena)
{
    const struct values *values = &put->values;
    struct row_value fields[COLUMNS_MAX] = {{0}};
    struct bytes row = BYTES_EMPTY;
    size_t n = fill_key(t, put->key, fields);
    enum errcode code;

    fields[n].integer = values->v[0];
    fields[n + 1].integer = values->v[1];
    fields[n + 2].bytes = c_text(values->v[2], arena);
    for (unsigned i = 0; i < HISTORY_VALUES; i++) {
        fields[n + i].null = (values->nulls >> i & 1) != 0;
    }
    for (n += HISTORY_VALUES; n < t->schemas[t->schema_id - 1]->count; n++) {
        fields[n].null = true;
    }
    code = row_encode(kv_row_format(t, t->schema_id), fields, arena, &row, NULL);
    ASSERT(code == ERR_OK);
    return row;
}

struct bytes table_kv_batch(struct table *t, const struct table_put *puts, size_t count,
                            struct table_writer writer, struct arena *arena)
{
    kv_batch_writer_begin(&t->kv_writer, (int16_t)t->schema_id);
    for (size_t i = 0; i < count; i++) {
        kv_batch_writer_add(&t->kv_writer, table_key(t, puts[i].key, arena),
                            puts[i].remove ? BYTES_EMPTY : kv_row(t, &puts[i], arena));
    }
    return arena_copy(arena, kv_batch_writer_finish(&t->kv_writer, writer.id, writer.sequence));
}

size_t table_targets(const struct table *t, uint8_t mask, int32_t ret[static 2 + HISTORY_VALUES])
{
    size_t keys = t->prefixed ? 2 : 1;
    size_t n = 0;

    for (; n < keys; n++) {
        ret[n] = (int32_t)n;
    }
    for (size_t i = 0; i < HISTORY_VALUES; i++) {
        if ((mask >> i & 1) != 0) {
            ret[n++] = (int32_t)(keys + i);
        }
    }
    return n;
}

struct bytes table_key(const struct table *t, int64_t key, struct arena *arena)
{
    struct row_value fields[2] = {{0}};
    struct bytes bytes = BYTES_EMPTY;
    enum errcode code;

    (void)fill_key(t, key, fields);
    code = key_encode(&t->primary, fields, arena, &bytes, NULL);
    ASSERT(code == ERR_OK);
    return bytes;
}

struct bytes table_prefix(const struct table *t, int64_t k, struct arena *arena)
{
    struct row_value field = {.integer = k};
    struct bytes bytes = BYTES_EMPTY;
    enum errcode code = key_encode(&t->bucket, &field, arena, &bytes, NULL);

    ASSERT(code == ERR_OK);
    return bytes;
}

int32_t table_bucket_of(const struct table *t, int64_t key)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes k = table_prefix(t, t->prefixed ? key / TABLE_SUBS : key, &arena);
    int32_t bucket = 0;
    enum errcode code =
        bucketing_bucket(key_bucketing(&t->options), k, t->bucket_count, &bucket, NULL);

    ASSERT(code == ERR_OK);
    return bucket;
}

/* ---- reading ---- */

static struct row *add_row(struct rows *rows, struct arena *arena)
{
    if (rows->count == rows->cap) {
        struct row *more;

        rows->cap = rows->cap == 0 ? 64 : rows->cap * 2;
        more = arena_array(arena, rows->cap, sizeof *more);
        if (rows->count > 0) {
            memcpy(more, rows->items, rows->count * sizeof *more);
        }
        rows->items = more;
    }
    rows->items[rows->count] = (struct row){0};
    return &rows->items[rows->count++];
}

/* Whether what stands besides writer and number is what that writer wrote in that row. */
static bool read_log_row(const struct table *t, const struct row_value *fields, size_t count,
                         struct row *row, struct arena *arena)
{
    int64_t writer = fields[0].integer;
    int64_t number = fields[1].integer;

    row->values.v[0] = writer;
    row->values.v[1] = number;
    if (fields[0].null || fields[1].null || fields[2].null ||
        !bytes_equal(fields[2].bytes, note_of(writer, number, arena))) {
        return false;
    }
    for (size_t i = t->partition_count > 0 ? 4 : 3; i < count; i++) {
        if (fields[i].null || fields[i].integer != x_of(writer, number, i)) {
            return false;
        }
    }
    return true;
}

static bool read_kv_row(const struct table *t, const struct row_value *fields, int64_t *ret_key,
                        struct values *ret)
{
    size_t n = t->prefixed ? 2 : 1;
    bool good = true;

    *ret = (struct values){.nulls = 0};
    *ret_key = t->prefixed ? fields[0].integer * TABLE_SUBS + fields[1].integer : fields[0].integer;
    for (unsigned i = 0; i < HISTORY_VALUES; i++) {
        const struct row_value *f = &fields[n + i];

        if (f->null) {
            ret->nulls |= (uint8_t)(1u << i);
        } else if (i < 2) {
            ret->v[i] = f->integer;
        } else {
            good = c_number(f->bytes, &ret->v[i]);
        }
    }
    return good;
}

static bool read_body(struct table *t, const struct batch *batch, const struct schema *schema,
                      struct arena *arena, struct row *rows)
{
    const struct batch_header *h = &batch->header;
    struct bytes body = batch_body(h, batch->data);
    size_t changes = batch_append_only(h) ? 0 : (size_t)h->record_count;
    struct arrow_reader reader;
    bool good = true;

    if (body.len < changes ||
        arrow_reader_open(schema->row, bytes_slice(body, changes, body.len - changes), t->codec,
                          arena, &reader, NULL) != ERR_OK ||
        reader.row_count != (size_t)h->record_count) {
        return false;
    }
    for (size_t i = 0; i < reader.row_count; i++) {
        struct row_value fields[COLUMNS_MAX] = {{0}};

        arrow_reader_row(&reader, i, arena, fields);
        rows[i].change = changes == 0 ? ROW_APPEND : body.data[i];
        rows[i].damaged = table_keyed(t) ? !read_kv_row(t, fields, &rows[i].key, &rows[i].values)
                                         : !read_log_row(t, fields, schema->count, &rows[i], arena);
        good = good && !rows[i].damaged;
    }
    return good;
}

static void read_batch(struct table *t, const struct batch *batch, bool narrow, struct arena *arena,
                       struct rows *ret)
{
    OWNED(arena_fini) struct arena decoded = ARENA_INIT;
    const struct batch_header *h = &batch->header;
    int64_t count = batch_next_offset(h) - h->base_offset;
    size_t first = ret->count;
    bool known = h->schema_id >= 1 && h->schema_id <= TABLE_SCHEMAS_MAX;
    bool good = known && (narrow || batch_check_crc(h, batch->data, NULL) == ERR_OK);

    if (count < 1 || count > 100000) {
        add_row(ret, arena)->damaged = true;
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        struct row *row = add_row(ret, arena);

        row->offset = h->base_offset + i;
        row->change = ROW_NOTHING;
    }
    if (good && h->record_count > 0) {
        good = h->record_count == count &&
               read_body(t, batch, narrow ? t->narrow : t->schemas[h->schema_id - 1], &decoded,
                         ret->items + first);
    }
    if (!good) {
        ret->items[first].damaged = true;
    }
}

void table_read_log(struct table *t, struct bytes batches, bool narrow, struct arena *arena,
                    struct rows *ret)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    batch_iterator_init(&it, batches);
    while (found) {
        if (batch_next(&it, &batch, &found, NULL) != ERR_OK) {
            add_row(ret, arena)->damaged = true;
            return;
        }
        if (found) {
            read_batch(t, &batch, narrow, arena, ret);
        }
    }
}

bool table_read_value(struct table *t, struct bytes value, int64_t *ret_key, struct values *ret)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value *fields;
    int16_t schema_id;

    if (value.len < VALUE_HEADER_SIZE) {
        return false;
    }
    schema_id = value_schema_id(value);
    if (schema_id < 1 || schema_id > TABLE_SCHEMAS_MAX ||
        row_decode(kv_row_format(t, schema_id), value_row(value), &arena, &fields, NULL) !=
            ERR_OK) {
        return false;
    }
    return read_kv_row(t, fields, ret_key, ret);
}
