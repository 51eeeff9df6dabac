/* Primary-key tables for tests, and a store of values in memory. */
#ifndef TEST_SUPPORT_KV_TABLES_H
#define TEST_SUPPORT_KV_TABLES_H

#include "row_vectors.h"

#include "base/buffer.h"
#include "format/schema.h"
#include "format/table_options.h"

struct test_column {
    const char *name;
    const char *type; /* "DECIMAL(5, 2) NOT NULL" */
    const char *agg;  /* aggregation function; NULL: none */
    const char *delimiter;
};

/* The first key_count columns are the primary key. auto_increment: a column, or NULL. */
struct schema *test_schema(const struct test_column *columns, size_t count, size_t key_count,
                           const char *auto_increment);

/* Options of properties "key=value"; the texts are borrowed. */
struct table_options test_options(struct arena *arena, const char *const *properties, size_t count);

/* Values by key, both copied; small, walked. */
struct test_store {
    struct test_value *items;
    size_t count;
    size_t cap;
};

struct test_value {
    struct buffer key;
    struct buffer value; /* empty: none */
};

void test_store_fini(struct test_store *s);
/* Empty: none. Borrowed until the next put. */
struct bytes test_store_get(const struct test_store *s, struct bytes key);
/* value empty: removes. */
void test_store_put(struct test_store *s, struct bytes key, struct bytes value);
/* Keys with a value. */
size_t test_store_count(const struct test_store *s);

#endif
