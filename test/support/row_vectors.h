/* Types and values of golden rows, nested ones too: "ARRAY<DECIMAL(5, 2)>" and ["1.23", null]. */
#ifndef TEST_SUPPORT_ROW_VECTORS_H
#define TEST_SUPPORT_ROW_VECTORS_H

#include "vectors.h"

#include "format/row.h"

/* A type from its text; fails the test when there is none. */
const struct type *row_vector_type(const char *text, struct arena *arena);
/* The "schema" of a case, [{"name","type"}], as a ROW type. */
const struct type *row_vector_schema(const json_t *schema, struct arena *arena);
/* The "row" of a case: the values of the fields. */
const struct row_value *row_vector_fields(const json_t *row, const struct type *type,
                                          struct arena *arena);

/* Every case of a file of rows: decodes to its values, and they encode to its bytes. */
void row_vectors_check(const char *file, enum row_layout layout);

#endif
