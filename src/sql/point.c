#include "point.h"

#include "fill.h"
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

bool point_execute(struct sql_statement *st, const struct sql_parameter *parameters,
                   struct sql_result *r)
{
    const struct point *p = st->point;
    const struct meta_table *table = meta_view_table_by_id(st->session->view, p->table->id);
    struct prune *prune;

    if (table == NULL || meta_table_latest(table)->id != meta_table_latest(p->table)->id) {
        return false;
    }
    prune = pushed_prune(st, table, true, parameters);
    if (prune == NULL || !prune_is_one_key(prune)) {
        prune_free(prune);
        return false;
    }
    if (look_up(st, prune, &r->rows, NULL) != ERR_OK) {
        return false;
    }
    session_cuts_clear(st->session);
    r->chunk = p->chunk;
    r->borrowed = true;
    return true;
}
