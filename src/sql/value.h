/* Values of results as PostgreSQL writes them.
 *
 *   integers, FLOAT, DOUBLE, BOOLEAN, VARCHAR, BLOB, DATE, TIME, INTERVAL, UUID   the same
 *   unsigned integers       the next wider type; UBIGINT, HUGEINT, UHUGEINT   numeric
 *   DECIMAL                 numeric             TIMESTAMP (any unit)  timestamp, microseconds
 *   LIST and ARRAY of one of those              array of it
 *   STRUCT, MAP, LIST of nested                 json
 *
 * Recursion is over nested types; depths beyond VALUE_DEPTH_MAX are refused where a type is made.
 * Thread: any.
 */
#ifndef SQL_VALUE_H
#define SQL_VALUE_H

#include "duckdb.h"

#include "base/arena.h"
#include "base/buffer.h"

#define VALUE_DEPTH_MAX 64

struct sql_type {
    int id;        /* enum duck_type */
    int storage;   /* of DECIMAL and ENUM: the integer type that values have */
    uint32_t oid;  /* of PostgreSQL */
    uint8_t width; /* of DECIMAL */
    uint8_t scale;
    uint64_t length;  /* of ARRAY */
    const char *name; /* of a field */
    void *logical;    /* of ENUM: for its words; owned */
    size_t count;
    struct sql_type *fields; /* LIST, ARRAY: the element; MAP: key, value */
};

/* Takes over the logical type; *ret, zeroed before, lies in the arena but for what value_type_fini gives
 * back, also after an error. ERR_UNSUPPORTED_OPERATION: PostgreSQL has no type
 * for it. */
MUST_USE enum errcode value_type_make(const struct duckdb *d, void *logical, struct arena *arena,
                                      struct sql_type *ret, struct error *e);
/* In all that decides where values lie. */
bool value_type_equal(const struct sql_type *a, const struct sql_type *b);
void value_type_fini(const struct duckdb *d, struct sql_type *type);

/* Bytes of a value, -1: any; typmod of numeric(p,s), else -1. */
int16_t value_type_size(const struct sql_type *type);
int32_t value_type_modifier(const struct sql_type *type);
/* The name that stands in CAST for a type of PostgreSQL; NULL: values are bound as they are. */
const char *value_type_cast(uint32_t oid);
/* The type of PostgreSQL that a parameter of DuckDB's type has; 0: unknown. */
uint32_t value_parameter_oid(int duck_type);

/* A value that is not nested, as it lies in a vector of DuckDB. */
union value_plain {
    bool boolean;
    int8_t int8;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    __int128 int128;
    float real32;
    double real64;
    struct duck_string text;
};

struct sql_value {
    const struct duckdb *duckdb;
    const struct sql_type *type;
    void *vector;
    size_t row;
    const union value_plain
        *plain; /* in the place of vector and row 0: not null; NULL: it is there */
};

/* Append the value; false: it is null, nothing was appended. */
bool value_text(const struct sql_value *v, struct buffer *out);
bool value_binary(const struct sql_value *v, struct buffer *out);
/* A number in digits as PostgreSQL's binary numeric. */
void value_numeric_binary(const char *text, struct buffer *out);

#endif
