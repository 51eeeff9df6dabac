/* One segment of a log: a file of batches and its two indexes.
 *
 * Offsets in it: [base_offset, end_offset). A segment that is not the last one may end before the
 * next begins (see README.md, holes). Positions fit into 31 bits, offsets relative to the base, too.
 * The file of a segment that is only read is opened when needed; the log decides how many stay
 * open. Thread: the owner of the log.
 */
#ifndef LOG_SEGMENT_H
#define LOG_SEGMENT_H

#include "index.h"
#include "walk.h"

#define SEGMENT_SIZE_MAX ((uint64_t)INT32_MAX)
#define TIMESTAMP_NONE   ((int64_t)-1)

/* Where a batch starts, or the end of the segment. */
struct segment_place {
    uint64_t position;
    int64_t offset; /* of that batch */
};

/* Bytes that are no batch although they were; see README.md, damage. */
struct segment_damage {
    struct segment_place from;
    struct segment_place to; /* where batches go on, or the end of the segment */
};

struct segment {
    const char *dir; /* borrowed from the log */
    int64_t base_offset;
    int64_t end_offset;
    uint64_t size;         /* bytes of valid batches; the file has no others once it is open */
    uint64_t synced_size;  /* of those, what is on the device; kept for the active segment */
    bool cut_back;         /* the device may have more behind: a write that failed, cut off since */
    int64_t max_timestamp; /* TIMESTAMP_NONE when empty */
    int64_t max_timestamp_offset; /* base offset of the first append that carried it */
    struct file *file;            /* NULL: not open */
    struct index offsets;
    struct index times;
    uint64_t since_index; /* bytes appended since the last offset entry */

    /* What has been checked since the log was opened; see damage.h. */
    struct segment_place checked;   /* from the start to here */
    uint64_t trusted_from;          /* and from here to the end */
    struct segment_damage *damages; /* what was found, in order; heap */
    size_t damage_count;
    size_t damage_cap;
};

/* Whether the active segment's file has to be synced. */
static inline bool segment_is_unsynced(const struct segment *s)
{
    return s->synced_size < s->size || s->cut_back;
}

/* In memory only. */
struct segment *segment_new(const char *dir, int64_t base_offset);
void segment_free(struct segment *s);
void segment_freep(struct segment **s); /* for OWNED */
/* An empty segment with its file, which must not exist with contents. */
MUST_USE enum errcode segment_create(const char *dir, int64_t base_offset, struct segment **ret,
                                     struct error *e);
/* Opens the file when it is not open. */
MUST_USE enum errcode segment_open(struct segment *s, enum file_mode mode, struct error *e);

static inline bool segment_contains(const struct segment *s, int64_t offset)
{
    return offset >= s->base_offset && offset < s->end_offset;
}

/* ---- append ---- */

/* One call's batches, offsets and timestamp assigned. */
struct segment_append {
    struct bytes batches;
    int64_t base_offset;
    int64_t end_offset;
    int64_t timestamp;
};

struct segment_limits {
    uint64_t bytes_max;       /* of the data file */
    uint32_t index_bytes_max; /* of each index file */
    uint32_t index_interval;
};

/* Whether an append of len bytes that ends at end_offset belongs into a new segment. Never for an
 * empty one. */
bool segment_is_full(const struct segment *s, const struct segment_limits *limits, size_t len,
                     int64_t end_offset);
/* Writes to the page cache. After an error the segment is as before, but the file may have more
 * bytes than `size`; segment_cut_back removes them. */
MUST_USE enum errcode segment_append(struct segment *s, const struct segment_append *append,
                                     const struct segment_limits *limits, struct error *e);
MUST_USE enum errcode segment_cut_back(struct segment *s, struct error *e);

/* ---- lookups; probe may be NULL ---- */

/* Where the batch that contains offset starts, and its header. */
MUST_USE enum errcode segment_locate(struct segment *s, int64_t offset, struct probe *probe,
                                     uint64_t *ret_position, struct batch_header *ret,
                                     struct error *e);
/* The last position at or below `limit` at which a batch ends and the next one starts, at or above
 * `from`, which is such a position. *ret_offset: offset of the batch there. */
MUST_USE enum errcode segment_boundary(struct segment *s, uint64_t from, uint64_t limit,
                                       struct probe *probe, struct segment_place *ret,
                                       struct error *e);
/* Base offset of the first batch with a timestamp >= timestamp; end_offset when there is none. */
MUST_USE enum errcode segment_offset_at(struct segment *s, int64_t timestamp, struct probe *probe,
                                        int64_t *ret, struct error *e);

/* ---- recovery ---- */

struct segment_scan {
    bool check;              /* verify checksums; otherwise the chain of headers only */
    struct segment_place at; /* in: where to start; out: where the valid batches end */
    int64_t offset_end;      /* a batch that reaches beyond it does not belong into the segment */
    int64_t kept_below;      /* damage below it was done by no crash: it stays in the file, and the
                              * scan goes on behind it */
    int64_t end_known;   /* a batch of the segment ended with this offset, for damage; 0: unknown */
    struct error why;    /* what is wrong there; code ERR_OK when that is the end */
    struct error damage; /* the first damage that stayed; code ERR_OK: none */
    uint64_t damaged_bytes;
    int64_t damaged_offsets;
};

/* Walks the file and brings end_offset, size, timestamps and indexes (cut to what lies before the
 * start, extended by the rule of segment_append) up to date with its valid batches. An error is one
 * of reading or writing, not damage. */
MUST_USE enum errcode segment_scan(struct segment *s, const struct segment_limits *limits,
                                   struct segment_scan *scan, struct error *e);
/* The last place at or before the batch with `offset` that an index entry names and the file
 * confirms; the start of the segment when there is none. */
MUST_USE enum errcode segment_checkpoint(struct segment *s, int64_t offset,
                                         struct segment_place *ret, struct error *e);

#endif
