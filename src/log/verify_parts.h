/* The parts of log_verify: the index files and the writer snapshots of a log beside its batches.
 * Not for other modules. */
#ifndef LOG_VERIFY_PARTS_H
#define LOG_VERIFY_PARTS_H

#include "internal.h"
#include "resume.h"

struct verify {
    const struct log_verify_params *params;
    struct log_verified *ret;
};

/* Counts a finding and hands it on; what it says is in finding->what. */
void verify_found(struct verify *v, const struct log_finding *finding);

/* A whole batch that the walk has come to. */
struct verify_batch {
    uint64_t position;
    struct batch_header header;
};

/* ---- verify_index.c: one index file of a segment, entry by entry as the batches come ---- */

struct verify_index {
    enum index_kind kind;
    int64_t base_offset;
    char path[LOG_PATH_MAX];
    bool missing;
    bool wrong;       /* reported; no further entry is looked at */
    uint64_t at;      /* number of the next entry */
    uint64_t count;   /* whole entries */
    struct bytes raw; /* all of the file */
    struct index_entry next;
    int64_t open_key; /* offset index: the last offset that the entry before must meet; or -1 */
    uint64_t open_at; /* number of that entry */
};

MUST_USE enum errcode verify_index_load(struct verify_index *x, const struct segment *s,
                                        enum index_kind kind, struct arena *arena, struct error *e);
/* The next batch in order. */
void verify_index_batch(struct verify *v, struct verify_index *x, const struct verify_batch *b);
/* Damage up to that place: entries that name something in it cannot be judged. */
void verify_index_skip(struct verify_index *x, const struct segment_place *to);
/* The batches of the segment end here. */
void verify_index_end(struct verify *v, struct verify_index *x, const struct segment_place *end);

/* ---- verify_writers.c: what all writer snapshots remember ---- */

struct verify_writers {
    struct map by_offset; /* last offset -> struct verify_writer, in the arena */
    struct arena arena;
    int64_t newest; /* offset in the name of the last snapshot; -1: none */
};

void verify_writers_fini(struct verify_writers *w); /* for OWNED */
MUST_USE enum errcode verify_writers_load(struct verify *v, struct verify_writers *w,
                                          const int64_t *offsets, size_t count, struct error *e);
void verify_writers_batch(struct verify *v, struct verify_writers *w, const struct verify_batch *b);
/* What is remembered of offsets from..to has not been met, for they are damaged. */
void verify_writers_skip(struct verify_writers *w, int64_t from, int64_t to);
/* Reports what is remembered inside of the log and is in no batch. Of a log that was not closed the
 * end may be gone while the snapshot that speaks of it is there. */
void verify_writers_end(struct verify *v, struct verify_writers *w, const struct log_verified *log);

#endif
