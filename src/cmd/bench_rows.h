/* The table of the load and its rows: 10 columns with 125 bytes of data.
 *
 *   id INT, seq BIGINT, user_name STRING(16), session STRING(16), category STRING(16),
 *   price DOUBLE, amount DECIMAL(18, 2), event_time TIMESTAMP(3), flag BOOLEAN, note STRING(40)
 *
 * Rows repeat after 65,536 in all columns but id, seq and event_time, so that compression finds
 * what it finds in such data. Thread: main. */
#ifndef CMD_BENCH_ROWS_H
#define CMD_BENCH_ROWS_H

#include "bench_options.h"

#define BENCH_COLUMN_COUNT 10

/* The table's descriptor as JSON. ERR_INVALID_ARGUMENT: a property without a key. */
MUST_USE enum errcode bench_descriptor(const struct bench_options *options, struct arena *arena,
                                       struct bytes *ret, struct error *e);

struct bench_rows;

struct bench_rows *bench_rows_new(const struct bench_options *options);
void bench_rows_free(struct bench_rows *r);
void bench_rows_freep(struct bench_rows **r); /* for OWNED */

/* The Arrow message of rows first to first + count - 1, in the arena. */
MUST_USE enum errcode bench_rows_message(struct bench_rows *r, int64_t first, int32_t count,
                                         struct arena *arena, struct bytes *ret, struct error *e);

/* A batch of such a message. Without a writer: BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE. */
struct bench_writer {
    int64_t id;
    int32_t sequence;
};
/* The writer of the next batch; moves on to the one after it. */
static inline struct bench_writer bench_writer_next(struct bench_writer *w)
{
    struct bench_writer now = *w;

    if (w->sequence >= 0) {
        w->sequence = w->sequence == INT32_MAX ? 0 : w->sequence + 1;
    }
    return now;
}

struct bytes bench_batch(struct bytes message, int32_t count, struct bench_writer writer,
                         struct arena *arena);

/* Words, exactly so many characters. */
#define BENCH_NOTE_LEN 40
void bench_note(uint64_t seed, char ret[static BENCH_NOTE_LEN]);

#endif
