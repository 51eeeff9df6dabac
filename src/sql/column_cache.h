/* Inside sql/: decompressed columns of log batches, kept from one query to the next.
 *
 * What is below the high watermark of a log never changes, so a column of a batch is known by its
 * bucket, the batch's first offset, size and checksum, and its place in the batch's schema; ids of
 * tables never repeat. An entry is a column with all below it, decompressed and checked
 * (format/arrow_read.h), in one piece of memory; of texts that have few values, these and a code for
 * each row (text_codes.h). Who was given it may read it until it is given back,
 * whether it is still in the cache or not.
 *
 * When there is no room, the entry that was used longest ago goes, unless it was used by the scan that
 * brings the next one or one of the COLUMN_CACHE_SCANS before that. So queries that take turns over more
 * than there is room for find part of it each time; if the latest always replaced the oldest, they would
 * find nothing. Thread: any; one lock, held while entries are found and exchanged, not while they are copied.
 */
#ifndef SQL_COLUMN_CACHE_H
#define SQL_COLUMN_CACHE_H

#include "format/arrow_read.h"
#include "meta/meta.h"
#include "replica/replica.h"

#define COLUMN_CACHE_SCANS 8u

struct column_key {
    struct bucket_id bucket;
    int64_t base_offset;
    uint64_t size; /* of the batch */
    uint32_t crc;
    uint32_t position; /* of the column in the schema */
};

struct column_cache;
struct cached_column;

/* bytes_max: of all entries in it. Takes no memory for them before they come. */
struct column_cache *column_cache_new(uint64_t bytes_max);
void column_cache_free(struct column_cache *c); /* accepts NULL */

/* The number of a scan that begins. */
uint64_t column_cache_scan(struct column_cache *c);
/* A reference; NULL: it is not there. */
struct cached_column *column_cache_get(struct column_cache *c, const struct column_key *key,
                                       uint64_t scan);
/* Copies the column at nodes, unless there is no room for all of it. type: of the column. Decimals whose values all
 * have 64 bits, as those of 10 to 18 digits should, are then nodes of width 8 (fill.h). */
void column_cache_put(struct column_cache *c, const struct column_key *key, const struct type *type,
                      const struct arrow_read_node *nodes, uint64_t scan);
/* Drops what belongs to tables and partitions that the catalog does not have. */
void column_cache_follow(struct column_cache *c, const struct meta_view *view);
uint64_t column_cache_bytes(struct column_cache *c);

const struct arrow_read_node *cached_column_nodes(const struct cached_column *column);
/* By row, which value of the only node it has; NULL: its own, there are as many as rows. */
const uint8_t *cached_column_codes(const struct cached_column *column);
size_t cached_column_rows(const struct cached_column *column);
/* Returns NULL; accepts NULL. */
void *cached_column_unref(struct cached_column *column);

#endif
