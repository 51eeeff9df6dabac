/* Rows made of keys, see insert_rows.h. A key does not have the partition's columns: all rows of the
 * bucket have the same there, and the name of the partition says what. */
#include "insert_rows.h"

#include "format/batch.h"
#include "format/partition_value.h"

static const char *partition_text(const struct meta_table *table, const struct meta_partition *p,
                                  const char *column)
{
    const struct text_list *keys = &table->descriptor->def.partition_keys;

    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->items[i], column) == 0) {
            return p->values.items[i];
        }
    }
    return NULL;
}

/* One value per column, null but for the partition's. NULL: the table is not partitioned. */
static enum errcode partition_row(const struct bucket *b, const struct schema *schema,
                                  struct arena *arena, const struct row_value **ret,
                                  struct error *e)
{
    const struct meta_table *table = place_table(b->set->view, &b->id);
    const struct meta_partition *p;
    struct row_value *values;

    *ret = NULL;
    ASSERT(table != NULL); /* else the bucket would be gone */
    if (b->id.partition_id < 0) {
        return ERR_OK;
    }
    p = meta_table_partition_by_id(table, b->id.partition_id);
    values = arena_array(arena, schema->count, sizeof *values);
    for (uint32_t i = 0; i < schema->count; i++) {
        const char *text = partition_text(table, p, schema->columns[i].name);

        values[i].null = text == NULL;
        if (text != NULL) {
            TRY(partition_value(schema->columns[i].type, text, arena, &values[i], e));
        }
    }
    *ret = values;
    return ERR_OK;
}

static void target_key(const struct kv_table *table, struct arena *arena, struct put_op *ret)
{
    int32_t *columns = arena_array(arena, table->schema->count, sizeof *columns);
    size_t count = 0;

    for (uint32_t i = 0; i < table->schema->count; i++) {
        if (table->is_key[i]) {
            columns[count++] = (int32_t)i;
        }
    }
    ret->target_columns = columns;
    ret->target_count = count;
}

enum errcode insert_rows(const struct bucket *b, const struct bytes *keys, size_t count,
                         struct arena *arena, struct put_op *ret, struct error *e)
{
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};
    const struct kv_table *table = b->kv->table;
    struct kv_insert insert = {.table = table, .key = b->kv->key};

    TRY(partition_row(b, table->schema, arena, &insert.partition, e));
    TRY(kv_insert_records(&insert, keys, count, &w, e));
    ret->batch =
        arena_copy(arena, kv_batch_writer_finish(&w, BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE));
    target_key(table, arena, ret);
    return ERR_OK;
}
