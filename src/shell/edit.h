/* Lines from a person: editing, history and completion by libedit, which is loaded when a terminal is
 * first read, so that nobody else pays for it. Without it lines are read as the terminal gives them.
 * Thread: main. */
#ifndef SHELL_EDIT_H
#define SHELL_EDIT_H

#include "base/arena.h"

struct edit;

/* What could stand in place of the last `typed` bytes before the cursor. */
struct edit_matches {
    const char *const *items;
    size_t count;
    size_t typed;
};

struct edit_options {
    const char *history; /* the file; NULL: it is forgotten */
    /* before: the line up to the cursor. Results live in the arena. */
    void (*complete)(void *context, struct bytes before, struct arena *arena,
                     struct edit_matches *ret);
    void *context;
};

enum edit_result {
    EDIT_LINE,
    EDIT_INTERRUPT, /* the person gives up what was typed */
    EDIT_END,
};

struct edit *edit_new(const struct edit_options *options);
/* Saves the history; accepts NULL. */
void edit_free(struct edit *e);
/* The next line with its end; borrowed until the next call. */
enum edit_result edit_line(struct edit *e, const char *prompt, struct bytes *ret);
/* Adds to the history; line ends become spaces. */
void edit_remember(struct edit *e, struct bytes text);

/* What all matches begin with beyond what is typed, in bytes of the first; count > 0. */
size_t edit_common(const struct edit_matches *m);

#endif
