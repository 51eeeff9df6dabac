/* Arrow layouts of the schemas in golden vectors, whose types are text: "MAP<STRING NOT NULL, INT>".
 */
#ifndef TEST_SUPPORT_ARROW_VECTORS_H
#define TEST_SUPPORT_ARROW_VECTORS_H

#include "vectors.h"

#include "format/arrow.h"

/* schema: the array of {"name", "type"} of a case. */
struct arrow_layout vector_layout(const json_t *schema, struct arena *arena);

/* A message of `rows` rows with one body byte pattern, laid out by the layout: nodes of all columns
 * have `rows` values, buffers take buffer_size bytes each. For tests and benchmarks that need any
 * valid message. */
struct bytes vector_message(const struct arrow_layout *layout, int32_t rows, size_t buffer_size,
                            struct arena *arena);

#endif
