#include "mutant.h"

#include <string.h>

static const struct {
    const char *name;
    const char *meaning;
} mutants[] = {
#define X(name, meaning) {#name, meaning},
#include "base/mutants.def"
#undef X
};

#ifdef EIDER_MUTANTS
enum mutant mutant_chosen;
#endif

bool mutant_choose(const char *name)
{
#ifdef EIDER_MUTANTS
    for (unsigned i = 0; i < ARRAY_LEN(mutants); i++) {
        if (strcmp(mutants[i].name, name) == 0) {
            mutant_chosen = (enum mutant)(i + 1);
            return true;
        }
    }
#endif
    (void)name;
    return false;
}

const char *mutant_name(unsigned index)
{
    return index < ARRAY_LEN(mutants) ? mutants[index].name : NULL;
}

const char *mutant_meaning(unsigned index)
{
    return index < ARRAY_LEN(mutants) ? mutants[index].meaning : NULL;
}
