/* Replaying changelog batches, see replay.h. */
#include "replay.h"

#include "changelog.h"
#include "key_index.h"

#include <stdlib.h>

#include "format/arrow_read.h"
#include "format/value_batch.h"

struct kv_replay {
    struct kv_table *table;
    struct key_format key;
    struct codec *codec;
    struct arena batch;       /* lives as long as a batch */
    struct arena scratch;     /* of one row */
    struct row_value *values; /* of a row, as many as the latest schema has columns */
    struct row_value *key_values;
};

/* One batch being replayed. */
struct walk {
    struct kv_replay *r;
    const struct schema *schema; /* of the batch */
    struct key_index index;
    struct kv_change *changes; /* by number of the key */
    int32_t record;            /* the one being applied */
    struct arena *arena;
    struct kv_replayed *ret;
};

static enum errcode walk_arrow(struct walk *w, struct bytes body, size_t count, struct error *e);
static enum errcode walk_compacted(struct walk *w, struct bytes body, size_t count,
                                   struct error *e);

struct kv_replay *kv_replay_new(struct kv_table *table, const struct key_format *key)
{
    struct kv_replay *r = mem_new(struct kv_replay);

    r->table = kv_table_ref(table);
    r->key = *key;
    r->codec = codec_new();
    r->values = mem_zalloc(table->schema->count * sizeof *r->values);
    r->key_values = mem_zalloc(key->columns->count * sizeof *r->key_values);
    return r;
}

void kv_replay_free(struct kv_replay *r)
{
    if (r != NULL) {
        codec_free(r->codec);
        arena_fini(&r->batch);
        arena_fini(&r->scratch);
        free(r->values);
        free(r->key_values);
        (void)kv_table_unref(r->table);
        free(r);
    }
}

void kv_replay_freep(struct kv_replay **r) { kv_replay_free(*r); }

static enum errcode corrupt(struct error *e, const char *what)
{
    return error_set(e, ERR_CORRUPT_RECORD, "not a changelog batch: %s", what);
}

static const struct schema *schema_of(const struct kv_table *table, int16_t id)
{
    for (size_t i = 0; i < table->schema_count; i++) {
        if (table->schemas[i].id == id) {
            return table->schemas[i].schema;
        }
    }
    return NULL;
}

enum errcode kv_replay_batch(struct kv_replay *r, const struct batch_header *header,
                             struct bytes data, struct arena *arena, struct kv_replayed *ret,
                             struct error *e)
{
    struct bytes body = batch_body(header, data);
    size_t count = (size_t)header->record_count;
    struct walk w = {.r = r, .arena = arena, .ret = ret};

    *ret = (struct kv_replayed){.id_max = INT64_MIN};
    w.schema = schema_of(r->table, header->schema_id);
    if (w.schema == NULL) {
        return error_set(e, ERR_SCHEMA_NOT_EXIST, "changes of schema %d, the latest is %d",
                         header->schema_id, r->table->schema_id);
    }
    if (r->table->log_format == LOG_FORMAT_INDEXED) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "a changelog of the log format INDEXED");
    }
    if (batch_append_only(header) || count > body.len || (count == 0 && body.len > 0)) {
        return corrupt(e, "append-only, or more records than bytes");
    }
    if (count == 0) {
        return ERR_OK;
    }
    arena_reset(&r->batch);
    w.index = key_index_new(count, &r->batch);
    w.changes = arena_alloc(arena, count * sizeof *w.changes);
    if (r->table->log_format == LOG_FORMAT_ARROW) {
        TRY(walk_arrow(&w, body, count, e));
    } else {
        TRY(walk_compacted(&w, body, count, e));
    }
    ret->changes = w.changes;
    ret->change_count = w.index.count;
    return ERR_OK;
}

/* ---- one change ---- */

/* Copies key and value into the arena of the caller; the key only the first time. */
static void set_change(struct walk *w, struct bytes key, struct bytes row)
{
    size_t size = row.len > 0 ? VALUE_HEADER_SIZE + row.len : 0;
    struct writer value = writer_of(arena_alloc(w->arena, size), size);
    size_t before = w->index.count;
    uint32_t number = key_index_add(&w->index, key);
    struct index_key *indexed = &w->index.keys[number];

    if (number == before) {
        indexed->key = arena_copy(w->arena, key);
    }
    if (row.len > 0) {
        writer_i16le(&value, w->r->table->schema_id);
        writer_bytes(&value, row);
    }
    w->changes[number] = (struct kv_change){.key = indexed->key,
                                            .value = bytes_of(value.data, size),
                                            .hash = indexed->hash,
                                            .record = w->record};
}

static void note_id(struct walk *w)
{
    int32_t column = w->r->table->schema->auto_increment;

    if (column >= 0 && !w->r->values[column].null &&
        w->r->values[column].integer > w->ret->id_max) {
        w->ret->id_max = w->r->values[column].integer;
    }
}

/* The row is in r->values, up to the columns of the batch's schema. */
static enum errcode apply(struct walk *w, enum change_type type, struct error *e)
{
    struct kv_replay *r = w->r;
    struct row_format format = {.layout = r->table->layout, .row = r->table->schema->row};
    struct bytes key;
    struct bytes row = BYTES_EMPTY;

    w->ret->row_delta += type == CHANGE_INSERT || type == CHANGE_UPDATE_AFTER ? 1 : -1;
    if (type == CHANGE_UPDATE_BEFORE) {
        return ERR_OK;
    }
    for (uint32_t i = w->schema->count; i < format.row->count; i++) {
        r->values[i] = (struct row_value){.null = true};
    }
    for (uint32_t i = 0; i < r->key.columns->count; i++) {
        r->key_values[i] = r->values[r->key.positions[i]];
    }
    if (key_encode(&r->key, r->key_values, &r->scratch, &key, e) != ERR_OK) {
        return corrupt(e, "a key column without a value");
    }
    if (type != CHANGE_DELETE && row_encode(format, r->values, &r->scratch, &row, e) != ERR_OK) {
        return corrupt(e, "a row that does not fit the schema");
    }
    if (type == CHANGE_INSERT) {
        note_id(w);
    }
    set_change(w, key, row);
    return ERR_OK;
}

static enum errcode check_type(uint8_t type, struct error *e)
{
    return type > CHANGE_APPEND && type <= CHANGE_TYPE_MAX ? ERR_OK
                                                           : corrupt(e, "unknown change type");
}

/* ---- batches ---- */

static enum errcode walk_arrow(struct walk *w, struct bytes body, size_t count, struct error *e)
{
    struct kv_replay *r = w->r;
    struct bytes types = bytes_slice(body, 0, count);
    struct arrow_reader reader;

    TRY(arrow_reader_open(w->schema->row, bytes_slice(body, count, body.len - count), r->codec,
                          &r->batch, &reader, e));
    if (reader.row_count != count) {
        return corrupt(e, "another number of rows");
    }
    for (size_t i = 0; i < count; i++) {
        w->record = (int32_t)i;
        TRY(check_type(types.data[i], e));
        arena_reset(&r->scratch);
        if (types.data[i] != CHANGE_UPDATE_BEFORE) {
            arrow_reader_row(&reader, i, &r->scratch, r->values);
        }
        TRY(apply(w, (enum change_type)types.data[i], e));
    }
    return ERR_OK;
}

static enum errcode walk_compacted(struct walk *w, struct bytes body, size_t count, struct error *e)
{
    const struct row_format format = {.layout = ROW_COMPACTED, .row = w->schema->row};
    struct reader in = reader_of(body);

    for (size_t i = 0; i < count; i++) {
        struct reader record = reader_of(reader_bytes(&in, reader_u32le(&in)));
        uint8_t type = reader_u8(&record);
        const struct row_value *values = NULL;

        w->record = (int32_t)i;
        if (in.failed || record.failed) {
            return corrupt(e, "a record cut short");
        }
        TRY(check_type(type, e));
        arena_reset(&w->r->scratch);
        TRY(row_decode(format, record.rest, &w->r->scratch, &values, e));
        memcpy(w->r->values, values, w->schema->count * sizeof *values);
        TRY(apply(w, (enum change_type)type, e));
    }
    return in.rest.len == 0 ? ERR_OK : corrupt(e, "bytes behind the last record");
}
