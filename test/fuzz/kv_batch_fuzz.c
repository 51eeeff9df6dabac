/* KV batches from clients. A batch that parses, records and all, is the one its writer makes. */
#include "mutate.h"

#include "format/kv_batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};
    struct kv_batch batch;
    struct kv_batch again;
    struct kv_batch_iterator it;
    struct kv_record record;
    struct error e;

    if (kv_batch_parse(bytes_of(data, size), &batch, &e) != ERR_OK) {
        return 0;
    }
    kv_batch_iterator_init(&it, &batch);
    kv_batch_writer_begin(&w, batch.schema_id);
    while (it.left > 0) {
        if (kv_batch_next(&it, &record, &e) != ERR_OK) {
            return 0;
        }
        kv_batch_writer_add(&w, record.key, record.row);
    }
    ASSERT(kv_batch_parse(kv_batch_writer_finish(&w, batch.writer_id, batch.batch_sequence), &again,
                          &e) == ERR_OK);
    ASSERT(again.record_count == batch.record_count && again.schema_id == batch.schema_id);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_units(MUTATE_KV_BATCH, data, size, max, seed);
}
