/* The part of DuckDB's C interface that we use, as it is exported by libduckdb of the 1.5 series, and one
 * function of C++ that it may do without.
 *
 * The library is not linked: a server that is never asked for SQL pays neither memory nor time for
 * it. duckdb_load opens it and finds every function of duckdb.def by name; the layouts below are
 * those of its ABI. Thread: any, except where DuckDB says otherwise (one thread per connection).
 */
#ifndef SQL_DUCKDB_H
#define SQL_DUCKDB_H

#include "base/bytes.h"
#include "base/error.h"

#define DUCK_OK 0 /* of int results; anything else is a failure */
/* Rows of a vector. */
#define DUCK_VECTOR_SIZE 2048u

enum duck_type {
    DUCK_INVALID = 0,
    DUCK_BOOLEAN = 1,
    DUCK_TINYINT = 2,
    DUCK_SMALLINT = 3,
    DUCK_INTEGER = 4,
    DUCK_BIGINT = 5,
    DUCK_UTINYINT = 6,
    DUCK_USMALLINT = 7,
    DUCK_UINTEGER = 8,
    DUCK_UBIGINT = 9,
    DUCK_FLOAT = 10,
    DUCK_DOUBLE = 11,
    DUCK_TIMESTAMP = 12,
    DUCK_DATE = 13,
    DUCK_TIME = 14,
    DUCK_INTERVAL = 15,
    DUCK_HUGEINT = 16,
    DUCK_VARCHAR = 17,
    DUCK_BLOB = 18,
    DUCK_DECIMAL = 19,
    DUCK_TIMESTAMP_S = 20,
    DUCK_TIMESTAMP_MS = 21,
    DUCK_TIMESTAMP_NS = 22,
    DUCK_ENUM = 23,
    DUCK_LIST = 24,
    DUCK_STRUCT = 25,
    DUCK_MAP = 26,
    DUCK_UUID = 27,
    DUCK_TIMESTAMP_TZ = 31,
    DUCK_UHUGEINT = 32,
    DUCK_ARRAY = 33,
    DUCK_SQLNULL = 36,
    DUCK_TIME_NS = 39,
};

enum duck_statement { DUCK_SELECT = 1, DUCK_EXPLAIN = 4 };

enum duck_error {
    DUCK_ERROR_OUT_OF_RANGE = 1,
    DUCK_ERROR_CONVERSION = 2,
    DUCK_ERROR_DIVIDE_BY_ZERO = 6,
    DUCK_ERROR_TRANSACTION = 10,
    DUCK_ERROR_NOT_IMPLEMENTED = 11,
    DUCK_ERROR_CATALOG = 13,
    DUCK_ERROR_PARSER = 14,
    DUCK_ERROR_SYNTAX = 22,
    DUCK_ERROR_BINDER = 24,
    DUCK_ERROR_INTERRUPT = 29,
    DUCK_ERROR_INVALID_INPUT = 32,
    DUCK_ERROR_OUT_OF_MEMORY = 33,
    DUCK_ERROR_PERMISSION = 34,
};

struct duck_result {
    uint64_t unused[3];
    void *unused_pointers[2];
    void *internal;
};

/* Bytes of a text that lies in its duck_string. */
#define DUCK_STRING_INLINE 12u

struct duck_string {
    uint32_t len; /* up to 12 bytes follow in place, longer texts by pointer */
    char prefix[4];
    union {
        char rest[8];
        const char *pointer;
    } value;
};

struct duck_list {
    uint64_t offset;
    uint64_t len;
};

struct duck_interval {
    int32_t months;
    int32_t days;
    int64_t micros;
};

static_assert(sizeof(struct duck_result) == 48 && sizeof(struct duck_string) == 16, "ABI");

static inline struct bytes duck_string_bytes(const struct duck_string *s)
{
    return bytes_of(s->len <= 12 ? s->prefix : s->value.pointer, s->len);
}

struct duckdb {
    void *handle;
#define X(ret, name, args) ret(*name) args;
#include "duckdb.def"
#undef X
    /* Makes a flat vector a dictionary: row i of count gets what was entry selection[i] of the vector, one
     * of the first `size`. The selection is shared. Not of the C interface (duckdb.c says what it relies
     * on), whose duckdb_slice_vector does the same but leaves DuckDB without the number of entries: then
     * grouping hashes every row. NULL: the library does not have it. */
    void (*vector_dictionary)(void *vector, uint64_t size, const void *selection, uint64_t count);
};

/* Loads the library, once. path: NULL: libduckdb.so beside the program, in ../lib of it, or where the
 * system finds it. ERR_UNSUPPORTED_OPERATION: it is not there, or not one of the versions we know.
 * Not from two threads at once. */
MUST_USE enum errcode duckdb_load(const char *path, struct error *e);
/* What was loaded. Callbacks of the library bring no context before they are asked through it, so
 * there is one for the process. */
const struct duckdb *duckdb(void);

#endif
