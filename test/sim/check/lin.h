/* Linearizability of the operations on one object: is there an order of them that the object could
 * have gone through, in which each takes effect at one moment between its beginning and its end?
 *
 * Search of Wing and Gong with the memory of Lowe: a set of operations together with the state that
 * they led to is never tried twice. Objects must be small: one key, one name. An operation of
 * unknown outcome may take effect until its end, or never.
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
    uint64_t ended;
    int alike;  /* those with the same number above 0 have the same effect */
    bool maybe; /* it may never have taken effect */
};

/* Whether the operation may take effect in this state; changes it if so. */
typedef bool (*lin_step_fn)(const void *data, struct lin_state *state);

enum lin_result {
    LIN_YES,
    LIN_NO,
    LIN_TIRED, /* no answer after LIN_STEPS_MAX operations were tried */
};

#define LIN_STEPS_MAX 1000000

/* *ret_stuck, if not NULL: LIN_NO, an operation that none of the longest orders could take in. */
enum lin_result lin_check(const struct lin_op *ops, size_t count, struct lin_state start,
                          lin_step_fn step, const void **ret_stuck);

#endif
