/* Settings by the names that clients of PostgreSQL know, with their defaults: for SET and SHOW, for what is
 * reported at the start of a session, and for the functions and views of SQL. */
#ifndef SQL_PG_SETTING_H
#define SQL_PG_SETTING_H

#include "base/arena.h"

struct pg_setting {
    const char *name; /* as it is reported */
    const char *value;
    bool reported; /* at the start, and when it changes */
    bool settable; /* else it keeps its value whatever is asked for */
};
extern const struct pg_setting pg_settings[];
extern const size_t pg_settings_len;
/* -1: there is none of the name, in any case. */
int pg_setting_find(const char *name);

/* Inside sql/: the statement that makes eider_settings(), which pg_information.h builds on: a map of
 * {name, value} by names in lower case. */
const char *pg_settings_statement(struct arena *arena);

#endif
