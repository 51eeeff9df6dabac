/* Tables as the write path sees them, see table.h. */
#include "table.h"

#include <stdlib.h>

#define DELIMITER_DEFAULT ","
/* The original's level 3 would be a quarter of all that an upsert costs, for a few percent of size. Who
 * reads does not see the level. */
#define ZSTD_LEVEL_UNSAID 1

static enum delete_behavior delete_behavior_of(const struct table_options *options)
{
    if (table_options_has(options, TABLE_OPTION_DELETE_BEHAVIOR)) {
        return options->delete_behavior;
    }
    return options->merge_engine == MERGE_NONE ? DELETE_ALLOW : DELETE_IGNORE;
}

/* Rows of older schemas are read by position, which is right as long as columns are only added at
 * the end. */
static enum errcode check_history(const struct kv_schema *schemas, size_t count, struct error *e)
{
    const struct kv_schema *latest = &schemas[count - 1];

    for (size_t i = 0; i < count; i++) {
        const struct schema *s = schemas[i].schema;
        bool follows = schemas[i].id >= 0 && s->count > 0 && s->count <= latest->schema->count &&
                       (i == 0 || schemas[i].id > schemas[i - 1].id);

        for (uint32_t c = 0; follows && c < s->count; c++) {
            follows = s->columns[c].id == latest->schema->columns[c].id;
        }
        if (!follows) {
            return error_set(e, ERR_INVALID_TABLE,
                             "schema %d does not lead to schema %d by adding columns at the end",
                             schemas[i].id, latest->id);
        }
    }
    return ERR_OK;
}

static enum errcode find_version_column(struct kv_table *table, const char *name, struct error *e)
{
    int32_t position = name == NULL ? -1 : schema_find(table->schema, name);
    enum type_root root;

    if (table->engine != MERGE_VERSIONED) {
        return ERR_OK;
    }
    root = position < 0 ? TYPE_ROOT_COUNT : table->schema->columns[position].type->root;
    if (root != TYPE_INTEGER && root != TYPE_BIGINT && root != TYPE_TIMESTAMP &&
        root != TYPE_TIMESTAMP_LTZ) {
        return error_set(e, ERR_INVALID_CONFIG, "'%.80s' is no version column",
                         name == NULL ? "" : name);
    }
    table->version_column = (uint32_t)position;
    return ERR_OK;
}

static void copy_schemas(struct kv_table *table, const struct kv_schema *schemas, size_t count)
{
    const struct row_plan **plans;

    table->schema = schemas[count - 1].schema;
    table->schema_id = schemas[count - 1].id;
    table->schemas = arena_array(&table->arena, count, sizeof *table->schemas);
    table->schema_count = count;
    plans = arena_array(&table->arena, (size_t)table->schema_id + 1, sizeof(struct row_plan *));
    for (size_t i = 0; i < count; i++) {
        table->schemas[i] =
            (struct kv_schema){.id = schemas[i].id, .schema = schema_ref(schemas[i].schema)};
        plans[schemas[i].id] = row_plan_new(table->layout, schemas[i].schema->row, &table->arena);
    }
    table->plans = plans;
    table->plan = plans[table->schema_id];
}

static struct bytes delimiter_of(const struct agg_function *agg, struct arena *arena)
{
    for (size_t i = 0; i < agg->parameters.count; i++) {
        if (strcmp(agg->parameters.items[i].key, "delimiter") == 0) {
            return arena_copy(arena, bytes_str(agg->parameters.items[i].value));
        }
    }
    return bytes_str(DELIMITER_DEFAULT);
}

/* Primary key columns keep what the writer sends, which is what is there already. */
static void plan_columns(struct kv_table *table)
{
    const struct schema *schema = table->schema;
    bool *is_key = arena_array(&table->arena, schema->count, sizeof *is_key);
    struct kv_aggregation *aggregations =
        arena_array(&table->arena, schema->count, sizeof *aggregations);

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct agg_function *agg = schema->columns[i].agg;

        is_key[i] = schema_is_primary_key(schema, i);
        aggregations[i].kind = is_key[i]     ? AGG_LAST_VALUE
                               : agg == NULL ? AGG_LAST_VALUE_IGNORE_NULLS
                                             : agg->kind;
        aggregations[i].declared_digits = table->log_format == LOG_FORMAT_ARROW;
        aggregations[i].delimiter = agg == NULL ? BYTES_EMPTY : delimiter_of(agg, &table->arena);
    }
    table->is_key = is_key;
    table->aggregations = table->engine == MERGE_AGGREGATION ? aggregations : NULL;
}

enum errcode kv_table_new(const struct table_options *options, const struct kv_schema *schemas,
                          size_t count, struct kv_table **ret, struct error *e)
{
    OWNED(kv_table_unrefp) struct kv_table *table = mem_new(struct kv_table);

    ASSERT(count > 0);
    atomic_init(&table->refs, 1);
    table->layout = options->kv_format == KV_FORMAT_COMPACTED ? ROW_COMPACTED : ROW_INDEXED;
    table->log_format = options->log_format;
    table->arrow_codec = options->arrow_compression;
    table->zstd_level = table_options_has(options, TABLE_OPTION_ARROW_ZSTD_LEVEL)
                            ? options->arrow_zstd_level
                            : ZSTD_LEVEL_UNSAID;
    table->image = options->changelog_image;
    table->engine = options->merge_engine;
    table->delete_behavior = delete_behavior_of(options);
    TRY(check_history(schemas, count, e));
    copy_schemas(table, schemas, count);
    plan_columns(table);
    TRY(find_version_column(table, options->merge_version_column, e));
    *ret = TAKE(table);
    return ERR_OK;
}

struct kv_table *kv_table_ref(struct kv_table *table)
{
    (void)atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
    return table;
}

void *kv_table_unref(struct kv_table *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < table->schema_count; i++) {
            schema_unref(table->schemas[i].schema);
        }
        arena_fini(&table->arena);
        free(table);
    }
    return NULL;
}

void kv_table_unrefp(struct kv_table **table) { (void)kv_table_unref(*table); }
