/* One value of an option: from the text a user wrote to what the server reads. Pure. Thread: any. */
#ifndef CMD_OPTION_VALUE_H
#define CMD_OPTION_VALUE_H

#include "options.h"

struct option_value {
    const char *text;  /* as written, trimmed unless a string; an enum as the table spells it */
    const char *where; /* which source; NULL: the default */
    int64_t number;    /* int, long, bool, duration in ms, memory in bytes */
    double real;
    const char *const *list; /* list, map */
    size_t list_len;
};

/* Checks type and limits. Lives in the arena; ret->where is left NULL. The error names neither key
 * nor source: the caller wraps it. Secrets are not repeated in it. */
MUST_USE enum errcode option_value_parse(const struct option *option, struct bytes text,
                                         struct arena *arena, struct option_value *ret,
                                         struct error *e);

/* The bounds of "low..high", for the option's type; a missing one is the type's own. */
struct option_range {
    int64_t low;
    int64_t high;
};
struct option_range option_range(const struct option *option);

/* "whole number", "memory size": for people. */
const char *option_type_name(enum option_type type);

#endif
