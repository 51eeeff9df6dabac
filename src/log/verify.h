/* Checking the files of a log that nobody has open.
 *
 * Every batch (header, checksum, offsets that follow one another, timestamps that do not fall), the
 * entries of both indexes against the batches they name, the writer snapshots against the batches
 * they remember, and what the last run said about the end of the log. Reads everything once, in
 * large pieces; changes nothing, unless it is asked to rebuild indexes. Thread: pool (blocks).
 */
#ifndef LOG_VERIFY_H
#define LOG_VERIFY_H

#include "checkpoint.h"

#include "format/batch.h"

enum log_finding_kind {
    LOG_FINDING_RECORDS, /* records are lost, or not what was written */
    LOG_FINDING_TAIL,    /* bytes behind the recovery point that are no batch: a crash leaves such
                          * an end, the next start moves it aside */
    LOG_FINDING_INDEX,   /* can be rebuilt from the batches; readers do without */
    LOG_FINDING_WRITERS, /* a writer snapshot: the next start does without, or reads more */
    LOG_FINDING_ASIDE,   /* no damage of today: what an earlier start moved out of the way */
    LOG_FINDING_COUNT
};

struct log_finding {
    enum log_finding_kind kind;
    const char *path;  /* borrowed from the call */
    uint64_t position; /* in that file */
    bool repaired;
    struct error what; /* what is there, and what is expected */
};

struct log_verify_params {
    const char *dir;
    const struct log_options *options; /* for indexes that are rebuilt */
    bool clean;                        /* the last stop was a clean one */
    bool repair;                       /* rebuild indexes that are wrong */
    int64_t recovery_point;            /* of the last run; 0 when unknown */
    int64_t now_ms;
    void *context; /* of the calls below */
    void (*found)(void *context, const struct log_finding *finding);
    /* What is inside a batch whose checksum is right; NULL: not looked at. ERR_CORRUPT_RECORD is a
     * finding, everything else ends the check. */
    enum errcode (*payload)(void *context, const struct batch_header *header, struct bytes data,
                            struct error *e);
};

struct log_verified {
    uint64_t segments;
    uint64_t batches; /* whole ones */
    uint64_t records; /* in them */
    uint64_t bytes;   /* read */
    uint64_t findings[LOG_FINDING_COUNT];
    uint64_t repaired;
    int64_t start_offset;
    int64_t end_offset;
    int64_t lost_offsets; /* between them, in no whole batch */
};

/* An error is one of reading or writing, not damage. A missing directory is an empty log. */
MUST_USE enum errcode log_verify(const struct log_verify_params *params, struct log_verified *ret,
                                 struct error *e);

#endif
