/* Inside sql/: the batches of a cut, handed out to the threads of a scan, and a batch opened for
 * reading some of its columns.
 */
#ifndef SQL_BATCH_SOURCE_H
#define SQL_BATCH_SOURCE_H

#include "column_cache.h"
#include "cut.h"
#include "fill.h"
#include "row_batch.h"

#include "format/arrow_project.h"
#include "format/arrow_read.h"
#include "io/lock.h"

#define SOURCE_WINDOW ((size_t)4096)

/* Neighbouring batches of one bucket: one large one, or several small ones. */
struct batch_run {
    struct file *file; /* borrowed from the cut */
    uint64_t position;
    size_t len;
    uint64_t records; /* as their headers say */
    struct bucket_id id;
    bool small;    /* all of them: they are read at once */
    int64_t first; /* rows below do not matter */
};

struct batch_source {
    struct lock lock;
    struct sql_cut *cut; /* borrowed */
    size_t bucket;       /* the next run starts here */
    size_t range;
    uint64_t position; /* in the range */
    uint8_t window[SOURCE_WINDOW];
    const struct file *window_file;
    uint64_t window_at;
    size_t window_len;
    struct buffer statistics; /* of a batch, when they reach beyond the window */
};

void batch_source_init(struct batch_source *s, struct sql_cut *cut);
void batch_source_fini(struct batch_source *s);
/* *ret_found false: there are no more. ERR_CORRUPT_FILE and errors of reading. Thread: any. */
MUST_USE enum errcode batch_source_next(struct batch_source *s, struct batch_run *ret,
                                        bool *ret_found, struct error *e);

/* How batches of one schema of the table are read: which of the wanted columns they have. */
struct batch_plan {
    struct batch_plan *next;
    int32_t schema_id;
    const struct schema *schema; /* of the batches */
    size_t count;                /* of the wanted columns that batches have */
    uint32_t *positions;         /* those, in the order of the batch */
    const struct type *row;      /* of them */
    struct arrow_layout layout;  /* of ARROW logs, as the projector */
    struct arrow_projector projector;
    struct row_batch rows; /* of others */
    int32_t *nodes; /* by wanted column: its number among those, -1: the batch has it not yet */
};

/* What a thread reads batches with. */
struct batch_reader {
    const struct meta_table *table; /* borrowed */
    const struct schema *schema;    /* the wanted columns are of it */
    bool arrow;                     /* else rows one by one */
    const uint32_t *wanted;         /* positions, strictly ascending */
    size_t wanted_count;
    struct arena plans_arena;
    struct batch_plan *plans;
    struct codec *codec;
    struct column_cache *cache; /* borrowed; NULL: there is none */
    uint64_t scan;              /* its number there */
    struct batch_run run;
    struct buffer bytes; /* of a run of small batches */
    size_t at;           /* of the next batch in the run */
    struct arena arena;  /* of the batch that is open */
    struct bytes front;  /* its first bytes, the header at least */
    struct batch_header header;
    struct batch_plan *plan;
    const uint8_t *change_types;   /* NULL: all rows are appended ones */
    struct fill_column *columns;   /* by wanted column */
    struct cached_column **cached; /* likewise; NULL: it is not from the cache */
    size_t rows;
};

void batch_reader_init(struct batch_reader *r, const struct meta_table *table,
                       const struct schema *schema, const uint32_t *wanted, size_t count);
/* Columns of large compressed batches are taken from the cache and given to it. Before the first run. */
void batch_reader_cache(struct batch_reader *r, struct column_cache *cache, uint64_t scan);
void batch_reader_fini(struct batch_reader *r);
MUST_USE enum errcode batch_reader_start(struct batch_reader *r, const struct batch_run *run,
                                         struct error *e);
/* Opens the next batch of the run that has rows; *ret_found false: there is none. */
MUST_USE enum errcode batch_reader_next(struct batch_reader *r, bool *ret_found, struct error *e);

#endif
