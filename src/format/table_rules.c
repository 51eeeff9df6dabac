/* The checks of table_rules.h, in their order. */
#include "table_rules.h"

#include "key.h"

/* A table under examination. */
struct subject {
    const struct table_def *def;
    const struct schema *schema;
    const struct table_policy *policy;
    struct table_options options;
    bool keyed; /* has a primary key */
};

static bool is_set(const struct subject *s, enum table_option option)
{
    return table_options_has(&s->options, option);
}

static enum errcode examine(const struct table_descriptor *table, const struct table_policy *policy,
                            struct subject *ret, struct error *e)
{
    ret->def = &table->def;
    ret->schema = table->def.schema;
    ret->policy = policy;
    ret->keyed = table_has_primary_key(table);
    return table_options_parse(table->def.properties, &ret->options, e);
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, text) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- columns and keys ---- */

static enum errcode check_buckets(const struct subject *s, struct error *e)
{
    if (!s->def->has_bucket_count) {
        return error_set(e, ERR_INVALID_TABLE, "the bucket count is missing");
    }
    if (s->def->bucket_count > s->policy->bucket_count_max) {
        return error_set(e, ERR_BUCKET_MAX_NUM,
                         "%d buckets are more than the maximum of %d for a table or partition",
                         s->def->bucket_count, s->policy->bucket_count_max);
    }
    if (s->def->bucket_count <= 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "the bucket count must be positive, it is %d",
                         s->def->bucket_count);
    }
    return ERR_OK;
}

static enum errcode check_key_column(const struct subject *s, const char *what, int32_t position,
                                     struct error *e)
{
    const struct schema_column *column = &s->schema->columns[position];

    if (type_is_nested(column->type)) {
        return error_set(e, ERR_INVALID_TABLE,
                         "%s column '%.80s' has the type %s; ARRAY, MAP and ROW cannot be keys",
                         what, column->name, type_text(column->type).text);
    }
    return ERR_OK;
}

static enum errcode check_keys(const struct subject *s, struct error *e)
{
    for (size_t i = 0; i < s->def->bucket_keys.count; i++) {
        TRY(check_key_column(s, "bucket key", schema_find(s->schema, s->def->bucket_keys.items[i]),
                             e));
    }
    for (uint32_t i = 0; i < s->schema->primary_key_count; i++) {
        TRY(check_key_column(s, "primary key", (int32_t)s->schema->primary_key[i], e));
    }
    return ERR_OK;
}

static enum errcode check_names(const struct subject *s, struct error *e)
{
    static const char *const reserved[] = {
        "__offset",    "__timestamp",       "__bucket", "_change_type",
        "_log_offset", "_commit_timestamp", NULL};

    for (uint32_t i = 0; i < s->schema->count; i++) {
        if (is_one_of(s->schema->columns[i].name, reserved)) {
            return error_set(e, ERR_INVALID_TABLE,
                             "column name '%s' is reserved for a system column",
                             s->schema->columns[i].name);
        }
    }
    return ERR_OK;
}

/* ---- single options ---- */

static enum errcode check_replication(const struct subject *s, struct error *e)
{
    if (!is_set(s, TABLE_OPTION_REPLICATION_FACTOR)) {
        return error_set(e, ERR_INVALID_CONFIG, "'table.replication.factor' is missing");
    }
    if (s->options.replication_factor <= 0) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.replication.factor' must be positive, it is %d",
                         s->options.replication_factor);
    }
    return ERR_OK;
}

static enum errcode check_formats(const struct subject *s, struct error *e)
{
    const struct table_options *o = &s->options;

    /* The original refuses this with the kv format COMPACTED only; with INDEXED it creates a table
     * that refuses every write. */
    if (s->keyed && o->log_format == LOG_FORMAT_INDEXED) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "a primary-key table has the log format ARROW or COMPACTED, not INDEXED");
    }
    if (o->arrow_zstd_level < 1 || o->arrow_zstd_level > 22) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.log.arrow.compression.zstd.level' must be within 1..22, it is %d",
                         o->arrow_zstd_level);
    }
    if (o->kv_format_version > KV_FORMAT_VERSION_MAX ||
        (is_set(s, TABLE_OPTION_KV_FORMAT_VERSION) && o->kv_format_version < 1)) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.kv.format-version' must be within 1..%d, it is %d",
                         KV_FORMAT_VERSION_MAX, o->kv_format_version);
    }
    return ERR_OK;
}

static enum errcode check_aggregates(const struct subject *s, struct error *e)
{
    for (uint32_t i = 0; i < s->schema->count; i++) {
        const struct schema_column *column = &s->schema->columns[i];

        if (column->agg == NULL) {
            continue;
        }
        if (s->options.merge_engine != MERGE_AGGREGATION) {
            return error_set(e, ERR_INVALID_CONFIG,
                             "column '%.80s' has an aggregation function, which needs the merge "
                             "engine AGGREGATION",
                             column->name);
        }
        TRY(agg_check(column->agg, column->name, column->type, e));
    }
    return ERR_OK;
}

static enum errcode check_version_column(const struct subject *s, struct error *e)
{
    const char *name = s->options.merge_version_column;
    int32_t position;
    enum type_root root;

    if (name == NULL) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "the merge engine VERSIONED needs "
                         "'table.merge-engine.versioned.ver-column'");
    }
    position = schema_find(s->schema, name);
    if (position < 0) {
        return error_set(e, ERR_INVALID_CONFIG, "version column '%.80s' is not a column", name);
    }
    root = s->schema->columns[position].type->root;
    if (root != TYPE_INTEGER && root != TYPE_BIGINT && root != TYPE_TIMESTAMP &&
        root != TYPE_TIMESTAMP_LTZ) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "version column '%.80s' has the type %s; INT, BIGINT, TIMESTAMP and "
                         "TIMESTAMP_LTZ are possible",
                         name, type_text(s->schema->columns[position].type).text);
    }
    return ERR_OK;
}

static enum errcode check_merge_engine(const struct subject *s, struct error *e)
{
    if (s->options.merge_engine != MERGE_NONE && !s->keyed) {
        return error_set(e, ERR_INVALID_CONFIG, "a merge engine needs a primary key");
    }
    if (s->options.merge_engine == MERGE_VERSIONED) {
        TRY(check_version_column(s, e));
    }
    if (s->options.merge_engine == MERGE_AGGREGATION &&
        s->options.changelog_image == CHANGELOG_WAL) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "the merge engine AGGREGATION needs 'table.changelog.image' FULL");
    }
    return check_aggregates(s, e);
}

static enum errcode check_delete(const struct subject *s, struct error *e)
{
    if (!is_set(s, TABLE_OPTION_DELETE_BEHAVIOR)) {
        return ERR_OK;
    }
    if (!s->keyed) {
        return error_set(e, ERR_INVALID_CONFIG, "'table.delete.behavior' needs a primary key");
    }
    if (s->options.delete_behavior == DELETE_ALLOW &&
        (s->options.merge_engine == MERGE_FIRST_ROW ||
         s->options.merge_engine == MERGE_VERSIONED)) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.delete.behavior' ALLOW is not possible with the merge engines "
                         "FIRST_ROW and VERSIONED");
    }
    return ERR_OK;
}

static enum errcode check_tiered_log(const struct subject *s, struct error *e)
{
    const struct table_options *o = &s->options;

    if (o->log_local_segments <= 0) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.log.tiered.local-segments' must be positive, it is %d",
                         o->log_local_segments);
    }
    if (o->log_local_ttl_ms > 0 && o->log_ttl_ms > 0 && o->log_local_ttl_ms > o->log_ttl_ms) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.log.local-ttl' must not be longer than 'table.log.ttl'");
    }
    return ERR_OK;
}

static enum errcode check_historical(const struct subject *s, struct error *e)
{
    const struct table_options *o = &s->options;

    if (o->lake_historical &&
        (!o->auto_partition.enabled || !o->lake || o->lake_format != LAKE_FORMAT_PAIMON ||
         !s->keyed || s->def->partition_keys.count != 1)) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.datalake.historical-partition.enabled' needs automatic "
                         "partitions, a lake in the format PAIMON, a primary key and exactly one "
                         "partition key");
    }
    return ERR_OK;
}

/* ---- partitions ---- */

static enum errcode check_partition_types(const struct subject *s, struct error *e)
{
    for (size_t i = 0; i < s->def->partition_keys.count; i++) {
        const char *name = s->def->partition_keys.items[i];
        const struct type *type = s->schema->columns[schema_find(s->schema, name)].type;

        if (type_is_nested(type) || type->root == TYPE_DECIMAL) {
            return error_set(e, ERR_INVALID_TABLE,
                             "partition key '%.80s' has the type %s, which cannot be a partition "
                             "key",
                             name, type_text(type).text);
        }
    }
    return ERR_OK;
}

/* With several partition keys one must be named, and nothing can be created ahead. */
static enum errcode check_time_key(const struct subject *s, struct error *e)
{
    const struct auto_partition *o = &s->options.auto_partition;

    if (s->def->partition_keys.count > 1 && o->key == NULL) {
        return error_set(e, ERR_INVALID_TABLE,
                         "'table.auto-partition.key' is needed with several partition keys");
    }
    if (auto_partition_key(o, s->def->partition_keys) < 0) {
        return error_set(e, ERR_INVALID_TABLE,
                         "'table.auto-partition.key' '%.80s' is not a partition key", o->key);
    }
    if (s->def->partition_keys.count > 1 && o->precreate > 0) {
        return error_set(e, ERR_INVALID_TABLE,
                         "'table.auto-partition.num-precreate' must be 0 with several partition "
                         "keys, it is %d",
                         o->precreate);
    }
    return ERR_OK;
}

static enum errcode check_date_key(const struct subject *s, struct error *e)
{
    const struct auto_partition *o = &s->options.auto_partition;
    int32_t key = auto_partition_key(o, s->def->partition_keys);
    const char *name = s->def->partition_keys.items[key];

    if (s->schema->columns[schema_find(s->schema, name)].type->root != TYPE_DATE) {
        return ERR_OK;
    }
    if (o->unit != PARTITION_DAY || o->format == NULL || strcmp(o->format, "yyyy-MM-dd") != 0) {
        return error_set(e, ERR_INVALID_TABLE,
                         "automatic partitions by '%.80s' of the type DATE need "
                         "'table.auto-partition.time-unit' DAY and "
                         "'table.auto-partition.time-format' yyyy-MM-dd",
                         name);
    }
    return ERR_OK;
}

static enum errcode check_zone(const struct subject *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *zone = s->options.auto_partition.zone;

    if (zone != NULL && tz_fixed(zone, &arena) == NULL && !tz_name_is_file(zone)) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "invalid value of 'table.auto-partition.time-zone': found \"%.80s\", "
                         "expected a zone such as Europe/Paris or an offset such as +08:00",
                         zone);
    }
    return ERR_OK;
}

static enum errcode check_partitions(const struct subject *s, struct error *e)
{
    const struct auto_partition *o = &s->options.auto_partition;
    struct partition_format format;

    TRY(check_zone(s, e));
    if (s->def->partition_keys.count == 0) {
        if (o->enabled) {
            return error_set(e, ERR_INVALID_CONFIG,
                             "'table.auto-partition.enabled' needs a partitioned table");
        }
        return ERR_OK;
    }
    TRY(check_partition_types(s, e));
    if (o->format != NULL) {
        TRY(partition_format_parse(o->format, o->unit, &format, e));
    }
    if (o->enabled) {
        TRY(check_time_key(s, e));
        TRY(check_date_key(s, e));
    }
    return ERR_OK;
}

/* ---- statistics, lake ---- */

static enum errcode check_statistics_column(const struct subject *s, const char *name,
                                            struct error *e)
{
    int32_t position = schema_find(s->schema, name);
    const struct type *type;

    if (position < 0) {
        return error_set(e, ERR_INVALID_CONFIG, "statistics column '%.80s' is not a column", name);
    }
    type = s->schema->columns[position].type;
    if (type_is_nested(type) || type->root == TYPE_BINARY || type->root == TYPE_BYTES) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "statistics column '%.80s' has the type %s, for which there are no "
                         "statistics",
                         name, type_text(type).text);
    }
    return ERR_OK;
}

/* The text between blanks, as a copy. */
static const char *trimmed(const char *text, size_t len, struct arena *arena)
{
    while (len > 0 && text[0] == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    return arena_strndup(arena, text, len);
}

static enum errcode check_statistics(const struct subject *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *rest = s->options.statistics_columns;
    size_t named = 0;

    if (rest == NULL) {
        return ERR_OK;
    }
    if (s->keyed) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.statistics.columns' is not possible with a primary key");
    }
    if (strcmp(trimmed(rest, strlen(rest), &arena), "*") == 0) {
        return ERR_OK;
    }
    while (*rest != '\0') {
        size_t len = strcspn(rest, ",");
        const char *name = trimmed(rest, len, &arena);

        if (name[0] != '\0') {
            TRY(check_statistics_column(s, name, e));
            named++;
        }
        rest += len + (rest[len] == ',');
    }
    if (named == 0) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'table.statistics.columns' names no column; * stands for all");
    }
    return ERR_OK;
}

static enum errcode check_lake(const struct subject *s, struct error *e)
{
    const struct table_options *o = &s->options;

    if (o->lake && s->policy->lake_format != LAKE_FORMAT_NONE &&
        o->lake_format != LAKE_FORMAT_NONE && o->lake_format != s->policy->lake_format) {
        return error_set(
            e, ERR_INVALID_CONFIG, "'table.datalake.format' %s is not the format %s of the cluster",
            lake_format_name(o->lake_format), lake_format_name(s->policy->lake_format));
    }
    return ERR_OK;
}

/* The server reads and writes keys as clients do, so it must be able to. The original finds out when
 * the first key is written, and so do its clients. */
static enum errcode check_key_encoding(const struct table_descriptor *table,
                                       const struct subject *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct key_format key;

    if (!s->keyed) {
        return ERR_OK;
    }
    key = key_format_primary(table, &s->options, &arena);
    if (key_format_check(&key, e) == ERR_OK) {
        return ERR_OK;
    }
    if (e != NULL) {
        e->code = ERR_INVALID_TABLE;
    }
    return ERR_INVALID_TABLE;
}

enum errcode table_validate(const struct table_descriptor *table, const struct table_policy *policy,
                            struct error *e)
{
    static enum errcode (*const checks[])(const struct subject *, struct error *) = {
        check_buckets,      check_keys,   check_replication, check_formats,
        check_merge_engine, check_delete, check_tiered_log,  check_historical,
        check_partitions,   check_names,  check_statistics,  check_lake,
    };
    struct subject s;

    TRY(examine(table, policy, &s, e));
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        TRY(checks[i](&s, e));
    }
    return check_key_encoding(table, &s, e);
}

/* ---- defaults ---- */

static void set_property(struct table_def *def, enum table_option option, const char *value,
                         struct arena *arena)
{
    def->properties = text_map_with(def->properties, table_option_key(option), value, arena);
}

static enum errcode check_allowed(const struct subject *s, struct error *e)
{
    if (s->keyed ? !s->policy->create_kv_tables : !s->policy->create_log_tables) {
        return error_set(e, ERR_INVALID_TABLE, "this cluster does not create %s tables",
                         s->keyed ? "primary-key" : "log");
    }
    if (s->options.lake && s->policy->lake_format == LAKE_FORMAT_NONE) {
        return error_set(e, ERR_INVALID_TABLE,
                         "'table.datalake.enabled' is true, but the cluster has no lake");
    }
    return ERR_OK;
}

static void default_kv_properties(const struct subject *s, struct table_def *def,
                                  struct arena *arena)
{
    if (s->options.merge_engine != MERGE_NONE && !is_set(s, TABLE_OPTION_DELETE_BEHAVIOR)) {
        set_property(def, TABLE_OPTION_DELETE_BEHAVIOR, "IGNORE", arena);
    }
    if (!is_set(s, TABLE_OPTION_KV_FORMAT_VERSION)) {
        set_property(def, TABLE_OPTION_KV_FORMAT_VERSION,
                     arena_printf(arena, "%d", KV_FORMAT_VERSION_MAX), arena);
    }
    if (!is_set(s, TABLE_OPTION_KV_STANDBY)) {
        set_property(def, TABLE_OPTION_KV_STANDBY, "true", arena);
    }
}

enum errcode table_apply_defaults(const struct table_descriptor *table,
                                  const struct table_policy *policy, struct table_descriptor **ret,
                                  struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_def def = table->def;
    struct subject s;

    TRY(examine(table, policy, &s, e));
    TRY(check_allowed(&s, e));
    if (!def.has_bucket_count) {
        def.distributed = true;
        def.has_bucket_count = true;
        def.bucket_count = policy->bucket_count_default;
    }
    if (!is_set(&s, TABLE_OPTION_REPLICATION_FACTOR)) {
        set_property(&def, TABLE_OPTION_REPLICATION_FACTOR,
                     arena_printf(&arena, "%d", policy->replication_factor_default), &arena);
    }
    if (def.partition_keys.count > 1 && s.options.auto_partition.enabled &&
        !is_set(&s, TABLE_OPTION_AUTO_PARTITION_PRECREATE)) {
        set_property(&def, TABLE_OPTION_AUTO_PARTITION_PRECREATE, "0", &arena);
    }
    if (policy->lake_format != LAKE_FORMAT_NONE && !is_set(&s, TABLE_OPTION_LAKE_FORMAT)) {
        set_property(&def, TABLE_OPTION_LAKE_FORMAT, lake_format_name(policy->lake_format), &arena);
    }
    if (s.keyed) {
        default_kv_properties(&s, &def, &arena);
    }
    return table_descriptor_new(&def, ret, e);
}

/* ---- added columns ---- */

enum errcode table_add_columns(const struct table_descriptor *table,
                               const struct schema_column *columns, size_t count,
                               struct table_descriptor **ret, struct error *e)
{
    OWNED(schema_unrefp) struct schema *next = NULL;
    struct table_def def = table->def;
    struct subject s;

    TRY(examine(table, NULL, &s, e));
    TRY(schema_add_columns(table->def.schema, columns, count, &next, e));
    s.schema = next;
    TRY(check_names(&s, e));
    TRY(check_aggregates(&s, e));
    def.schema = next;
    return table_descriptor_new(&def, ret, e);
}
