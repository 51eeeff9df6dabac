#include "prune_tree.h"

#include "literal.h"

#include <strings.h>

#include "format/partition_value.h"

/* What a source's leaves are resolved with. */
struct resolve {
    const struct meta_table *table;
    const struct schema *schema;
    bool current;
    bool changelog;
    bool binlog;
    const struct literal_parameters *parameters;
    struct arena *arena;
};

/* ---- columns ---- */

static const struct type *place_type(int32_t column)
{
    static const struct type integer = {.root = TYPE_BIGINT};
    static const struct type time = {.root = TYPE_TIMESTAMP_LTZ, .precision = 6};

    return column == PRUNE_TIMESTAMP ? &time : &integer;
}

static bool find_place(const struct resolve *r, const char *name, int32_t *ret)
{
    if (r->current) {
        return false;
    }
    if (strcasecmp(name, "_bucket") == 0) {
        *ret = PRUNE_BUCKET;
        return true;
    }
    if (strcasecmp(name, r->changelog ? "_log_offset" : "_offset") == 0) {
        *ret = PRUNE_OFFSET;
        return true;
    }
    *ret = PRUNE_TIMESTAMP;
    return strcasecmp(name, r->changelog ? "_commit_timestamp" : "_timestamp") == 0;
}

/* A name that differs from another's only in the case of letters may be either's. */
static bool find_column(const struct resolve *r, const char *name, int32_t *ret,
                        const struct type **type)
{
    size_t found = 0;
    int32_t place = 0;

    for (uint32_t i = 0; i < r->schema->count && !r->binlog; i++) {
        if (strcasecmp(r->schema->columns[i].name, name) == 0) {
            *ret = (int32_t)i;
            *type = r->schema->columns[i].type;
            found++;
        }
    }
    if (find_place(r, name, &place)) {
        *ret = place;
        *type = place_type(place);
        found++;
    }
    return found == 1;
}

/* ---- nodes ---- */

static const struct prune_node *resolve_leaf(const struct resolve *r, const struct predicate *p)
{
    struct prune_node *n = arena_new(r->arena, struct prune_node);
    struct value *values = arena_array(r->arena, p->operand_count + 1, sizeof *values);

    n->kind = FILTER_LEAF;
    n->function = p->function;
    if (!find_column(r, p->column, &n->column, &n->type)) {
        return NULL;
    }
    if (p->operand_count > 0 && !literal_type_known(n->type)) {
        return NULL;
    }
    if (p->operand_count == 0 && n->column < 0) {
        return NULL;
    }
    for (size_t i = 0; i < p->operand_count; i++) {
        if (!literal_value(&p->operands[i], n->type, r->parameters, &values[i])) {
            return NULL;
        }
        if (values[i].kind == VALUE_BYTES) {
            values[i].bytes = arena_copy(r->arena, values[i].bytes);
        }
    }
    n->values = values;
    n->count = p->operand_count;
    return n;
}

static const struct prune_node *join(enum filter_kind kind,
                                     const struct prune_node *const *children, size_t count,
                                     struct arena *arena)
{
    struct prune_node *n;

    if (count <= 1) {
        return count == 0 ? NULL : children[0];
    }
    n = arena_new(arena, struct prune_node);
    n->kind = kind;
    n->children = children;
    n->child_count = count;
    return n;
}

/* NULL: nothing is demanded. Recursion over the nested predicate. */
static const struct prune_node *resolve(const struct resolve *r, const struct predicate *p)
{
    const struct prune_node **children;
    size_t count = 0;

    if (p->kind == FILTER_LEAF) {
        return resolve_leaf(r, p);
    }
    children = arena_array(r->arena, p->child_count, sizeof *children);
    for (size_t i = 0; i < p->child_count; i++) {
        children[count] = resolve(r, p->children[i]);
        count += children[count] != NULL ? 1 : 0;
    }
    return p->kind == FILTER_AND || count == p->child_count
               ? join(p->kind, children, count, r->arena)
               : NULL;
}

const struct prune_node *prune_tree(const struct meta_table *table, bool current,
                                    const struct prune_sources *sources, struct arena *arena)
{
    const struct prune_node **all = arena_array(arena, sources->count + 1, sizeof *all);
    struct resolve r = {.table = table,
                        .schema = meta_table_latest(table)->schema,
                        .current = current,
                        .parameters = sources->parameters,
                        .arena = arena};

    for (size_t i = 0; i < sources->count; i++) {
        const struct prune_source *source = &sources->items[i];

        r.changelog = source->changelog;
        r.binlog = source->binlog;
        all[i] = source->where == NULL ? NULL : resolve(&r, source->where);
        if (all[i] == NULL) {
            return NULL;
        }
    }
    return join(FILTER_OR, all, sources->count, arena);
}

/* ---- partitions ---- */

bool prune_is_key_type(const struct type *type)
{
    return type->root == TYPE_STRING || type->root == TYPE_DATE || type->root == TYPE_TINYINT ||
           type->root == TYPE_SMALLINT || type->root == TYPE_INTEGER || type->root == TYPE_BIGINT;
}

bool prune_partition_fact(const struct meta_table *table, const struct meta_partition *partition,
                          size_t i, struct arena *arena, struct prune_fact *ret)
{
    const struct schema *schema = meta_table_latest(table)->schema;
    int32_t column = schema_find(schema, table->descriptor->def.partition_keys.items[i]);
    const struct type *type = column < 0 ? NULL : schema->columns[column].type;
    struct row_value value;

    if (type == NULL || !prune_is_key_type(type) ||
        partition_value(type, partition->values.items[i], arena, &value, NULL) != ERR_OK) {
        return false;
    }
    ret->column = column;
    if (type->root == TYPE_STRING) {
        ret->value = (struct value){.kind = VALUE_BYTES, .bytes = value.bytes};
    } else {
        ret->value = (struct value){.kind = VALUE_INT, .integer = value.integer};
    }
    return true;
}

/* ---- tuples ---- */

/* The leaf that names all values of the column, if one does. Recursion over nested AND. */
static const struct prune_node *naming(const struct prune_node *n, uint32_t column)
{
    const struct prune_node *found = NULL;

    if (n->kind == FILTER_LEAF) {
        return n->column == (int32_t)column &&
                       (n->function == FILTER_EQUAL || n->function == FILTER_IN)
                   ? n
                   : NULL;
    }
    for (size_t i = 0; n->kind == FILTER_AND && i < n->child_count; i++) {
        const struct prune_node *one = naming(n->children[i], column);

        if (one != NULL && (found == NULL || one->count < found->count)) {
            found = one;
        }
    }
    return found;
}

bool prune_tuples(const struct prune_node *n, const uint32_t *columns, size_t width,
                  struct arena *arena, struct prune_tuples *ret)
{
    const struct prune_node **named = arena_array(arena, width + 1, sizeof *named);
    struct value *values;

    *ret = (struct prune_tuples){.width = width, .count = 1};
    for (size_t i = 0; i < width; i++) {
        named[i] = n == NULL ? NULL : naming(n, columns[i]);
        if (named[i] == NULL || named[i]->count > PRUNE_KEYS_MAX / ret->count) {
            return false;
        }
        ret->count *= named[i]->count;
    }
    values = arena_array(arena, ret->count * width + 1, sizeof *values);
    for (size_t t = 0; t < ret->count; t++) {
        size_t rest = t;

        for (size_t i = 0; i < width; i++) {
            values[t * width + i] = named[i]->values[rest % named[i]->count];
            rest /= named[i]->count;
        }
    }
    ret->values = values;
    return width > 0;
}
