/* Rows made of keys, see insert.h. */
#include "insert.h"

static enum errcode check_columns(const struct kv_table *table, struct error *e)
{
    const struct schema *schema = table->schema;

    for (uint32_t i = 0; i < schema->count; i++) {
        if (!table->is_key[i] && !schema->columns[i].type->nullable) {
            return error_set(e, ERR_INVALID_TARGET_COLUMN,
                             "a row without the NOT NULL column '%.80s' cannot be inserted",
                             schema->columns[i].name);
        }
    }
    return ERR_OK;
}

static enum errcode add_record(const struct kv_insert *insert, struct bytes key,
                               struct kv_batch_writer *w, struct arena *arena, struct error *e)
{
    const struct kv_table *table = insert->table;
    struct row_format format = {.layout = table->layout, .row = table->schema->row};
    struct row_value *values = arena_array(arena, format.row->count, sizeof *values);
    const struct row_value *read = NULL;
    struct bytes row;

    for (uint32_t i = 0; i < format.row->count; i++) {
        values[i].null = true;
        values[i] = insert->partition != NULL ? insert->partition[i] : values[i];
    }
    TRY(key_decode(&insert->key, key, arena, &read, e));
    for (uint32_t i = 0; i < insert->key.columns->count; i++) {
        values[insert->key.positions[i]] = read[i];
    }
    if (row_encode(format, values, arena, &row, e) != ERR_OK) {
        return error_set(e, ERR_CORRUPT_RECORD, "a key that does not fit its columns");
    }
    kv_batch_writer_add(w, key, row);
    return ERR_OK;
}

enum errcode kv_insert_records(const struct kv_insert *insert, const struct bytes *keys,
                               size_t count, struct kv_batch_writer *w, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    TRY(check_columns(insert->table, e));
    kv_batch_writer_begin(w, insert->table->schema_id);
    for (size_t i = 0; i < count; i++) {
        arena_reset(&arena);
        TRY(add_record(insert, keys[i], w, &arena, e));
    }
    return ERR_OK;
}
