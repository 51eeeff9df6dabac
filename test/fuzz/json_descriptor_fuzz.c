/* Table descriptors as clients send them. What is accepted must survive writing and reading, and
 * whatever the server makes of it must be an answer, not a crash. */
#include "mutate.h"

#include "format/table_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes text_of(const struct table_descriptor *table, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    table_descriptor_write_json(&w, table);
    return json_writer_text(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct table_policy policy = {.bucket_count_default = 1,
                                               .bucket_count_max = 100,
                                               .replication_factor_default = 1,
                                               .lake_format = LAKE_FORMAT_PAIMON,
                                               .create_log_tables = true,
                                               .create_kv_tables = true};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = NULL;
    OWNED(table_descriptor_unrefp) struct table_descriptor *again = NULL;
    OWNED(table_descriptor_unrefp) struct table_descriptor *full = NULL;
    struct error e;

    if (table_descriptor_parse(bytes_of(data, size), &table, &e) != ERR_OK) {
        return 0;
    }
    ASSERT(table_descriptor_parse(text_of(table, &arena), &again, &e) == ERR_OK);
    ASSERT(bytes_equal(text_of(table, &arena), text_of(again, &arena)));
    if (table_apply_defaults(table, &policy, &full, &e) == ERR_OK) {
        IGNORE(table_validate(full, &policy, &e) != ERR_OK);
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_json(data, size, max, seed);
}
