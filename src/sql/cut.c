#include "cut.h"

#include <stdlib.h>

#include "format/value_batch.h"
#include "io/gate.h"

#define ROWS_BYTES ((size_t)1 << 20) /* of one call of a scanner */

#define LOOKUP_TRIES 3 /* for values of one moment */

#define ESTIMATE_BUCKETS ((size_t)64) /* that are asked how many rows they have */

enum ask_kind { ASK_LOG, ASK_SINCE, ASK_STATS, ASK_ROWS, ASK_KEYS, ASK_PREFIXES };

/* An operation on its way to the shard of its bucket; somebody waits for the gate. */
struct ask {
    struct message message;
    struct replica_set *set;
    struct sql_bucket *bucket;
    enum ask_kind kind;
    struct gate *gate;
};

static void ask_done(struct bucket_op *op) { gate_pass(((struct ask *)op->context)->gate); }

static struct bucket_op *op_of(struct sql_bucket *b, enum ask_kind kind)
{
    struct bucket_op *const ops[] = {
        [ASK_LOG] = &b->log.op,   [ASK_SINCE] = &b->since.op, [ASK_STATS] = &b->stats.op,
        [ASK_ROWS] = &b->rows.op, [ASK_KEYS] = &b->lookup.op, [ASK_PREFIXES] = &b->prefix.op};

    return ops[kind];
}

static void ask_run(struct message *m)
{
    struct ask *a = container_of(m, struct ask, message);

    switch (a->kind) {
    case ASK_LOG:
        replica_cut(a->set, &a->bucket->log);
        break;
    case ASK_SINCE:
        replica_list_offset(a->set, &a->bucket->since);
        break;
    case ASK_STATS:
        replica_stats(a->set, &a->bucket->stats);
        break;
    case ASK_ROWS:
        replica_kv_scan(a->set, &a->bucket->rows);
        break;
    case ASK_KEYS:
        replica_lookup(a->set, &a->bucket->lookup);
        break;
    case ASK_PREFIXES:
        replica_prefix(a->set, &a->bucket->prefix);
        break;
    }
}

static void ask_send(const struct sql_world *world, struct ask *a)
{
    unsigned shard = bucket_shard(&a->bucket->id, world->count);
    struct bucket_op *op = op_of(a->bucket, a->kind);

    op->id = a->bucket->id;
    op->done = ask_done;
    op->context = a;
    a->set = world->replicas[shard];
    a->message.run = ask_run;
    shard_send(world->shards[shard], &a->message);
}

/* ---- taking ---- */

static void ask_all(struct sql_cut *cut, enum ask_kind kind)
{
    struct ask *asks = mem_zalloc(cut->count * sizeof *asks);
    struct gate *gate = gate_new((unsigned)cut->count);

    for (size_t i = 0; i < cut->count; i++) {
        asks[i] = (struct ask){.bucket = &cut->buckets[i], .kind = kind, .gate = gate};
        ask_send(cut->world, &asks[i]);
    }
    gate_wait(gate);
    free(asks);
}

static enum errcode copy_error(const struct bucket_op *op, struct error *e)
{
    if (e != NULL) {
        *e = op->error;
    }
    return op->code;
}

static enum errcode first_error(const struct sql_cut *cut, enum ask_kind kind, struct error *e)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct bucket_op *op = op_of(&cut->buckets[i], kind);

        if (op->code != ERR_OK) {
            return copy_error(op, e);
        }
    }
    return ERR_OK;
}

static void add_buckets(struct sql_cut *cut, int64_t partition_id, const struct meta_buckets *b)
{
    struct prune *p = cut->prune;

    for (int32_t i = 0; i < b->count; i++) {
        struct bucket_id id = {
            .table_id = cut->table_id, .partition_id = partition_id, .bucket = i};
        const struct prune_keys *k = p->keys;

        while (k != NULL && (k->id.partition_id != partition_id || k->id.bucket != i)) {
            k = k->next;
        }
        if (prune_keeps_bucket(p, i) && (k != NULL || !(p->lookup || p->by_bucket))) {
            cut->buckets[cut->count++].id = id;
        }
    }
    p->buckets += (size_t)b->count;
}

static size_t count_buckets(const struct meta_table *table)
{
    size_t count = (size_t)table->buckets.count;

    for (size_t i = 0; table->partitions != NULL && i < table->partitions->count; i++) {
        count += (size_t)table->partitions->by_name[i]->buckets.count;
    }
    return count;
}

static void choose_buckets(struct sql_cut *cut, const struct meta_table *table)
{
    struct prune *p = cut->prune;

    p->partitions = table->partitions == NULL ? 0 : table->partitions->count;
    p->partitions_kept = 0;
    p->buckets = 0;
    if (p->first_offset >= p->end_offset || p->first_ms > p->last_ms) {
        return;
    }
    add_buckets(cut, -1, &table->buckets);
    for (size_t i = 0; i < p->partitions; i++) {
        const struct meta_partition *partition = table->partitions->by_name[i];

        if (prune_keeps_partition(p, partition)) {
            add_buckets(cut, partition->id, &partition->buckets);
            p->partitions_kept++;
        } else {
            p->buckets += (size_t)partition->buckets.count;
        }
    }
    p->buckets_kept = cut->count;
}

/* ---- logs ---- */

/* A time in the future, or one that cannot be found, is left to the headers of batches. */
static void find_times(struct sql_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        cut->buckets[i].since.kind = OFFSET_AT;
        cut->buckets[i].since.timestamp_ms = cut->prune->first_ms;
    }
    ask_all(cut, ASK_SINCE);
}

static int64_t place_of(const struct sql_places *places, const struct bucket_id *id)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct sql_place *place = &places->items[i];

        if (place->id.partition_id == id->partition_id && place->id.bucket == id->bucket) {
            return place->next;
        }
    }
    return 0;
}

static enum errcode take_logs(struct sql_cut *cut, struct error *e)
{
    const struct prune *p = cut->prune;
    bool increment = p->places != NULL; /* from its places on, to the end */

    if (p->first_ms > 0 && !increment) {
        find_times(cut);
    }
    for (size_t i = 0; i < cut->count; i++) {
        struct sql_bucket *b = &cut->buckets[i];

        pieces_init(&b->log.ranges, &b->arena);
        b->log.from_offset = increment             ? place_of(p->places, &b->id)
                             : p->first_offset > 0 ? p->first_offset
                                                   : 0;
        b->log.limit_offset = increment || p->end_offset == INT64_MAX ? 0 : p->end_offset;
        if (p->first_ms > 0 && b->since.op.code == ERR_OK && b->since.offset > b->log.from_offset) {
            b->log.from_offset = b->since.offset;
        }
    }
    ask_all(cut, ASK_LOG);
    return first_error(cut, ASK_LOG, e);
}

/* ---- rows ---- */

static enum errcode take_rows(struct sql_cut *cut, struct error *e)
{
    for (size_t i = 0; i < cut->count; i++) {
        struct sql_bucket *b = &cut->buckets[i];

        arena_reset(&b->arena);
        pieces_init(&b->rows.rows, &b->arena);
        b->rows.step = KV_SCAN_OPEN;
        b->rows.batch_bytes = ROWS_BYTES;
    }
    ask_all(cut, ASK_ROWS);
    return first_error(cut, ASK_ROWS, e);
}

static const struct prune_keys *keys_of(const struct sql_cut *cut, const struct sql_bucket *b)
{
    const struct prune_keys *k = cut->prune->keys;

    while (k->id.partition_id != b->id.partition_id || k->id.bucket != b->id.bucket) {
        k = k->next;
    }
    return k;
}

/* Whether all values of each bucket are of one moment. */
static bool settled(const struct sql_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct sql_bucket *b = &cut->buckets[i];
        const struct kv_moments *at = cut->prune->prefix ? &b->prefix.at : &b->lookup.at;

        if (at->begin != at->end && (cut->prune->prefix || b->lookup.count > 1)) {
            return false;
        }
    }
    return true;
}

static enum errcode take_keys(struct sql_cut *cut, struct error *e)
{
    enum ask_kind kind = cut->prune->prefix ? ASK_PREFIXES : ASK_KEYS;

    for (size_t i = 0; i < cut->count; i++) {
        struct sql_bucket *b = &cut->buckets[i];
        const struct prune_keys *k = keys_of(cut, b);

        arena_reset(&b->arena);
        b->lookup.keys = k->keys;
        b->lookup.count = k->count;
        b->lookup.arena = &b->arena;
        b->prefix.prefixes = k->keys;
        b->prefix.count = k->count;
        b->prefix.arena = &b->arena;
    }
    ask_all(cut, kind);
    return first_error(cut, kind, e);
}

/* Rows of one moment by their keys; where writes are faster, a scan has them, too. */
static enum errcode look_up(struct sql_cut *cut, struct error *e)
{
    for (int i = 0; i < LOOKUP_TRIES; i++) {
        TRY(take_keys(cut, e));
        if (settled(cut)) {
            return ERR_OK;
        }
    }
    prune_drop_keys(cut->prune);
    return take_rows(cut, e);
}

enum errcode sql_cut_take(const struct sql_world *world, const struct meta_table *table,
                          bool current, struct prune *prune, struct sql_cut **ret, struct error *e)
{
    struct sql_cut *cut = mem_new(struct sql_cut);
    enum errcode code = ERR_OK;

    atomic_init(&cut->refs, 1);
    atomic_init(&cut->taken, false);
    cut->world = world;
    cut->table_id = table->id;
    cut->current = current;
    cut->prune = prune != NULL ? prune : prune_new(table, current, NULL);
    cut->buckets = mem_zalloc((count_buckets(table) + 1) * sizeof *cut->buckets);
    choose_buckets(cut, table);
    if (cut->count > 0) {
        code = !current             ? take_logs(cut, e)
               : cut->prune->lookup ? look_up(cut, e)
                                    : take_rows(cut, e);
    }
    if (code != ERR_OK) {
        sql_cut_unref(cut);
        return code;
    }
    *ret = cut;
    return ERR_OK;
}

static enum errcode take_places(struct sql_cut *cut, enum offset_kind kind, int64_t timestamp_ms,
                                struct error *e)
{
    for (size_t i = 0; i < cut->count; i++) {
        cut->buckets[i].since.kind = kind;
        cut->buckets[i].since.timestamp_ms = timestamp_ms;
    }
    ask_all(cut, ASK_SINCE);
    return first_error(cut, ASK_SINCE, e);
}

enum errcode sql_places_find(const struct sql_world *world, const struct meta_table *table,
                             enum offset_kind kind, int64_t timestamp_ms, struct sql_places *ret,
                             struct error *e)
{
    struct sql_cut cut = {.world = world, .table_id = table->id};
    enum errcode code = ERR_OK;

    cut.prune = prune_new(table, false, NULL);
    cut.buckets = mem_zalloc((count_buckets(table) + 1) * sizeof *cut.buckets);
    choose_buckets(&cut, table);
    if (cut.count > 0) {
        code = take_places(&cut, kind, timestamp_ms, e);
    }
    if (code == ERR_INVALID_TIMESTAMP) {
        code = take_places(&cut, OFFSET_LATEST, 0, e);
    }
    if (code == ERR_OK) {
        ret->items = mem_zalloc((cut.count + 1) * sizeof *ret->items);
        ret->count = cut.count;
    }
    for (size_t i = 0; code == ERR_OK && i < cut.count; i++) {
        ret->items[i] =
            (struct sql_place){.id = cut.buckets[i].id, .next = cut.buckets[i].since.offset};
    }
    prune_free(cut.prune);
    free(cut.buckets);
    return code;
}

/* Keeps some of many buckets. Returns how many there were. */
static size_t take_sample(struct sql_cut *cut)
{
    size_t all = cut->count;

    cut->count = all < ESTIMATE_BUCKETS ? all : ESTIMATE_BUCKETS;
    for (size_t i = 0; i < cut->count; i++) {
        cut->buckets[i].id = cut->buckets[i * all / cut->count].id;
    }
    return all;
}

/* Rows by key are counted, unless the changelog has no images: then it says how many they are at most. */
uint64_t sql_rows_estimate(const struct sql_world *world, const struct meta_table *table,
                           bool changelog)
{
    struct sql_cut cut = {.world = world, .table_id = table->id};
    uint64_t rows = 0;
    size_t all;

    cut.prune = prune_new(table, false, NULL);
    cut.buckets = mem_zalloc((count_buckets(table) + 1) * sizeof *cut.buckets);
    choose_buckets(&cut, table);
    all = take_sample(&cut);
    if (cut.count > 0 && !changelog) {
        ask_all(&cut, ASK_STATS);
        changelog = first_error(&cut, ASK_STATS, NULL) != ERR_OK;
    }
    if (cut.count > 0 && changelog) {
        (void)take_places(&cut, OFFSET_LATEST, 0, NULL);
    }
    for (size_t i = 0; i < cut.count; i++) {
        rows +=
            (uint64_t)(changelog ? cut.buckets[i].since.offset : cut.buckets[i].stats.row_count);
    }
    rows = cut.count == 0 ? 0 : rows / cut.count * all + rows % cut.count * all / cut.count;
    prune_free(cut.prune);
    free(cut.buckets);
    return rows > 0 ? rows : 1; /* soon it has some */
}

struct sql_cut *sql_cut_ref(struct sql_cut *cut)
{
    atomic_fetch_add_explicit(&cut->refs, 1, memory_order_relaxed);
    return cut;
}

/* ---- current rows ---- */

static void ask_rows(struct sql_cut *cut, struct sql_bucket *b, enum kv_scan_step step)
{
    struct ask ask = {.bucket = b, .kind = ASK_ROWS, .gate = gate_new(1)};

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

/* What was looked up, as a value batch. */
static void copy_values(const struct sql_cut *cut, const struct sql_bucket *b, struct buffer *out,
                        bool *ret_found)
{
    size_t lists = cut->prune->prefix ? b->prefix.count : 1;
    size_t added = 0;

    buffer_clear(out);
    value_batch_begin(out);
    for (size_t i = 0; i < lists; i++) {
        struct row_list list = cut->prune->prefix
                                   ? b->prefix.lists[i]
                                   : (struct row_list){b->lookup.values, b->lookup.count};

        for (size_t v = 0; v < list.count; v++) {
            if (list.values[v].len > 0) {
                value_batch_add(out, list.values[v]);
                added++;
            }
        }
    }
    value_batch_finish(out);
    *ret_found = added > 0;
}

enum errcode sql_cut_rows(struct sql_cut *cut, size_t bucket, struct buffer *ret, bool *ret_found,
                          struct error *e)
{
    struct sql_bucket *b = &cut->buckets[bucket];

    if (cut->prune->lookup) {
        *ret_found = false;
        if (!b->started) {
            b->started = true;
            copy_values(cut, b, ret, ret_found);
        }
        return ERR_OK;
    }
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
        prune_free(cut->prune);
        free(cut->buckets);
        free(cut);
    }
    return NULL;
}
