#include "point.h"

#include "cell.h"
#include "fill.h"
#include "point_key.h"
#include "pushed.h"
#include "row_source.h"

#include <stdlib.h>
#include <strings.h>

struct point {
    const struct meta_table *table; /* a reference: as it was prepared */
    uint32_t *columns;              /* positions */
    size_t column_count;
    void *chunk; /* of one answer */
    struct row_source rows;
    /* of a lookup without waiting */
    struct point_value *values; /* heap: the answer; NULL: not all of its columns are plain */
    const struct meta_table *key_table; /* a reference: `key` is right for it; NULL: for none */
    struct point_key key;
    struct arena key_arena; /* of it */
    struct bytes key_bytes;
    struct sql_lookup_wait wait;
    struct replica_set *set; /* that has the bucket */
    struct lookup_op op;
    struct arena arena; /* of the op */
    struct message message;
    bool starting;
    bool answered;
};

/* ---- preparing ---- */

static bool find_columns(struct point *p, const struct predicate_plain *plain)
{
    const struct schema *schema = meta_table_latest(p->table)->schema;
    bool all = plain->columns == NULL;

    p->column_count = all ? schema->count : plain->column_count;
    p->columns = mem_zalloc((p->column_count + 1) * sizeof *p->columns);
    for (size_t i = 0; i < p->column_count; i++) {
        size_t found = 0;

        for (uint32_t c = 0; c < schema->count; c++) {
            const char *name = schema->columns[c].name;

            if (all ? c == i : strcasecmp(name, plain->columns[i]) == 0) {
                p->columns[i] = c;
                found++;
            }
        }
        if (found != 1) {
            return false;
        }
    }
    return true;
}

static bool all_plain(const struct point *p)
{
    const struct schema *schema = meta_table_latest(p->table)->schema;

    for (size_t i = 0; i < p->column_count; i++) {
        if (!cell_is_plain(schema->columns[p->columns[i]].type)) {
            return false;
        }
    }
    return true;
}

/* The chunk has the types that the client was told. */
static bool make_chunk(struct point *p, const struct sql_statement *st)
{
    const struct duckdb *d = duckdb();
    const struct schema *schema = meta_table_latest(p->table)->schema;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    void **types = arena_array(&arena, p->column_count + 1, sizeof *types);
    bool same = true;

    for (size_t i = 0; i < p->column_count; i++) {
        const struct type *type = schema->columns[p->columns[i]].type;
        struct sql_type made = {0};

        same = value_type_make(d, fill_type(d, type), &arena, &made, NULL) == ERR_OK &&
               value_type_equal(&made, &st->types[i]) && same;
        value_type_fini(d, &made);
        types[i] = fill_type(d, type);
    }
    if (same) {
        p->chunk = d->create_data_chunk(types, p->column_count);
    }
    for (size_t i = 0; i < p->column_count; i++) {
        d->destroy_logical_type(&types[i]);
    }
    return p->chunk != NULL;
}

struct point *point_new(const struct sql_statement *st)
{
    const struct predicate_plain *plain = &st->predicates.plain;
    struct point *p;

    if (plain->relation == NULL || !plain->whole || !st->predicates.complete || st->explain ||
        st->table_count != 1 || !st->tables[0].current) {
        return NULL;
    }
    p = mem_new(struct point);
    p->table = meta_table_ref(st->tables[0].table);
    row_source_init(&p->rows, p->table);
    if (!find_columns(p, plain) || p->column_count != st->column_count || !make_chunk(p, st)) {
        return point_free(p);
    }
    if (all_plain(p)) {
        p->values = mem_zalloc((p->column_count + 1) * sizeof *p->values);
    }
    return p;
}

void *point_free(struct point *p)
{
    if (p != NULL) {
        row_source_fini(&p->rows);
        if (p->chunk != NULL) {
            duckdb()->destroy_data_chunk(&p->chunk);
        }
        (void)meta_table_unref(p->table);
        (void)meta_table_unref(p->key_table);
        arena_fini(&p->key_arena);
        arena_fini(&p->arena);
        free(p->values);
        free(p->columns);
        free(p);
    }
    return NULL;
}

/* ---- executing ---- */

static enum errcode fill_chunk(struct point *p, struct error *e)
{
    const struct schema *schema = meta_table_latest(p->table)->schema;
    const struct duckdb *d = duckdb();

    for (size_t i = 0; i < p->column_count; i++) {
        uint32_t column = p->columns[i];
        struct fill f = {
            .duckdb = d, .vector = d->data_chunk_get_vector(p->chunk, i), .count = p->rows.rows};

        TRY(fill_values(&f, schema->columns[column].type, p->rows.columns[column], 0, e));
    }
    return ERR_OK;
}

static enum errcode look_up(struct sql_statement *st, struct prune *prune, size_t *ret_rows,
                            struct error *e)
{
    struct point *p = st->point;
    struct sql_cut *cut = NULL;
    enum errcode code;
    bool found = false;

    TRY(sql_cut_take(&st->session->engine->world, prune->table, true, prune, &cut, e));
    duckdb()->data_chunk_reset(p->chunk);
    p->rows.rows = 0;
    code = cut->count > 0 ? row_source_next(&p->rows, cut, 0, &found, e) : ERR_OK;
    if (code == ERR_OK && found) {
        code = fill_chunk(p, e);
    }
    *ret_rows = found ? p->rows.rows : 0;
    (void)sql_cut_unref(cut);
    return code;
}

/* What is to be looked up; NULL: DuckDB is to be asked. */
static struct prune *key_of(const struct sql_statement *st, const struct sql_parameter *parameters)
{
    const struct point *p = st->point;
    const struct meta_table *table = meta_view_table_by_id(st->session->view, p->table->id);
    struct prune *prune;

    if (table == NULL || meta_table_latest(table)->id != meta_table_latest(p->table)->id) {
        return NULL;
    }
    prune = pushed_prune(st, table, true, parameters);
    return prune == NULL || prune_is_one_key(prune) ? prune : prune_free(prune);
}

static void set_answer(struct sql_result *r, struct point *p, size_t rows)
{
    r->chunk = p->chunk;
    r->borrowed = true;
    r->rows = rows;
}

bool point_execute(struct sql_statement *st, const struct sql_parameter *parameters,
                   struct sql_result *r)
{
    struct prune *prune = key_of(st, parameters);
    size_t rows = 0;

    if (prune == NULL || look_up(st, prune, &rows, NULL) != ERR_OK) {
        return false;
    }
    session_cuts_clear(st->session);
    set_answer(r, st->point, rows);
    return true;
}

/* ---- without waiting ---- */

bool sql_has_lookup(const struct sql_statement *st)
{
    return st->point != NULL && !sql_is_write(st) && sql_copy_kind(st) == SQL_COPY_NONE;
}
bool sql_is_lookup(const struct sql_result *r) { return r->borrowed; }

static void came_home(struct message *m)
{
    struct point *p = container_of(m, struct point, message);

    p->wait.done(p->wait.context);
}

/* On the shard of the bucket. */
static void looked_up(struct bucket_op *op)
{
    struct point *p = op->context;

    if (p->starting) {
        p->answered = true;
    } else {
        p->message.run = came_home;
        shard_send(p->wait.shard, &p->message);
    }
}

static void sent(struct message *m)
{
    struct point *p = container_of(m, struct point, message);

    replica_lookup(p->set, &p->op);
}

/* The key by the long way, which finds out whether the statement is one for a row at all. As long as the
 * table stays as it is, that does not change. */
static bool find_key_first(struct sql_statement *st, const struct sql_parameter *parameters,
                           struct bucket_id *ret_id)
{
    struct point *p = st->point;
    struct prune *prune = key_of(st, parameters);
    bool found = prune != NULL && prune->keys != NULL;

    (void)meta_table_unref(TAKE(p->key_table));
    arena_reset(&p->key_arena);
    if (found) {
        *ret_id = prune->keys->id;
        p->key_bytes = arena_copy(&p->arena, prune->keys->keys[0]);
        if (point_key_init(&p->key, prune->table, st->predicates.plain.relation->where,
                           &p->key_arena)) {
            p->key_table = meta_table_ref(prune->table);
        }
    }
    prune_free(prune);
    return found;
}

static bool find_key(struct sql_statement *st, const struct sql_parameter *parameters,
                     struct bucket_id *ret_id)
{
    const struct literal_parameters given = {.values = parameters, .count = st->parameter_count};
    struct point *p = st->point;

    arena_reset(&p->arena);
    if (p->key_table != NULL &&
        p->key_table == meta_view_table_by_id(st->session->view, p->table->id)) {
        return point_key_find(&p->key, &given, &p->arena, ret_id, &p->key_bytes);
    }
    return find_key_first(st, parameters, ret_id);
}

enum sql_lookup_step sql_lookup_start(struct sql_statement *st,
                                      const struct sql_parameter *parameters,
                                      const struct sql_lookup_wait *wait)
{
    const struct sql_world *world = &st->session->engine->world;
    struct point *p = st->point;
    struct bucket_id id;
    unsigned shard;

    session_adopt_view(st->session);
    if (p == NULL || !list_empty(&st->session->cuts) || !find_key(st, parameters, &id)) {
        return SQL_LOOKUP_NONE;
    }
    p->wait = *wait;
    p->op = (struct lookup_op){.op = {.id = id, .done = looked_up, .context = p},
                               .keys = &p->key_bytes,
                               .count = 1,
                               .arena = &p->arena};
    shard = bucket_shard(&p->op.op.id, world->count);
    p->set = world->replicas[shard];
    p->answered = false;
    p->starting = world->shards[shard] == wait->shard;
    if (!p->starting) {
        p->message.run = sent;
        shard_send(world->shards[shard], &p->message);
        return SQL_LOOKUP_WAITS;
    }
    replica_lookup(p->set, &p->op);
    p->starting = false;
    return p->answered ? SQL_LOOKUP_READY : SQL_LOOKUP_WAITS;
}

struct shard *sql_lookup_shard(const struct sql_statement *st)
{
    return st->session->engine->world
        .shards[bucket_shard(&st->point->op.op.id, st->session->engine->world.count)];
}

/* The row's values, without vectors of DuckDB. */
static bool take_values(struct point *p, struct bytes row)
{
    const struct row_plan *plan = NULL;
    const struct row_cell *cells = NULL;

    if (row_source_cells(&p->rows, row, &plan, &cells, NULL) != ERR_OK) {
        return false;
    }
    for (size_t i = 0; i < p->column_count; i++) {
        struct point_value *v = &p->values[i];
        uint32_t column = p->columns[i];

        v->null = column >= plan->count || cells[column].data == NULL;
        if (!v->null && !cell_value(&plan->columns[column], cells[column], &v->plain)) {
            return false;
        }
    }
    return true;
}

/* The same in vectors. */
static bool take_chunk(struct point *p, struct bytes row)
{
    duckdb()->data_chunk_reset(p->chunk);
    return row_source_one(&p->rows, row, NULL) == ERR_OK && fill_chunk(p, NULL) == ERR_OK;
}

bool sql_lookup_finish(struct sql_statement *st, struct sql_result **ret)
{
    struct point *p = st->point;
    struct bytes row;
    struct sql_result *r;

    if (p->op.op.code != ERR_OK) {
        return false;
    }
    row = p->op.values[0];
    if (row.len > 0 && !(p->values != NULL ? take_values(p, row) : take_chunk(p, row))) {
        return false;
    }
    r = mem_new(struct sql_result);
    r->statement = st;
    r->values = p->values;
    set_answer(r, p, row.len > 0 ? 1 : 0);
    *ret = r;
    return true;
}
