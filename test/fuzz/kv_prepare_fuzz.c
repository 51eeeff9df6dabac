/* Writes to primary-key tables: first byte the table, second the number of records, third the target
 * columns, the rest records of a KV batch, written twice so that rows meet rows. The changelog of
 * what was accepted is one that recovery can replay, to the same keys. */
#include "kv_table.h"
#include "mutate.h"

#include "base/crc32c.h"
#include "format/batch.h"
#include "kv/prepare.h"
#include "kv/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD        3 /* bytes in front of the records */
#define TARGETS_MAX 8

/* A KV batch around the records, with a right header. */
static struct bytes batch_of(struct bytes records, uint8_t count, struct arena *arena)
{
    size_t size = KV_BATCH_HEADER_SIZE + records.len;
    uint8_t *batch = arena_zalloc(arena, size);

    put_u32le(batch, (uint32_t)(size - 4));
    put_i16le(batch + 9, 1);
    put_i64le(batch + 12, -1);
    put_i32le(batch + 20, -1);
    put_i32le(batch + 24, count);
    if (records.len > 0) {
        memcpy(batch + KV_BATCH_HEADER_SIZE, records.data, records.len);
    }
    put_u32le(batch + 5, crc32c(bytes_of(batch + 9, size - 9)));
    return bytes_of(batch, size);
}

static void set_old(struct kv_key *keys, size_t count, const struct kv_prepared *before)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < before->change_count; k++) {
            if (bytes_equal(keys[i].key, before->changes[k].key)) {
                keys[i].old = before->changes[k].value;
            }
        }
    }
}

/* Keys are what clients say, so only their number can be compared, and that only when each row has
 * its own. */
static void replay(struct kv_table *table, const struct kv_prepared *prepared, struct arena *arena)
{
    struct type columns = {.root = TYPE_ROW, .count = 1, .fields = table->schema->row->fields};
    static const uint32_t positions[] = {0};
    const struct key_format key = {.columns = &columns, .positions = positions};
    OWNED(kv_replay_freep) struct kv_replay *r = kv_replay_new(table, &key);
    struct kv_replayed replayed;
    struct batch_header header;
    struct error e;

    ASSERT(batch_parse(prepared->batch, &header, &e) == ERR_OK);
    ASSERT(batch_check_crc(&header, prepared->batch, &e) == ERR_OK);
    ASSERT(header.record_count == prepared->record_count);
    ASSERT(kv_replay_batch(r, &header, prepared->batch, arena, &replayed, &e) == ERR_OK);
    ASSERT(replayed.change_count <= (size_t)prepared->record_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(kv_table_unrefp) struct kv_table *table = NULL;
    OWNED(kv_prepare_freep) struct kv_prepare *p = NULL;
    struct kv_prepared prepared = {0};
    int32_t targets[TARGETS_MAX];
    struct kv_request request = {.merge = {.target_columns = targets}};
    struct bytes batch;
    struct error e;

    if (size < HEAD) {
        return 0;
    }
    table = fuzz_table(data[0]);
    p = kv_prepare_new(table);
    request.merge.mode = (data[0] & 0x80) != 0 ? KV_MERGE_OVERWRITE : KV_MERGE_DEFAULT;
    for (int i = 0; i < TARGETS_MAX; i++) {
        if ((data[2] >> i & 1) != 0) {
            targets[request.merge.target_count++] = i;
        }
    }
    batch = batch_of(bytes_of(data + HEAD, size - HEAD), data[1], &arena);
    for (int round = 0; round < 2; round++) {
        struct kv_key *keys = NULL;
        size_t count = 0;

        if (kv_prepare_begin(p, batch, &request, &keys, &count, &e) != ERR_OK) {
            return 0;
        }
        set_old(keys, count, &prepared);
        if (kv_prepare_finish(p, &arena, &prepared, &e) != ERR_OK) {
            return 0;
        }
        replay(table, &prepared, &arena);
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size < HEAD || max == HEAD || seed % 16 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    if (seed % 16 == 1) {
        (void)LLVMFuzzerMutate(data, HEAD, HEAD);
        return size;
    }
    return HEAD + mutate_units(MUTATE_KV_RECORDS, data + HEAD, size - HEAD, max - HEAD, seed);
}
