/* Linearizability of the operations on one object: is there an order of them that the object could
 * have gone through, in which each takes effect at one moment between its beginning and its end?
 * Objects must be small: one key, one name. An operation of unknown outcome may take effect until its
 * end, or never.
 *
 * The question is that of Wing and Gong, "Testing and verifying concurrent objects" (1993); the
 * answer goes forward in time, as in Lowe, "Testing for linearizability" (2017). A configuration is a
 * state of the object, which of the open operations have taken effect, and how many of the open
 * unknown ones of each kind: same effect, same end. From event to event all configurations worth having
 * are kept, without how they came about. Why nothing is missed, and nothing made up:
 *
 * - Just in time. In an order that explains the history, move each moment as late as the ends of the
 *   operation itself and of those behind it in the order allow. All moments are then just before ends,
 *   and what comes there last is what ends there. So at the end of an operation that happened, each
 *   configuration without it goes on to all that open operations lead to whose last is this one, and
 *   is dropped itself. At the end of a kind of unknown ones it is kept as well. What ends at one
 *   moment ends one after the other.
 * - Kinds. Open operations of one effect and one end can take each other's place in any order, so their
 *   number says all. Of one effect and several ends, the soonest is taken: in an order with another in
 *   its place it comes later or never, and the other can stand there for it.
 * - Less used. Of two configurations with the same state and the same operations in effect, one that
 *   has used no more unknown ones of any kind can go on in every way in which the other can, which is
 *   dropped. So is one that has used something unknown that changed nothing.
 * - Reads. A read that fits where it changes nothing takes effect there at once: an order in which it
 *   comes later is still one with it moved to there (see `reads`).
 */
#ifndef SIM_CHECK_LIN_H
#define SIM_CHECK_LIN_H

#include "base/check.h"

struct lin_state {
    int64_t v[6];
};

struct lin_op {
    const void *data;
    uint64_t begun;
    uint64_t ended; /* not before `begun`; at one moment, beginnings come before ends */
    int alike;      /* those with the same number above 0 have the same effect */
    bool maybe;     /* it may never have taken effect */
    /* where it fits and changes nothing, no later moment is better: what can follow it there can also
     * follow if it has come already */
    bool reads;
};

/* Whether the operation may take effect in this state; changes it if so. */
typedef bool (*lin_step_fn)(const void *data, struct lin_state *state);

enum lin_result {
    LIN_YES,
    LIN_NO,
    LIN_TIRED, /* no answer after LIN_STEPS_MAX configurations */
};

#define LIN_STEPS_MAX 2000000 /* a quarter of a gigabyte, if all are of one moment */

/* *ret_stuck, if not NULL: LIN_NO, the first operation that no order of those until its end takes in. */
enum lin_result lin_check(const struct lin_op *ops, size_t count, struct lin_state start,
                          lin_step_fn step, const void **ret_stuck);

#endif
