/* Plain types and values of golden vectors: "DECIMAL(5, 2)" and "123.45". */
#ifndef TEST_SUPPORT_VALUE_VECTORS_H
#define TEST_SUPPORT_VALUE_VECTORS_H

#include "vectors.h"

#include "format/value.h"

/* false: a nested type. */
bool vector_type(const char *text, struct type *ret);
/* What the row of a case says a field of the type is; bytes live as long as the arena or document. */
struct value vector_value(const json_t *value, const struct type *type, struct arena *arena);
/* Also right for nulls and NaN. */
bool vector_value_equal(const struct value *a, const struct value *b);

#endif
