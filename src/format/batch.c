/* Log record batches; the bytes are drawn in batch.h. */
#include "batch.h"

#include <inttypes.h>

#include "base/crc32c.h"

#define LENGTH_AT    8
#define MAGIC_AT     12
#define TIMESTAMP_AT 13

/* Where the fields behind the timestamp are; their order is the same in every magic. */
struct layout {
    uint8_t crc_at;
    uint8_t schema_id_at;         /* the checksummed part starts here */
    uint8_t statistics_length_at; /* 0: the magic has none */
    uint8_t header_size;
};

static const struct layout layouts[BATCH_MAGIC_MAX + 1] = {
    {.crc_at = 21, .schema_id_at = 25, .statistics_length_at = 0, .header_size = 48},
    {.crc_at = 21, .schema_id_at = 25, .statistics_length_at = 48, .header_size = 52},
    {.crc_at = 25, .schema_id_at = 29, .statistics_length_at = 52, .header_size = 56},
};

static const struct layout *layout_of(uint8_t magic)
{
    ASSERT(magic <= BATCH_MAGIC_MAX);
    return &layouts[magic];
}

static enum errcode check_header(const struct batch_header *h, int32_t statistics_length,
                                 struct error *e);

enum errcode batch_size_peek(struct bytes prefix, size_t *ret, struct error *e)
{
    int64_t size;

    if (prefix.len < BATCH_SIZE_PREFIX) {
        return error_set(e, ERR_CORRUPT_RECORD, "record batch cut short: %zu bytes", prefix.len);
    }
    size = (int64_t)get_i32le(prefix.data + LENGTH_AT) + (int64_t)BATCH_SIZE_PREFIX;
    if (size < (int64_t)BATCH_HEADER_SIZE_MIN || size > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "record batch of %" PRId64 " bytes; expected %zu to %d", size,
                         BATCH_HEADER_SIZE_MIN, INT32_MAX);
    }
    *ret = (size_t)size;
    return ERR_OK;
}

enum errcode batch_parse(struct bytes start, struct batch_header *ret, struct error *e)
{
    struct batch_header h = {.leader_epoch = -1};
    const struct layout *layout;
    struct reader r;
    int32_t statistics_length;

    TRY(batch_size_peek(start, &h.size, e));
    if (start.len < BATCH_HEADER_SIZE_MIN) {
        return error_set(e, ERR_CORRUPT_RECORD, "record batch header cut short: %zu bytes",
                         start.len);
    }
    h.magic = start.data[MAGIC_AT];
    if (h.magic > BATCH_MAGIC_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "record batch of unknown magic %u", h.magic);
    }
    layout = layout_of(h.magic);
    h.header_size = layout->header_size;
    r = reader_of(start);
    h.base_offset = reader_i64le(&r);
    (void)reader_bytes(&r, TIMESTAMP_AT - LENGTH_AT);
    h.commit_timestamp = reader_i64le(&r);
    if (h.magic >= 2) {
        h.leader_epoch = reader_i32le(&r);
    }
    h.crc = reader_u32le(&r);
    h.schema_id = reader_i16le(&r);
    h.attributes = reader_u8(&r);
    h.last_offset_delta = reader_i32le(&r);
    h.writer_id = reader_i64le(&r);
    h.batch_sequence = reader_i32le(&r);
    h.record_count = reader_i32le(&r);
    statistics_length = layout->statistics_length_at != 0 ? reader_i32le(&r) : 0;
    if (r.failed) {
        return error_set(e, ERR_CORRUPT_RECORD, "record batch header cut short: %zu bytes",
                         start.len);
    }
    TRY(check_header(&h, statistics_length, e));
    h.statistics_size = (size_t)statistics_length;
    *ret = h;
    return ERR_OK;
}

static enum errcode check_header(const struct batch_header *h, int32_t statistics_length,
                                 struct error *e)
{
    if (h->size < h->header_size) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "record batch of %zu bytes is shorter than the header of magic %u",
                         h->size, h->magic);
    }
    if (statistics_length < 0 || (size_t)statistics_length > h->size - h->header_size) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "statistics of %" PRId32 " bytes in a record batch of %zu",
                         statistics_length, h->size);
    }
    if (h->record_count < 0 || h->last_offset_delta < 0) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "record batch with record count %" PRId32 ", last offset delta %" PRId32,
                         h->record_count, h->last_offset_delta);
    }
    return ERR_OK;
}

enum errcode batch_check_crc(const struct batch_header *header, struct bytes data, struct error *e)
{
    size_t from = layout_of(header->magic)->schema_id_at;
    uint32_t crc;

    ASSERT(data.len == header->size);
    crc = crc32c(bytes_slice(data, from, data.len - from));
    if (crc != header->crc) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "record batch of %zu bytes has checksum %08" PRIx32
                         ", its header says %08" PRIx32,
                         data.len, crc, header->crc);
    }
    return ERR_OK;
}

void batch_assign(uint8_t *data, int64_t base_offset, int64_t commit_timestamp)
{
    put_i64le(data, base_offset);
    put_i64le(data + TIMESTAMP_AT, commit_timestamp);
}

void batch_rewrite_sizes(uint8_t *data, const struct batch_header *header, size_t size)
{
    const struct layout *layout = layout_of(header->magic);

    ASSERT(size >= header->header_size && size <= INT32_MAX);
    put_i32le(data + LENGTH_AT, (int32_t)(size - BATCH_SIZE_PREFIX));
    if (layout->statistics_length_at != 0) {
        put_i32le(data + layout->statistics_length_at, 0);
    }
}

int64_t batch_next_offset(const struct batch_header *header)
{
    int64_t next;

    if (__builtin_add_overflow(header->base_offset, (int64_t)header->last_offset_delta + 1,
                               &next)) {
        return INT64_MAX;
    }
    return next;
}

struct bytes batch_statistics(const struct batch_header *header, struct bytes data)
{
    return bytes_slice(data, header->header_size, header->statistics_size);
}

struct bytes batch_body(const struct batch_header *header, struct bytes data)
{
    size_t from = header->header_size + header->statistics_size;

    return bytes_slice(data, from, header->size - from);
}

void batch_iterator_init(struct batch_iterator *it, struct bytes batches)
{
    *it = (struct batch_iterator){.rest = batches};
}

enum errcode batch_next(struct batch_iterator *it, struct batch *ret, bool *ret_found,
                        struct error *e)
{
    struct batch_header header;
    enum errcode code = ERR_OK;
    size_t size = 0;

    if (it->rest.len < BATCH_HEADER_SIZE_MIN) {
        *ret_found = false;
        return ERR_OK;
    }
    code = batch_size_peek(it->rest, &size, e);
    if (code == ERR_OK && size > it->rest.len) {
        *ret_found = false;
        return ERR_OK;
    }
    if (code == ERR_OK) {
        code = batch_parse(bytes_slice(it->rest, 0, size), &header, e);
    }
    if (code != ERR_OK) {
        error_wrap(e, "at byte %zu", it->position);
        return code;
    }
    *ret = (struct batch){
        .header = header, .position = it->position, .data = bytes_slice(it->rest, 0, size)};
    it->position += size;
    it->rest = bytes_slice(it->rest, size, it->rest.len - size);
    *ret_found = true;
    return ERR_OK;
}

struct bytes batch_build(const struct batch_spec *spec, struct arena *arena)
{
    const struct layout *layout = layout_of(spec->magic);
    size_t size =
        layout->header_size + spec->statistics.len + spec->change_types.len + spec->body.len;
    struct writer w = writer_of(arena_alloc(arena, size), size);

    ASSERT(size <= INT32_MAX && spec->record_count >= 0);
    ASSERT(layout->statistics_length_at != 0 || spec->statistics.len == 0);
    ASSERT(spec->change_types.len == 0 || spec->change_types.len == (size_t)spec->record_count);
    writer_i64le(&w, 0);
    writer_i32le(&w, (int32_t)(size - BATCH_SIZE_PREFIX));
    writer_u8(&w, spec->magic);
    writer_i64le(&w, 0);
    if (spec->magic >= 2) {
        writer_i32le(&w, spec->leader_epoch);
    }
    writer_u32le(&w, 0); /* checksum, below */
    writer_i16le(&w, spec->schema_id);
    writer_u8(&w, spec->append_only ? BATCH_APPEND_ONLY : 0);
    writer_i32le(&w, spec->record_count > 0 ? spec->record_count - 1 : 0);
    writer_i64le(&w, spec->writer_id);
    writer_i32le(&w, spec->batch_sequence);
    writer_i32le(&w, spec->record_count);
    if (layout->statistics_length_at != 0) {
        writer_i32le(&w, (int32_t)spec->statistics.len);
    }
    writer_bytes(&w, spec->statistics);
    writer_bytes(&w, spec->change_types);
    writer_bytes(&w, spec->body);
    ASSERT(w.len == size);
    put_u32le(w.data + layout->crc_at,
              crc32c(bytes_of(w.data + layout->schema_id_at, size - layout->schema_id_at)));
    return bytes_of(w.data, w.len);
}
