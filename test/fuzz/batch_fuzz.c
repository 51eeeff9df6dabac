/* Record batches from outside: walking concatenated batches, and reading a header alone. Whatever
 * is read lies inside the input and survives being built again. */
#include "mutate.h"

#include "format/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct batch *b)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct batch_header *h = &b->header;
    struct batch_spec spec = {
        .magic = h->magic,
        .append_only = batch_append_only(h),
        .schema_id = h->schema_id,
        .leader_epoch = h->leader_epoch,
        .record_count = h->record_count,
        .batch_sequence = h->batch_sequence,
        .writer_id = h->writer_id,
        .statistics = batch_statistics(h, b->data),
        .body = batch_body(h, b->data),
    };
    struct bytes built = batch_build(&spec, &arena);
    struct batch_header again;

    ASSERT(b->data.len == h->size && built.len == h->size);
    if (batch_check_crc(h, b->data, NULL) == ERR_OK) {
        ASSERT(batch_next_offset(h) > h->base_offset || h->base_offset == INT64_MAX);
    }
    ASSERT(batch_parse(built, &again, NULL) == ERR_OK);
    ASSERT(batch_check_crc(&again, built, NULL) == ERR_OK);
    ASSERT(again.record_count == h->record_count && again.statistics_size == h->statistics_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_iterator it;
    struct batch_header header;
    struct batch batch;
    struct error e;
    bool found = true;

    if (batch_parse(bytes_of(data, size), &header, &e) == ERR_OK) {
        ASSERT(header.header_size <= size && header.statistics_size <= header.size);
    }
    batch_iterator_init(&it, bytes_of(data, size));
    while (batch_next(&it, &batch, &found, &e) == ERR_OK && found) {
        check(&batch);
    }
    ASSERT(it.position + it.rest.len == size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_units(MUTATE_LOG_BATCHES, data, size, max, seed);
}
