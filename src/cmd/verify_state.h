/* The state of a primary-key bucket against its changelog.
 *
 * The changelog says what became of each key: verify_state_batch notes that batch by batch, up to the
 * offset that the state is of; verify_state_end then reads all rows of the state. Rows are compared by
 * a digest of their values; columns whose values an Arrow changelog rounds, and rows written with
 * earlier schemas, are taken on trust. Needs about 50 bytes of memory for each key.
 * Thread: the owner.
 */
#ifndef CMD_VERIFY_STATE_H
#define CMD_VERIFY_STATE_H

#include "verify_report.h"

#include "format/batch.h"
#include "kv/kv.h"
#include "meta/meta.h"

struct verify_state;

/* *ret NULL: there is nothing to compare, since the bucket has no state yet, or a damaged one, which
 * is reported. dir: of the store. */
MUST_USE enum errcode verify_state_open(struct kv_env *env, const struct meta_table *table,
                                        const char *dir, struct verify_report *report,
                                        struct verify_state **ret, struct error *e);
void verify_state_free(struct verify_state *s);
/* A batch whose checksum is right. ERR_CORRUPT_RECORD: no changelog batch of the table. */
MUST_USE enum errcode verify_state_batch(struct verify_state *s, const struct batch_header *header,
                                         struct bytes data, struct error *e);
/* start, end: of the log. whole: nothing of it was damaged. */
struct verify_state_log {
    int64_t start_offset;
    int64_t end_offset;
    bool whole;
};
MUST_USE enum errcode verify_state_end(struct verify_state *s, const struct verify_state_log *log,
                                       struct verify_report *report, struct error *e);

#endif
