/* Version 0 of PUT_KV, LOOKUP and PREFIX_LOOKUP: its clients encode every key as the lake format of
 * the table does. Of tables whose kv format has version 2, and whose bucket key is not the whole key,
 * primary keys are COMPACTED: such a client would neither find nor replace any row. */
#include "service.h"

static bool default_bucket_key(const struct table_descriptor *table)
{
    const struct schema *schema = table->def.schema;
    const struct text_list *bucket_keys = &table->def.bucket_keys;
    size_t count = 0;

    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        const char *name = schema->columns[schema->primary_key[i]].name;

        if (text_list_contains(table->def.partition_keys, name)) {
            continue;
        }
        if (count == bucket_keys->count || strcmp(bucket_keys->items[count], name) != 0) {
            return false;
        }
        count++;
    }
    return count == bucket_keys->count;
}

enum errcode kv_version_check(struct request *r, int64_t table_id, struct error *e)
{
    const struct meta_table *table;

    if (r->version > 0) {
        return ERR_OK;
    }
    table = meta_view_table_by_id(request_view(r), table_id);
    if (table == NULL || table->options->lake_format == LAKE_FORMAT_NONE ||
        table->options->kv_format_version < 2 || default_bucket_key(table->descriptor)) {
        return ERR_OK;
    }
    return error_set(e, ERR_UNSUPPORTED_VERSION,
                     "version 0 of %s encodes keys of table %s.%s in another way, use version 1",
                     r->api->name, table->database, table->name);
}
