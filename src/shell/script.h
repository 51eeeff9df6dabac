/* Cuts what is typed, or read from a script, into statements and commands.
 *
 * A statement ends with a semicolon outside of quotes and comments; a line that begins with a
 * backslash where a statement could begin is a command. Pure; owner's thread.
 */
#ifndef SHELL_SCRIPT_H
#define SHELL_SCRIPT_H

#include "base/buffer.h"

struct script {
    struct buffer text; /* not taken yet */
    size_t start;       /* of that, in the text */
    bool ready;         /* something may be whole */
};

enum script_item {
    SCRIPT_NOTHING, /* more is needed */
    SCRIPT_STATEMENT,
    SCRIPT_COMMAND, /* without the backslash */
};

void script_fini(struct script *s);
/* Adds a line, with its line break if it had one. */
void script_add(struct script *s, struct bytes line);
/* Takes the next item; borrowed until the next call of any function here. last: nothing follows, so
 * that a statement need not end. */
enum script_item script_take(struct script *s, bool last, struct bytes *ret);
/* Takes the next line whatever it is, without its end: data that follows a statement. false: there is
 * none. */
bool script_line(struct script *s, struct bytes *ret);
/* Nothing but space is left of what was added. */
bool script_empty(const struct script *s);
/* Forgets what is left. */
void script_clear(struct script *s);

#endif
