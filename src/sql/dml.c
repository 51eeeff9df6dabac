#include "dml.h"

#include "conflict.h"
#include "encode.h"
#include "names.h"
#include "relations.h"
#include "returning.h"

#include <stdio.h>

#include "format/table_options.h"

/* What a statement is being made into. */
struct making {
    struct parse p;
    struct sql_session *session;
    struct dml *dml;
    const struct schema *schema;
    struct buffer out; /* the query */
};

/* ---- tables and columns ---- */

static bool find_table(struct making *m, struct sql_name *name)
{
    const struct meta_table *table;

    if (!parse_table(&m->p, name) || !names_table(m->session, name, &table, m->p.e)) {
        return false;
    }
    m->dml->table = meta_table_ref(table);
    m->dml->schema_id = meta_table_latest(table)->id;
    m->schema = meta_table_latest(table)->schema;
    return true;
}

static int32_t *new_columns(struct making *m)
{
    int32_t *columns = arena_array(m->p.arena, m->schema->count, sizeof *columns);

    m->dml->columns = columns;
    return columns;
}

/* All columns but the one that counts by itself. */
static void take_all_columns(struct making *m)
{
    int32_t *columns = new_columns(m);

    for (uint32_t i = 0; i < m->schema->count; i++) {
        if ((int32_t)i != m->schema->auto_increment) {
            columns[m->dml->column_count++] = (int32_t)i;
        }
    }
    m->dml->partial = m->schema->auto_increment >= 0;
}

static bool take_column(struct making *m, int32_t *ret)
{
    bool exact = m->p.token.kind == TOKEN_QUOTED;
    size_t at = parse_offset(&m->p);
    const char *name;

    if (!parse_name(&m->p, &name)) {
        return false;
    }
    *ret = names_column(m->schema, name, exact);
    if (*ret < 0) {
        (void)parse_failed(&m->p, "42703", "column \"%.100s\" of table \"%.100s\" does not exist",
                           name, m->dml->table->name);
        m->p.e->position = parse_position(m->p.text, at);
        return false;
    }
    return true;
}

static bool is_taken(const int32_t *columns, size_t count, int32_t column)
{
    for (size_t i = 0; i < count; i++) {
        if (columns[i] == column) {
            return true;
        }
    }
    return false;
}

static bool take_column_list(struct making *m)
{
    int32_t *columns = new_columns(m);
    size_t count = 0;

    if (!parse_need_byte(&m->p, '(')) {
        return false;
    }
    do {
        int32_t column;

        if (!take_column(m, &column)) {
            return false;
        }
        if (is_taken(columns, count, column)) {
            return parse_failed(&m->p, "42701", "column \"%.100s\" is named twice",
                                m->schema->columns[column].name);
        }
        columns[count++] = column;
    } while (parse_byte(&m->p, ','));
    m->dml->column_count = count;
    m->dml->partial = schema_has_primary_key(m->schema) && count < m->schema->count;
    return parse_need_byte(&m->p, ')');
}

/* ---- pieces of text ---- */

static void put(struct making *m, const char *text) { buffer_bytes(&m->out, bytes_str(text)); }

static const struct type *column_type(const struct making *m, size_t i)
{
    return m->schema->columns[m->dml->columns[i]].type;
}

/* '\x00ff' for bytes means hexadecimal digits, as in PostgreSQL. */
static bool is_hex_literal(const struct type *type, struct bytes text)
{
    return (type->root == TYPE_BYTES || type->root == TYPE_BINARY) && text.len >= 4 &&
           memcmp(text.data, "'\\x", 3) == 0;
}

static void put_cast(struct making *m, struct bytes expression, bool literal,
                     const struct type *type)
{
    put(m, "CAST((");
    if (literal && is_hex_literal(type, expression)) {
        put(m, "unhex('");
        buffer_bytes(&m->out, bytes_slice(expression, 3, expression.len - 3));
        put(m, ")");
    } else {
        buffer_bytes(&m->out, expression);
    }
    put(m, ") AS ");
    encode_type_name(type, &m->out);
    put(m, ")");
}

/* An expression up to a comma, a closing bracket, or one of the words, outside of brackets. */
struct expression {
    struct bytes text;
    size_t tokens;
    bool literal; /* nothing but a text */
    bool fallback;
};

static bool ends_at_word(const struct parse *p, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++) {
        if (parse_at_word(p, *words)) {
            return true;
        }
    }
    return false;
}

static bool take_expression(struct making *m, const char *const *words, struct expression *ret)
{
    struct parse *p = &m->p;
    size_t from = parse_offset(p);
    size_t end = from;
    bool distinct = false;
    int depth = 0;

    *ret = (struct expression){0};
    while (!parse_at_end(p)) {
        int step = parse_bracket(&p->token);

        if (depth == 0 &&
            (step < 0 || parse_at_byte(p, ',') || (!distinct && ends_at_word(p, words)))) {
            break;
        }
        depth += step;
        distinct = parse_at_word(p, "distinct"); /* IS DISTINCT FROM */
        ret->literal = ret->tokens == 0 && p->token.kind == TOKEN_STRING;
        ret->fallback = ret->tokens == 0 && parse_at_word(p, "default");
        ret->tokens++;
        end = parse_offset(p) + p->token.text.len;
        parse_next(p);
    }
    ret->fallback &= ret->tokens == 1;
    ret->literal &= ret->tokens == 1;
    ret->text = bytes_slice(p->text, from, end - from);
    return ret->tokens > 0 ? true : parse_expected(p, "an expression");
}

static const char *query_text(struct making *m)
{
    return arena_strndup(m->p.arena, m->out.data, m->out.len);
}

/* ---- INSERT ---- */

static bool wrong_count(struct parse *p, bool more)
{
    return parse_failed(p, "42601",
                        more ? "INSERT has more expressions than target columns"
                             : "INSERT has more target columns than expressions");
}

static bool values_row(struct making *m)
{
    size_t count = 0;

    put(m, m->out.len > 7 ? ",(" : "(");
    do {
        struct expression x;

        if (count == m->dml->column_count) {
            return wrong_count(&m->p, true);
        }
        if (!take_expression(m, NULL, &x)) {
            return false;
        }
        put(m, count > 0 ? "," : "");
        put_cast(m, x.fallback ? bytes_str("NULL") : x.text, x.literal, column_type(m, count));
        count++;
    } while (parse_byte(&m->p, ','));
    put(m, ")");
    if (count < m->dml->column_count) {
        return wrong_count(&m->p, false);
    }
    return parse_need_byte(&m->p, ')');
}

/* VALUES with nothing behind it: its expressions are cast where they stand, so that parameters get the
 * types of their columns. */
static bool insert_values(struct making *m)
{
    put(m, "VALUES ");
    do {
        if (!parse_need_byte(&m->p, '(') || !values_row(m)) {
            return false;
        }
    } while (parse_byte(&m->p, ','));
    m->dml->query = query_text(m);
    return true;
}

static bool insert_rows(struct making *m)
{
    size_t from = parse_offset(&m->p);

    if (parse_at_word(&m->p, "default") || parse_at_end(&m->p)) {
        return parse_expected(&m->p, "VALUES or a query");
    }
    if (parse_word(&m->p, "values")) {
        if (!insert_values(m)) {
            return false;
        }
        if (parse_at_end(&m->p)) {
            return true;
        }
    }
    m->dml->query = arena_strndup(m->p.arena, m->p.text.data + from, m->p.text.len - from);
    m->dml->query_is_plain = true;
    return true;
}

static bool starts_query(const struct making *m)
{
    struct parse p = m->p;

    parse_next(&p);
    return parse_at_word(&p, "select") || parse_at_word(&p, "with") ||
           parse_at_word(&p, "values") || parse_at_word(&p, "from") || parse_at_byte(&p, '(');
}

static bool parse_insert(struct making *m)
{
    struct sql_name name;

    m->dml->kind = DML_INSERT;
    if (!parse_need_word(&m->p, "into") || !find_table(m, &name)) {
        return false;
    }
    m->dml->alias = m->dml->table->name;
    if (parse_at_byte(&m->p, '(') && !starts_query(m)) {
        if (!take_column_list(m)) {
            return false;
        }
    } else {
        take_all_columns(m);
    }
    return insert_rows(m);
}

bool dml_wrap(struct dml *dml, size_t columns, struct arena *arena, struct sql_error *e)
{
    struct making m = {.dml = dml, .schema = meta_table_latest(dml->table)->schema, .out = {0}};
    OWNED(buffer_fini) struct buffer names = BUFFER_INIT;
    char name[24];

    if (columns != dml->column_count) {
        return sql_fail(e, "42601",
                        columns > dml->column_count
                            ? "INSERT has more expressions than target columns"
                            : "INSERT has more target columns than expressions");
    }
    put(&m, "SELECT ");
    for (size_t i = 0; i < columns; i++) {
        (void)snprintf(name, sizeof name, "%sc%zu", i > 0 ? "," : "", i);
        buffer_bytes(&names, bytes_str(name));
        put(&m, i > 0 ? "," : "");
        put_cast(&m, bytes_str(name + (i > 0)), false, column_type(&m, i));
    }
    put(&m, " FROM (");
    put(&m, dml->query);
    put(&m, "\n) AS rows_of_query(");
    buffer_bytes(&m.out, buffer_view(&names));
    put(&m, ")");
    dml->query = arena_strndup(arena, m.out.data, m.out.len);
    dml->query_is_plain = false;
    buffer_fini(&m.out);
    return true;
}

/* ---- UPDATE and DELETE ---- */

static bool check_changeable(struct making *m, const char *what)
{
    const struct meta_table *t = m->dml->table;

    if (!schema_has_primary_key(m->schema)) {
        return parse_failed(&m->p, "0A000", "%s needs a table with a primary key", what) ||
               parse_hint(&m->p, "Rows of a log are only added.");
    }
    if (t->options->merge_engine != MERGE_NONE) {
        return parse_failed(&m->p, "0A000", "%s of a table with a merge engine is not served",
                            what);
    }
    if (m->dml->kind == DML_DELETE && t->options->delete_behavior != DELETE_ALLOW) {
        return parse_failed(&m->p, "0A000", "table \"%.100s\" does not take deletes", t->name);
    }
    return true;
}

/* [[AS] alias]; else the name of the table. */
static bool take_alias(struct making *m, const char **ret)
{
    *ret = m->dml->table->name;
    if (parse_word(&m->p, "as")) {
        return parse_name(&m->p, ret);
    }
    if (parse_at_end(&m->p) || parse_at_word(&m->p, "set") || parse_at_word(&m->p, "where") ||
        parse_at_word(&m->p, "using")) {
        return true;
    }
    return parse_name(&m->p, ret);
}

static void put_column(struct making *m, const char *alias, int32_t column)
{
    encode_name(alias, &m->out);
    put(m, ".");
    encode_name(m->schema->columns[column].name, &m->out);
}

/* " FROM t AS alias WHERE ..." */
static bool put_source(struct making *m, const char *alias)
{
    const struct meta_table *t = m->dml->table;
    size_t from;

    m->dml->alias = alias;
    put(m, " FROM " RELATIONS_CATALOG ".");
    encode_name(t->database, &m->out);
    put(m, ".");
    encode_name(t->name, &m->out);
    put(m, " AS ");
    encode_name(alias, &m->out);
    if (parse_at_word(&m->p, "from") || parse_at_word(&m->p, "using")) {
        return parse_failed(&m->p, "0A000", "rows are chosen by WHERE only") ||
               parse_hint(&m->p, "WHERE key IN (SELECT ...) names other tables.");
    }
    if (!parse_at_end(&m->p) && !parse_at_word(&m->p, "where")) {
        return parse_expected(&m->p, "WHERE or the end of the statement");
    }
    from = parse_offset(&m->p);
    put(m, " ");
    buffer_bytes(&m->out, bytes_slice(m->p.text, from, m->p.text.len - from));
    m->dml->query = query_text(m);
    return true;
}

static bool is_key(const struct making *m, int32_t column)
{
    struct text_list partition = m->dml->table->descriptor->def.partition_keys;

    return schema_is_primary_key(m->schema, (uint32_t)column) ||
           text_list_contains(partition, m->schema->columns[column].name);
}

static bool take_assignment(struct making *m, struct expression *expressions)
{
    static const char *const ends[] = {"where", "from", NULL};
    int32_t column;

    if (parse_at_byte(&m->p, '(')) {
        return parse_failed(&m->p, "0A000", "columns are set one by one");
    }
    if (!take_column(m, &column)) {
        return false;
    }
    if (is_key(m, column)) {
        return parse_failed(&m->p, "0A000",
                            "column \"%.100s\" of the primary key cannot be changed",
                            m->schema->columns[column].name) ||
               parse_hint(&m->p, "Insert the new row, then delete the old one.");
    }
    if (column == m->schema->auto_increment || expressions[column].tokens > 0) {
        return parse_failed(&m->p, "42601", "column \"%.100s\" cannot be set here",
                            m->schema->columns[column].name);
    }
    return parse_need_byte(&m->p, '=') && take_expression(m, ends, &expressions[column]);
}

static bool parse_update(struct making *m)
{
    struct expression *expressions;
    struct sql_name name;
    const char *alias;

    m->dml->kind = DML_UPDATE;
    (void)parse_word(&m->p, "only");
    if (!find_table(m, &name) || !check_changeable(m, "UPDATE") || !take_alias(m, &alias) ||
        !parse_need_word(&m->p, "set")) {
        return false;
    }
    expressions = arena_array(m->p.arena, m->schema->count, sizeof *expressions);
    do {
        if (!take_assignment(m, expressions)) {
            return false;
        }
    } while (parse_byte(&m->p, ','));
    take_all_columns(m);
    put(m, "SELECT ");
    for (size_t i = 0; i < m->dml->column_count; i++) {
        const struct expression *x = &expressions[m->dml->columns[i]];

        put(m, i > 0 ? "," : "");
        if (x->tokens == 0) {
            put_column(m, alias, m->dml->columns[i]);
        } else {
            put_cast(m, x->fallback ? bytes_str("NULL") : x->text, x->literal, column_type(m, i));
        }
    }
    return put_source(m, alias);
}

static bool parse_delete(struct making *m)
{
    struct sql_name name;
    bool whole = m->dml->returning != NULL;
    const char *alias;
    int32_t *columns;
    size_t given = 0;

    m->dml->kind = DML_DELETE;
    if (!parse_need_word(&m->p, "from")) {
        return false;
    }
    (void)parse_word(&m->p, "only");
    if (!find_table(m, &name) || !check_changeable(m, "DELETE") || !take_alias(m, &alias)) {
        return false;
    }
    columns = new_columns(m);
    put(m, "SELECT ");
    for (uint32_t i = 0; i < m->schema->count; i++) {
        if (whole || is_key(m, (int32_t)i)) {
            put(m, given++ > 0 ? "," : "");
            put_column(m, alias, (int32_t)i);
        }
        if (is_key(m, (int32_t)i)) {
            columns[m->dml->column_count++] = (int32_t)i;
        }
    }
    return put_source(m, alias);
}

/* ---- all of them ---- */

bool dml_is(struct bytes statement)
{
    struct token t = token_next_solid(&statement);

    return t.kind == TOKEN_WORD &&
           (token_is(&t, "insert") || token_is(&t, "update") || token_is(&t, "delete"));
}

static bool is_insert(struct bytes statement)
{
    struct token t = token_next_solid(&statement);

    return token_is(&t, "insert");
}

bool dml_parse(struct bytes statement, struct sql_session *s, struct arena *arena, struct dml *ret,
               struct sql_error *e)
{
    struct making m = {.session = s, .dml = ret};
    struct bytes whole;
    size_t conflict = 0;
    bool right;

    *ret = (struct dml){0};
    if (!returning_split(&statement, arena, &ret->returning, e)) {
        return false;
    }
    whole = statement;
    if (is_insert(statement) && !conflict_split(&statement, arena, &conflict)) {
        conflict = 0;
    }
    parse_init(&m.p, statement, arena, e);
    if (parse_word(&m.p, "insert")) {
        right = parse_insert(&m) && (conflict == 0 || conflict_check(whole, conflict, ret, &m.p));
    } else if (parse_word(&m.p, "update")) {
        right = parse_update(&m);
    } else {
        right = parse_need_word(&m.p, "delete") && parse_delete(&m);
    }
    buffer_fini(&m.out);
    return right;
}

bool dml_target_parse(struct parse *p, struct sql_session *s, struct dml *ret, bool *ret_all)
{
    struct making m = {.p = *p, .session = s, .dml = ret};
    struct sql_name name;
    bool right = true;

    ret->kind = DML_INSERT;
    if (!find_table(&m, &name)) {
        return false;
    }
    *ret_all = !parse_at_byte(&m.p, '(');
    if (*ret_all) {
        take_all_columns(&m);
    } else {
        right = take_column_list(&m);
    }
    *p = m.p;
    return right;
}

void dml_fini(struct dml *dml)
{
    if (dml->table != NULL) {
        (void)meta_table_unref(dml->table);
        dml->table = NULL;
    }
}
