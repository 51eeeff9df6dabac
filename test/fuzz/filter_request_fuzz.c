/* The filter of a fetch: a message of a client, made into a filter for a table, and asked about a batch.
 * What is built names columns that there are, has literals of their kinds, and is no deeper than allowed.
 *
 * Input: 2 bytes, little-endian: how many bytes of statistics come next; then they, then a PbPredicate. */
#include "catalog_table.h"
#include "mutate.h"

#include "rpc/codec.h"
#include "service/predicate.h"

#define COLUMN(name, type) "{\"name\":\"" name "\",\"data_type\":" type "}"
#define PLAIN(root)        "{\"type\":\"" root "\"}"
#define WITH(root, rest)   "{\"type\":\"" root "\"," rest "}"
/* clang-format off */
#define TABLE                                                                                      \
    "{\"schema\":{\"columns\":[" COLUMN("a", PLAIN("INTEGER")) "," COLUMN("b", PLAIN("STRING"))    \
    "," COLUMN("c", PLAIN("BIGINT")) "," COLUMN("d", PLAIN("DOUBLE"))                              \
    "," COLUMN("e", WITH("DECIMAL", "\"precision\":30,\"scale\":5"))                               \
    "," COLUMN("f", WITH("TIMESTAMP_WITHOUT_TIME_ZONE", "\"precision\":9"))                        \
    "," COLUMN("g", PLAIN("BYTES")) "," COLUMN("h", WITH("ARRAY", "\"element_type\":"              \
    PLAIN("BOOLEAN"))) "]},\"partition_key\":[],\"bucket_key\":[\"a\"],\"bucket_count\":3,"        \
    "\"properties\":{},\"custom_properties\":{}}"
/* clang-format on */
#define COLUMNS  8
#define TABLE_ID 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct meta_view *catalog(void)
{
    static struct meta_view *view;

    if (view == NULL) {
        view = view_edit(NULL);
        view_put_table(view, fuzz_catalog_table("t", TABLE_ID, TABLE));
    }
    return view;
}

/* Recursion over the nested filter. */
static void check(const struct filter *f, unsigned depth)
{
    enum value_kind kind;

    ASSERT(depth <= FILTER_DEPTH_MAX);
    for (size_t i = 0; f->kind != FILTER_LEAF && i < f->child_count; i++) {
        check(&f->children[i], depth + 1);
    }
    if (f->kind != FILTER_LEAF) {
        return;
    }
    ASSERT(f->column < COLUMNS && (unsigned)f->function < FILTER_FUNCTION_COUNT);
    for (size_t i = 0; i < f->literal_count; i++) {
        ASSERT(f->literals[i].kind == VALUE_NULL ||
               (value_kind_of(f->type, &kind) && f->literals[i].kind == kind));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct reader r = reader_of(bytes_of(data, size));
    struct bytes statistics = reader_bytes(&r, reader_u16le(&r));
    struct batch_header header = {.magic = BATCH_MAGIC_MAX, .record_count = 3, .schema_id = 1};
    struct msg_pb_predicate message;
    const struct filter *filter;
    struct error e;

    if (r.failed || rpc_decode(&msg_pb_predicate_desc, r.rest, &arena, &message, &e) != ERR_OK) {
        return 0;
    }
    filter = predicate_build(catalog(), TABLE_ID, 1, &message, &arena);
    ASSERT(predicate_build(catalog(), TABLE_ID + 1, 1, &message, &arena) == NULL);
    if (filter != NULL) {
        check(filter, 0);
        ASSERT(filter_keep(filter, &header, BYTES_EMPTY));
        (void)filter_keep(filter, &header, statistics);
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t at = size < 2 ? 0 : (size_t)get_u16le(data) + 2;

    if (at == 0 || at >= size || seed % 8 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    return at + mutate_message(&msg_pb_predicate_desc, data + at, size - at, max - at, seed);
}
