/* The descriptor of a table of the load, as JSON. Thread: main. */
#ifndef CMD_BENCH_TABLE_H
#define CMD_BENCH_TABLE_H

#include "bench_options.h"

struct bench_column {
    const char *name;
    const char *type;
    int32_t precision; /* 0: the type has none; likewise: */
    int32_t scale;
    bool required; /* NOT NULL */
};

struct bench_table {
    const struct bench_column *columns;
    size_t column_count;
    const char *const *primary_key;
    size_t primary_key_count; /* 0: a log table */
    size_t bucket_key_count;  /* so many of the first columns of the primary key */
};

/* With the buckets, the compression of the log and the properties of the options, in the arena.
 * ERR_INVALID_ARGUMENT: a property without a key. */
MUST_USE enum errcode bench_table_json(const struct bench_table *table,
                                       const struct bench_options *options, struct arena *arena,
                                       struct bytes *ret, struct error *e);

#endif
