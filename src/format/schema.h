/* Table schemas: columns with their ids, the primary key, and how one schema follows another.
 *
 * JSON: {"version":1,"columns":[{"name","data_type",["comment",]["agg_function",]"id"}],
 *        ["primary_key":[..],]["auto_increment_column":[..],]"highest_field_id"}
 * Columns and nested ROW fields share one id space: a new column takes highest_field_id + 1, its
 * nested fields the ids after it, depth first; ids are never reused. In documents of old versions
 * no column has an id, then positions are ids; nested fields without one get the next ids.
 *
 * A schema is immutable and reference-counted: shards share it. Its id and history belong to the
 * table (meta/). Thread: any.
 */
#ifndef FORMAT_SCHEMA_H
#define FORMAT_SCHEMA_H

#include "agg.h"

#include <stdatomic.h>

struct schema_column {
    const char *name;
    const struct type *type;
    const char *comment;            /* NULL: none */
    const struct agg_function *agg; /* NULL: none */
    int32_t id;
};

struct schema_name; /* an entry of the look-up tables */
struct schema_id;

struct schema {
    uint32_t count; /* of columns */
    const struct schema_column *columns;
    uint32_t primary_key_count;  /* 0: a log table */
    const uint32_t *primary_key; /* positions, in key order */
    int32_t auto_increment;      /* position, -1: none */
    int32_t highest_field_id;
    const struct type *row; /* the columns as a ROW, not null */
    uint32_t arrow_nodes;   /* of a record batch with all columns */
    uint32_t arrow_buffers;
    const struct schema_name *by_name; /* sorted */
    const struct schema_id *by_id;     /* sorted */
    atomic_uint refs;
    struct arena arena;
};

/* One reference. Types, comments and texts are copied. Errors of form carry the code of the
 * document, broken rules are ERR_INVALID_TABLE and name the column: duplicate names, primary key
 * columns missing, duplicate or (made NOT NULL) with an aggregation function, a wrong
 * auto-increment column, ids that are not unique or above highest_field_id. */
MUST_USE enum errcode schema_from_json(const struct json *value, struct schema **ret,
                                       struct error *e);
/* The same from text; all errors are ERR_INVALID_TABLE. */
MUST_USE enum errcode schema_parse(struct bytes text, struct schema **ret, struct error *e);
void schema_write_json(struct json_writer *w, const struct schema *schema);

struct schema *schema_ref(struct schema *schema);
/* Returns NULL; accepts NULL. */
void *schema_unref(struct schema *schema);
void schema_unrefp(struct schema **schema); /* for OWNED */

/* The next schema: `schema` with columns at the end, ids assigned here. A name that exists is
 * ERR_INVALID_ALTER_TABLE, a NOT NULL type ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode schema_add_columns(const struct schema *schema,
                                         const struct schema_column *columns, size_t count,
                                         struct schema **ret, struct error *e);

/* Position of a column, -1: there is none. */
int32_t schema_find(const struct schema *schema, const char *name);
int32_t schema_find_id(const struct schema *schema, int32_t id);
bool schema_is_primary_key(const struct schema *schema, uint32_t position);

static inline bool schema_has_primary_key(const struct schema *schema)
{
    return schema->primary_key_count > 0;
}

/* For each column of `to` the position of the column with its id in `from`, or -1 when `from` does
 * not have it yet. positions has to->count entries. */
void schema_map(const struct schema *from, const struct schema *to, int32_t *positions);

#endif
