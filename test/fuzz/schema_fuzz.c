/* Schemas as JSON, from clients and from the catalog: written and read again they are the same,
 * and a column can be added. */
#include "mutate.h"

#include "format/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes text_of(const struct schema *schema, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    schema_write_json(&w, schema);
    return json_writer_text(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct type date = {.root = TYPE_DATE, .nullable = true};
    static const struct schema_column added = {.name = "one more", .type = &date};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = NULL;
    OWNED(schema_unrefp) struct schema *again = NULL;
    OWNED(schema_unrefp) struct schema *next = NULL;
    struct error e;

    if (schema_parse(bytes_of(data, size), &schema, &e) != ERR_OK) {
        return 0;
    }
    ASSERT(schema_parse(text_of(schema, &arena), &again, &e) == ERR_OK);
    ASSERT(bytes_equal(text_of(schema, &arena), text_of(again, &arena)));
    ASSERT(schema->arrow_nodes == again->arrow_nodes);
    if (schema_add_columns(schema, &added, 1, &next, &e) == ERR_OK) {
        int32_t *positions = arena_array(&arena, next->count, sizeof *positions);

        schema_map(schema, next, positions);
        ASSERT(positions[next->count - 1] == -1);
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_json(data, size, max, seed);
}
