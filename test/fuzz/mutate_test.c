/* What the mutations of mutate.h promise: most inputs get past lengths and checksums, and they are not
 * the input that was there. */
#include "mutate.h"

#include "../support/unit.h"
#include "base/buffer.h"
#include "format/batch.h"
#include "format/json.h"
#include "format/kv_batch.h"
#include "meta/store_journal.h"
#include "rpc/api.h"
#include "rpc/frame.h"

#define ROUNDS 4000
#define ROOM   600

typedef bool judge_fn(struct bytes in);
typedef size_t mutate_fn(uint8_t *data, size_t size, size_t max, unsigned seed);

/* How many of many mutants, each of the one before, `judge` accepts. */
static unsigned accepted(mutate_fn *mutate, struct bytes start, judge_fn *judge)
{
    uint8_t data[ROOM];
    unsigned good = 0;
    unsigned same = 0;

    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        uint8_t before[ROOM];
        size_t len = start.len;
        size_t size;

        memcpy(data, start.data, len);
        memcpy(before, data, len);
        /* three in a row: a mutant is the start of the next */
        for (unsigned i = 0; i < 3; i++) {
            size = mutate(data, len, sizeof data, seed * 3 + i);
            assert_true(size <= sizeof data);
            len = size;
        }
        good += judge(bytes_of(data, len));
        same += bytes_equal(bytes_of(data, len), start);
    }
    assert_true(same < ROUNDS / 10);
    return good;
}

#define UNITS(name, kind)                                                                          \
    static size_t name(uint8_t *data, size_t size, size_t max, unsigned seed)                      \
    {                                                                                              \
        return mutate_units(kind, data, size, max, seed);                                          \
    }
UNITS(mutate_batches, MUTATE_LOG_BATCHES)
UNITS(mutate_log_file, MUTATE_LOG_FILE)
UNITS(mutate_kv_batch, MUTATE_KV_BATCH)
UNITS(mutate_journal, MUTATE_JOURNAL)
UNITS(mutate_frames, MUTATE_FRAMES)

/* ---- log batches ---- */

static bool log_batches(struct bytes in)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    batch_iterator_init(&it, in);
    while (found) {
        if (batch_next(&it, &batch, &found, NULL) != ERR_OK ||
            (found && batch_check_crc(&batch.header, batch.data, NULL) != ERR_OK)) {
            return false;
        }
    }
    return it.rest.len == 0 && in.len > 0;
}

static bool rising_batches(struct bytes in)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    int64_t next = 7;

    batch_iterator_init(&it, in);
    while (batch_next(&it, &batch, &found, NULL) == ERR_OK && found) {
        if (batch.header.base_offset != next) {
            return false;
        }
        next = batch_next_offset(&batch.header);
    }
    return log_batches(in);
}

static struct bytes three_batches(struct arena *arena)
{
    uint8_t *all = arena_alloc(arena, ROOM);
    struct writer w = writer_of(all, ROOM);

    for (uint8_t magic = 0; magic <= BATCH_MAGIC_MAX; magic++) {
        struct batch_spec spec = {.magic = magic,
                                  .append_only = true,
                                  .schema_id = 1,
                                  .record_count = 3,
                                  .writer_id = -1,
                                  .batch_sequence = -1,
                                  .statistics = bytes_str(magic > 0 ? "statistics" : ""),
                                  .body = bytes_str("what the records hold")};

        writer_bytes(&w, batch_build(&spec, arena));
    }
    return bytes_of(w.data, w.len);
}

static void batches_stay_whole(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes start = three_batches(&arena);

    (void)state;
    assert_true(log_batches(start));
    assert_true(accepted(mutate_batches, start, log_batches) > ROUNDS / 2);
    assert_true(accepted(mutate_log_file, start, rising_batches) > ROUNDS / 3);
}

/* ---- KV batches ---- */

static bool kv_batch(struct bytes in)
{
    struct kv_batch batch;
    struct kv_batch_iterator it;
    struct kv_record record;

    if (kv_batch_parse(in, &batch, NULL) != ERR_OK) {
        return false;
    }
    kv_batch_iterator_init(&it, &batch);
    while (it.left > 0) {
        if (kv_batch_next(&it, &record, NULL) != ERR_OK) {
            return false;
        }
    }
    return true;
}

static void kv_batches_stay_whole(void **state)
{
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};

    (void)state;
    kv_batch_writer_begin(&w, 1);
    kv_batch_writer_add(&w, bytes_str("key"), bytes_str("row"));
    kv_batch_writer_add(&w, bytes_str("another key"), BYTES_EMPTY);
    kv_batch_writer_add(&w, bytes_str("third"), bytes_str("a longer row"));
    assert_true(accepted(mutate_kv_batch, kv_batch_writer_finish(&w, 5, 0), kv_batch) > ROUNDS / 2);
}

/* ---- the catalog's journal ---- */

static bool journal(struct bytes in)
{
    struct journal_cursor c = {.file = in};
    struct journal_record record;
    enum journal_status status = JOURNAL_RECORD;

    while (status == JOURNAL_RECORD) {
        c.sequence = 0; /* records may be doubled or change places */
        status = journal_next(&c, &record);
    }
    return status == JOURNAL_END && c.position == in.len && in.len > 0;
}

static void journals_stay_whole(void **state)
{
    const struct store_op ops[] = {
        {.kind = STORE_CREATE, .path = "/a", .data = bytes_str("one")},
        {.kind = STORE_DELETE, .path = "/a", .version = -1},
    };
    uint8_t file[ROOM];
    struct writer w = writer_of(file, sizeof file);

    (void)state;
    journal_record_encode(1, ops, 2, &w);
    journal_record_encode(2, ops, 1, &w);
    journal_record_encode(3, ops, 0, &w);
    assert_true(journal(bytes_of(file, w.len)));
    assert_true(accepted(mutate_journal, bytes_of(file, w.len), journal) > ROUNDS / 2);
}

/* ---- requests ---- */

static size_t put_request(struct arena *arena, int32_t id, uint8_t *out)
{
    struct msg_pb_produce_log_req_for_bucket bucket = {.bucket_id = 1};
    struct msg_produce_log_request message = {.acks = -1,
                                              .table_id = 7,
                                              .timeout_ms = 1000,
                                              .buckets_req = &bucket,
                                              .buckets_req_count = 1};
    struct rpc_request header = {.api_key = API_PRODUCE_LOG, .id = id};
    struct pieces pieces;
    size_t len = 0;

    bucket.records = three_batches(arena);
    pieces_init(&pieces, arena);
    rpc_frame_request(&header, &msg_produce_log_request_desc, &message, &pieces);
    for (size_t i = 0; i < pieces.count; i++) {
        memcpy(out + len, pieces.items[i].data, pieces.items[i].len);
        len += pieces.items[i].len;
    }
    return len;
}

/* All are requests of an API, whose messages decode. */
static bool requests(struct bytes in)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    while (in.len > 0) {
        struct rpc_request request;
        const struct rpc_api *api;
        size_t length = in.len >= RPC_LENGTH_SIZE ? get_u32be(in.data) : SIZE_MAX;

        if (length > in.len - RPC_LENGTH_SIZE ||
            rpc_request_parse(bytes_slice(in, RPC_LENGTH_SIZE, length), &request, NULL) != ERR_OK) {
            return false;
        }
        api = rpc_api_find(request.api_key);
        if (api == NULL || rpc_decode(api->request, request.body, &arena,
                                      arena_alloc(&arena, api->request->size), NULL) != ERR_OK) {
            return false;
        }
        in = bytes_slice(in, RPC_LENGTH_SIZE + length, in.len - RPC_LENGTH_SIZE - length);
    }
    return true;
}

static void lengths_around_a_changed_field_follow(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t frame[ROOM];
    size_t len = put_request(&arena, 1, frame);

    (void)state;
    assert_true(requests(bytes_of(frame, len)));
    /* required fields go missing, too, and names are no longer UTF-8 */
    assert_true(accepted(mutate_frames, bytes_of(frame, len), requests) > ROUNDS / 4);
}

/* ---- JSON ---- */

static bool json(struct bytes in)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root;

    return json_parse(in, NULL, &arena, &root, NULL) == ERR_OK;
}

static void texts_of_json_stay_such(void **state)
{
    static const char text[] =
        "{\"a\":[1,{\"b\":\"x, "
        "\\\"y\\\"\",\"c\":null},[]],\"d\":{\"e\":-1.5e3,\"f\":true},\"g\":\"]}\"}";

    (void)state;
    assert_true(json(bytes_str(text)));
    assert_true(accepted(mutate_json, bytes_str(text), json) > ROUNDS / 3);
}

/* ---- all ---- */

static void nothing_and_garbage_are_inputs_too(void **state)
{
    uint8_t data[ROOM];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        enum mutate_units kind = (enum mutate_units)(seed % (MUTATE_JOURNAL + 1));
        size_t max = seed % 100 + 1;
        size_t size = seed % max;

        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t)(seed * 31 + i * 7);
        }
        assert_true(mutate_units(kind, data, size, max, seed) <= max);
        assert_true(mutate_message(&msg_produce_log_request_desc, data, size, max, seed) <= max);
        data[seed % ROOM] = (uint8_t) "{[\"]}\\,:"[seed % 8];
        assert_true(mutate_json(data, size, max, seed) <= max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_stay_whole),
        cmocka_unit_test(kv_batches_stay_whole),
        cmocka_unit_test(journals_stay_whole),
        cmocka_unit_test(lengths_around_a_changed_field_follow),
        cmocka_unit_test(texts_of_json_stay_such),
        cmocka_unit_test(nothing_and_garbage_are_inputs_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
