/* ALTER TABLE as a decision, see table_rules.h: which properties may change, and what the table is
 * afterwards.
 */
#include "table_rules.h"

#define LAKE_PREFIX "table.datalake."

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum errcode check_change(const struct table_descriptor *table, const char *key,
                                 struct error *e)
{
    enum table_option option;

    if (!starts_with(key, TABLE_OPTION_PREFIX)) {
        return ERR_OK;
    }
    if (!table_option_find(key, &option) || !table_option_alterable(option)) {
        return error_set(e, ERR_INVALID_ALTER_TABLE, "'%.100s' cannot be altered", key);
    }
    if (option == TABLE_OPTION_KV_STANDBY && !table_has_primary_key(table)) {
        return error_set(e, ERR_INVALID_ALTER_TABLE,
                         "'%.100s' can only be altered for a table with a primary key", key);
    }
    return ERR_OK;
}

/* A table made before the cluster had a lake keeps out of it, because its buckets may not be laid
 * out the way the lake needs; only the switch of a table without bucket keys is harmless. */
static enum errcode check_lake_changes(const struct table_descriptor *table,
                                       struct table_changes changes, struct error *e)
{
    bool harmless = !table_has_primary_key(table) && table->def.bucket_keys.count == 0;

    if (text_map_get(table->def.properties, table_option_key(TABLE_OPTION_LAKE_FORMAT)) != NULL) {
        return ERR_OK;
    }
    for (size_t i = 0; i < changes.count; i++) {
        harmless =
            harmless && (!starts_with(changes.items[i].key, LAKE_PREFIX) ||
                         strcmp(changes.items[i].key, table_option_key(TABLE_OPTION_LAKE)) == 0);
    }
    for (size_t i = 0; i < changes.count && !harmless; i++) {
        if (starts_with(changes.items[i].key, LAKE_PREFIX)) {
            return error_set(e, ERR_INVALID_ALTER_TABLE,
                             "'%.100s' cannot be altered: the table was created before the cluster "
                             "had a lake",
                             changes.items[i].key);
        }
    }
    return ERR_OK;
}

static void apply(struct table_def *def, struct table_changes changes, struct arena *arena)
{
    for (size_t i = 0; i < changes.count; i++) {
        const struct text_pair *change = &changes.items[i];
        struct text_map *map = starts_with(change->key, TABLE_OPTION_PREFIX)
                                   ? &def->properties
                                   : &def->custom_properties;

        *map = text_map_with(*map, change->key, change->value, arena);
    }
}

/* A table that enters the lake takes the format of the cluster. */
static enum errcode enter_lake(struct table_def *def, const struct table_policy *policy,
                               struct arena *arena, struct error *e)
{
    struct table_options options;

    TRY(table_options_parse(def->properties, &options, e));
    if (!options.lake) {
        return ERR_OK;
    }
    if (policy->lake_format == LAKE_FORMAT_NONE) {
        return error_set(e, ERR_INVALID_ALTER_TABLE,
                         "'table.datalake.enabled' is true, but the cluster has no lake");
    }
    if (!table_options_has(&options, TABLE_OPTION_LAKE_FORMAT)) {
        def->properties = text_map_with(def->properties, table_option_key(TABLE_OPTION_LAKE_FORMAT),
                                        lake_format_name(policy->lake_format), arena);
    }
    return ERR_OK;
}

enum errcode table_alter_properties(const struct table_descriptor *table,
                                    struct table_changes changes, const struct table_policy *policy,
                                    struct table_descriptor **ret, struct error *e)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *next = NULL;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_def def = table->def;

    if (changes.count > TEXT_MAP_COUNT_MAX) {
        return error_set(e, ERR_INVALID_ALTER_TABLE, "more than %d changes at once",
                         TEXT_MAP_COUNT_MAX);
    }
    for (size_t i = 0; i < changes.count; i++) {
        TRY(check_change(table, changes.items[i].key, e));
    }
    TRY(check_lake_changes(table, changes, e));
    apply(&def, changes, &arena);
    if (text_map_equal(def.properties, table->def.properties) &&
        text_map_equal(def.custom_properties, table->def.custom_properties)) {
        *ret = NULL;
        return ERR_OK;
    }
    TRY(enter_lake(&def, policy, &arena, e));
    TRY(table_descriptor_new(&def, &next, e));
    TRY(table_validate(next, policy, e));
    *ret = TAKE(next);
    return ERR_OK;
}
