/* What a statement leaves out of one table: its predicates (predicate.h) with the columns and values of
 * the table, asked about partitions, buckets, and batches; and the keys whose rows are all it can see.
 *
 * Positions are those of the table's newest schema, and are right in every older one, since columns are
 * only added at the end. Immutable but for the counts. Thread: any.
 */
#ifndef SQL_PRUNE_H
#define SQL_PRUNE_H

#include "predicate.h"

#include <stdatomic.h>

#include "base/buffer.h"
#include "format/batch.h"
#include "meta/meta.h"
#include "replica/replica.h"

#define PRUNE_KEYS_MAX ((size_t)1000)

/* Columns that stand for the place of a row, in front of those of the table. */
enum { PRUNE_OFFSET = -3, PRUNE_TIMESTAMP = -2, PRUNE_BUCKET = -1 };

struct prune_node;
struct literal_parameters; /* literal.h */

/* Rows to be looked up in a bucket. */
struct prune_keys {
    struct prune_keys *next;
    struct bucket_id id;
    struct bytes *keys; /* each once */
    size_t count;
};

/* Where reading of a bucket's log begins. */
struct sql_place {
    struct bucket_id id;
    int64_t next; /* offset */
};
struct sql_places {
    struct sql_place *items; /* heap */
    size_t count;
};

struct prune {
    struct arena arena;
    const struct meta_table *table; /* a reference */
    const struct prune_node *where; /* NULL: nothing is left out */
    const struct filter *filter;    /* over statistics; NULL: none */
    const struct sql_places
        *places;          /* of an increment (tail.h), borrowed until the cut is taken: what
                                        is not in it begins at 0. NULL: it is none */
    int64_t first_offset; /* rows below, and from the end on, do not matter */
    int64_t end_offset;
    int64_t first_ms; /* of commits, both included */
    int64_t last_ms;
    bool lookup;             /* all that matters are rows with these keys */
    bool prefix;             /* they are prefixes of keys */
    bool by_bucket;          /* no lookup: only these buckets matter */
    struct prune_keys *keys; /* by bucket */
    size_t key_count;
    size_t partitions_kept;
    size_t partitions;
    size_t buckets_kept;
    size_t buckets;
    atomic_size_t batches_read;
    atomic_size_t batches_skipped;
};

/* One relation of the statement that reads the table. */
struct prune_source {
    const struct predicate *where;
    bool changelog; /* its names for the place of a row */
    bool binlog;    /* the same, and the table's columns are inside of others */
};

struct prune_sources {
    const struct prune_source *items;
    size_t count;
    const struct literal_parameters *parameters;
};

/* A row matters if it does to any of the sources; without sources, or NULL, all rows do. current: rows of a
 * primary-key table, which have no place. To be freed with prune_free. */
struct prune *prune_new(const struct meta_table *table, bool current,
                        const struct prune_sources *sources);
void *prune_free(struct prune *p); /* accepts NULL; returns NULL */

/* Finds the keys to look up, if they tell all that matters; else, by the bucket key, which buckets
 * matter: those of p->keys when p->by_bucket. */
void prune_find_keys(struct prune *p, bool current);
/* The keys are of no use after all. */
void prune_drop_keys(struct prune *p);

/* partition NULL: the table has none. */
bool prune_keeps_partition(const struct prune *p, const struct meta_partition *partition);
bool prune_keeps_bucket(const struct prune *p, int32_t bucket);
/* May a row of the batch matter? As far as its header says, and then its statistics. */
bool prune_keeps_header(const struct prune *p, const struct batch_header *header);
bool prune_keeps_statistics(const struct prune *p, const struct batch_header *header,
                            struct bytes statistics);

/* The predicate is nothing but one value for each column of the primary key. */
bool prune_is_one_key(const struct prune *p);

/* What is left out, in words. */
void prune_explain(const struct prune *p, struct buffer *out);

#endif
