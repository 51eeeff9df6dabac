/* Rows of both layouts: first byte the layout, second the schema, the rest a row. A row that
 * decodes must encode, and decode to the same values. */
#include "format/row.h"
#include "format/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMN(name, type) "{\"name\":\"" name "\",\"data_type\":" type "}"
#define PLAIN(root)        "{\"type\":\"" root "\"}"
#define WITH(root, rest)   "{\"type\":\"" root "\"," rest "}"
#define ARRAY_OF(element)  WITH("ARRAY", "\"element_type\":" element)
#define MAP_OF(key, value) WITH("MAP", "\"key_type\":" key ",\"value_type\":" value)
#define FIELD(name, type)  "{\"name\":\"" name "\",\"field_type\":" type "}"
#define TIMESTAMP(n)       WITH("TIMESTAMP_WITHOUT_TIME_ZONE", "\"precision\":" n)
#define DECIMAL(p)         WITH("DECIMAL", "\"precision\":" p ",\"scale\":0")

static const char *const schemas[] = {
    "{\"columns\":[" COLUMN("a", PLAIN("INTEGER")) "," COLUMN("b", PLAIN("STRING")) "," COLUMN("c", PLAIN("BIGINT")) "," COLUMN(
        "d",
        PLAIN("BOOLEAN")) "," COLUMN("e",
                                     DECIMAL("20")) "," COLUMN("f",
                                                               TIMESTAMP(
                                                                   "9")) "," COLUMN("g",
                                                                                    WITH(
                                                                                        "CHAR",
                                                                                        "\"length\""
                                                                                        ":4")) "]}",
    "{\"columns\":[" COLUMN("a", ARRAY_OF(ARRAY_OF(PLAIN("STRING")))) "]}",
    "{\"columns\":[" COLUMN("a", ARRAY_OF(TIMESTAMP("9"))) "," COLUMN(
        "b", ARRAY_OF(DECIMAL("30"))) "," COLUMN("c", ARRAY_OF(PLAIN("SMALLINT"))) "]}",
    "{\"columns\":[" COLUMN("a", MAP_OF(PLAIN("INTEGER"), PLAIN("BYTES"))) "," COLUMN(
        "b", WITH("ROW", "\"fields\":[" FIELD("x", PLAIN("DOUBLE")) "," FIELD(
                             "y", ARRAY_OF(PLAIN("FLOAT"))) "]")) "]}",
};

static void round_trip(struct row_format format, struct bytes in, struct arena *arena)
{
    const struct row_value *fields = NULL;
    const struct row_value *again = NULL;
    struct bytes encoded;
    struct error e;

    if (row_decode(format, in, arena, &fields, &e) != ERR_OK) {
        return;
    }
    ASSERT(row_encode(format, fields, arena, &encoded, &e) == ERR_OK);
    ASSERT(row_decode(format, encoded, arena, &again, &e) == ERR_OK);
    for (uint32_t i = 0; i < format.row->count; i++) {
        ASSERT(row_value_equal(format.row->fields[i].type, &fields[i], &again[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = NULL;
    struct row_format format;
    struct error e;

    if (size < 2) {
        return 0;
    }
    ASSERT(schema_parse(bytes_str(schemas[data[1] % ARRAY_LEN(schemas)]), &schema, &e) == ERR_OK);
    format.layout = data[0] % 2 == 0 ? ROW_COMPACTED : ROW_INDEXED;
    format.row = schema->row;
    round_trip(format, bytes_of(data + 2, size - 2), &arena);
    return 0;
}
