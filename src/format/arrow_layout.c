/* The Arrow layout of a table schema. */
#include "arrow.h"
#include "schema.h"

struct arrow_layout arrow_layout_of(const struct schema *schema, struct arena *arena)
{
    struct arrow_column *columns = arena_array(arena, schema->count, sizeof *columns);

    for (uint32_t i = 0; i < schema->count; i++) {
        type_arrow_shape(schema->columns[i].type, &columns[i].nodes, &columns[i].buffers);
    }
    return (struct arrow_layout){.columns = columns, .count = schema->count};
}
