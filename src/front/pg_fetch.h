/* DECLARE, FETCH, MOVE and CLOSE, as they are read. Cursors only go forward, as PostgreSQL's without SCROLL:
 *
 *   DECLARE name [BINARY] [INSENSITIVE | ASENSITIVE] [NO SCROLL] CURSOR [WITH | WITHOUT HOLD] FOR query
 *   FETCH | MOVE [NEXT | [FORWARD] [n | ALL]] [FROM | IN] name
 *   CLOSE name | ALL
 *
 * Pure. */
#ifndef FRONT_PG_FETCH_H
#define FRONT_PG_FETCH_H

#include "pg_command.h"

/* false: the statement is none of these. Texts lie in the arena. */
bool pg_fetch_parse(struct bytes statement, struct arena *arena, struct pg_command *ret);

#endif
