/* Table properties as values: the keys of table_options.def, their types and defaults.
 *
 * Properties stay texts in descriptors; struct table_options is what a server works with. Enum
 * values are read in any case. Thread: any.
 */
#ifndef FORMAT_TABLE_OPTIONS_H
#define FORMAT_TABLE_OPTIONS_H

#include "arrow.h"
#include "auto_partition.h"

#define TABLE_OPTION_PREFIX "table."

enum log_format { LOG_FORMAT_ARROW, LOG_FORMAT_INDEXED, LOG_FORMAT_COMPACTED };
enum kv_format { KV_FORMAT_COMPACTED, KV_FORMAT_INDEXED };
enum lake_format {
    LAKE_FORMAT_NONE,
    LAKE_FORMAT_PAIMON,
    LAKE_FORMAT_LANCE,
    LAKE_FORMAT_ICEBERG,
    LAKE_FORMAT_HUDI
};
enum merge_engine { MERGE_NONE, MERGE_FIRST_ROW, MERGE_VERSIONED, MERGE_AGGREGATION };
enum delete_behavior { DELETE_ALLOW, DELETE_IGNORE, DELETE_DISABLE };
enum changelog_image { CHANGELOG_FULL, CHANGELOG_WAL };

enum table_option {
#define X(name, key, kind, field, initial, alterable) TABLE_OPTION_##name,
#include "table_options.def"
#undef X
    TABLE_OPTION_COUNT
};

static_assert(TABLE_OPTION_COUNT <= 64, "struct table_options.present has a bit for each");

/* Texts borrow from the properties. An option without default that is not set is zero. */
struct table_options {
    uint64_t present; /* bit per option: it was set; ask table_options_has */
    int32_t replication_factor;
    enum log_format log_format;
    enum arrow_codec arrow_compression;
    int32_t arrow_zstd_level;
    enum kv_format kv_format;
    int32_t kv_format_version;
    bool kv_standby;
    struct auto_partition auto_partition;
    int64_t log_ttl_ms; /* 0: for ever */
    int32_t log_local_segments;
    int64_t log_local_ttl_ms;
    bool lake;
    bool lake_historical;
    enum lake_format lake_format;
    const char *lake_database;
    const char *lake_table;
    int64_t lake_freshness_ms;
    bool lake_auto_compaction;
    bool lake_auto_expire;
    enum merge_engine merge_engine;
    const char *merge_version_column;
    enum delete_behavior delete_behavior;
    int64_t auto_increment_cache;
    enum changelog_image changelog_image;
    const char *statistics_columns; /* "*" or a list */
};

/* All options from properties. An unknown key or a value that cannot be read is
 * ERR_INVALID_CONFIG naming the key, what was found and what is expected. */
MUST_USE enum errcode table_options_parse(struct text_map properties, struct table_options *ret,
                                          struct error *e);

static inline bool table_options_has(const struct table_options *options, enum table_option option)
{
    return (options->present >> option & 1) != 0;
}

const char *table_option_key(enum table_option option);
/* "7 d"; NULL: it has none. */
const char *table_option_default(enum table_option option);
/* false when key is none of ours. */
MUST_USE bool table_option_find(const char *key, enum table_option *ret);
bool table_option_alterable(enum table_option option);

const char *lake_format_name(enum lake_format format); /* "PAIMON" */
/* In any case; false: unknown. */
MUST_USE bool lake_format_parse(const char *text, enum lake_format *ret);

#endif
