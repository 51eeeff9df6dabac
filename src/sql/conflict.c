#include "conflict.h"

#include "names.h"

#include <stdio.h>
#include <strings.h>

#include "format/table_options.h"

/* ---- where it is ---- */

/* "on conflict" of a join would go on otherwise. */
static bool starts_clause(const struct parse *at)
{
    struct parse p = *at;

    return parse_words(&p, "on", "conflict") &&
           (parse_at_byte(&p, '(') || parse_at_word(&p, "do") || parse_at_word(&p, "on"));
}

bool conflict_split(struct bytes *statement, struct arena *arena, size_t *ret)
{
    struct sql_error ignored;
    struct parse p;
    int depth = 0;

    parse_init(&p, *statement, arena, &ignored);
    for (; !parse_at_end(&p); parse_next(&p)) {
        depth += parse_bracket(&p.token);
        if (depth == 0 && starts_clause(&p)) {
            size_t at = parse_offset(&p);

            parse_next(&p);
            parse_next(&p);
            *ret = parse_offset(&p);
            *statement = bytes_slice(*statement, 0, at);
            return true;
        }
    }
    return false;
}

/* ---- what it says ---- */

struct clause {
    struct parse *p;
    const struct dml *dml;
    const struct schema *schema;
    bool *set; /* by column of the table */
};

static bool refuse(struct parse *p, const char *message, const char *hint)
{
    return parse_failed(p, "0A000", "%s", message) || parse_hint(p, hint);
}

static bool take_column(struct clause *c, int32_t *ret)
{
    bool exact = c->p->token.kind == TOKEN_QUOTED;
    size_t at = parse_offset(c->p);
    const char *name;

    if (!parse_name(c->p, &name)) {
        return false;
    }
    *ret = names_column(c->schema, name, exact);
    if (*ret < 0) {
        (void)parse_failed(c->p, "42703", "column \"%.100s\" of table \"%.100s\" does not exist",
                           name, c->dml->table->name);
        c->p->e->position = parse_position(c->p->text, at);
        return false;
    }
    return true;
}

static bool wrong_target(struct clause *c)
{
    return parse_failed(c->p, "42P10",
                        "there is no unique or exclusion constraint matching the ON CONFLICT "
                        "specification") ||
           parse_hint(c->p, "The columns are those of the primary key.");
}

/* "(a, b)": the columns of the primary key, in any order. */
static bool target_columns(struct clause *c)
{
    bool *named = arena_array(c->p->arena, c->schema->count, sizeof *named);
    uint32_t count = 0;

    do {
        int32_t column;

        if (!take_column(c, &column)) {
            return false;
        }
        if (!schema_is_primary_key(c->schema, (uint32_t)column)) {
            return wrong_target(c);
        }
        count += !named[column];
        named[column] = true;
    } while (parse_byte(c->p, ','));
    if (!parse_need_byte(c->p, ')')) {
        return false;
    }
    return count == c->schema->primary_key_count ? true : wrong_target(c);
}

/* The index that clients are told of. */
static bool target_constraint(struct clause *c)
{
    char expected[300];
    const char *name;

    (void)snprintf(expected, sizeof expected, "%.250s_pkey", c->dml->table->name);
    if (!parse_need_word(c->p, "constraint") || !parse_name(c->p, &name)) {
        return false;
    }
    return schema_has_primary_key(c->schema) && strcasecmp(name, expected) == 0
               ? true
               : parse_failed(c->p, "42704",
                              "constraint \"%.100s\" for table \"%.100s\" does not exist", name,
                              c->dml->table->name);
}

static bool take_target(struct clause *c, bool *ret_named)
{
    *ret_named = true;
    if (parse_byte(c->p, '(')) {
        if (!target_columns(c)) {
            return false;
        }
    } else if (parse_word(c->p, "on")) {
        return target_constraint(c);
    } else {
        *ret_named = false;
    }
    return parse_at_word(c->p, "where")
               ? refuse(c->p, "ON CONFLICT has no WHERE", "There are no partial indexes.")
               : true;
}

static bool do_nothing(struct clause *c)
{
    if (!schema_has_primary_key(c->schema) ||
        c->dml->table->options->merge_engine == MERGE_FIRST_ROW) {
        return parse_need_end(c->p);
    }
    return refuse(c->p, "ON CONFLICT DO NOTHING needs a table that keeps the first row of a key",
                  "WITH ('table.merge-engine' = 'first_row') makes one.");
}

static bool is_inserted(const struct clause *c, int32_t column)
{
    for (size_t i = 0; i < c->dml->column_count; i++) {
        if (c->dml->columns[i] == column) {
            return true;
        }
    }
    return false;
}

/* "a = excluded.a" */
static bool take_assignment(struct clause *c)
{
    static const char hint[] =
        "DO UPDATE SET a = excluded.a, for all columns that are inserted, can be done.";
    int32_t column;
    int32_t source;

    if (parse_at_byte(c->p, '(')) {
        return refuse(c->p, "columns are set one by one", hint);
    }
    if (!take_column(c, &column) || !parse_need_byte(c->p, '=')) {
        return false;
    }
    if (!token_is(&c->p->token, "excluded")) {
        return refuse(c->p, "ON CONFLICT sets columns to those of the new row only", hint);
    }
    parse_next(c->p);
    if (!parse_need_byte(c->p, '.') || !take_column(c, &source)) {
        return false;
    }
    if (source != column || !is_inserted(c, column) ||
        !(parse_at_byte(c->p, ',') || parse_at_word(c->p, "where") || parse_at_end(c->p))) {
        return refuse(c->p, "ON CONFLICT sets columns to those of the new row only", hint);
    }
    c->set[column] = true;
    return true;
}

static bool do_update(struct clause *c)
{
    if (c->dml->table->options->merge_engine != MERGE_NONE) {
        return refuse(c->p, "ON CONFLICT DO UPDATE of a table with a merge engine is not served",
                      "The engine says what becomes of a row with a key that is there.");
    }
    c->set = arena_array(c->p->arena, c->schema->count, sizeof *c->set);
    do {
        if (!take_assignment(c)) {
            return false;
        }
    } while (parse_byte(c->p, ','));
    if (parse_at_word(c->p, "where")) {
        return refuse(c->p, "ON CONFLICT DO UPDATE has no WHERE",
                      "Whether a row is there is not looked at.");
    }
    for (size_t i = 0; i < c->dml->column_count; i++) {
        int32_t column = c->dml->columns[i];

        if (!c->set[column] && !schema_is_primary_key(c->schema, (uint32_t)column)) {
            return parse_failed(c->p, "0A000",
                                "column \"%.100s\" is inserted, but not set by ON CONFLICT",
                                c->schema->columns[column].name) ||
                   parse_hint(c->p,
                              "Leave it out of the list of columns, then it keeps its value.");
        }
    }
    return parse_need_end(c->p);
}

bool conflict_check(struct bytes statement, size_t clause, const struct dml *dml, struct parse *p)
{
    struct clause c = {.p = p, .dml = dml, .schema = meta_table_latest(dml->table)->schema};
    bool named;

    p->text = statement;
    p->rest = bytes_slice(statement, clause, statement.len - clause);
    parse_next(p);
    if (!take_target(&c, &named) || !parse_need_word(p, "do")) {
        return false;
    }
    if (parse_word(p, "nothing")) {
        return do_nothing(&c);
    }
    if (!parse_need_word(p, "update") || !parse_need_word(p, "set")) {
        return false;
    }
    return named ? do_update(&c)
                 : parse_failed(p, "42601",
                                "ON CONFLICT DO UPDATE requires inference specification or "
                                "constraint name");
}
