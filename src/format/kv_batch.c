/* KV record batches; the bytes are drawn in kv_batch.h. */
#include "kv_batch.h"

#include <inttypes.h>

#include "base/crc32c.h"

#define LENGTH_SIZE     4
#define CRC_AT          5
#define SCHEMA_ID_AT    9 /* the checksummed part starts here */
#define WRITER_ID_AT    12
#define SEQUENCE_AT     20
#define COUNT_AT        24
#define RECORD_SIZE_MIN 5 /* length, and the length of an empty key */

static enum errcode check_header(struct bytes batch, const struct kv_batch *b, struct error *e);

enum errcode kv_batch_parse(struct bytes in, struct kv_batch *ret, struct error *e)
{
    struct reader r = reader_of(in);
    uint32_t length = reader_u32le(&r);
    struct bytes batch = bytes_of(in.data, (size_t)length + LENGTH_SIZE);
    struct kv_batch b;

    if (r.failed || in.len < KV_BATCH_HEADER_SIZE || batch.len < KV_BATCH_HEADER_SIZE ||
        batch.len > in.len || length > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "KV batch of %" PRIu32 " bytes in %zu", length,
                         in.len);
    }
    b = (struct kv_batch){
        .schema_id = get_i16le(in.data + SCHEMA_ID_AT),
        .writer_id = get_i64le(in.data + WRITER_ID_AT),
        .batch_sequence = get_i32le(in.data + SEQUENCE_AT),
        .record_count = get_i32le(in.data + COUNT_AT),
        .records = bytes_slice(batch, KV_BATCH_HEADER_SIZE, batch.len - KV_BATCH_HEADER_SIZE),
    };
    TRY(check_header(batch, &b, e));
    *ret = b;
    return ERR_OK;
}

static enum errcode check_header(struct bytes batch, const struct kv_batch *b, struct error *e)
{
    uint32_t crc = get_u32le(batch.data + CRC_AT);
    uint32_t computed = crc32c(bytes_slice(batch, SCHEMA_ID_AT, batch.len - SCHEMA_ID_AT));

    if (batch.data[LENGTH_SIZE] != 0) {
        return error_set(e, ERR_CORRUPT_RECORD, "KV batch of unknown magic %u",
                         batch.data[LENGTH_SIZE]);
    }
    if (crc != computed) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "KV batch with the checksum %08" PRIx32 ", its bytes give %08" PRIx32, crc,
                         computed);
    }
    if (b->record_count < 0 || (size_t)b->record_count > b->records.len / RECORD_SIZE_MIN) {
        return error_set(e, ERR_CORRUPT_RECORD, "KV batch of %" PRId32 " records in %zu bytes",
                         b->record_count, b->records.len);
    }
    if (b->record_count == 0 && b->records.len > 0) {
        return error_set(e, ERR_CORRUPT_RECORD, "KV batch with %zu bytes behind the last record",
                         b->records.len);
    }
    return ERR_OK;
}

void kv_batch_iterator_init(struct kv_batch_iterator *it, const struct kv_batch *batch)
{
    *it =
        (struct kv_batch_iterator){.rest = reader_of(batch->records), .left = batch->record_count};
}

enum errcode kv_batch_next(struct kv_batch_iterator *it, struct kv_record *ret, struct error *e)
{
    struct reader r;
    struct bytes key;

    ASSERT(it->left > 0);
    it->left--;
    r = reader_of(reader_bytes(&it->rest, reader_u32le(&it->rest)));
    key = reader_bytes(&r, (size_t)reader_varint64(&r));
    if (it->rest.failed || r.failed) {
        return error_set(e, ERR_CORRUPT_RECORD, "KV record cut short");
    }
    if (it->left == 0 && it->rest.rest.len > 0) {
        return error_set(e, ERR_CORRUPT_RECORD, "KV batch with %zu bytes behind the last record",
                         it->rest.rest.len);
    }
    *ret = (struct kv_record){.key = key, .row = r.rest};
    return ERR_OK;
}

/* ---- building ---- */

void kv_batch_writer_fini(struct kv_batch_writer *w) { buffer_fini(&w->out); }

void kv_batch_writer_begin(struct kv_batch_writer *w, int16_t schema_id)
{
    buffer_clear(&w->out);
    memset(buffer_room(&w->out, KV_BATCH_HEADER_SIZE), 0, KV_BATCH_HEADER_SIZE);
    put_i16le(w->out.data + SCHEMA_ID_AT, schema_id);
    w->record_count = 0;
}

void kv_batch_writer_add(struct kv_batch_writer *w, struct bytes key, struct bytes row)
{
    buffer_u32le(&w->out, (uint32_t)(varint64_size(key.len) + key.len + row.len));
    buffer_varint64(&w->out, key.len);
    buffer_bytes(&w->out, key);
    buffer_bytes(&w->out, row);
    w->record_count++;
}

struct bytes kv_batch_writer_finish(struct kv_batch_writer *w, int64_t writer_id,
                                    int32_t batch_sequence)
{
    uint8_t *data = w->out.data;

    ASSERT(w->out.len <= INT32_MAX);
    put_u32le(data, (uint32_t)(w->out.len - LENGTH_SIZE));
    put_i64le(data + WRITER_ID_AT, writer_id);
    put_i32le(data + SEQUENCE_AT, batch_sequence);
    put_i32le(data + COUNT_AT, w->record_count);
    put_u32le(data + CRC_AT, crc32c(bytes_of(data + SCHEMA_ID_AT, w->out.len - SCHEMA_ID_AT)));
    return buffer_view(&w->out);
}
