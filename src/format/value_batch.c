/* Value batches; the bytes are drawn in value_batch.h. */
#include "value_batch.h"

#include <inttypes.h>

#define LENGTH_SIZE     4
#define COUNT_AT        5
#define RECORD_SIZE_MIN (VALUE_RECORD_OVERHEAD + VALUE_HEADER_SIZE)

enum errcode value_batch_parse(struct bytes in, struct value_batch_iterator *ret, struct error *e)
{
    struct reader r = reader_of(in);
    uint32_t length = reader_u32le(&r);
    uint8_t magic = reader_u8(&r);
    uint32_t count = reader_u32le(&r);

    if (r.failed || (size_t)length + LENGTH_SIZE != in.len) {
        return error_set(e, ERR_CORRUPT_RECORD, "value batch of %" PRIu32 " bytes in %zu", length,
                         in.len);
    }
    if (magic != 0) {
        return error_set(e, ERR_CORRUPT_RECORD, "value batch of unknown magic %u", magic);
    }
    if (count > r.rest.len / RECORD_SIZE_MIN || (count == 0 && r.rest.len > 0)) {
        return error_set(e, ERR_CORRUPT_RECORD, "value batch of %" PRIu32 " values in %zu bytes",
                         count, r.rest.len);
    }
    *ret = (struct value_batch_iterator){.rest = r, .left = count};
    return ERR_OK;
}

enum errcode value_batch_next(struct value_batch_iterator *it, struct bytes *ret, struct error *e)
{
    struct bytes value;

    ASSERT(it->left > 0);
    it->left--;
    value = reader_bytes(&it->rest, reader_u32le(&it->rest));
    if (it->rest.failed || value.len < VALUE_HEADER_SIZE ||
        (it->left == 0 && it->rest.rest.len > 0)) {
        return error_set(e, ERR_CORRUPT_RECORD, "value batch with a record of wrong length");
    }
    *ret = value;
    return ERR_OK;
}

void value_header_write(struct writer *w, size_t size, uint32_t count)
{
    ASSERT(size >= VALUE_BATCH_HEADER_SIZE && size <= INT32_MAX);
    writer_u32le(w, (uint32_t)(size - LENGTH_SIZE));
    writer_u8(w, 0);
    writer_u32le(w, count);
}

void value_batch_begin(struct buffer *out)
{
    buffer_clear(out);
    memset(buffer_room(out, VALUE_BATCH_HEADER_SIZE), 0, VALUE_BATCH_HEADER_SIZE);
}

void value_batch_add(struct buffer *out, struct bytes value)
{
    ASSERT(out->len >= VALUE_BATCH_HEADER_SIZE && value.len >= VALUE_HEADER_SIZE);
    buffer_u32le(out, (uint32_t)value.len);
    buffer_bytes(out, value);
    put_u32le(out->data + COUNT_AT, get_u32le(out->data + COUNT_AT) + 1);
}

void value_batch_finish(struct buffer *out)
{
    ASSERT(out->len >= VALUE_BATCH_HEADER_SIZE && out->len <= INT32_MAX);
    put_u32le(out->data, (uint32_t)(out->len - LENGTH_SIZE));
}
