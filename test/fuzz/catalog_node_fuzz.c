/* Documents of the catalog as they lie in its store. What is understood is written to a document that is
 * understood and written as the same bytes; a table or partition of it is loaded, or refused.
 *
 * Input: byte 0: which document; then its bytes. */
#include "catalog_table.h"
#include "mutate.h"

#define NAME "/a/node"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DECODED(type)                                                                              \
    static bool type##_again(struct bytes in, struct arena *arena, struct bytes *ret)              \
    {                                                                                              \
        struct znode_##type document;                                                              \
        struct error e;                                                                            \
                                                                                                   \
        if (znode_##type##_decode(in, NAME, arena, &document, &e) != ERR_OK) {                     \
            ASSERT(e.code == ERR_CORRUPT_FILE);                                                    \
            return false;                                                                          \
        }                                                                                          \
        *ret = znode_##type##_encode(&document, arena);                                            \
        return true;                                                                               \
    }
DECODED(database)
DECODED(table)
DECODED(partition)
DECODED(assignment)
DECODED(leader)
DECODED(snapshot)
DECODED(lease)

static bool counter_again(struct bytes in, struct arena *arena, struct bytes *ret)
{
    int64_t next;
    struct error e;

    if (znode_counter_decode(in, NAME, &next, &e) != ERR_OK) {
        return false;
    }
    *ret = znode_counter_encode(next, arena);
    return true;
}

static bool (*const documents[])(struct bytes in, struct arena *arena, struct bytes *ret) = {
    table_again,  database_again, partition_again, assignment_again,
    leader_again, snapshot_again, lease_again,     counter_again,
};

static void load(struct bytes in, struct arena *arena)
{
    const struct bytes schema =
        bytes_str("{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"}},"
                  "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"}}]}");
    struct znode_table registration;
    struct table_source source = {.database = "d",
                                  .name = "t",
                                  .registration = &registration,
                                  .schemas = &schema,
                                  .schema_count = 1};
    struct meta_table *table = NULL;
    struct error e;

    if (znode_table_decode(in, NAME, arena, &registration, &e) == ERR_OK &&
        load_table(&source, &table, &e) == ERR_OK) {
        ASSERT(table->json.len > 0);
        (void)meta_table_unref(table);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes first;
    struct bytes second;
    size_t kind;

    if (size == 0) {
        return 0;
    }
    kind = data[0] % ARRAY_LEN(documents);
    if (documents[kind](bytes_of(data + 1, size - 1), &arena, &first)) {
        ASSERT(documents[kind](first, &arena, &second));
        ASSERT(bytes_equal(first, second));
    }
    load(bytes_of(data + 1, size - 1), &arena);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size < 2 || seed % 16 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    return 1 + mutate_json(data + 1, size - 1, max - 1, seed);
}
