/* Changelog batches as recovery reads them from disk: first byte the table, second the number of
 * records, the rest the body of a batch. */
#include "kv_table.h"

#include "format/batch.h"
#include "kv/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(kv_table_unrefp) struct kv_table *table = NULL;
    OWNED(kv_replay_freep) struct kv_replay *r = NULL;
    struct batch_spec spec = {.schema_id = 1};
    struct type columns = {.root = TYPE_ROW, .count = 1};
    static const uint32_t positions[] = {0};
    const struct key_format key = {.columns = &columns, .positions = positions};
    struct kv_replayed replayed;
    struct batch_header header;
    struct bytes batch;
    struct error e;

    if (size < 2) {
        return 0;
    }
    table = fuzz_table(data[0]);
    columns.fields = table->schema->row->fields;
    r = kv_replay_new(table, &key);
    spec.record_count = data[1];
    spec.body = bytes_of(data + 2, size - 2);
    batch = batch_build(&spec, &arena);
    ASSERT(batch_parse(batch, &header, &e) == ERR_OK);
    if (kv_replay_batch(r, &header, batch, &arena, &replayed, &e) == ERR_OK) {
        ASSERT(replayed.change_count <= data[1]);
        for (size_t i = 0; i < replayed.change_count; i++) {
            ASSERT(replayed.changes[i].value.len != 1);
        }
    }
    return 0;
}
