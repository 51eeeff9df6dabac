/* Which mutant of the server runs (base/mutant.h). */
#ifndef SIM_MUTANT_H
#define SIM_MUTANT_H

#include "base/mutant.h"

/* false: there is none of that name, or none at all in this build. */
bool mutant_choose(const char *name);
/* Name and meaning of number `index` from 0; NULL: there are no more. */
const char *mutant_name(unsigned index);
const char *mutant_meaning(unsigned index);

#endif
