#include "pushed.h"

#include "batch_source.h"
#include "literal.h"
#include "syntax.h"

#include <strings.h>

/* ---- the tree ---- */

static bool has_where(struct bytes text)
{
    struct token t;

    do {
        t = token_next_solid(&text);
    } while (t.kind != TOKEN_END && !(t.kind == TOKEN_WORD && token_is(&t, "where")));
    return t.kind != TOKEN_END;
}

void pushed_derive(struct sql_statement *st)
{
    OWNED(buffer_fini) struct buffer json = BUFFER_INIT;
    struct bytes text = bytes_str(st->text);

    if (st->explain) {
        syntax_skip_explain(&text);
    }
    st->predicates = (struct predicates){.complete = false};
    if (st->table_count == 0 || !has_where(text)) {
        return;
    }
    if (syntax_ask(st->session, text, &json, NULL) != ERR_OK ||
        predicates_parse(buffer_view(&json), &st->arena, &st->predicates, NULL) != ERR_OK) {
        st->predicates = (struct predicates){.complete = false};
    }
}

/* ---- by table ---- */

/* Whether the relation may be one that reads this table, and which. */
static bool reads(const struct predicate_relation *r, const struct meta_table *table, bool current,
                  struct prune_source *ret)
{
    static const char *const suffixes[] = {"", "$changelog", "$binlog"};
    size_t len = strlen(table->name);
    bool keyed = schema_has_primary_key(meta_table_latest(table)->schema);

    if ((*r->schema != '\0' && strcasecmp(r->schema, table->database) != 0) ||
        strncasecmp(r->name, table->name, len) != 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (strcasecmp(r->name + len, suffixes[i]) == 0) {
            ret->changelog = i > 0;
            ret->binlog = i == 2;
            return current ? i == 0 : i > 0 || !keyed;
        }
    }
    return false;
}

/* How often the statement, as it was bound, reads the table. */
static size_t times_bound(const struct sql_statement *st, const struct meta_table *table,
                          bool current)
{
    size_t count = 0;

    for (size_t i = 0; i < st->table_count; i++) {
        count += st->tables[i].table->id == table->id && st->tables[i].current == current ? 1 : 0;
    }
    return count;
}

struct prune *pushed_prune(const struct sql_statement *st, const struct meta_table *table,
                           bool current, const struct sql_parameter *parameters)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct literal_parameters given = {.values = parameters, .count = st->parameter_count};
    struct prune_sources sources = {.parameters = &given};
    struct prune_source *items;
    size_t count = 0;
    struct prune *p;

    if (!st->predicates.complete) {
        return NULL;
    }
    for (const struct predicate_relation *r = st->predicates.relations; r != NULL; r = r->next) {
        count++;
    }
    items = arena_array(&arena, count + 1, sizeof *items);
    for (const struct predicate_relation *r = st->predicates.relations; r != NULL; r = r->next) {
        if (reads(r, table, current, &items[sources.count])) {
            items[sources.count++].where = r->where;
        }
    }
    sources.items = items;
    if (sources.count == 0 || times_bound(st, table, current) > sources.count) {
        return NULL;
    }
    p = prune_new(table, current, &sources);
    prune_find_keys(p, current && sources.count == 1);
    return p;
}

struct prune *pushed_tail(const struct sql_statement *st, const struct meta_table *table,
                          const struct sql_parameter *parameters)
{
    const struct predicate_relation *tail = st->predicates.function;
    struct literal_parameters given = {.values = parameters,
                                       .count = parameters == NULL ? 0 : st->parameter_count};
    struct prune_source source = {.where = tail == NULL ? NULL : tail->where,
                                  .changelog = st->tail->keyed};
    struct prune_sources sources = {.items = &source, .count = 1, .parameters = &given};
    struct prune *p = prune_new(table, false, source.where == NULL ? NULL : &sources);

    prune_find_keys(p, false);
    return p;
}

/* ---- EXPLAIN ---- */

/* Batches that nobody has read are counted. */
static void count_batches(struct sql_cut *cut)
{
    struct batch_source source;
    struct batch_run run;
    bool found = true;

    if (cut->current || atomic_load(&cut->taken)) {
        return;
    }
    batch_source_init(&source, cut);
    while (found) {
        if (batch_source_next(&source, &run, &found, NULL) != ERR_OK) {
            break;
        }
    }
    batch_source_fini(&source);
}

static void explain_cut(struct sql_cut *cut, struct buffer *out)
{
    const struct meta_table *table = cut->prune->table;

    count_batches(cut);
    buffer_bytes(out, bytes_str(table->database));
    buffer_u8(out, '.');
    buffer_bytes(out, bytes_str(table->name));
    if (!cut->current && schema_has_primary_key(meta_table_latest(table)->schema)) {
        buffer_bytes(out, bytes_str("$changelog"));
    }
    buffer_bytes(out, bytes_str(": "));
    prune_explain(cut->prune, out);
}

void *pushed_explain(const struct sql_statement *st)
{
    const struct duckdb *d = duckdb();
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    void *types[2];
    void *chunk;

    LIST_FOR_EACH(it, &st->session->cuts)
    {
        if (text.len > 0) {
            buffer_u8(&text, '\n');
        }
        explain_cut(container_of(it, struct session_cut, link)->cut, &text);
    }
    if (text.len == 0 || st->column_count != ARRAY_LEN(types)) {
        return NULL;
    }
    types[0] = d->create_logical_type(DUCK_VARCHAR);
    types[1] = d->create_logical_type(DUCK_VARCHAR);
    chunk = d->create_data_chunk(types, ARRAY_LEN(types));
    d->destroy_logical_type(&types[0]);
    d->destroy_logical_type(&types[1]);
    d->unsafe_vector_assign_string_element_len(d->data_chunk_get_vector(chunk, 0), 0, "pushed", 6);
    d->unsafe_vector_assign_string_element_len(d->data_chunk_get_vector(chunk, 1), 0,
                                               (const char *)text.data, text.len);
    d->data_chunk_set_size(chunk, 1);
    return chunk;
}
