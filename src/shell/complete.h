/* Completion: keywords, and the names that the server knows. Thread: main. */
#ifndef SHELL_COMPLETE_H
#define SHELL_COMPLETE_H

#include "client.h"
#include "edit.h"

#define COMPLETE_NAMES_MAX 50000

struct complete {
    struct arena arena;
    const char **names; /* sorted without regard to case */
    size_t count;
    bool fresh; /* asked for since something may have changed */
};

void complete_fini(struct complete *c);
/* Asks for schemas, tables and columns unless they are fresh. After an error there are none. */
MUST_USE enum errcode complete_refresh(struct complete *c, struct client *client, struct error *e);
/* Takes over names, which live in c->arena. */
void complete_set(struct complete *c, const char **names, size_t count);
/* What the word that the text ends with could become, sorted; a name that needs quotes has them. */
void complete_find(const struct complete *c, struct bytes before, struct arena *arena,
                   struct edit_matches *ret);

#endif
