/* What parsers of texts leave: values in one arena for all tests of a file, and the last failure. */
#ifndef TEST_UNIT_SQL_PARSING_H
#define TEST_UNIT_SQL_PARSING_H

#include "../../support/unit.h"
#include "sql/parse.h"

static struct arena arena;
static struct sql_error failure;

static inline int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

#endif
