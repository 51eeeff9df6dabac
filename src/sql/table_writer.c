#include "table_writer.h"

#include "job.h"

#include <stdlib.h>

#include "format/arrow_rows.h"
#include "format/batch.h"
#include "format/key.h"
#include "format/kv_batch.h"
#include "format/partition.h"
#include "format/partition_value.h"
#include "format/stats_write.h"
#include "io/clock.h"
#include "io/gate.h"

#define ACK_TIMEOUT_US INT64_C(60000000)
#define ROWS_MAX       100000 /* of one flush */
#define RETRY_US       INT64_C(20000)
#define RETRIES_MAX    1500 /* half a minute of a bucket that is behind */

/* The rows of one bucket. */
struct open_bucket {
    struct bucket_id id;
    uint64_t rows;
    struct arrow_rows *columns;     /* of an ARROW log */
    struct stats_writer *stats;     /* NULL: none */
    struct buffer log_records;      /* of another log, see row_batch.h */
    struct kv_batch_writer records; /* of a primary-key table */
    struct bytes batch;             /* when it is sent */
    struct append_op append;
    struct put_op put;
    struct message message;
    struct timer retry;
    unsigned retries;
    struct table_writer *writer;
};

struct table_writer {
    struct sql_session *session;
    const struct meta_table *table; /* a reference */
    const struct schema *schema;
    int32_t schema_id;
    struct table_write write;
    bool keyed;    /* a primary-key table */
    bool columnar; /* an ARROW log */
    struct row_format format;
    struct key_format primary;
    struct key_format bucket_key;
    struct stats_columns stats_columns;
    bool hashed; /* rows have a bucket; else one is drawn for each flush */
    uint64_t drawn;
    struct codec *codec;
    struct arena plan;
    struct arena arena; /* until the next flush */
    struct open_bucket **open;
    size_t open_count;
    uint64_t pending;
    uint64_t count;
    struct gate *gate;
};

/* ---- life ---- */

static void take_formats(struct table_writer *w)
{
    const struct table_descriptor *d = w->table->descriptor;
    const struct table_options *o = w->table->options;

    bool indexed;

    w->keyed = table_has_primary_key(d);
    w->columnar = !w->keyed && o->log_format == LOG_FORMAT_ARROW;
    w->hashed = d->def.bucket_keys.count > 0;
    indexed = w->keyed ? o->kv_format == KV_FORMAT_INDEXED : o->log_format == LOG_FORMAT_INDEXED;
    w->format =
        (struct row_format){.layout = indexed ? ROW_INDEXED : ROW_COMPACTED, .row = w->schema->row};
    if (w->keyed) {
        w->primary = key_format_primary(d, o, &w->plan);
    }
    if (w->hashed) {
        w->bucket_key = key_format_bucket(d, o, &w->plan);
    }
    if (w->columnar) {
        w->stats_columns = stats_columns_of(o->statistics_columns, w->schema, &w->plan);
    }
}

struct table_writer *table_writer_new(struct sql_session *s, const struct table_write *write)
{
    const struct meta_table *t = write->table;
    struct table_writer *w = mem_new(struct table_writer);

    w->session = s;
    w->table = meta_table_ref(t);
    w->schema = meta_table_latest(t)->schema;
    w->schema_id = meta_table_latest(t)->id;
    w->write = *write;
    w->codec = codec_new();
    w->drawn = random_u64();
    take_formats(w);
    return w;
}

static void close_buckets(struct table_writer *w)
{
    for (size_t i = 0; i < w->open_count; i++) {
        arrow_rows_free(w->open[i]->columns);
        stats_writer_free(w->open[i]->stats);
        buffer_fini(&w->open[i]->log_records);
        kv_batch_writer_fini(&w->open[i]->records);
        free(w->open[i]);
    }
    w->open_count = 0;
    w->pending = 0;
}

void table_writer_free(struct table_writer *w)
{
    if (w == NULL) {
        return;
    }
    close_buckets(w);
    free(w->open);
    codec_free(w->codec);
    arena_fini(&w->arena);
    arena_fini(&w->plan);
    (void)meta_table_unref(w->table);
    free(w);
}

struct arena *table_writer_arena(struct table_writer *w) { return &w->arena; }
uint64_t table_writer_count(const struct table_writer *w) { return w->count; }

/* ---- partitions ---- */

static enum errcode send_all(struct table_writer *w, struct error *e);

static enum errcode partition_values(struct table_writer *w, const struct row_value *row,
                                     struct text_list *ret, struct error *e)
{
    struct text_list keys = w->table->descriptor->def.partition_keys;
    const char **values = arena_array(&w->arena, keys.count, sizeof *values);

    for (size_t i = 0; i < keys.count; i++) {
        int32_t at = schema_find(w->schema, keys.items[i]);

        TRY(partition_value_text(w->schema->columns[at].type, &row[at], &w->arena, &values[i], e));
    }
    *ret = (struct text_list){.items = values, .count = keys.count};
    return ERR_OK;
}

/* The table as it is now: it may have got partitions. */
static enum errcode look_again(struct table_writer *w, struct error *e)
{
    const struct meta_table *now = meta_view_table_by_id(w->session->view, w->table->id);

    if (now == NULL) {
        return error_set(e, ERR_TABLE_NOT_EXIST, "%s.%s has been dropped", w->table->database,
                         w->table->name);
    }
    if (now != w->table) {
        const struct meta_table *old = w->table;

        w->table = meta_table_ref(now);
        w->schema = meta_table_schema(now, w->schema_id)->schema;
        w->format.row = w->schema->row;
        arena_fini(&w->plan);
        take_formats(w);
        (void)meta_table_unref(old);
    }
    return ERR_OK;
}

static enum errcode make_partition(struct table_writer *w, struct text_list values, struct error *e)
{
    struct text_list keys = w->table->descriptor->def.partition_keys;
    struct meta_spec *spec = arena_array(&w->arena, keys.count, sizeof *spec);
    struct job job = {.create_partition = {.job.kind = META_CREATE_PARTITION,
                                           .database = bytes_str(w->table->database),
                                           .table = bytes_str(w->table->name),
                                           .spec = spec,
                                           .spec_count = keys.count,
                                           .ignore_if_exists = true}};

    for (size_t i = 0; i < keys.count; i++) {
        spec[i] = (struct meta_spec){.key = bytes_str(keys.items[i]),
                                     .value = bytes_str(values.items[i])};
    }
    return job_run(w->session, &job, e);
}

static enum errcode find_partition(struct table_writer *w, const struct row_value *row,
                                   const struct meta_partition **ret, struct error *e)
{
    struct text_list values;
    const char *name;

    TRY(partition_values(w, row, &values, e));
    name = partition_name(values, &w->arena);
    *ret = meta_table_partition(w->table, bytes_str(name));
    if (*ret == NULL && !w->write.remove) {
        TRY(send_all(w, e)); /* what waits refers to the table as it was */
        TRY(make_partition(w, values, e));
        TRY(look_again(w, e));
        *ret = meta_table_partition(w->table, bytes_str(name));
    }
    return *ret != NULL ? ERR_OK
                        : error_set(e, ERR_PARTITION_NOT_EXISTS, "partition %.80s of %s.%s is gone",
                                    name, w->table->database, w->table->name);
}

/* ---- buckets ---- */

static enum errcode encode_key(struct table_writer *w, const struct key_format *format,
                               const struct row_value *row, struct bytes *ret, struct error *e)
{
    struct row_value *values = arena_array(&w->arena, format->columns->count, sizeof *values);

    for (uint32_t i = 0; i < format->columns->count; i++) {
        values[i] = row[format->positions[i]];
    }
    return key_encode(format, values, &w->arena, ret, e);
}

static enum errcode find_bucket(struct table_writer *w, const struct row_value *row,
                                struct bucket_id *ret, struct error *e)
{
    const struct meta_buckets *buckets = &w->table->buckets;
    struct bytes key;

    *ret = (struct bucket_id){.table_id = w->table->id, .partition_id = -1};
    if (meta_table_partitioned(w->table)) {
        const struct meta_partition *p;

        TRY(find_partition(w, row, &p, e));
        buckets = &p->buckets;
        ret->partition_id = p->id;
    }
    if (!w->hashed) {
        ret->bucket = (int32_t)(w->drawn % (uint64_t)buckets->count);
        return ERR_OK;
    }
    TRY(encode_key(w, &w->bucket_key, row, &key, e));
    return bucketing_bucket(key_bucketing(w->table->options), key, buckets->count, &ret->bucket, e);
}

static struct open_bucket *open_bucket(struct table_writer *w, const struct bucket_id *id)
{
    struct open_bucket *b;

    for (size_t i = w->open_count; i > 0; i--) {
        b = w->open[i - 1];
        if (b->id.partition_id == id->partition_id && b->id.bucket == id->bucket) {
            return b;
        }
    }
    b = mem_new(struct open_bucket);
    b->id = *id;
    b->writer = w;
    if (w->keyed) {
        kv_batch_writer_begin(&b->records, (int16_t)w->schema_id);
    } else if (w->columnar) {
        b->columns = arrow_rows_new(w->schema->row);
        b->stats =
            w->stats_columns.count > 0 ? stats_writer_new(w->schema->row, &w->stats_columns) : NULL;
    }
    w->open = mem_realloc(w->open, (w->open_count + 1) * sizeof(struct open_bucket *));
    w->open[w->open_count++] = b;
    return b;
}

static enum errcode check_nulls(const struct table_writer *w, const struct row_value *row,
                                struct error *e)
{
    for (uint32_t i = 0; i < w->schema->count && !w->write.remove; i++) {
        if (row[i].null && !w->schema->columns[i].type->nullable) {
            return error_set(e, ERR_INVALID_TARGET_COLUMN,
                             "null value in column \"%s\" of table \"%s\" violates not-null "
                             "constraint",
                             w->schema->columns[i].name, w->table->name);
        }
    }
    return ERR_OK;
}

static enum errcode add_record(struct table_writer *w, struct open_bucket *b,
                               const struct row_value *row, struct error *e)
{
    struct bytes record = BYTES_EMPTY;
    struct bytes key;

    TRY(encode_key(w, &w->primary, row, &key, e));
    if (!w->write.remove) {
        TRY(row_encode(w->format, row, &w->arena, &record, e));
    }
    kv_batch_writer_add(&b->records, key, record);
    return ERR_OK;
}

static enum errcode add_columns(struct open_bucket *b, const struct row_value *row, struct error *e)
{
    TRY(arrow_rows_append_values(b->columns, row, e));
    if (b->stats != NULL) {
        stats_writer_add(b->stats, row);
    }
    return ERR_OK;
}

static enum errcode add_log_record(struct table_writer *w, struct open_bucket *b,
                                   const struct row_value *row, struct error *e)
{
    struct bytes bytes;

    TRY(row_encode(w->format, row, &w->arena, &bytes, e));
    buffer_u32le(&b->log_records, (uint32_t)(1 + bytes.len));
    buffer_u8(&b->log_records, 0); /* appended */
    buffer_bytes(&b->log_records, bytes);
    return ERR_OK;
}

enum errcode table_writer_add(struct table_writer *w, const struct row_value *row, struct error *e)
{
    struct bucket_id id;
    struct open_bucket *b;

    TRY(check_nulls(w, row, e));
    TRY(find_bucket(w, row, &id, e));
    b = open_bucket(w, &id);
    if (w->keyed) {
        TRY(add_record(w, b, row, e));
    } else if (w->columnar) {
        TRY(add_columns(b, row, e));
    } else {
        TRY(add_log_record(w, b, row, e));
    }
    b->rows++;
    w->pending++;
    if (w->pending >= ROWS_MAX || w->arena.total > WRITER_BYTES) {
        return table_writer_flush(w, e);
    }
    return ERR_OK;
}

/* ---- sending ---- */

static void sent(struct bucket_op *op)
{
    struct open_bucket *b = op->context;

    if (op->code == ERR_STORAGE_BACKPRESSURE && b->retries < RETRIES_MAX) {
        b->retries++; /* nothing was written */
        timer_start(shard_current(), &b->retry, RETRY_US);
        return;
    }
    gate_pass(b->writer->gate);
}

static void send_here(struct open_bucket *b, struct replica_set *set)
{
    const struct table_write *write = &b->writer->write;
    const struct ack ack = {.acks = -1, .timeout_us = ACK_TIMEOUT_US};

    if (b->writer->keyed) {
        b->put = (struct put_op){.op = {.id = b->id, .done = sent, .context = b},
                                 .batch = b->batch,
                                 .target_columns = write->targets,
                                 .target_count = write->target_count,
                                 .ack = ack};
        replica_put(set, &b->put);
    } else {
        b->append = (struct append_op){.op = {.id = b->id, .done = sent, .context = b},
                                       .data = (uint8_t *)(uintptr_t)b->batch.data,
                                       .len = b->batch.len,
                                       .ack = ack};
        replica_append(set, &b->append);
    }
}

static struct replica_set *set_of(const struct open_bucket *b)
{
    const struct sql_world *world = &b->writer->session->engine->world;

    return world->replicas[bucket_shard(&b->id, world->count)];
}

static void send_again(struct timer *t)
{
    struct open_bucket *b = container_of(t, struct open_bucket, retry);

    send_here(b, set_of(b));
}

static void send_run(struct message *m)
{
    struct open_bucket *b = container_of(m, struct open_bucket, message);

    send_here(b, set_of(b));
}

static enum errcode finish(struct table_writer *w, struct open_bucket *b, struct error *e)
{
    const struct table_options *o = w->table->options;
    const struct arrow_build_codec codec = {
        .codec = w->codec, .kind = o->arrow_compression, .level = o->arrow_zstd_level};
    struct batch_spec spec = {.append_only = true,
                              .schema_id = (int16_t)w->schema_id,
                              .record_count = (int32_t)b->rows,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID};

    if (w->keyed) {
        b->batch = kv_batch_writer_finish(&b->records, BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE);
        return ERR_OK;
    }
    if (w->columnar) {
        TRY(arrow_rows_finish(b->columns, &codec, &w->arena, &spec.body, e));
        if (b->stats != NULL) {
            spec.magic = 1;
            spec.statistics = stats_writer_section(b->stats, &w->arena);
        }
    } else {
        spec.body = buffer_view(&b->log_records);
    }
    b->batch = batch_build(&spec, &w->arena);
    return ERR_OK;
}

static enum errcode gather(struct table_writer *w, struct error *e)
{
    enum errcode code = ERR_OK;

    for (size_t i = 0; i < w->open_count; i++) {
        const struct open_bucket *b = w->open[i];
        const struct bucket_op *op = w->keyed ? &b->put.op : &b->append.op;

        if (op->code == ERR_OK) {
            w->count += b->rows;
        } else if (code == ERR_OK) {
            code = op->code;
            if (e != NULL) {
                *e = op->error;
            }
        }
    }
    return code;
}

static enum errcode send_all(struct table_writer *w, struct error *e)
{
    const struct sql_world *world = &w->session->engine->world;
    enum errcode code = ERR_OK;

    for (size_t i = 0; i < w->open_count && code == ERR_OK; i++) {
        code = finish(w, w->open[i], e);
    }
    if (code == ERR_OK && w->open_count > 0) {
        w->gate = gate_new((unsigned)w->open_count);
        for (size_t i = 0; i < w->open_count; i++) {
            struct open_bucket *b = w->open[i];

            timer_init(&b->retry, send_again);
            b->message.run = send_run;
            shard_send(world->shards[bucket_shard(&b->id, world->count)], &b->message);
        }
        gate_wait(w->gate);
        code = gather(w, e);
    }
    close_buckets(w);
    w->drawn = random_u64();
    return code;
}

enum errcode table_writer_flush(struct table_writer *w, struct error *e)
{
    enum errcode code = send_all(w, e);

    arena_reset(&w->arena);
    return code;
}
