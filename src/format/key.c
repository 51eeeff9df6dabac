/* Keys, see key.h: which encoding, and the COMPACTED one. */
#include "key_codec.h"
#include "row_codec.h"

static enum key_encoding encoding_of_bucket_key(const struct table_options *options)
{
    switch (options->lake_format) {
    case LAKE_FORMAT_PAIMON:
        return KEY_PAIMON;
    case LAKE_FORMAT_ICEBERG:
        return KEY_ICEBERG;
    case LAKE_FORMAT_HUDI:
        return KEY_HUDI;
    case LAKE_FORMAT_NONE:
    case LAKE_FORMAT_LANCE:
        break;
    }
    return KEY_COMPACTED;
}

static enum key_encoding encoding_of_primary_key(const struct table_options *options,
                                                 bool default_bucket_key)
{
    enum key_encoding encoding = encoding_of_bucket_key(options);

    if (encoding == KEY_HUDI || (options->kv_format_version >= 2 && !default_bucket_key)) {
        return KEY_COMPACTED;
    }
    return encoding;
}

enum bucketing key_bucketing(const struct table_options *options)
{
    static const enum bucketing functions[] = {[KEY_COMPACTED] = BUCKETING_FLUSS,
                                               [KEY_PAIMON] = BUCKETING_PAIMON,
                                               [KEY_ICEBERG] = BUCKETING_ICEBERG,
                                               [KEY_HUDI] = BUCKETING_HUDI};

    return functions[encoding_of_bucket_key(options)];
}

/* ---- formats ---- */

static struct key_format format_of(const struct schema *schema, const uint32_t *positions,
                                   uint32_t count, struct arena *arena)
{
    struct type_field *fields = arena_array(arena, count, sizeof *fields);
    struct type *columns = arena_new(arena, struct type);

    for (uint32_t i = 0; i < count; i++) {
        fields[i] = schema->row->fields[positions[i]];
        fields[i].type = type_with_nullable(fields[i].type, false, arena);
    }
    *columns = (struct type){.root = TYPE_ROW, .count = count, .fields = fields};
    return (struct key_format){.columns = columns, .positions = positions};
}

struct key_format key_format_primary(const struct table_descriptor *table,
                                     const struct table_options *options, struct arena *arena)
{
    const struct schema *schema = table->def.schema;
    const struct text_list *bucket_keys = &table->def.bucket_keys;
    uint32_t *positions = arena_array(arena, schema->primary_key_count, sizeof *positions);
    bool default_bucket_key = true;
    struct key_format format;
    uint32_t count = 0;

    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        const char *name = schema->columns[schema->primary_key[i]].name;

        if (!text_list_contains(table->def.partition_keys, name)) {
            default_bucket_key = default_bucket_key && count < bucket_keys->count &&
                                 strcmp(bucket_keys->items[count], name) == 0;
            positions[count++] = schema->primary_key[i];
        }
    }
    default_bucket_key = default_bucket_key && count == bucket_keys->count;
    format = format_of(schema, positions, count, arena);
    format.encoding = encoding_of_primary_key(options, default_bucket_key);
    return format;
}

struct key_format key_format_bucket(const struct table_descriptor *table,
                                    const struct table_options *options, struct arena *arena)
{
    const struct text_list *keys = &table->def.bucket_keys;
    uint32_t *positions = arena_array(arena, keys->count, sizeof *positions);
    struct key_format format;

    for (size_t i = 0; i < keys->count; i++) {
        int32_t position = schema_find(table->def.schema, keys->items[i]);

        ASSERT(position >= 0); /* the descriptor was checked */
        positions[i] = (uint32_t)position;
    }
    format = format_of(table->def.schema, positions, (uint32_t)keys->count, arena);
    format.encoding = encoding_of_bucket_key(options);
    return format;
}

struct key_prefix key_prefix_of(const struct table_descriptor *table,
                                const struct table_options *options, struct arena *arena)
{
    struct key_format primary = key_format_primary(table, options, arena);
    struct key_format bucket = key_format_bucket(table, options, arena);
    struct key_prefix prefix = {0};

    if (primary.encoding != KEY_COMPACTED || bucket.columns->count >= primary.columns->count) {
        return prefix;
    }
    for (uint32_t i = 0; i < bucket.columns->count; i++) {
        if (bucket.positions[i] != primary.positions[i]) {
            return prefix;
        }
    }
    prefix.plan = row_plan_new(ROW_COMPACTED, primary.columns, arena);
    prefix.count = bucket.columns->count;
    return prefix;
}

size_t key_prefix_size(const struct key_prefix *prefix, struct bytes key)
{
    ASSERT(prefix->count > 0);
    return row_cells_span(prefix->plan, prefix->count, key);
}

static bool takes(enum key_encoding encoding, const struct type *columns, uint32_t i)
{
    const struct type *type = columns->fields[i].type;

    switch (encoding) {
    case KEY_PAIMON:
        return key_paimon_takes(type);
    case KEY_ICEBERG:
        return columns->count == 1 && key_iceberg_takes(type);
    case KEY_HUDI:
        return key_hudi_takes(type);
    case KEY_COMPACTED:
        break;
    }
    return true;
}

enum errcode key_format_check(const struct key_format *format, struct error *e)
{
    static const char *const names[] = {[KEY_COMPACTED] = "compacted",
                                        [KEY_PAIMON] = "Paimon",
                                        [KEY_ICEBERG] = "Iceberg",
                                        [KEY_HUDI] = "Hudi"};

    for (uint32_t i = 0; i < format->columns->count; i++) {
        if (!takes(format->encoding, format->columns, i)) {
            return error_set(e, ERR_UNSUPPORTED_OPERATION,
                             "column '%.80s' of type %s cannot be part of a %s key of %u columns",
                             format->columns->fields[i].name,
                             type_text(format->columns->fields[i].type).text,
                             names[format->encoding], format->columns->count);
        }
    }
    return ERR_OK;
}

/* ---- values ---- */

/* A COMPACTED key is a COMPACTED row without its null bits, which are all 0. */
static enum errcode compacted_encode(const struct type *columns, const struct row_value *values,
                                     struct arena *arena, struct bytes *ret, struct error *e)
{
    struct row_format row = {.layout = ROW_COMPACTED, .row = columns};
    size_t nulls = row_null_bytes(columns->count);
    struct bytes encoded;

    TRY(row_encode(row, values, arena, &encoded, e));
    *ret = bytes_slice(encoded, nulls, encoded.len - nulls);
    return ERR_OK;
}

static enum errcode compacted_decode(const struct type *columns, struct bytes key,
                                     struct arena *arena, const struct row_value **ret,
                                     struct error *e)
{
    struct row_format row = {.layout = ROW_COMPACTED, .row = columns};
    size_t nulls = row_null_bytes(columns->count);
    uint8_t *whole = arena_zalloc(arena, nulls + key.len);

    if (key.len > 0) {
        memcpy(whole + nulls, key.data, key.len);
    }
    return row_decode(row, bytes_of(whole, nulls + key.len), arena, ret, e);
}

enum errcode key_encode(const struct key_format *format, const struct row_value *values,
                        struct arena *arena, struct bytes *ret, struct error *e)
{
    const struct type *columns = format->columns;

    for (uint32_t i = 0; i < columns->count && format->encoding != KEY_HUDI; i++) {
        if (values[i].null) {
            return error_set(e, ERR_INVALID_ARGUMENT, "key column '%.80s' is null",
                             columns->fields[i].name);
        }
    }
    switch (format->encoding) {
    case KEY_PAIMON:
        *ret = key_paimon_encode(columns, values, arena);
        return ERR_OK;
    case KEY_ICEBERG:
        ASSERT(columns->count == 1);
        *ret = key_iceberg_encode(columns->fields[0].type, values, arena);
        return ERR_OK;
    case KEY_HUDI:
        return key_hudi_encode(columns, values, arena, ret, e);
    case KEY_COMPACTED:
        break;
    }
    return compacted_encode(columns, values, arena, ret, e);
}

enum errcode key_decode(const struct key_format *format, struct bytes key, struct arena *arena,
                        const struct row_value **ret, struct error *e)
{
    const struct type *columns = format->columns;

    switch (format->encoding) {
    case KEY_PAIMON:
        return key_paimon_decode(columns, key, arena, ret, e);
    case KEY_ICEBERG:
        ASSERT(columns->count == 1);
        return key_iceberg_decode(columns->fields[0].type, key, arena, ret, e);
    case KEY_HUDI:
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "Hudi keys cannot be read back");
    case KEY_COMPACTED:
        break;
    }
    return compacted_decode(columns, key, arena, ret, e);
}
