#include "bench_table.h"

#include "format/json.h"

#define PROPERTY_CODEC "table.log.arrow.compression.type"

static void write_column(struct json_writer *w, const struct bench_column *column, size_t id)
{
    json_write_object(w);
    json_write_string_member(w, "name", column->name);
    json_write_key(w, "data_type");
    json_write_object(w);
    json_write_string_member(w, "type", column->type);
    if (column->required) {
        json_write_bool_member(w, "nullable", false);
    }
    if (column->precision > 0) {
        json_write_int_member(w, "precision", column->precision);
    }
    if (column->scale > 0) {
        json_write_int_member(w, "scale", column->scale);
    }
    json_write_end(w);
    json_write_int_member(w, "id", (int64_t)id);
    json_write_end(w);
}

static void write_names(struct json_writer *w, const char *key, const char *const *names,
                        size_t count)
{
    json_write_key(w, key);
    json_write_array(w);
    for (size_t i = 0; i < count; i++) {
        json_write_string(w, names[i]);
    }
    json_write_end(w);
}

static void write_schema(struct json_writer *w, const struct bench_table *table)
{
    json_write_key(w, "schema");
    json_write_object(w);
    json_write_int_member(w, "version", 1);
    json_write_key(w, "columns");
    json_write_array(w);
    for (size_t i = 0; i < table->column_count; i++) {
        write_column(w, &table->columns[i], i);
    }
    json_write_end(w);
    if (table->primary_key_count > 0) {
        write_names(w, "primary_key", table->primary_key, table->primary_key_count);
    }
    json_write_int_member(w, "highest_field_id", (int64_t)table->column_count - 1);
    json_write_end(w);
}

static enum errcode write_properties(struct json_writer *w, const struct bench_options *options,
                                     struct arena *arena, struct error *e)
{
    static const char *const codecs[] = {[ARROW_CODEC_NONE] = "NONE",
                                         [ARROW_CODEC_LZ4_FRAME] = "LZ4_FRAME",
                                         [ARROW_CODEC_ZSTD] = "ZSTD"};

    json_write_key(w, "properties");
    json_write_object(w);
    json_write_string_member(w, PROPERTY_CODEC, codecs[options->codec]);
    for (size_t i = 0; i < options->property_count; i++) {
        const char *text = options->properties[i];
        const char *equals = strchr(text, '=');

        if (equals == NULL || equals == text) {
            return error_set(e, ERR_INVALID_ARGUMENT, "property '%s' has no key", text);
        }
        json_write_string_member(w, arena_strndup(arena, text, (size_t)(equals - text)),
                                 equals + 1);
    }
    json_write_end(w);
    return ERR_OK;
}

enum errcode bench_table_json(const struct bench_table *table, const struct bench_options *options,
                              struct arena *arena, struct bytes *ret, struct error *e)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    write_schema(&w, table);
    write_names(&w, "partition_key", NULL, 0);
    /* 0.9.1 wants it with a bucket count, also when it is empty */
    write_names(&w, "bucket_key", table->primary_key, table->bucket_key_count);
    json_write_int_member(&w, "bucket_count", options->buckets);
    TRY(write_properties(&w, options, arena, e));
    json_write_key(&w, "custom_properties");
    json_write_object(&w);
    json_write_end(&w);
    json_write_end(&w);
    *ret = json_writer_text(&w);
    return ERR_OK;
}
