#include "point_key.h"

#include "prune_tree.h"

#include <strings.h>

/* The one leaf that names the column. */
static const struct operand *operand_of(const struct predicate *where, const char *column)
{
    const struct predicate *const *leaves = where->kind == FILTER_LEAF ? &where : where->children;
    size_t count = where->kind == FILTER_LEAF ? 1 : where->child_count;

    for (size_t i = 0; i < count; i++) {
        const struct predicate *p = leaves[i];

        if (p->kind == FILTER_LEAF && p->function == FILTER_EQUAL && p->operand_count == 1 &&
            strcasecmp(p->column, column) == 0) {
            return p->operands;
        }
    }
    return NULL;
}

bool point_key_init(struct point_key *k, const struct meta_table *table,
                    const struct predicate *where, struct arena *arena)
{
    const struct schema *schema = meta_table_latest(table)->schema;

    if (table->partitions != NULL || where == NULL || where->kind == FILTER_OR) {
        return false;
    }
    *k = (struct point_key){.table = table, .function = key_bucketing(table->options)};
    k->operands = arena_array(arena, schema->primary_key_count + 1, sizeof(struct operand *));
    k->values = arena_array(arena, schema->count, sizeof *k->values);
    k->key = key_format_primary(table->descriptor, table->options, arena);
    k->bucket = key_format_bucket(table->descriptor, table->options, arena);
    for (size_t i = 0; i < schema->primary_key_count; i++) {
        k->operands[i] = operand_of(where, schema->columns[schema->primary_key[i]].name);
        if (k->operands[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* Values of the columns of a key, out of those of the primary key. */
static enum errcode encode(const struct point_key *k, const struct key_format *key,
                           struct arena *arena, struct bytes *ret)
{
    const struct schema *schema = meta_table_latest(k->table)->schema;
    struct row_value *values = arena_array(arena, key->columns->count, sizeof *values);

    for (uint32_t c = 0; c < key->columns->count; c++) {
        for (size_t i = 0; i < schema->primary_key_count; i++) {
            if (schema->primary_key[i] == key->positions[c]) {
                values[c] = k->values[i];
            }
        }
    }
    return key_encode(key, values, arena, ret, NULL);
}

bool point_key_find(struct point_key *k, const struct literal_parameters *given,
                    struct arena *arena, struct bucket_id *ret_id, struct bytes *ret_key)
{
    const struct schema *schema = meta_table_latest(k->table)->schema;
    struct bucket_id id = {.table_id = k->table->id, .partition_id = -1};
    struct bytes bucket_key;
    struct value v;

    for (size_t i = 0; i < schema->primary_key_count; i++) {
        const struct type *type = schema->columns[schema->primary_key[i]].type;

        if (!literal_value(k->operands[i], type, given, &v) ||
            !prune_key_value(type, &v, &k->values[i])) {
            return false;
        }
    }
    if (encode(k, &k->bucket, arena, &bucket_key) != ERR_OK ||
        bucketing_bucket(k->function, bucket_key, k->table->buckets.count, &id.bucket, NULL) !=
            ERR_OK ||
        encode(k, &k->key, arena, ret_key) != ERR_OK) {
        return false;
    }
    *ret_id = id;
    return true;
}
