/* Keys in every encoding that can be read: first byte the encoding, second the columns, the rest a
 * key. A key that decodes encodes, and from then on nothing changes any more (what comes in may be a
 * number with needless zeros in front). */
#include "format/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMNS_MAX 3

static const struct {
    size_t count;
    struct type types[COLUMNS_MAX];
} formats[] = {
    {1, {{.root = TYPE_INTEGER}}},
    {1, {{.root = TYPE_BIGINT}}},
    {1, {{.root = TYPE_STRING}}},
    {1, {{.root = TYPE_DOUBLE}}},
    {1, {{.root = TYPE_TIME, .precision = 3}}},
    {1, {{.root = TYPE_TIMESTAMP, .precision = 6}}},
    {1, {{.root = TYPE_DECIMAL, .precision = 10, .scale = 2}}},
    {1, {{.root = TYPE_DECIMAL, .precision = 30, .scale = 2}}},
    {3, {{.root = TYPE_STRING}, {.root = TYPE_BOOLEAN}, {.root = TYPE_BYTES}}},
    {3,
     {{.root = TYPE_TIMESTAMP_LTZ, .precision = 9},
      {.root = TYPE_DECIMAL, .precision = 38},
      {.root = TYPE_FLOAT}}},
};

static void round_trip(const struct key_format *format, struct bytes key, struct arena *arena)
{
    const struct row_value *values = NULL;
    const struct row_value *again = NULL;
    struct bytes encoded;
    struct bytes last;
    struct error e;

    if (key_format_check(format, &e) != ERR_OK ||
        key_decode(format, key, arena, &values, &e) != ERR_OK) {
        return;
    }
    ASSERT(key_encode(format, values, arena, &encoded, &e) == ERR_OK);
    ASSERT(key_decode(format, encoded, arena, &again, &e) == ERR_OK);
    ASSERT(key_encode(format, again, arena, &last, &e) == ERR_OK);
    ASSERT(bytes_equal(encoded, last));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct type_field fields[COLUMNS_MAX] = {{0}};
    struct type columns = {.root = TYPE_ROW, .fields = fields};
    struct key_format format = {.columns = &columns};

    if (size < 2) {
        return 0;
    }
    format.encoding = (enum key_encoding)(data[0] % KEY_HUDI);
    columns.count = (uint32_t)formats[data[1] % ARRAY_LEN(formats)].count;
    for (uint32_t i = 0; i < columns.count; i++) {
        fields[i].name = "k";
        fields[i].type = &formats[data[1] % ARRAY_LEN(formats)].types[i];
    }
    round_trip(&format, bytes_of(data + 2, size - 2), &arena);
    return 0;
}
