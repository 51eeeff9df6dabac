/* Idempotent writers of one log: the last five batches of each, which is what a client may have in
 * flight, so that a batch sent again is recognised. Pure: no clock, no file.
 *
 * Rule for a batch with sequence s of a writer whose newest batch has sequence l (B8 of the
 * protocol): s among the five: duplicate. s = l + 1, or l = 2^31 - 1 and s = 0: next. Unknown writer
 * and s = 0: next. Anything else: out of order. The five are those before the append; several
 * batches of one append are checked against one another. A writer is forgotten after its expiry,
 * or when there are more than WRITERS_MAX and it has been idle the longest.
 * Source: WriterStateManager, WriterAppendInfo of Apache Fluss. Thread: the owner.
 */
#ifndef LOG_WRITERS_H
#define LOG_WRITERS_H

#include "base/list.h"
#include "base/map.h"

#define WRITERS_MAX        65536u
#define WRITER_BATCHES_MAX 5u
#define WRITER_NO_SEQUENCE (-1)

struct writer_batch {
    int64_t last_offset;
    int64_t timestamp;
    int32_t sequence;
    int32_t offset_delta; /* base offset = last_offset - offset_delta */
};

struct log_writer {
    struct list link; /* longest idle first */
    int64_t id;
    uint32_t count;                                  /* 0: checked, but nothing was appended yet */
    struct writer_batch batches[WRITER_BATCHES_MAX]; /* oldest first */
    uint64_t checked_round;                          /* checked_sequence is of this round */
    int32_t checked_sequence;                        /* the newest one accepted by writers_check */
};

struct writers {
    struct map by_id;
    struct list by_age;
    uint64_t round; /* of checks; one per append */
};

enum writer_verdict { WRITER_NEXT, WRITER_DUPLICATE, WRITER_OUT_OF_ORDER };

void writers_init(struct writers *w);
void writers_fini(struct writers *w);
/* Remembered writers, those without batches included. */
size_t writers_count(const struct writers *w);

/* Opens the checks of one append. What they accept counts only for the checks of this round. */
void writers_begin(struct writers *w);
/* *ret (may be NULL) is the remembered batch of a duplicate. */
enum writer_verdict writers_check(struct writers *w, int64_t id, int32_t sequence,
                                  struct writer_batch *ret);
/* Remembers a batch that is in the log, whatever its sequence. */
void writers_add(struct writers *w, int64_t id, const struct writer_batch *batch);
/* Forgets everyone whose newest batch is older than now_ms - expiry_ms. */
void writers_expire(struct writers *w, int64_t now_ms, int64_t expiry_ms);
/* -1 when unknown. */
int32_t writers_last_sequence(const struct writers *w, int64_t id);

#endif
