/* The judgement over a history: which promise each checker guards.
 *
 *   offsets    an offset holds the same row for every reader for ever; no offset is missing; what was
 *              acknowledged or could be read once can be read ever after; a log never gets shorter
 *   log        acknowledged rows are there once, where the answer said; nothing is there twice or was
 *              never sent; an idempotent writer's rows are in its order without a hole
 *   kv         lookups and scans: each key is linearizable
 *   changelog  every change in it is that of one put, every acknowledged put is in it, old rows are
 *              the rows before; replayed it gives the state that lookups see
 *   names      tables and partitions: each name is linearizable, with the id and columns it was given
 *   live       without faults everything is answered
 *
 * Where bytes of a log decay on the device, the rows of the batches that were hit may be missing, once
 * the server has said so; no other row, and none is wrong (history_decay).
 *
 * A checker returns false and fills the verdict when the promise was broken. Thread: the only one.
 */
#ifndef SIM_CHECK_CHECK_H
#define SIM_CHECK_CHECK_H

#include "history.h"

/* The rows of one place as its readers saw them. */
struct merged {
    const struct row **rows; /* by offset; NULL: nobody saw it */
    struct op **seen_by;
    int64_t end;
};

/* check_changelog tells check_kv which puts happened: call it first.
 *
 * Checks the reads, acknowledged appends and ends of one place and merges its rows, in the arena. */
MUST_USE bool check_offsets(struct history *h, const struct history_view *place,
                            const struct check_rules *rules, struct merged *ret, struct verdict *v);
MUST_USE bool check_log(struct history *h, const struct history_view *place,
                        const struct merged *merged, const struct check_rules *rules,
                        struct verdict *v);
MUST_USE bool check_changelog(struct history *h, const struct history_view *place,
                              const struct merged *merged, const struct check_rules *rules,
                              struct verdict *v);
MUST_USE bool check_kv(struct history *h, const struct history_view *place, struct verdict *v);
MUST_USE bool check_names(struct history *h, struct verdict *v);
MUST_USE bool check_live(struct history *h, struct verdict *v);

/* All of them over the whole history, but for check_live. */
MUST_USE bool check_all(struct history *h, const struct check_rules *rules, struct verdict *v);

/* ---- what a put does to a key, shared by kv and changelog ---- */

struct key_state {
    bool present;
    struct values values;
};

struct key_state engine_put(enum engine engine, const struct key_state *old, const struct op *put);

#endif
