/* Which keys, and which buckets, the predicates of a statement name; and what is left out in words. */
#include "prune_tree.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/calendar.h"
#include "format/key.h"

struct finding {
    struct prune *p;
    struct key_format key; /* what is looked up */
    struct key_format bucket;
    enum bucketing function;
    struct prune_tuples tuples;
    const uint32_t *columns; /* of the tuples */
};

/* ---- values ---- */

static bool fits(const struct type *type, int64_t number)
{
    if (type->root == TYPE_TINYINT) {
        return number == (int8_t)number;
    }
    if (type->root == TYPE_SMALLINT) {
        return number == (int16_t)number;
    }
    return type->root == TYPE_BIGINT || number == (int32_t)number;
}

bool prune_key_value(const struct type *type, const struct value *v, struct row_value *ret)
{
    *ret = (struct row_value){.null = false};
    if (v->kind == VALUE_BYTES) {
        ret->bytes = v->bytes;
        return true;
    }
    ret->integer = v->integer;
    return fits(type, v->integer);
}

/* The values of the tuple for the columns of a key; false: no row can have them. */
static bool key_values(const struct finding *f, const struct key_format *key, size_t tuple,
                       struct row_value *values)
{
    for (uint32_t k = 0; k < key->columns->count; k++) {
        const struct value *v = NULL;

        for (size_t i = 0; i < f->tuples.width; i++) {
            if (f->columns[i] == key->positions[k]) {
                v = &f->tuples.values[tuple * f->tuples.width + i];
            }
        }
        ASSERT(v != NULL);
        if (!prune_key_value(key->columns->fields[k].type, v, &values[k])) {
            return false;
        }
    }
    return true;
}

static bool are_key_types(const struct prune *p, const uint32_t *columns, size_t count)
{
    const struct schema *schema = meta_table_latest(p->table)->schema;

    for (size_t i = 0; i < count; i++) {
        if (!prune_is_key_type(schema->columns[columns[i]].type)) {
            return false;
        }
    }
    return true;
}

static bool tuples_of(struct finding *f, const uint32_t *columns, size_t count)
{
    f->columns = columns;
    return are_key_types(f->p, columns, count) &&
           prune_tuples(f->p->where, columns, count, &f->p->arena, &f->tuples);
}

/* ---- adding ---- */

static void add_key(struct finding *f, const struct bucket_id *id, struct bytes key)
{
    struct prune *p = f->p;
    struct prune_keys *k = p->keys;

    while (k != NULL && (k->id.partition_id != id->partition_id || k->id.bucket != id->bucket)) {
        k = k->next;
    }
    if (k == NULL) {
        k = arena_new(&p->arena, struct prune_keys);
        k->id = *id;
        k->keys = arena_array(&p->arena, f->tuples.count, sizeof *k->keys);
        k->next = p->keys;
        p->keys = k;
    }
    for (size_t i = 0; i < k->count; i++) {
        if (bytes_equal(k->keys[i], key)) {
            return;
        }
    }
    k->keys[k->count++] = key;
    p->key_count++;
}

/* false: the key cannot be made, so nothing is known. */
static bool add_tuple(struct finding *f, size_t tuple, const struct meta_partition *partition)
{
    struct prune *p = f->p;
    const struct meta_buckets *buckets =
        partition != NULL ? &partition->buckets : &p->table->buckets;
    struct row_value *values =
        arena_array(&p->arena, f->tuples.width + f->key.columns->count, sizeof *values);
    struct bucket_id id = {.table_id = p->table->id,
                           .partition_id = partition != NULL ? partition->id : -1};
    struct bytes bucket_key;
    struct bytes key;

    if (!key_values(f, &f->bucket, tuple, values)) {
        return true;
    }
    if (key_encode(&f->bucket, values, &p->arena, &bucket_key, NULL) != ERR_OK ||
        bucketing_bucket(f->function, bucket_key, buckets->count, &id.bucket, NULL) != ERR_OK) {
        return false;
    }
    if (!key_values(f, &f->key, tuple, values)) {
        return true;
    }
    if (key_encode(&f->key, values, &p->arena, &key, NULL) != ERR_OK) {
        return false;
    }
    add_key(f, &id, key);
    return true;
}

/* Whether the tuple's values of the partition columns, if it has them, are the partition's. */
static bool in_partition(const struct finding *f, size_t tuple,
                         const struct meta_partition *partition, struct arena *arena)
{
    for (size_t i = 0; i < partition->values.count; i++) {
        struct prune_fact fact;

        if (!prune_partition_fact(f->p->table, partition, i, arena, &fact)) {
            continue;
        }
        for (size_t c = 0; c < f->tuples.width; c++) {
            const struct value *v = &f->tuples.values[tuple * f->tuples.width + c];

            if ((int32_t)f->columns[c] == fact.column && v->kind == fact.value.kind &&
                value_compare(v, &fact.value) != 0) {
                return false;
            }
        }
    }
    return true;
}

static bool add_all(struct finding *f)
{
    const struct prune *p = f->p;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t partitions = p->table->partitions == NULL ? 1 : p->table->partitions->count;

    for (size_t i = 0; i < partitions; i++) {
        const struct meta_partition *partition =
            p->table->partitions == NULL ? NULL : p->table->partitions->by_name[i];

        if (!prune_keeps_partition(p, partition)) {
            continue;
        }
        for (size_t t = 0; t < f->tuples.count; t++) {
            if ((partition == NULL || in_partition(f, t, partition, &arena)) &&
                (p->key_count >= PRUNE_KEYS_MAX || !add_tuple(f, t, partition))) {
                return false;
            }
        }
        arena_reset(&arena);
    }
    return true;
}

/* ---- finding ---- */

void prune_drop_keys(struct prune *p)
{
    p->keys = NULL;
    p->key_count = 0;
    p->lookup = false;
    p->prefix = false;
    p->by_bucket = false;
}

static const uint32_t *bucket_columns(const struct prune *p, size_t *ret_count)
{
    const struct schema *schema = meta_table_latest(p->table)->schema;
    const struct text_list *keys = &p->table->descriptor->def.bucket_keys;
    uint32_t *columns =
        arena_array(&((struct prune *)(uintptr_t)p)->arena, keys->count + 1, sizeof *columns);

    for (size_t i = 0; i < keys->count; i++) {
        columns[i] = (uint32_t)schema_find(schema, keys->items[i]);
    }
    *ret_count = keys->count;
    return columns;
}

/* Rows by their whole keys, then by the bucket key where that is a prefix of them. */
static bool find_lookups(struct finding *f)
{
    struct prune *p = f->p;
    const struct schema *schema = meta_table_latest(p->table)->schema;
    size_t count = 0;
    const uint32_t *columns = bucket_columns(p, &count);

    if (tuples_of(f, schema->primary_key, schema->primary_key_count)) {
        f->key = key_format_primary(p->table->descriptor, p->table->options, &p->arena);
        p->lookup = add_all(f);
    } else if (key_prefix_of(p->table->descriptor, p->table->options, &p->arena).count > 0 &&
               tuples_of(f, columns, count)) {
        f->key = f->bucket;
        p->prefix = add_all(f);
        p->lookup = p->prefix;
    }
    return p->lookup;
}

void prune_find_keys(struct prune *p, bool current)
{
    struct finding f = {.p = p, .function = key_bucketing(p->table->options)};
    size_t count = 0;
    const uint32_t *columns;

    if (p->where == NULL || p->table->descriptor->def.bucket_keys.count == 0) {
        return;
    }
    f.bucket = key_format_bucket(p->table->descriptor, p->table->options, &p->arena);
    if (key_format_check(&f.bucket, NULL) != ERR_OK || (current && find_lookups(&f))) {
        return;
    }
    prune_drop_keys(p);
    columns = bucket_columns(p, &count);
    if (tuples_of(&f, columns, count)) {
        f.key = f.bucket;
        p->by_bucket = add_all(&f);
    }
    if (!p->by_bucket) {
        prune_drop_keys(p);
    }
}

bool prune_is_one_key(const struct prune *p)
{
    const struct schema *schema = meta_table_latest(p->table)->schema;
    const struct prune_node *n = p->where;
    size_t leaves = n == NULL ? 0 : n->kind == FILTER_LEAF ? 1 : n->child_count;

    if (!p->lookup || p->prefix || n->kind == FILTER_OR || leaves != schema->primary_key_count) {
        return false;
    }
    for (size_t i = 0; i < leaves; i++) {
        const struct prune_node *leaf = n->kind == FILTER_LEAF ? n : n->children[i];

        if (leaf->kind != FILTER_LEAF || leaf->function != FILTER_EQUAL) {
            return false;
        }
    }
    return true; /* each column of the key is named, so each of them once */
}

/* ---- in words ---- */

static void put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

static void put_number(struct buffer *out, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    put(out, text);
}

static void put_value(struct buffer *out, const struct value *v, const struct type *type)
{
    char text[48];

    if (v->kind == VALUE_BYTES) {
        buffer_u8(out, '\'');
        buffer_bytes(out, bytes_slice(v->bytes, 0, v->bytes.len < 40 ? v->bytes.len : 40));
        put(out, v->bytes.len > 40 ? "...'" : "'");
    } else if (v->kind == VALUE_TIMESTAMP || type->root == TYPE_DATE) {
        int64_t millis =
            v->kind == VALUE_TIMESTAMP ? v->timestamp.millis : v->integer * SECONDS_PER_DAY * 1000;
        struct civil c = calendar_civil(floor_div(millis, 1000));

        (void)snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%03d", c.year, c.month,
                       c.day, c.hour, c.minute, c.second, (int)floor_mod(millis, 1000));
        text[type->root == TYPE_DATE ? 10 : strlen(text)] = '\0';
        put(out, text);
    } else {
        put_number(out, v->integer);
    }
}

static void put_leaf(struct buffer *out, const struct prune *p, const struct prune_node *n)
{
    static const char *const places[] = {"_offset", "_timestamp", "_bucket"};
    static const char *const words[FILTER_FUNCTION_COUNT] = {[FILTER_EQUAL] = " = ",
                                                             [FILTER_NOT_EQUAL] = " <> ",
                                                             [FILTER_LESS] = " < ",
                                                             [FILTER_LESS_OR_EQUAL] = " <= ",
                                                             [FILTER_GREATER] = " > ",
                                                             [FILTER_GREATER_OR_EQUAL] = " >= ",
                                                             [FILTER_IS_NULL] = " IS NULL",
                                                             [FILTER_IS_NOT_NULL] = " IS NOT NULL",
                                                             [FILTER_IN] = " IN (",
                                                             [FILTER_NOT_IN] = " NOT IN (",
                                                             [FILTER_STARTS_WITH] = " STARTS WITH ",
                                                             [FILTER_CONTAINS] = " CONTAINS ",
                                                             [FILTER_ENDS_WITH] = " ENDS WITH "};

    put(out, n->column < 0 ? places[n->column - PRUNE_OFFSET]
                           : meta_table_latest(p->table)->schema->columns[n->column].name);
    put(out, words[n->function]);
    for (size_t i = 0; i < n->count; i++) {
        if (i == 8) {
            put(out, ", ...");
            break;
        }
        put(out, i > 0 ? ", " : "");
        put_value(out, &n->values[i], n->type);
    }
    put(out, n->function == FILTER_IN ? ")" : "");
}

/* Recursion over the nested predicate. */
static void put_node(struct buffer *out, const struct prune *p, const struct prune_node *n)
{
    if (n->kind == FILTER_LEAF) {
        put_leaf(out, p, n);
        return;
    }
    for (size_t i = 0; i < n->child_count; i++) {
        bool nested = n->children[i]->kind != FILTER_LEAF;

        put(out, i == 0 ? "" : n->kind == FILTER_AND ? " AND " : " OR ");
        put(out, nested ? "(" : "");
        put_node(out, p, n->children[i]);
        put(out, nested ? ")" : "");
    }
}

static void put_part(struct buffer *out, const char *name, size_t part, size_t all)
{
    if (all > 0) {
        put(out, ", ");
        put(out, name);
        buffer_u8(out, ' ');
        put_number(out, (int64_t)part);
        put(out, " of ");
        put_number(out, (int64_t)all);
    }
}

void prune_explain(const struct prune *p, struct buffer *out)
{
    size_t read = atomic_load(&p->batches_read);

    if (p->where == NULL) {
        put(out, "all rows");
    } else {
        put_node(out, p, p->where);
    }
    if (p->lookup) {
        put(out, p->prefix ? ", lookup of prefixes: " : ", lookup of keys: ");
        put_number(out, (int64_t)p->key_count);
    }
    put_part(out, "partitions", p->partitions_kept, p->partitions);
    put_part(out, "buckets", p->buckets_kept, p->buckets);
    put_part(out, "batches", read, read + atomic_load(&p->batches_skipped));
}
