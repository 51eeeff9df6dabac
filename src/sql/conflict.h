/* Inside sql/: ON CONFLICT of INSERT, as far as it says what writing does anyway.
 *
 *   ON CONFLICT (key) DO UPDATE SET a = excluded.a, ...     every column that is inserted, the key's aside: a row
 *                                                           takes the place of the one with its key
 *   ON CONFLICT [(key)] DO NOTHING                          of a table whose merge engine keeps first rows
 *
 * Everything else would take reading the rows first, with others writing meanwhile: 0A000. Pure. */
#ifndef SQL_CONFLICT_H
#define SQL_CONFLICT_H

#include "dml.h"

/* Cuts the clause off a statement; *ret: where it begins in it, behind ON CONFLICT. false: there is none. */
bool conflict_split(struct bytes *statement, struct arena *arena, size_t *ret);
/* statement: with the clause. dml: where the rows go, and which columns. */
MUST_USE bool conflict_check(struct bytes statement, size_t clause, const struct dml *dml,
                             struct parse *p);

#endif
