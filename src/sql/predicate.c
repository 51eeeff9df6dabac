#include "predicate.h"

#include "syntax.h"

#include <strings.h>

#define DEPTH_MAX    SYNTAX_DEPTH_MAX
#define OPERANDS_MAX 4096

struct walk {
    struct arena *arena;
    struct predicates *out;
};

/* The WHERE that a part of FROM is under. */
struct scope {
    const struct json *where; /* NULL: none */
    bool *whole;              /* becomes false when something was not understood */
};

static void walk_any(struct walk *w, const struct json *value, int depth);

/* ---- operands ---- */

static bool take_constant(const struct json *expression, struct operand *ret)
{
    const struct json *value = syntax_find(expression, "value");
    const struct json *content = syntax_find(value, "value");
    const char *id = syntax_text(syntax_find(value, "type"), "id");
    const char *text = "";
    bool null = true;

    if (content == NULL || json_opt_bool(value, "is_null", &null, NULL) != ERR_OK || null) {
        return false;
    }
    if (json_kind_of(content) == JSON_KIND_INT &&
        (strcmp(id, "INTEGER") == 0 || strcmp(id, "BIGINT") == 0)) {
        ret->kind = OPERAND_NUMBER;
        return json_as_i64(content, &ret->number, NULL) == ERR_OK;
    }
    if (json_kind_of(content) == JSON_KIND_STRING && strcmp(id, "VARCHAR") == 0 &&
        json_as_string(content, &text, NULL) == ERR_OK) {
        ret->kind = OPERAND_TEXT;
        ret->text = bytes_str(text);
        return true;
    }
    return false;
}

static bool take_parameter(const struct json *expression, struct operand *ret)
{
    const char *number = syntax_text(expression, "identifier");
    size_t n = 0;

    for (; *number >= '0' && *number <= '9' && n < 100000; number++) {
        n = n * 10 + (size_t)(*number - '0');
    }
    ret->kind = OPERAND_PARAMETER;
    ret->parameter = n - 1;
    return n > 0 && *number == '\0';
}

bool predicate_operand(const struct json *expression, struct operand *ret)
{
    *ret = (struct operand){.cast = NULL};
    if (syntax_is(expression, "class", "CAST")) {
        bool try_cast = false;

        if (json_opt_bool(expression, "try_cast", &try_cast, NULL) != ERR_OK || try_cast) {
            return false;
        }
        ret->cast = syntax_text(syntax_find(expression, "cast_type"), "id");
        expression = syntax_find(expression, "child");
    }
    if (syntax_is(expression, "class", "CONSTANT")) {
        return take_constant(expression, ret);
    }
    return syntax_is(expression, "class", "PARAMETER") && take_parameter(expression, ret);
}

/* The column's name when it is one of the relation, whose name in the query is alias; else NULL. */
static const char *column_of(const struct json *expression, const char *alias)
{
    const struct json *names = syntax_list(expression, "column_names");
    const char *parts[2] = {"", ""};
    size_t count = names == NULL ? 0 : json_count(names);

    if (!syntax_is(expression, "class", "COLUMN_REF") || count < 1 || count > 2) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (json_as_string(json_at(names, i), &parts[i], NULL) != ERR_OK) {
            return NULL;
        }
    }
    if (count == 1) {
        return parts[0];
    }
    return strcasecmp(parts[0], alias) == 0 ? parts[1] : NULL;
}

/* ---- predicates ---- */

static const struct predicate *leaf(struct walk *w, const char *column,
                                    enum filter_function function, const struct operand *operands,
                                    size_t count)
{
    struct predicate *p = arena_new(w->arena, struct predicate);

    p->kind = FILTER_LEAF;
    p->function = function;
    p->column = column;
    p->operands = operands;
    p->operand_count = count;
    return p;
}

static bool function_of(const char *type, enum filter_function *ret, enum filter_function *swapped)
{
    static const struct {
        const char *type;
        enum filter_function function;
        enum filter_function swapped;
    } all[] = {
        {"COMPARE_EQUAL", FILTER_EQUAL, FILTER_EQUAL},
        {"COMPARE_NOTEQUAL", FILTER_NOT_EQUAL, FILTER_NOT_EQUAL},
        {"COMPARE_LESSTHAN", FILTER_LESS, FILTER_GREATER},
        {"COMPARE_GREATERTHAN", FILTER_GREATER, FILTER_LESS},
        {"COMPARE_LESSTHANOREQUALTO", FILTER_LESS_OR_EQUAL, FILTER_GREATER_OR_EQUAL},
        {"COMPARE_GREATERTHANOREQUALTO", FILTER_GREATER_OR_EQUAL, FILTER_LESS_OR_EQUAL},
    };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(type, all[i].type) == 0) {
            *ret = all[i].function;
            *swapped = all[i].swapped;
            return true;
        }
    }
    return false;
}

static const struct predicate *comparison(struct walk *w, const struct json *x, const char *alias)
{
    const struct json *left = syntax_find(x, "left");
    const struct json *right = syntax_find(x, "right");
    const char *column = column_of(left, alias);
    struct operand *operand = arena_new(w->arena, struct operand);
    enum filter_function function;
    enum filter_function swapped;

    if (!function_of(syntax_text(x, "type"), &function, &swapped)) {
        return NULL;
    }
    if (column == NULL) {
        column = column_of(right, alias);
        function = swapped;
        right = left;
    }
    return column != NULL && predicate_operand(right, operand)
               ? leaf(w, column, function, operand, 1)
               : NULL;
}

static const struct predicate *in_list(struct walk *w, const struct json *children,
                                       const char *column)
{
    size_t count = json_count(children) - 1;
    struct operand *operands = arena_array(w->arena, count + 1, sizeof *operands);

    if (count == 0 || count > OPERANDS_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!predicate_operand(json_at(children, i + 1), &operands[i])) {
            return NULL;
        }
    }
    return leaf(w, column, FILTER_IN, operands, count);
}

static const struct predicate *operation(struct walk *w, const struct json *x, const char *alias)
{
    const struct json *children = syntax_list(x, "children");
    const char *column = children == NULL || json_count(children) == 0
                             ? NULL
                             : column_of(json_at(children, 0), alias);

    if (column == NULL) {
        return NULL;
    }
    if (syntax_is(x, "type", "OPERATOR_IS_NULL")) {
        return leaf(w, column, FILTER_IS_NULL, NULL, 0);
    }
    if (syntax_is(x, "type", "OPERATOR_IS_NOT_NULL")) {
        return leaf(w, column, FILTER_IS_NOT_NULL, NULL, 0);
    }
    return syntax_is(x, "type", "COMPARE_IN") ? in_list(w, children, column) : NULL;
}

/* Those of the children that are understood; *ret_count tells how many. */
static const struct predicate *join(struct walk *w, enum filter_kind kind,
                                    const struct predicate *const *children, size_t count)
{
    struct predicate *p;

    if (count <= 1) {
        return count == 0 ? NULL : children[0];
    }
    p = arena_new(w->arena, struct predicate);
    p->kind = kind;
    p->children = children;
    p->child_count = count;
    return p;
}

static const struct predicate *between(struct walk *w, const struct json *x, const char *alias)
{
    const char *column = column_of(syntax_find(x, "input"), alias);
    struct operand *operands = arena_array(w->arena, 2, sizeof *operands);
    const struct predicate **both = arena_array(w->arena, 2, sizeof *both);

    if (column == NULL || !predicate_operand(syntax_find(x, "lower"), &operands[0]) ||
        !predicate_operand(syntax_find(x, "upper"), &operands[1])) {
        return NULL;
    }
    both[0] = leaf(w, column, FILTER_GREATER_OR_EQUAL, &operands[0], 1);
    both[1] = leaf(w, column, FILTER_LESS_OR_EQUAL, &operands[1], 1);
    return join(w, FILTER_AND, both, 2);
}

/* What an expression demands of the relation's rows; NULL: nothing that is known. *whole becomes false
 * when that is not all. Recursion over nested AND and OR. */
static const struct predicate *demand(struct walk *w, const struct json *x, const char *alias,
                                      bool *whole, int depth)
{
    bool both = syntax_is(x, "type", "CONJUNCTION_AND");
    const struct json *children = syntax_list(x, "children");
    const struct predicate **taken;
    const struct predicate *one = NULL;
    size_t count = 0;

    if (depth < DEPTH_MAX && children != NULL && (both || syntax_is(x, "type", "CONJUNCTION_OR"))) {
        taken = arena_array(w->arena, json_count(children) + 1, sizeof *taken);
        JSON_FOR_EACH(child, children)
        {
            taken[count] = demand(w, child, alias, whole, depth + 1);
            count += taken[count] != NULL ? 1 : 0;
        }
        one = both || count == json_count(children)
                  ? join(w, both ? FILTER_AND : FILTER_OR, taken, count)
                  : NULL;
    } else if (syntax_is(x, "class", "COMPARISON")) {
        one = comparison(w, x, alias);
    } else if (syntax_is(x, "class", "BETWEEN") && syntax_is(x, "type", "COMPARE_BETWEEN")) {
        one = between(w, x, alias);
    } else if (syntax_is(x, "class", "OPERATOR")) {
        one = operation(w, x, alias);
    }
    *whole = *whole && one != NULL;
    return one;
}

/* ---- FROM ---- */

static struct predicate_relation *relation_of(struct walk *w, const struct json *table,
                                              const struct scope *scope)
{
    struct predicate_relation *r = arena_new(w->arena, struct predicate_relation);
    const char *alias = syntax_text(table, "alias");
    bool renamed = !syntax_is_empty(table, "column_name_alias") ||
                   !syntax_is_empty(table, "sample") || !syntax_is_empty(table, "at_clause");

    r->schema = syntax_text(table, "schema_name");
    r->name = syntax_text(table, "table_name");
    if (scope != NULL && scope->where != NULL && !renamed) {
        r->where = demand(w, scope->where, *alias != '\0' ? alias : r->name, scope->whole, 0);
    } else if (scope != NULL && scope->where != NULL) {
        *scope->whole = false;
    }
    return r;
}

static void add_relation(struct walk *w, const struct json *table, const struct scope *scope)
{
    struct predicate_relation *r = relation_of(w, table, scope);

    r->next = w->out->relations;
    w->out->relations = r;
}

/* Rows of which sides a WHERE above the join excludes without changing what else there is. */
static void sides_kept(const struct json *join, bool *left, bool *right)
{
    const char *type = syntax_text(join, "join_type");
    bool plain = syntax_is(join, "ref_type", "REGULAR") || syntax_is(join, "ref_type", "CROSS");

    *left = plain && (strcmp(type, "INNER") == 0 || strcmp(type, "LEFT") == 0 ||
                      strcmp(type, "SEMI") == 0 || strcmp(type, "ANTI") == 0);
    *right = plain && (strcmp(type, "INNER") == 0 || strcmp(type, "RIGHT") == 0);
}

/* scope NULL: nothing is demanded. Recursion over nested joins. */
static void walk_from(struct walk *w, const struct json *from, const struct scope *scope, int depth)
{
    bool left;
    bool right;

    if (depth >= DEPTH_MAX) {
        w->out->complete = false;
    } else if (syntax_is(from, "type", "BASE_TABLE")) {
        add_relation(w, from, scope);
    } else if (syntax_is(from, "type", "JOIN")) {
        sides_kept(from, &left, &right);
        walk_from(w, syntax_find(from, "left"), left ? scope : NULL, depth + 1);
        walk_from(w, syntax_find(from, "right"), right ? scope : NULL, depth + 1);
        walk_any(w, syntax_find(from, "condition"), depth + 1);
    } else {
        if (syntax_is(from, "type", "TABLE_FUNCTION")) {
            w->out->function = relation_of(w, from, scope);
        }
        walk_any(w, from, depth + 1);
    }
}

static void walk_select(struct walk *w, const struct json *select, int depth)
{
    const struct json *where = syntax_find(select, "where_clause");
    bool whole = true;
    struct scope scope = {.where = where, .whole = &whole};
    bool sampled = !syntax_is_empty(select, "sample");

    JSON_FOR_EACH(member, select)
    {
        if (strcmp(json_key_of(member), "from_table") == 0) {
            walk_from(w, member, sampled || syntax_is_empty(select, "where_clause") ? NULL : &scope,
                      depth + 1);
        } else {
            walk_any(w, member, depth + 1);
        }
    }
}

/* Functions that read tables by a text. */
static void note_function(struct walk *w, const struct json *call)
{
    static const char *const harmless[] = {"generate_series", "range", "unnest", "repeat"};
    const char *name = syntax_text(syntax_find(call, "function"), "function_name");
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        known = known || strcasecmp(name, harmless[i]) == 0;
    }
    w->out->complete = w->out->complete && known;
}

/* Recursion over the nested document. */
static void walk_any(struct walk *w, const struct json *value, int depth)
{
    if (value == NULL) {
        return;
    }
    if (depth >= DEPTH_MAX) {
        w->out->complete = false;
        return;
    }
    if (json_kind_of(value) == JSON_KIND_OBJECT && syntax_is(value, "type", "SELECT_NODE")) {
        walk_select(w, value, depth);
        return;
    }
    if (json_kind_of(value) == JSON_KIND_OBJECT && syntax_is(value, "type", "BASE_TABLE")) {
        add_relation(w, value, NULL);
        return;
    }
    if (json_kind_of(value) == JSON_KIND_OBJECT && syntax_is(value, "type", "TABLE_FUNCTION")) {
        note_function(w, value);
    }
    JSON_FOR_EACH(child, value) { walk_any(w, child, depth + 1); }
}

/* ---- plain queries ---- */

/* Names of columns of one relation; false: there is something else. */
static bool plain_columns(struct walk *w, const struct json *list, const char *alias,
                          struct predicate_plain *ret)
{
    const char **columns = arena_array(w->arena, json_count(list) + 1, sizeof *columns);
    const struct json *first = json_count(list) == 1 ? json_at(list, 0) : NULL;

    bool renames = false;

    if (first != NULL && syntax_is(first, "class", "STAR")) {
        return json_opt_bool(first, "columns", &renames, NULL) == ERR_OK && !renames &&
               syntax_is_empty(first, "exclude_list") && syntax_is_empty(first, "replace_list") &&
               syntax_is_empty(first, "qualified_exclude_list") &&
               syntax_is_empty(first, "rename_list") && syntax_is_empty(first, "expr") &&
               syntax_is(first, "relation_name", "");
    }
    JSON_FOR_EACH(item, list)
    {
        const char *name = column_of(item, alias);

        if (name == NULL) {
            return false;
        }
        columns[ret->column_count++] = name;
    }
    ret->columns = columns;
    return true;
}

static bool is_plain_select(const struct json *node)
{
    static const char *const absent[] = {
        "modifiers", "group_expressions", "group_sets", "having", "qualify", "sample", "window"};

    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        if (!syntax_is_empty(node, absent[i])) {
            return false;
        }
    }
    return syntax_is(node, "type", "SELECT_NODE") &&
           syntax_is_empty(syntax_find(node, "cte_map"), "map") &&
           syntax_is(syntax_find(node, "from_table"), "type", "BASE_TABLE") &&
           !syntax_is_empty(node, "where_clause") && syntax_list(node, "select_list") != NULL &&
           syntax_is(node, "aggregate_handling", "STANDARD_HANDLING");
}

static void note_plain(struct walk *w, const struct json *node)
{
    const struct json *table = syntax_find(node, "from_table");
    const struct predicate_relation *r = w->out->relations;
    struct predicate_plain plain = {.whole = true};
    const char *alias = syntax_text(table, "alias");

    if (!is_plain_select(node) || r == NULL || r->next != NULL) {
        return;
    }
    alias = *alias != '\0' ? alias : r->name;
    if (plain_columns(w, syntax_find(node, "select_list"), alias, &plain) &&
        demand(w, syntax_find(node, "where_clause"), alias, &plain.whole, 0) != NULL) {
        plain.relation = r;
        w->out->plain = plain;
    }
}

enum errcode predicates_parse(struct bytes json, struct arena *arena, struct predicates *ret,
                              struct error *e)
{
    struct walk w = {.arena = arena, .out = ret};
    const struct json *statement = syntax_statement(json, arena);

    *ret = (struct predicates){.complete = true};
    if (statement == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "no syntax tree of one query");
    }
    walk_any(&w, statement, 0);
    note_plain(&w, syntax_find(statement, "node"));
    return ERR_OK;
}
