#include "batch_source.h"

#include <inttypes.h>
#include <stdlib.h>

/* A run of small batches ends when it has so many bytes. */
#define RUN_BYTES ((size_t)1 << 20)
/* Of larger batches only what is needed is read. */
#define BATCH_SMALL ((size_t)64 << 10)

/* ---- handing out ---- */

void batch_source_init(struct batch_source *s, struct sql_cut *cut)
{
    memset(s, 0, sizeof *s);
    lock_init(&s->lock);
    s->cut = cut;
}

void batch_source_fini(struct batch_source *s)
{
    lock_fini(&s->lock);
    buffer_fini(&s->statistics);
}

/* The range to go on with, or NULL: that were all. */
static const struct piece *current_range(struct batch_source *s)
{
    while (s->bucket < s->cut->count) {
        const struct pieces *ranges = &s->cut->buckets[s->bucket].log.ranges;

        if (s->range < ranges->count && s->position < ranges->items[s->range].len) {
            return &ranges->items[s->range];
        }
        s->position = 0;
        if (++s->range >= ranges->count) {
            s->range = 0;
            s->bucket++;
        }
    }
    return NULL;
}

/* The header of the batch at the position of the file. */
static enum errcode peek(struct batch_source *s, const struct piece *range, uint64_t at,
                         struct batch_header *ret, struct error *e)
{
    uint64_t position = range->file_offset + at;
    bool inside = s->window_file == range->file && position >= s->window_at &&
                  position + BATCH_HEADER_SIZE_MAX <= s->window_at + s->window_len;

    if (!inside) {
        TRY(file_read_some(range->file, position, s->window, sizeof s->window, &s->window_len, e));
        s->window_file = range->file;
        s->window_at = position;
    }
    TRY(batch_parse(bytes_of(s->window + (position - s->window_at),
                             s->window_len - (size_t)(position - s->window_at)),
                    ret, e));
    if (ret->size > range->len - at) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: a batch at %" PRIu64 " runs over its range",
                         range->file->path, position);
    }
    return ERR_OK;
}

/* The statistics of the batch that was peeked at, in the window or read to the arena; none is a reason to
 * keep the batch. */
static enum errcode peek_statistics(struct batch_source *s, const struct piece *range,
                                    const struct batch_header *header, struct bytes *ret,
                                    struct error *e)
{
    uint64_t position = range->file_offset + s->position + header->header_size;
    size_t skip = (size_t)(position - s->window_at);
    uint8_t *room;

    if (skip + header->statistics_size <= s->window_len) {
        *ret = bytes_of(s->window + skip, header->statistics_size);
        return ERR_OK;
    }
    buffer_clear(&s->statistics);
    room = buffer_room(&s->statistics, header->statistics_size);
    TRY(file_read_at(range->file, position, room, header->statistics_size, e));
    *ret = buffer_view(&s->statistics);
    return ERR_OK;
}

/* Whether rows of the batch that was peeked at may matter. */
static enum errcode wanted(struct batch_source *s, const struct piece *range,
                           const struct batch_header *header, bool *ret, struct error *e)
{
    struct prune *p = s->cut->prune;
    struct bytes statistics = BYTES_EMPTY;

    *ret = prune_keeps_header(p, header);
    if (*ret && p->filter != NULL && header->statistics_size > 0) {
        TRY(peek_statistics(s, range, header, &statistics, e));
        *ret = prune_keeps_statistics(p, header, statistics);
    }
    atomic_fetch_add_explicit(*ret ? &p->batches_read : &p->batches_skipped, 1,
                              memory_order_relaxed);
    return ERR_OK;
}

static enum errcode next_run(struct batch_source *s, struct batch_run *ret, bool *ret_found,
                             struct error *e)
{
    const struct piece *range = current_range(s);
    struct batch_header header;

    *ret_found = range != NULL;
    if (range == NULL) {
        return ERR_OK;
    }
    *ret = (struct batch_run){.file = range->file,
                              .position = range->file_offset + s->position,
                              .id = s->cut->buckets[s->bucket].id,
                              .first = s->cut->buckets[s->bucket].log.from_offset};
    while (s->position < range->len && ret->len < RUN_BYTES) {
        bool keep = true;

        TRY(peek(s, range, s->position, &header, e));
        if (ret->len > 0 && header.size > BATCH_SMALL) {
            break;
        }
        TRY(wanted(s, range, &header, &keep, e));
        if (!keep && ret->len > 0) {
            s->position += header.size;
            break;
        }
        if (!keep) {
            s->position += header.size;
            ret->position += header.size;
            continue;
        }
        s->position += header.size;
        ret->len += header.size;
        ret->records += (uint64_t)header.record_count;
        ret->small = header.size <= BATCH_SMALL;
        if (!ret->small) {
            break;
        }
    }
    return ERR_OK;
}

enum errcode batch_source_next(struct batch_source *s, struct batch_run *ret, bool *ret_found,
                               struct error *e)
{
    enum errcode code;

    lock_take(&s->lock);
    do {
        code = next_run(s, ret, ret_found, e);
    } while (code == ERR_OK && *ret_found && ret->len == 0); /* nothing was left of the range */
    lock_give(&s->lock);
    return code;
}

/* ---- plans ---- */

static const struct type *row_of(const struct schema *schema, const uint32_t *positions,
                                 size_t count, struct arena *arena)
{
    struct type_field *fields = arena_array(arena, count, sizeof *fields);
    struct type *row = arena_new(arena, struct type);

    for (size_t i = 0; i < count; i++) {
        fields[i] = schema->row->fields[positions[i]];
    }
    *row = *schema->row;
    row->count = (uint32_t)count;
    row->fields = fields;
    return row;
}

static void plan_rows(const struct batch_reader *r, const struct schema *schema,
                      const uint32_t *positions, struct batch_plan *p, struct arena *arena)
{
    bool indexed = r->table->options->log_format == LOG_FORMAT_INDEXED;
    struct row_format format = {.layout = indexed ? ROW_INDEXED : ROW_COMPACTED,
                                .row = schema->row};

    row_batch_init(&p->rows, format, p->row, positions, arena);
}

static enum errcode plan_make(struct batch_reader *r, const struct schema *schema,
                              struct batch_plan *p, struct error *e)
{
    struct arena *arena = &r->plans_arena;
    int32_t *map = arena_array(arena, r->schema->count, sizeof *map);
    uint32_t *positions = arena_array(arena, r->wanted_count + 1, sizeof *positions);

    p->schema = schema;
    p->positions = positions;
    p->nodes = arena_array(arena, r->wanted_count + 1, sizeof *p->nodes);
    schema_map(schema, r->schema, map);
    for (size_t i = 0; i < r->wanted_count; i++) {
        int32_t from = map[r->wanted[i]];

        p->nodes[i] = from < 0 ? -1 : (int32_t)p->count;
        if (from >= 0) {
            positions[p->count++] = (uint32_t)from;
        }
    }
    p->row = row_of(schema, positions, p->count, arena);
    if (!r->arrow) {
        plan_rows(r, schema, positions, p, arena);
        return ERR_OK;
    }
    p->layout = arrow_layout_of(schema, arena);
    return p->count == 0
               ? ERR_OK
               : arrow_projector_init(&p->projector, &p->layout, positions, p->count, arena, e);
}

static enum errcode plan_of(struct batch_reader *r, int32_t schema_id, struct error *e)
{
    const struct meta_schema *schema;
    struct batch_plan *p;

    for (p = r->plans; p != NULL; p = p->next) {
        if (p->schema_id == schema_id) {
            r->plan = p;
            return ERR_OK;
        }
    }
    schema = meta_table_schema(r->table, schema_id);
    if (schema == NULL) {
        return error_set(e, ERR_SCHEMA_NOT_EXIST,
                         "the table was altered while the query began, run it again");
    }
    p = arena_new(&r->plans_arena, struct batch_plan);
    p->schema_id = schema_id;
    TRY(plan_make(r, schema->schema, p, e));
    p->next = r->plans;
    r->plans = p;
    r->plan = p;
    return ERR_OK;
}

/* ---- reading ---- */

void batch_reader_init(struct batch_reader *r, const struct meta_table *table,
                       const struct schema *schema, const uint32_t *wanted, size_t count)
{
    memset(r, 0, sizeof *r);
    r->table = table;
    r->schema = schema;
    r->arrow = table->options->log_format == LOG_FORMAT_ARROW;
    r->wanted = wanted;
    r->wanted_count = count;
    r->codec = codec_new();
    r->columns = mem_zalloc((count + 1) * sizeof *r->columns);
    r->cached = mem_zalloc((count + 1) * sizeof(struct cached_column *));
}

void batch_reader_cache(struct batch_reader *r, struct column_cache *cache, uint64_t scan)
{
    r->cache = r->arrow ? cache : NULL;
    r->scan = scan;
}

/* Ends the batch that is open. */
static void forget_columns(struct batch_reader *r)
{
    for (size_t i = 0; i < r->wanted_count; i++) {
        r->columns[i] = (struct fill_column){0};
        r->cached[i] = cached_column_unref(r->cached[i]);
    }
    fill_forget(&r->arena);
}

void batch_reader_fini(struct batch_reader *r)
{
    for (struct batch_plan *p = r->plans; p != NULL; p = p->next) {
        row_batch_fini(&p->rows);
    }
    forget_columns(r);
    arena_fini(&r->plans_arena);
    arena_fini(&r->arena);
    buffer_fini(&r->bytes);
    codec_free(r->codec);
    free(r->columns);
    free(r->cached);
}

enum errcode batch_reader_start(struct batch_reader *r, const struct batch_run *run,
                                struct error *e)
{
    r->run = *run;
    r->at = 0;
    r->rows = 0;
    buffer_clear(&r->bytes);
    if (!run->small) {
        return ERR_OK;
    }
    return file_read_at(run->file, run->position, buffer_room(&r->bytes, run->len), run->len, e);
}

static enum errcode run_read(struct batch_reader *r, size_t offset, uint8_t *to, size_t len,
                             struct error *e)
{
    if (r->run.small) {
        memcpy(to, r->bytes.data + offset, len);
        return ERR_OK;
    }
    return file_read_at(r->run.file, r->run.position + offset, to, len, e);
}

/* The front of the batch at r->at: all of it where the run is in memory, else what is likely to say
 * where its columns are. */
static enum errcode read_front(struct batch_reader *r, struct error *e)
{
    size_t left = r->run.len - r->at;
    size_t len = left < SOURCE_WINDOW ? left : SOURCE_WINDOW;
    uint8_t *data;

    if (r->run.small) {
        r->front = bytes_of(r->bytes.data + r->at, left);
    } else {
        data = arena_alloc(&r->arena, len);
        TRY(run_read(r, r->at, data, len, e));
        r->front = bytes_of(data, len);
    }
    TRY(batch_parse(r->front, &r->header, e));
    if (r->header.size > left) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: a batch runs over its range", r->run.file->path);
    }
    r->front =
        bytes_slice(r->front, 0, r->header.size < r->front.len ? r->header.size : r->front.len);
    return ERR_OK;
}

/* As much of the batch as says where its columns are. */
static enum errcode read_head(struct batch_reader *r, struct bytes *ret, struct error *e)
{
    struct bytes head = r->front;
    size_t need = 0;

    for (;;) {
        uint8_t *data;

        TRY(arrow_head_size(head, &r->header, &need, e));
        if (need <= head.len) {
            *ret = head;
            return ERR_OK;
        }
        data = arena_alloc(&r->arena, need);
        TRY(run_read(r, r->at, data, need, e));
        head = bytes_of(data, need);
    }
}

/* The batch with some of its columns only. */
static enum errcode read_projected(struct batch_reader *r, const struct arrow_projector *projector,
                                   struct bytes *ret, struct error *e)
{
    struct arrow_projection p;
    struct bytes head = {0};
    struct writer w;

    TRY(read_head(r, &head, e));
    TRY(arrow_project_plan(projector, head, &r->header, &r->arena, &p, e));
    w = writer_of(arena_alloc(&r->arena, p.size), p.size);
    writer_bytes(&w, p.head);
    for (size_t i = 0; i < p.range_count; i++) {
        size_t len = p.ranges[i].len;

        TRY(run_read(r, r->at + p.ranges[i].offset, writer_room(&w, len), len, e));
    }
    *ret = bytes_of(w.data, w.len);
    return ERR_OK;
}

/* Change types stand in front of the columns, unless all rows are appended ones. */
static enum errcode take_change_types(struct batch_reader *r, struct bytes *body, struct error *e)
{
    size_t count = (size_t)r->header.record_count;

    r->change_types = NULL;
    if (batch_append_only(&r->header)) {
        return ERR_OK;
    }
    if (body->len < count) {
        return error_set(e, ERR_CORRUPT_RECORD, "change types of %zu rows are cut short", count);
    }
    r->change_types = body->data;
    *body = bytes_slice(*body, count, body->len - count);
    return ERR_OK;
}

/* The columns of the plan that are not there yet, one after the other. */
static void take_columns(struct batch_reader *r, const struct arrow_reader *reader)
{
    for (size_t i = 0, node = 0; i < r->wanted_count; i++) {
        if (r->plan->nodes[i] >= 0 && r->columns[i].node == NULL) {
            r->columns[i].node = &reader->nodes[node];
            node += reader->nodes[node].span;
        }
    }
}

/* The wanted column i of the batch. */
static struct column_key key_of(const struct batch_reader *r, size_t i)
{
    return (struct column_key){.bucket = r->run.id,
                               .base_offset = r->header.base_offset,
                               .size = r->header.size,
                               .crc = r->header.crc,
                               .position = r->plan->positions[r->plan->nodes[i]]};
}

/* What the cache has of the batch. Returns how many columns of the plan it has not. */
static size_t take_cached(struct batch_reader *r)
{
    size_t missing = r->plan->count;

    for (size_t i = 0; r->cache != NULL && !r->run.small && i < r->wanted_count; i++) {
        struct column_key key;

        if (r->plan->nodes[i] < 0) {
            continue;
        }
        key = key_of(r, i);
        r->cached[i] = column_cache_get(r->cache, &key, r->scan);
        /* where it has other rows the header is damaged by now */
        if (r->cached[i] != NULL && cached_column_rows(r->cached[i]) == r->rows) {
            r->columns[i] = (struct fill_column){.node = cached_column_nodes(r->cached[i]),
                                                 .codes = cached_column_codes(r->cached[i])};
            missing--;
        }
    }
    return missing;
}

/* Columns that were decompressed now. */
static void give_to_cache(struct batch_reader *r)
{
    for (size_t i = 0; i < r->wanted_count; i++) {
        if (r->columns[i].node != NULL && r->cached[i] == NULL) {
            struct column_key key = key_of(r, i);

            column_cache_put(r->cache, &key, r->plan->row->fields[r->plan->nodes[i]].type,
                             r->columns[i].node, r->scan);
        }
    }
}

/* A plan in the arena for the columns that are not there yet. */
static enum errcode plan_missing(struct batch_reader *r, size_t missing, struct batch_plan *ret,
                                 struct error *e)
{
    const struct batch_plan *all = r->plan;
    uint32_t *positions = arena_array(&r->arena, missing, sizeof *positions);
    size_t count = 0;

    for (size_t i = 0; i < r->wanted_count; i++) {
        if (all->nodes[i] >= 0 && r->columns[i].node == NULL) {
            positions[count++] = all->positions[all->nodes[i]];
        }
    }
    ASSERT(count == missing);
    ret->row = row_of(all->schema, positions, count, &r->arena);
    return arrow_projector_init(&ret->projector, &all->layout, positions, count, &r->arena, e);
}

/* Those columns of the plan, read and decompressed. */
static enum errcode read_columns(struct batch_reader *r, const struct batch_plan *plan,
                                 struct error *e)
{
    struct batch_header header;
    struct arrow_message message;
    struct arrow_reader reader;
    struct bytes batch = {0};
    struct bytes body;

    TRY(read_projected(r, &plan->projector, &batch, e));
    TRY(batch_parse(batch, &header, e));
    body = batch_body(&header, batch);
    TRY(take_change_types(r, &body, e));
    TRY(arrow_reader_open(plan->row, body, r->codec, &r->arena, &reader, e));
    if (reader.row_count != r->rows) {
        return error_set(e, ERR_CORRUPT_RECORD, "a batch of %zu rows says %zu", reader.row_count,
                         r->rows);
    }
    take_columns(r, &reader);
    TRY(arrow_message_parse(body, &message, e));
    if (r->cache != NULL && !r->run.small && message.codec != ARROW_CODEC_NONE) {
        give_to_cache(r);
    }
    return ERR_OK;
}

/* A batch of rows one by one, read whole. */
static enum errcode open_rows(struct batch_reader *r, struct error *e)
{
    struct row_batch *rows = &r->plan->rows;
    struct bytes batch;

    if (r->run.small) {
        batch = bytes_of(r->bytes.data + r->at, r->header.size);
    } else {
        uint8_t *data = arena_alloc(&r->arena, r->header.size);

        TRY(run_read(r, r->at, data, r->header.size, e));
        batch = bytes_of(data, r->header.size);
    }
    TRY(row_batch_open(rows, &r->header, batch, &r->arena, e));
    r->change_types = rows->types;
    take_columns(r, &rows->columns);
    return ERR_OK;
}

/* Of the batch only the change types, if it has any. */
static enum errcode open_bare(struct batch_reader *r, struct error *e)
{
    size_t size = r->header.size < r->header.header_size + r->header.statistics_size + r->rows
                      ? r->header.size
                      : r->header.header_size + r->header.statistics_size + r->rows;
    size_t skip = r->header.header_size + r->header.statistics_size;
    struct bytes body = BYTES_EMPTY;
    uint8_t *data;

    if (batch_append_only(&r->header)) {
        return take_change_types(r, &body, e);
    }
    data = arena_alloc(&r->arena, size);
    TRY(run_read(r, r->at, data, size, e));
    body = bytes_of(data + skip, size - skip);
    return take_change_types(r, &body, e);
}

static enum errcode open_columns(struct batch_reader *r, struct error *e)
{
    size_t missing = take_cached(r);
    struct batch_plan plan;

    if (missing == 0) {
        return open_bare(r, e);
    }
    if (missing == r->plan->count) {
        return read_columns(r, r->plan, e);
    }
    TRY(plan_missing(r, missing, &plan, e));
    return read_columns(r, &plan, e);
}

enum errcode batch_reader_next(struct batch_reader *r, bool *ret_found, struct error *e)
{
    for (*ret_found = false; !*ret_found && r->at < r->run.len; r->at += r->header.size) {
        forget_columns(r);
        TRY(read_front(r, e));
        r->rows = (size_t)r->header.record_count;
        if (r->rows == 0 || batch_header_only(&r->header)) {
            continue;
        }
        TRY(plan_of(r, r->header.schema_id, e));
        if (!r->arrow) {
            TRY(open_rows(r, e));
        } else {
            TRY(open_columns(r, e));
        }
        *ret_found = true;
    }
    return ERR_OK;
}
