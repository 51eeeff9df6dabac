/* What a server makes of a table descriptor: defaults it fills in, what it refuses, and what
 * ALTER TABLE may change. Pure decisions; the order of the checks is the order of the errors.
 *
 * Checks of CREATE TABLE, and of the result of ALTER TABLE, with their codes:
 *   INVALID_CONFIG   unknown property, value that cannot be read; replication factor missing or
 *                    <= 0; log format that the kv format does not allow; zstd level outside 1..22;
 *                    merge engine, aggregation functions, delete behaviour, tiered log, historical
 *                    partitions, statistics columns, lake format that do not fit the table;
 *                    auto-partition of a table that is not partitioned; a zone that is none
 *   BUCKET_MAX_NUM   more buckets than allowed      INVALID_ARGUMENT  fewer than one
 *   INVALID_TABLE    key column of a nested type; partition key type; auto-partition key, format,
 *                    unit; reserved column name; primary key that the encoding of the lake format
 *                    does not take
 * Thread: any.
 */
#ifndef FORMAT_TABLE_RULES_H
#define FORMAT_TABLE_RULES_H

#include "table_descriptor.h"
#include "table_options.h"

#define KV_FORMAT_VERSION_MAX 2

/* What the cluster prescribes. */
struct table_policy {
    int32_t bucket_count_default;
    int32_t bucket_count_max; /* per table, or per partition */
    int32_t replication_factor_default;
    enum lake_format lake_format; /* LAKE_FORMAT_NONE: the cluster has no lake */
    bool create_log_tables;
    bool create_kv_tables;
};

/* The descriptor with what the user left out: bucket count, replication factor, properties the
 * server sets. Refuses a kind of table that must not be created, and lake tables without a lake
 * (ERR_INVALID_TABLE). One reference; it still has to be validated. */
MUST_USE enum errcode table_apply_defaults(const struct table_descriptor *table,
                                           const struct table_policy *policy,
                                           struct table_descriptor **ret, struct error *e);

MUST_USE enum errcode table_validate(const struct table_descriptor *table,
                                     const struct table_policy *policy, struct error *e);

/* SET (value) and RESET (value NULL) of ALTER TABLE, in order. */
struct table_changes {
    const struct text_pair *items;
    size_t count;
};

/* The descriptor after the changes, applied in order, and validated. Keys that start with "table."
 * are table properties, others custom properties. Properties that cannot be altered are
 * ERR_INVALID_ALTER_TABLE. *ret is NULL when nothing changes, else one reference. */
MUST_USE enum errcode table_alter_properties(const struct table_descriptor *table,
                                             struct table_changes changes,
                                             const struct table_policy *policy,
                                             struct table_descriptor **ret, struct error *e);

/* The descriptor with columns added at the end: schema_add_columns, then the rules for names and
 * aggregation functions. One reference. */
MUST_USE enum errcode table_add_columns(const struct table_descriptor *table,
                                        const struct schema_column *columns, size_t count,
                                        struct table_descriptor **ret, struct error *e);

#endif
