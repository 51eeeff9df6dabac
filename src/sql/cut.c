#include "cut.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "io/gate.h"

#define ROWS_BYTES ((size_t)1 << 20) /* of one call of a scanner */

/* An operation on its way to the shard of its bucket; somebody waits for the gate. */
struct ask {
    struct message message;
    struct replica_set *set;
    struct sql_bucket *bucket;
    bool rows;
    struct gate *gate;
};

static void ask_done(struct bucket_op *op) { gate_pass(((struct ask *)op->context)->gate); }

static void ask_run(struct message *m)
{
    struct ask *a = container_of(m, struct ask, message);

    if (a->rows) {
        replica_kv_scan(a->set, &a->bucket->rows);
    } else {
        replica_cut(a->set, &a->bucket->log);
    }
}

static void ask_send(const struct sql_world *world, struct ask *a)
{
    unsigned shard = bucket_shard(&a->bucket->id, world->count);
    struct bucket_op *op = a->rows ? &a->bucket->rows.op : &a->bucket->log.op;

    op->id = a->bucket->id;
    op->done = ask_done;
    op->context = a;
    a->set = world->replicas[shard];
    a->message.run = ask_run;
    shard_send(world->shards[shard], &a->message);
}

/* ---- taking ---- */

static void ask_all(struct sql_cut *cut)
{
    struct ask *asks = mem_zalloc(cut->count * sizeof *asks);
    struct gate *gate = gate_new((unsigned)cut->count);

    for (size_t i = 0; i < cut->count; i++) {
        struct sql_bucket *b = &cut->buckets[i];

        asks[i] = (struct ask){.bucket = b, .rows = cut->current, .gate = gate};
        pieces_init(cut->current ? &b->rows.rows : &b->log.ranges, &b->arena);
        b->rows.step = KV_SCAN_OPEN;
        b->rows.batch_bytes = ROWS_BYTES;
        ask_send(cut->world, &asks[i]);
    }
    gate_wait(gate);
    free(asks);
}

static void add_buckets(struct sql_cut *cut, int64_t partition_id, const struct meta_buckets *b)
{
    for (int32_t i = 0; i < b->count; i++) {
        cut->buckets[cut->count++].id = (struct bucket_id){
            .table_id = cut->table_id, .partition_id = partition_id, .bucket = i};
    }
}

static size_t count_buckets(const struct meta_table *table)
{
    size_t count = (size_t)table->buckets.count;

    for (size_t i = 0; table->partitions != NULL && i < table->partitions->count; i++) {
        count += (size_t)table->partitions->by_name[i]->buckets.count;
    }
    return count;
}

static enum errcode copy_error(const struct bucket_op *op, struct error *e)
{
    if (e != NULL) {
        *e = op->error;
    }
    return op->code;
}

static enum errcode first_error(const struct sql_cut *cut, struct error *e)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct sql_bucket *b = &cut->buckets[i];
        const struct bucket_op *op = cut->current ? &b->rows.op : &b->log.op;

        if (op->code != ERR_OK) {
            return copy_error(op, e);
        }
    }
    return ERR_OK;
}

enum errcode sql_cut_take(const struct sql_world *world, const struct meta_table *table,
                          bool current, struct sql_cut **ret, struct error *e)
{
    struct sql_cut *cut = mem_new(struct sql_cut);
    enum errcode code;

    atomic_init(&cut->refs, 1);
    atomic_init(&cut->taken, false);
    cut->world = world;
    cut->table_id = table->id;
    cut->current = current;
    cut->buckets = mem_zalloc((count_buckets(table) + 1) * sizeof *cut->buckets);
    add_buckets(cut, -1, &table->buckets);
    for (size_t i = 0; table->partitions != NULL && i < table->partitions->count; i++) {
        const struct meta_partition *p = table->partitions->by_name[i];

        add_buckets(cut, p->id, &p->buckets);
    }
    if (cut->count > 0) {
        ask_all(cut);
    }
    code = first_error(cut, e);
    if (code != ERR_OK) {
        sql_cut_unref(cut);
        return code;
    }
    *ret = cut;
    return ERR_OK;
}

struct sql_cut *sql_cut_ref(struct sql_cut *cut)
{
    atomic_fetch_add_explicit(&cut->refs, 1, memory_order_relaxed);
    return cut;
}

/* ---- current rows ---- */

static void ask_rows(struct sql_cut *cut, struct sql_bucket *b, enum kv_scan_step step)
{
    struct ask ask = {.bucket = b, .rows = true, .gate = gate_new(1)};

    pieces_fini(&b->rows.rows);
    arena_reset(&b->arena);
    pieces_init(&b->rows.rows, &b->arena);
    b->rows.step = step;
    b->rows.sequence++;
    b->rows.batch_bytes = ROWS_BYTES;
    ask_send(cut->world, &ask);
    gate_wait(ask.gate);
}

static void copy_rows(const struct pieces *rows, struct buffer *out)
{
    buffer_clear(out);
    buffer_reserve(out, rows->len);
    for (size_t i = 0; i < rows->count; i++) {
        buffer_bytes(out, bytes_of(rows->items[i].data, rows->items[i].len));
    }
}

enum errcode sql_cut_rows(struct sql_cut *cut, size_t bucket, struct buffer *ret, bool *ret_found,
                          struct error *e)
{
    struct sql_bucket *b = &cut->buckets[bucket];

    if (b->started) {
        if (!b->rows.more) {
            *ret_found = false;
            return ERR_OK;
        }
        ask_rows(cut, b, KV_SCAN_NEXT);
        if (b->rows.op.code != ERR_OK) {
            b->rows.more = false;
            return copy_error(&b->rows.op, e);
        }
    }
    b->started = true;
    *ret_found = b->rows.rows.len > 0;
    copy_rows(&b->rows.rows, ret);
    return ERR_OK;
}

/* ---- the end ---- */

static void bucket_fini(struct sql_cut *cut, struct sql_bucket *b)
{
    if (cut->current) {
        if (b->rows.more) {
            ask_rows(cut, b, KV_SCAN_CLOSE);
        }
        pieces_fini(&b->rows.rows);
    } else {
        pieces_fini(&b->log.ranges);
    }
    arena_fini(&b->arena);
}

void *sql_cut_unref(struct sql_cut *cut)
{
    if (cut != NULL && atomic_fetch_sub_explicit(&cut->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < cut->count; i++) {
            bucket_fini(cut, &cut->buckets[i]);
        }
        free(cut->buckets);
        free(cut);
    }
    return NULL;
}
