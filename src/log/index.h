/* The sparse indexes of a segment. All integers are big-endian.
 *
 *   offset index, 8 bytes an entry:  i32 offset - base offset   i32 position
 *   time index,  12 bytes an entry:  i64 timestamp              i32 offset - base offset
 *
 * An offset entry names the last offset of an append and the position where that append starts; a
 * time entry the largest timestamp so far and the first offset that carries it. Keys (the first
 * field) and values (the second) rise strictly, the values of both are not negative.
 *
 * Entries are collected in memory and reach the file INDEX_PENDING_MAX at a time, when the segment
 * ends, and when the recovery point moves; searching looks at both. A crash can leave a file that is
 * too short, ends in half an entry, in zeros (the reference allocates whole files in advance) or in
 * entries of lost batches: index_load keeps what is consistent, recovery rebuilds the rest from the
 * batches. There is no checksum, so a reader compares where an entry leads to with the batch there.
 * The file is opened for each use: a log that is only appended to holds one descriptor.
 * Source: OffsetIndex, TimeIndex of Apache Fluss. Thread: the owner of the segment.
 */
#ifndef LOG_INDEX_H
#define LOG_INDEX_H

#include "names.h"
#include "probe.h"

#define INDEX_PENDING_MAX 512u

enum index_kind { INDEX_OFFSET, INDEX_TIME };

struct index_entry {
    int64_t key;   /* offset index: offset - base; time index: timestamp */
    int32_t value; /* offset index: position; time index: offset - base */
};

struct index {
    enum index_kind kind;
    const char *dir; /* borrowed from the log */
    int64_t base_offset;
    uint32_t written; /* entries in the file; what follows them there is garbage */
    uint32_t pending_count;
    uint8_t *pending;        /* INDEX_PENDING_MAX entries, heap; NULL until the first */
    struct index_entry last; /* {-1, -1} when empty */
};

void index_init(struct index *x, enum index_kind kind, const char *dir, int64_t base_offset);
void index_fini(struct index *x);

size_t index_entry_size(enum index_kind kind);
static inline uint32_t index_count(const struct index *x) { return x->written + x->pending_count; }

/* Makes sure that index_add finds room, writing to the file when the memory is full. */
MUST_USE enum errcode index_reserve(struct index *x, struct error *e);
/* Room must be reserved. An entry that is not above the last one in key and value is left out: the
 * search needs the order, and the batches are found without it. */
void index_add(struct index *x, struct index_entry entry);
/* Writes what is pending and cuts the file to the entries; creates it when missing. Not synced:
 * *ret_file (may be NULL) is a reference for the caller to do that. */
MUST_USE enum errcode index_write(struct index *x, struct file **ret_file, struct error *e);
/* Keeps the first count entries. */
MUST_USE enum errcode index_truncate(struct index *x, uint32_t count, struct error *e);

enum index_field { INDEX_KEY, INDEX_VALUE };

struct index_found {
    struct index_entry entry;
    uint32_t count; /* of entries up to and with it; 0: there is none */
};

/* The last entry whose field is <= target. */
MUST_USE enum errcode index_floor(struct index *x, enum index_field field, int64_t target,
                                  struct probe *probe, struct index_found *ret, struct error *e);

/* The entry of that number, below index_count. */
MUST_USE enum errcode index_at(struct index *x, uint32_t number, struct index_entry *ret,
                               struct error *e);
/* The entry in these index_entry_size bytes. */
struct index_entry index_entry_get(enum index_kind kind, const uint8_t *p);

/* Adopts the longest prefix of the file that is consistent and has no value above value_max.
 * *ret_whole: that is the whole file, and there is one. Reads all of it. */
MUST_USE enum errcode index_load(struct index *x, int64_t value_max, bool *ret_whole,
                                 struct error *e);
/* The same by a look at size and last entry only; a file that fails it is not adopted. */
MUST_USE enum errcode index_load_trusted(struct index *x, int64_t value_max, bool *ret_whole,
                                         struct error *e);

#endif
