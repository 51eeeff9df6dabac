#include "scan.h"

#include "batch_source.h"
#include "binlog.h"
#include "fill.h"
#include "hidden.h"
#include "row_source.h"

#include <stdlib.h>

#define THREADS_MAX  64
#define THREAD_BYTES ((size_t)4 << 20) /* that a further thread is worth */
/* From so many rows of a batch on, texts are not copied but borrowed (fill.h): the vectors end with the
 * batch then. */
#define BORROW_ROWS ((size_t)256)

/* What a statement that names the relation keeps. */
struct scan_bind {
    struct sql_session *session;
    const struct meta_table *table; /* a reference */
    const struct schema *schema;    /* of the table: its columns as the relation has them */
    enum relation_kind kind;
    bool current; /* rows of a primary-key table */
};

/* One execution. */
struct scan {
    const struct duckdb *duckdb;
    const struct scan_bind *bind;
    const struct meta_table *table; /* a reference: as of now, with all schemas there are */
    struct sql_cut *cut;
    struct batch_source source;
    atomic_size_t next_bucket; /* of current rows */
    size_t column_count;
    uint64_t *columns; /* of the relation, as asked for; some may be none of them */
    uint32_t *wanted;  /* positions of table columns among those, ascending, each once */
    size_t wanted_count;
    bool bare;                  /* rows are only counted */
    struct column_cache *cache; /* borrowed from the engine; NULL: there is none */
    uint64_t number;            /* of the scan there */
};

/* One thread of it. */
struct scan_thread {
    struct batch_reader batch;
    struct row_source rows;
    bool current;
    size_t bucket;
    bool in_bucket;
    size_t at; /* the next row of what is open */
    size_t count;
    bool in_run;
};

/* What DuckDB keeps for a thread. */
struct thread_slot {
    struct scan_thread *thread; /* NULL: has read nothing yet */
};

/* ---- what the relation is ---- */

static void bind_free(void *data)
{
    struct scan_bind *b = data;

    (void)meta_table_unref(b->table);
    free(b);
}

static void add_column(const struct duckdb *d, void *info, const char *name, void *type)
{
    d->bind_add_result_column(info, name, type);
    d->destroy_logical_type(&type);
}

static void add_hidden(const struct duckdb *d, void *info, const struct schema *schema)
{
    static const int types[HIDDEN_COLUMNS] = {DUCK_BIGINT, DUCK_TIMESTAMP_TZ, DUCK_INTEGER};

    for (enum hidden_column i = 0; i < HIDDEN_COLUMNS; i++) {
        if (hidden_is_there(schema, i)) {
            add_column(d, info, hidden_names[i], d->create_logical_type(types[i]));
        }
    }
}

static void add_columns(const struct duckdb *d, void *info, const struct scan_bind *b)
{
    if (b->kind == RELATION_CHANGELOG || b->kind == RELATION_BINLOG) {
        add_column(d, info, "_change_type", d->create_logical_type(DUCK_VARCHAR));
        add_column(d, info, "_log_offset", d->create_logical_type(DUCK_BIGINT));
        add_column(d, info, "_commit_timestamp", d->create_logical_type(DUCK_TIMESTAMP_TZ));
    }
    if (b->kind == RELATION_BINLOG) {
        add_column(d, info, "before", fill_type(d, b->schema->row));
        add_column(d, info, "after", fill_type(d, b->schema->row));
        return;
    }
    if (b->kind == RELATION_CHANGELOG) {
        add_column(d, info, "_bucket", d->create_logical_type(DUCK_INTEGER));
    }
    for (uint32_t i = 0; i < b->schema->count; i++) {
        add_column(d, info, b->schema->columns[i].name, fill_type(d, b->schema->columns[i].type));
    }
    if (b->kind == RELATION_LOG) {
        add_hidden(d, info, b->schema);
    }
}

static int64_t parameter(const struct duckdb *d, void *info, uint64_t index)
{
    void *value = d->bind_get_parameter(info, index);
    int64_t number = d->get_int64(value);

    d->destroy_value(&value);
    return number;
}

struct sql_session *scan_session_of(const struct duckdb *d, void *info)
{
    struct sql_engine *engine = d->bind_get_extra_info(info);
    void *context = NULL;
    uint64_t id;

    d->table_function_get_client_context(info, &context);
    id = d->client_context_get_connection_id(context);
    d->destroy_client_context(&context);
    return engine_session(engine, id);
}

static enum errcode bind_relation(const struct duckdb *d, void *info, struct scan_bind *b,
                                  struct error *e)
{
    int64_t table_id = parameter(d, info, 0);
    int64_t kind = parameter(d, info, 1);
    int64_t schema_id = parameter(d, info, 2);
    const struct meta_table *table;
    const struct meta_schema *schema;

    b->session = scan_session_of(d, info);
    if (b->session == NULL || b->session->view == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "the session has ended");
    }
    table = meta_view_table_by_id(b->session->view, table_id);
    schema = table == NULL || schema_id < 0 || schema_id > INT32_MAX
                 ? NULL
                 : meta_table_schema(table, (int32_t)schema_id);
    if (schema == NULL || kind < RELATION_TABLE || kind > RELATION_LOG) {
        return error_set(e, ERR_TABLE_NOT_EXIST, "the table does not exist any more");
    }
    b->table = meta_table_ref(table);
    b->schema = schema->schema;
    b->kind = (enum relation_kind)kind;
    b->current = kind == RELATION_TABLE && schema_has_primary_key(b->schema);
    return ERR_OK;
}

/* Without it every relation has one row for the optimizer, and joins become nested loops. */
static void tell_rows(const struct duckdb *d, void *info, const struct scan_bind *b)
{
    bool keyed = schema_has_primary_key(b->schema);

    if (b->session->preparing != NULL && b->session->counts) { /* not when views are made */
        d->bind_set_cardinality(
            info, sql_rows_estimate(&b->session->engine->world, b->table, keyed && !b->current),
            false);
    }
}

static void scan_bind(void *info)
{
    const struct duckdb *d = duckdb();
    struct scan_bind *b = mem_new(struct scan_bind);
    struct error e;

    if (bind_relation(d, info, b, &e) != ERR_OK) {
        d->bind_set_error(info, e.message);
        bind_free(b);
        return;
    }
    session_note_table(b->session, b->table, b->current);
    add_columns(d, info, b);
    tell_rows(d, info, b);
    d->bind_set_bind_data(info, b, bind_free);
}

/* ---- one execution ---- */

static uint32_t meta_columns(const struct scan_bind *b)
{
    static const uint32_t counts[] = {[RELATION_TABLE] = 0,
                                      [RELATION_CHANGELOG] = META_COLUMNS,
                                      [RELATION_BINLOG] = BINLOG_COLUMNS,
                                      [RELATION_LOG] = META_COLUMNS};

    return counts[b->kind];
}

static void scan_free(void *data)
{
    struct scan *s = data;

    if (s->cut != NULL) {
        batch_source_fini(&s->source);
    }
    (void)sql_cut_unref(s->cut);
    (void)meta_table_unref(s->table);
    free(s->columns);
    free(s->wanted);
    free(s);
}

/* Of a binlog: a row takes all columns or none, and which rows belong together has to be looked at. */
static void take_binlog(struct scan *s)
{
    bool rows = false;

    for (size_t i = 0; i < s->column_count; i++) {
        rows = rows || s->columns[i] == BINLOG_BEFORE || s->columns[i] == BINLOG_AFTER;
    }
    s->bare = false;
    s->wanted_count = rows ? s->bind->schema->count : 0;
    for (uint32_t i = 0; i < s->wanted_count; i++) {
        s->wanted[i] = i;
    }
}

/* The number of a column as a changelog has it: what is hidden in front of the table's own. */
static uint64_t log_column(const struct schema *schema, uint64_t column)
{
    static const uint64_t numbers[HIDDEN_COLUMNS] = {META_OFFSET, META_TIMESTAMP, META_BUCKET};
    uint64_t next = schema->count;

    if (column < schema->count) {
        return column + META_COLUMNS;
    }
    for (enum hidden_column i = 0; i < HIDDEN_COLUMNS; i++) {
        if (hidden_is_there(schema, i) && column == next++) {
            return numbers[i];
        }
    }
    return UINT64_MAX; /* none */
}

/* Which columns are asked for. DuckDB also asks for such as are none, to count rows. */
static void take_columns(const struct duckdb *d, void *info, struct scan *s)
{
    uint32_t meta = meta_columns(s->bind);
    uint32_t count = s->bind->schema->count;

    s->column_count = d->init_get_column_count(info);
    s->columns = mem_zalloc((s->column_count + 1) * sizeof *s->columns);
    s->wanted = mem_zalloc((count + 1) * sizeof *s->wanted);
    s->bare = s->cut->prune->places == NULL; /* else batches may begin before the place */
    for (size_t i = 0; i < s->column_count; i++) {
        s->columns[i] = d->init_get_column_index(info, i);
        if (s->bind->kind == RELATION_LOG) {
            s->columns[i] = log_column(s->bind->schema, s->columns[i]);
        }
        s->bare = s->bare && s->columns[i] >= (uint64_t)meta + count;
    }
    for (uint32_t position = 0; position < count; position++) {
        bool asked = false;

        for (size_t i = 0; i < s->column_count; i++) {
            asked = asked || s->columns[i] == (uint64_t)meta + position;
        }
        if (asked) {
            s->wanted[s->wanted_count++] = position;
        }
    }
    if (s->bind->kind == RELATION_BINLOG) {
        take_binlog(s);
    }
}

static uint64_t thread_count(const struct scan *s)
{
    uint64_t bytes = 0;
    uint64_t threads;

    for (size_t i = 0; i < s->cut->count && !s->bind->current; i++) {
        bytes += s->cut->buckets[i].log.ranges.len;
    }
    threads = s->bind->current                ? s->cut->count
              : s->cut->prune->places != NULL ? 1 /* the rows of a bucket come in their order */
                                              : bytes / THREAD_BYTES + 1;
    return threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
}

static void scan_init(void *info)
{
    const struct duckdb *d = duckdb();
    const struct scan_bind *b = d->init_get_bind_data(info);
    const struct meta_table *newest = meta_view_table_by_id(b->session->view, b->table->id);
    struct scan *s = mem_new(struct scan);
    struct error e;

    s->duckdb = d;
    s->bind = b;
    s->table = meta_table_ref(newest != NULL ? newest : b->table);
    if (session_take_cut(b->session, s->table, b->current, &s->cut, &e) != ERR_OK) {
        d->init_set_error(info, e.message);
        scan_free(s);
        return;
    }
    batch_source_init(&s->source, s->cut);
    s->cache = b->session->engine->cache;
    s->number = s->cache == NULL ? 0 : column_cache_scan(s->cache);
    take_columns(d, info, s);
    d->init_set_max_threads(info, thread_count(s));
    d->init_set_init_data(info, s, scan_free);
}

/* ---- one thread ---- */

static void thread_free(void *data)
{
    struct scan_thread *t = data;

    if (t->current) {
        row_source_fini(&t->rows);
    } else {
        batch_reader_fini(&t->batch);
    }
    free(t);
}

static void thread_start(struct scan_thread *t, const struct scan *s)
{
    t->current = s->bind->current;
    if (t->current) {
        row_source_init(&t->rows, s->table);
    } else {
        batch_reader_init(&t->batch, s->table, s->bind->schema, s->wanted, s->wanted_count);
        batch_reader_cache(&t->batch, s->cache, s->number);
    }
}

static void slot_free(void *data)
{
    struct thread_slot *slot = data;

    if (slot->thread != NULL) {
        thread_free(slot->thread);
    }
    free(slot);
}

/* Memory of a thread is made with its first rows: its local state knows nothing of the scan. */
static void scan_init_thread(void *info)
{
    duckdb()->init_set_init_data(info, mem_new(struct thread_slot), slot_free);
}

/* Rows of the batch that is open which an increment does not have. */
static size_t rows_before(const struct scan *s, const struct batch_reader *b)
{
    int64_t before = b->run.first - b->header.base_offset;

    return s->cut->prune->places == NULL || before <= 0 ? 0
           : (uint64_t)before < b->rows                 ? (size_t)before
                                                        : b->rows;
}

static enum errcode next_batch(struct scan *s, struct scan_thread *t, struct error *e)
{
    bool found = false;

    while (!found) {
        struct batch_run run;

        if (t->in_run) {
            TRY(batch_reader_next(&t->batch, &found, e));
            t->in_run = found;
            t->at = found ? rows_before(s, &t->batch) : 0;
            found = found && t->at < t->batch.rows;
        }
        if (!t->in_run) {
            TRY(batch_source_next(&s->source, &run, &found, e));
            if (!found) {
                return ERR_OK;
            }
            if (s->bare) {
                t->count = (size_t)run.records;
                return ERR_OK;
            }
            TRY(batch_reader_start(&t->batch, &run, e));
            t->in_run = true;
            found = false;
        }
    }
    t->count = t->batch.rows;
    return ERR_OK;
}

static enum errcode next_rows(struct scan *s, struct scan_thread *t, struct error *e)
{
    while (t->count == 0) {
        bool found;

        if (!t->in_bucket) {
            t->bucket = atomic_fetch_add(&s->next_bucket, 1);
            if (t->bucket >= s->cut->count) {
                return ERR_OK;
            }
        }
        TRY(row_source_next(&t->rows, s->cut, t->bucket, &found, e));
        t->in_bucket = found;
        t->count = t->rows.rows;
    }
    return ERR_OK;
}

/* ---- filling ---- */

static void fill_meta(const struct scan_thread *t, uint64_t column, const struct fill *f)
{
    static const char *const names[] = {"insert", "insert", "update_before", "update_after",
                                        "delete"};
    const struct batch_reader *r = &t->batch;

    for (size_t i = 0; i < f->count; i++) {
        size_t row = t->at + i;
        uint8_t type = r->change_types == NULL ? 0 : r->change_types[row];
        struct fill one = {.duckdb = f->duckdb, .vector = f->vector, .at = f->at + i, .count = 1};

        switch (column) {
        case META_CHANGE_TYPE:
            fill_text(&one, type < ARRAY_LEN(names) ? names[type] : "unknown");
            break;
        case META_OFFSET:
            ((int64_t *)f->duckdb->vector_get_data(f->vector))[one.at] =
                r->header.base_offset + (int64_t)row;
            break;
        case META_TIMESTAMP:
            ((int64_t *)f->duckdb->vector_get_data(f->vector))[one.at] =
                r->header.commit_timestamp * 1000;
            break;
        default:
            ((int32_t *)f->duckdb->vector_get_data(f->vector))[one.at] = r->run.id.bucket;
            break;
        }
    }
}

static struct fill_column column_of(const struct scan *s, const struct scan_thread *t,
                                    uint32_t position)
{
    if (t->current) {
        return (struct fill_column){.node = t->rows.columns[position]};
    }
    for (size_t i = 0; i < s->wanted_count; i++) {
        if (s->wanted[i] == position) {
            return t->batch.columns[i];
        }
    }
    return (struct fill_column){0};
}

static enum errcode fill_rows(const struct scan *s, const struct scan_thread *t, void *chunk,
                              struct fill f, struct error *e)
{
    uint32_t meta = meta_columns(s->bind);

    for (size_t i = 0; i < s->column_count; i++) {
        uint64_t column = s->columns[i];
        struct fill_column from;

        if (column >= (uint64_t)meta + s->bind->schema->count) {
            continue;
        }
        f.vector = s->duckdb->data_chunk_get_vector(chunk, i);
        if (column < meta) {
            fill_meta(t, column, &f);
            continue;
        }
        from = column_of(s, t, (uint32_t)(column - meta));
        TRY(fill_from(&f, s->bind->schema->columns[column - meta].type, &from, t->at, e));
    }
    return ERR_OK;
}

/* The columns of a row of the batch as a struct; there false: it is null. */
static enum errcode fill_struct(const struct scan *s, const struct scan_thread *t, size_t row,
                                bool there, const struct fill *f, struct error *e)
{
    const struct schema *schema = s->bind->schema;

    if (!there) {
        fill_nulls(f, schema->row);
        return ERR_OK;
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        struct fill child = *f;

        child.vector = f->duckdb->struct_vector_get_child(f->vector, i);
        TRY(fill_from(&child, schema->columns[i].type, &t->batch.columns[i], row, e));
    }
    return ERR_OK;
}

static enum errcode fill_binlog_row(const struct scan *s, struct scan_thread *t, void *chunk,
                                    const struct binlog_row *row, struct fill f, struct error *e)
{
    for (size_t i = 0; i < s->column_count; i++) {
        uint64_t column = s->columns[i];

        if (column >= BINLOG_COLUMNS) {
            continue;
        }
        f.vector = s->duckdb->data_chunk_get_vector(chunk, i);
        if (column == BINLOG_BEFORE) {
            TRY(fill_struct(s, t, row->first, row->has_before, &f, e));
        } else if (column == BINLOG_AFTER) {
            TRY(fill_struct(s, t, row->first + row->count - 1, row->has_after, &f, e));
        } else if (column == META_CHANGE_TYPE) {
            fill_text(&f, row->change);
        } else {
            fill_meta(t, column, &f);
        }
    }
    return ERR_OK;
}

/* The next row of a binlog from the batch that is open. */
static enum errcode fill_binlog(const struct scan *s, struct scan_thread *t, void *chunk,
                                struct fill *f, struct error *e)
{
    struct binlog_row row = binlog_next(t->batch.change_types, t->count, t->at);

    f->count = 1;
    TRY(fill_binlog_row(s, t, chunk, &row, *f, e));
    t->at += row.count - 1; /* the caller passes the last one */
    return ERR_OK;
}

static enum errcode fill_chunk(struct scan *s, struct scan_thread *t, void *chunk, size_t *ret,
                               struct error *e)
{
    size_t filled = 0;
    bool borrowed = false;

    while (filled < DUCK_VECTOR_SIZE) {
        struct fill f = {.duckdb = s->duckdb, .at = filled};

        if (t->at == t->count) {
            if (borrowed) {
                break; /* the batch has to stay for now */
            }
            t->at = 0;
            t->count = 0;
            TRY(t->current ? next_rows(s, t, e) : next_batch(s, t, e));
            if (t->count == 0) {
                break;
            }
        }
        if (s->bind->kind == RELATION_BINLOG) {
            TRY(fill_binlog(s, t, chunk, &f, e));
            filled++;
            t->at++;
            continue;
        }
        f.count = t->count - t->at;
        f.count = f.count > DUCK_VECTOR_SIZE - filled ? DUCK_VECTOR_SIZE - filled : f.count;
        f.borrow = f.count >= BORROW_ROWS;
        f.whole = f.borrow && filled == 0;
        borrowed = borrowed || f.borrow;
        TRY(fill_rows(s, t, chunk, f, e));
        filled += f.count;
        t->at += f.count;
    }
    *ret = filled;
    return ERR_OK;
}

static void scan_run(void *info, void *chunk)
{
    const struct duckdb *d = duckdb();
    struct scan *s = d->function_get_init_data(info);
    struct thread_slot *slot = d->function_get_local_init_data(info);
    size_t filled = 0;
    struct error e;

    if (slot->thread == NULL) {
        slot->thread = mem_new(struct scan_thread);
        thread_start(slot->thread, s);
    }
    if (fill_chunk(s, slot->thread, chunk, &filled, &e) != ERR_OK) {
        d->function_set_error(info, e.message);
        return;
    }
    d->data_chunk_set_size(chunk, filled);
}

enum errcode scan_register(struct sql_session *owner, struct error *e)
{
    const struct duckdb *d = duckdb();
    void *f = d->create_table_function();
    int outcome;

    d->table_function_set_name(f, SCAN_FUNCTION);
    d->table_function_set_extra_info(f, owner->engine, NULL);
    for (int i = 0; i < 3; i++) {
        void *number = d->create_logical_type(DUCK_BIGINT);

        d->table_function_add_parameter(f, number);
        d->destroy_logical_type(&number);
    }
    d->table_function_set_bind(f, scan_bind);
    d->table_function_set_init(f, scan_init);
    d->table_function_set_local_init(f, scan_init_thread);
    d->table_function_set_function(f, scan_run);
    d->table_function_supports_projection_pushdown(f, true);
    outcome = d->register_table_function(owner->connection, f);
    d->destroy_table_function(&f);
    return outcome == DUCK_OK ? ERR_OK
                              : error_set(e, ERR_UNSUPPORTED_OPERATION,
                                          "DuckDB refuses the function " SCAN_FUNCTION);
}
