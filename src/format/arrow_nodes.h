/* How the columns of a table become nodes of an Arrow message, inside format/: what arrow_rows.c
 * writes and arrow_read.c reads; arrow_rows.h has the mapping of types. */
#ifndef FORMAT_ARROW_NODES_H
#define FORMAT_ARROW_NODES_H

#include "arrow_build.h"
#include "type.h"

#define ARROW_DECIMAL_SIZE 16

struct arrow_nodes {
    struct arrow_build_node *items; /* depth first, a MAP is a list of structs of key and value */
    uint32_t count;
    uint32_t buffers;
};

/* In the arena. row: a ROW with columns. */
struct arrow_nodes arrow_nodes_of(const struct type *row, struct arena *arena);

/* Bytes of a value; 0: BOOLEAN, texts, BYTES, nested types. */
uint32_t arrow_width(const struct type *type);

/* A time in milliseconds, divided and then multiplied, is in the unit of its column. Other types: 1. */
struct arrow_unit {
    int32_t multiply;
    int32_t divide;
};
struct arrow_unit arrow_unit(const struct type *type);

#endif
