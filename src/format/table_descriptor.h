/* Descriptors of tables and databases: what a user declares, as JSON and as values.
 *
 * Table:    {"version":1,"schema":{..},["comment",]"partition_key":[..],
 *            ["bucket_key":[..],["bucket_count":n,]]"properties":{..},"custom_properties":{..}}
 * Database: {"version":1,["comment",]"custom_properties":{..}}
 * Unknown members are ignored, the version is not looked at.
 *
 * A table descriptor is normalised when it is made (table_descriptor_new), immutable and
 * reference-counted like the schema it holds. What a *server* accepts is table_rules.h.
 * Thread: any.
 */
#ifndef FORMAT_TABLE_DESCRIPTOR_H
#define FORMAT_TABLE_DESCRIPTOR_H

#include "schema.h"

/* The content: plain values that borrow. */
struct table_def {
    struct schema *schema;
    const char *comment; /* NULL: none */
    struct text_list partition_keys;
    bool distributed; /* bucket_key is present; its list may be empty */
    struct text_list bucket_keys;
    bool has_bucket_count;
    int32_t bucket_count;
    struct text_map properties;
    struct text_map custom_properties;
};

struct table_descriptor {
    struct table_def def;
    atomic_uint refs;
    struct arena arena;
};

/* One reference, made from a copy of def (the schema is shared). Normalised: bucket keys of a
 * primary-key table default to the primary key without partition keys. ERR_INVALID_TABLE, naming
 * the column, when
 *   a partition or bucket key is no column, or is named twice;
 *   a partition key of a primary-key table is not in the primary key;
 *   a bucket key is a partition key or, of a primary-key table, not in the primary key;
 *   the primary key consists of partition keys only. */
MUST_USE enum errcode table_descriptor_new(const struct table_def *def,
                                           struct table_descriptor **ret, struct error *e);
/* From the JSON object, from JSON text (all errors are then ERR_INVALID_TABLE). */
MUST_USE enum errcode table_descriptor_from_json(const struct json *value,
                                                 struct table_descriptor **ret, struct error *e);
MUST_USE enum errcode table_descriptor_parse(struct bytes text, struct table_descriptor **ret,
                                             struct error *e);
void table_descriptor_write_json(struct json_writer *w, const struct table_descriptor *table);

struct table_descriptor *table_descriptor_ref(struct table_descriptor *table);
/* Returns NULL; accepts NULL. */
void *table_descriptor_unref(struct table_descriptor *table);
void table_descriptor_unrefp(struct table_descriptor **table); /* for OWNED */

static inline bool table_is_partitioned(const struct table_descriptor *table)
{
    return table->def.partition_keys.count > 0;
}

static inline bool table_has_primary_key(const struct table_descriptor *table)
{
    return schema_has_primary_key(table->def.schema);
}

/* In an arena; plain values. */
struct database_descriptor {
    const char *comment; /* NULL: none */
    struct text_map custom_properties;
};

MUST_USE enum errcode database_descriptor_from_json(const struct json *value, struct arena *arena,
                                                    struct database_descriptor *ret,
                                                    struct error *e);
/* All errors are ERR_INVALID_DATABASE. */
MUST_USE enum errcode database_descriptor_parse(struct bytes text, struct arena *arena,
                                                struct database_descriptor *ret, struct error *e);
void database_descriptor_write_json(struct json_writer *w,
                                    const struct database_descriptor *database);

#endif
