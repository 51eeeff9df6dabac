#include "returning.h"

#include "encode.h"

#include <stdlib.h>

/* ---- the clause ---- */

/* Where it begins; false: there is none. */
static bool find_clause(struct parse *p)
{
    int depth = 0;

    for (; !parse_at_end(p); parse_next(p)) {
        depth += parse_bracket(&p->token);
        if (depth == 0 && parse_at_word(p, "returning")) {
            return true;
        }
    }
    return false;
}

/* What ends a list of expressions would be a clause of the query that they become part of. */
static bool ends_list(const struct parse *p, bool distinct)
{
    static const char *const words[] = {"from",   "where",   "group",  "having",    "order",
                                        "limit",  "offset",  "window", "intersect", "union",
                                        "except", "qualify", "using",  "into"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (parse_at_word(p, words[i])) {
            return !(distinct && i == 0); /* IS DISTINCT FROM */
        }
    }
    return false;
}

static bool check_list(struct parse *p)
{
    bool distinct = false;
    int depth = 0;

    if (parse_at_end(p)) {
        return parse_expected(p, "an expression");
    }
    for (; !parse_at_end(p); parse_next(p)) {
        depth += parse_bracket(&p->token);
        if (depth < 0 || (depth == 0 && ends_list(p, distinct))) {
            return parse_expected(p, "the end of the statement");
        }
        distinct = parse_at_word(p, "distinct");
    }
    return depth == 0 ? true : parse_expected(p, "a closing bracket");
}

bool returning_split(struct bytes *statement, struct arena *arena, const char **ret,
                     struct sql_error *e)
{
    struct parse p;
    size_t at;
    size_t list;

    *ret = NULL;
    parse_init(&p, *statement, arena, e);
    if (!find_clause(&p)) {
        return true;
    }
    at = parse_offset(&p);
    parse_next(&p);
    list = parse_offset(&p);
    if (!check_list(&p)) {
        return false;
    }
    *ret = arena_strndup(arena, statement->data + list, statement->len - list);
    *statement = bytes_slice(*statement, 0, at);
    return true;
}

/* ---- the query ---- */

static void put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

/* Of DELETE the query gives all columns of the table, as else those that are written. */
static bool is_given(const struct dml *dml, uint32_t column)
{
    for (size_t i = 0; i < dml->column_count; i++) {
        if (dml->columns[i] == (int32_t)column) {
            return true;
        }
    }
    return dml->kind == DML_DELETE;
}

static void put_given_names(const struct dml *dml, const struct schema *schema, struct buffer *out)
{
    bool all = dml->kind == DML_DELETE;
    size_t count = all ? schema->count : dml->column_count;

    for (size_t i = 0; i < count; i++) {
        put(out, i > 0 ? "," : "");
        encode_name(schema->columns[all ? i : (size_t)dml->columns[i]].name, out);
    }
}

/* A whole row of the table. */
static void put_row(const struct dml *dml, const struct schema *schema, struct buffer *out)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        put(out, i > 0 ? "," : "");
        if (!is_given(dml, i)) {
            put(out, "CAST(NULL AS ");
            encode_type_name(schema->columns[i].type, out);
            put(out, ") AS ");
        }
        encode_name(schema->columns[i].name, out);
    }
}

bool returning_wrap(struct dml *dml, struct arena *arena, struct sql_error *e)
{
    const struct schema *schema = meta_table_latest(dml->table)->schema;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;

    if (dml->kind != DML_DELETE && dml->partial) {
        return sql_fail(e, "0A000", "RETURNING needs a statement that writes all columns");
    }
    if (dml->table->options->merge_engine != MERGE_NONE) {
        return sql_fail(e, "0A000", "RETURNING of a table with a merge engine is not served");
    }
    put(&out, "SELECT ");
    for (size_t i = 0; i < dml->column_count; i++) {
        encode_name(dml->alias, &out);
        put(&out, ".");
        encode_name(schema->columns[dml->columns[i]].name, &out);
        put(&out, ",");
    }
    put(&out, " ");
    put(&out, dml->returning);
    put(&out, "\nFROM (SELECT ");
    put_row(dml, schema, &out);
    put(&out, " FROM (");
    put(&out, dml->query);
    put(&out, "\n) AS rows_of_query(");
    put_given_names(dml, schema, &out);
    put(&out, ")) AS ");
    encode_name(dml->alias, &out);
    dml->query = arena_strndup(arena, out.data, out.len);
    return true;
}

/* ---- the rows ---- */

static size_t text_bytes(const struct sql_result *r)
{
    OWNED(buffer_fini) struct buffer value = BUFFER_INIT;
    size_t rows = duckdb()->data_chunk_get_size(r->chunk);
    size_t sum = 0;

    for (size_t row = 0; row < rows && sum <= RETURNING_BYTES_MAX; row++) {
        for (size_t i = 0; i < sql_column_count(r->statement); i++) {
            buffer_clear(&value);
            (void)sql_result_text(r, row, i, &value);
            sum += value.len;
        }
    }
    return sum;
}

bool returning_keep(struct sql_result *r, struct sql_error *e)
{
    r->kept_bytes += text_bytes(r);
    if (r->kept_bytes > RETURNING_BYTES_MAX ||
        (r->kept_count + 1) * DUCK_VECTOR_SIZE > RETURNING_ROWS_MAX) {
        return sql_fail(e, "54000", "RETURNING gives too many rows, or too large ones");
    }
    r->kept = mem_realloc(r->kept, (r->kept_count + 1) * sizeof *r->kept);
    r->kept[r->kept_count++] = r->chunk;
    r->chunk = NULL;
    return true;
}

void returning_replay(struct sql_result *r) { r->replays = true; }

size_t returning_next(struct sql_result *r)
{
    if (r->chunk != NULL) {
        duckdb()->destroy_data_chunk(&r->chunk);
    }
    if (r->kept_at == r->kept_count) {
        return 0;
    }
    r->chunk = r->kept[r->kept_at];
    r->kept[r->kept_at++] = NULL;
    return duckdb()->data_chunk_get_size(r->chunk);
}

void returning_free(struct sql_result *r)
{
    for (size_t i = r->kept_at; i < r->kept_count; i++) {
        duckdb()->destroy_data_chunk(&r->kept[i]);
    }
    free(r->kept);
}
