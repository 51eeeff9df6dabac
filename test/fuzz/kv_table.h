/* Primary-key tables for fuzz targets: one of a few schemas, formats and engines by number. */
#ifndef TEST_FUZZ_KV_TABLE_H
#define TEST_FUZZ_KV_TABLE_H

#include "kv/table.h"

#define FUZZ_COLUMN(name, type, rest) "{\"name\":\"" name "\",\"data_type\":" type rest "}"
#define FUZZ_PLAIN(root)              "{\"type\":\"" root "\"}"
#define FUZZ_WITH(root, rest)         "{\"type\":\"" root "\"," rest "}"
#define FUZZ_AGG(name)                ",\"agg_function\":{\"type\":\"" name "\"}"

/* clang-format off */
static const char *const fuzz_schemas[] = {
    "{\"columns\":[" FUZZ_COLUMN("k", FUZZ_PLAIN("INTEGER"), "")
    "," FUZZ_COLUMN("a", FUZZ_PLAIN("BIGINT"), FUZZ_AGG("sum"))
    "," FUZZ_COLUMN("b", FUZZ_PLAIN("STRING"), FUZZ_AGG("listagg"))
    "," FUZZ_COLUMN("c", FUZZ_WITH("DECIMAL", "\"precision\":30,\"scale\":5"), FUZZ_AGG("product"))
    "," FUZZ_COLUMN("d", FUZZ_PLAIN("BYTES"), FUZZ_AGG("rbm32"))
    "," FUZZ_COLUMN("e", FUZZ_PLAIN("BYTES"), FUZZ_AGG("rbm64"))
    "],\"primary_key\":[\"k\"]}",
    "{\"columns\":[" FUZZ_COLUMN("k", FUZZ_PLAIN("STRING"), "")
    "," FUZZ_COLUMN("a", FUZZ_PLAIN("BIGINT"), "")
    "," FUZZ_COLUMN("t", FUZZ_WITH("TIMESTAMP_WITHOUT_TIME_ZONE", "\"precision\":9"), FUZZ_AGG("max"))
    "," FUZZ_COLUMN("f", FUZZ_WITH("BINARY", "\"length\":5"), "")
    "," FUZZ_COLUMN("l", FUZZ_WITH("ARRAY", "\"element_type\":" FUZZ_PLAIN("STRING")), "")
    "," FUZZ_COLUMN("m", FUZZ_WITH("MAP", "\"key_type\":" FUZZ_PLAIN("INTEGER")
                                          ",\"value_type\":" FUZZ_PLAIN("BOOLEAN")), "")
    "," FUZZ_COLUMN("p", FUZZ_PLAIN("DOUBLE"), FUZZ_AGG("min"))
    "],\"primary_key\":[\"k\"]}",
};
/* clang-format on */

static inline struct kv_table *fuzz_table(uint8_t number)
{
    OWNED(schema_unrefp) struct schema *schema = NULL;
    struct table_options options = {
        .kv_format = (number & 2) != 0 ? KV_FORMAT_INDEXED : KV_FORMAT_COMPACTED,
        .log_format = (number & 4) != 0 ? LOG_FORMAT_COMPACTED : LOG_FORMAT_ARROW,
        .changelog_image = (number & 8) != 0 ? CHANGELOG_WAL : CHANGELOG_FULL,
        .merge_engine = (enum merge_engine)(number >> 4 & 3),
        .merge_version_column = "a",
        .present = UINT64_C(1) << TABLE_OPTION_DELETE_BEHAVIOR,
        .delete_behavior = DELETE_ALLOW,
    };
    struct kv_schema history = {.id = 1};
    struct kv_table *table = NULL;
    struct error e;

    ASSERT(schema_parse(bytes_str(fuzz_schemas[number & 1]), &schema, &e) == ERR_OK);
    history.schema = schema;
    ASSERT(kv_table_new(&options, &history, 1, &table, &e) == ERR_OK);
    return table;
}

#endif
