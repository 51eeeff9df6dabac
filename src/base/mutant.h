/* Mutants: faults of our own that the simulator's checkers must find. A build for that has all of
 * them, and one is chosen when it runs; in every other build MUTANT(x) is the constant false and
 * nothing of them is left.
 *
 *   if (MUTANT(ACK_BEFORE_SYNC) || durable) { ... }
 *
 * mutants.def is the list. Thread: any. */
#ifndef BASE_MUTANT_H
#define BASE_MUTANT_H

#include "check.h"

#ifdef EIDER_MUTANTS

enum mutant {
    MUTANT_NONE,
#define X(name, meaning) MUTANT_##name,
#include "mutants.def"
#undef X
};

/* The one that is chosen: the simulator's variable (test/sim/mutant.c). */
extern enum mutant mutant_chosen;
#define MUTANT(name) (mutant_chosen == MUTANT_##name)

#else
#define MUTANT(name) false
#endif

#endif
