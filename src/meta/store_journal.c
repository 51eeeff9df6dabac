#include "store_journal.h"

#include "base/crc32c.h"

#define JOURNAL_FORMAT     1
#define RECORD_HEAD        12 /* magic, length, crc */
#define RECORD_PAYLOAD_MIN 12 /* sequence, op count */
#define OP_FIXED           12 /* kind, recursive, version, path length, data length */

static const uint8_t header_magic[8] = {'E', 'I', 'D', 'R', 'J', 'R', 'N', 'L'};
static const uint8_t record_magic[4] = {0xf5, 'J', 'R', 0xff};

void journal_header_encode(const struct journal_header *h, uint8_t out[JOURNAL_HEADER_SIZE])
{
    struct writer w = writer_of(out, JOURNAL_HEADER_SIZE);

    writer_bytes(&w, bytes_of(header_magic, sizeof header_magic));
    writer_u32le(&w, JOURNAL_FORMAT);
    writer_u64le(&w, h->generation);
    writer_u64le(&w, h->sequence);
    writer_u32le(&w, crc32c(bytes_of(out, w.len)));
    ASSERT(w.len == JOURNAL_HEADER_SIZE);
}

enum errcode journal_header_decode(struct bytes file, struct journal_header *ret, struct error *e)
{
    struct reader r = reader_of(file);
    struct bytes magic = reader_bytes(&r, sizeof header_magic);
    uint32_t format = reader_u32le(&r);
    struct journal_header h = {0};
    uint32_t crc;

    h.generation = reader_u64le(&r);
    h.sequence = reader_u64le(&r);
    crc = reader_u32le(&r);
    if (r.failed || !bytes_equal(magic, bytes_of(header_magic, sizeof header_magic)) ||
        crc != crc32c(bytes_slice(file, 0, JOURNAL_HEADER_SIZE - 4))) {
        return error_set(e, ERR_CORRUPT_FILE, "the journal's header is damaged");
    }
    if (format != JOURNAL_FORMAT) {
        return error_set(e, ERR_CORRUPT_FILE, "journal format %u is not known to this version",
                         format);
    }
    *ret = h;
    return ERR_OK;
}

bool journal_record_size(const struct store_op *ops, size_t count, size_t *ret)
{
    size_t size = RECORD_HEAD + RECORD_PAYLOAD_MIN;

    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind != STORE_CHECK) {
            size += OP_FIXED + strlen(ops[i].path) + ops[i].data.len;
        }
        if (size > STORE_TRANSACTION_MAX || ops[i].data.len > STORE_DATA_MAX) {
            return false;
        }
    }
    *ret = size;
    return true;
}

static void op_encode(const struct store_op *op, struct writer *w)
{
    struct bytes path = bytes_str(op->path);

    ASSERT(path.len < STORE_PATH_MAX);
    writer_u8(w, (uint8_t)op->kind);
    writer_u8(w, op->recursive ? 1 : 0);
    writer_i32le(w, op->version);
    writer_u16le(w, (uint16_t)path.len);
    writer_bytes(w, path);
    writer_u32le(w, (uint32_t)op->data.len);
    writer_bytes(w, op->data);
}

void journal_record_encode(uint64_t sequence, const struct store_op *ops, size_t count,
                           struct writer *w)
{
    size_t start = w->len;
    uint32_t written = 0;
    uint32_t crc;

    writer_bytes(w, bytes_of(record_magic, sizeof record_magic));
    writer_zeros(w, 8); /* length and checksum, below */
    writer_u64le(w, sequence);
    writer_u32le(w, 0);
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind != STORE_CHECK) {
            op_encode(&ops[i], w);
            written++;
        }
    }
    put_u32le(w->data + start + 20, written);
    put_u32le(w->data + start + 4, (uint32_t)(w->len - start - RECORD_HEAD));
    crc = crc32c(bytes_of(w->data + start + 4, 4));
    crc = crc32c_extend(crc, bytes_of(w->data + start + RECORD_HEAD, w->len - start - RECORD_HEAD));
    put_u32le(w->data + start + 8, crc);
}

/* The record that starts `at`; false when there is no valid one. */
static bool record_at(struct bytes at, struct journal_record *ret, size_t *ret_size)
{
    struct reader r = reader_of(at);
    struct bytes magic = reader_bytes(&r, sizeof record_magic);
    uint32_t length = reader_u32le(&r);
    uint32_t crc = reader_u32le(&r);
    struct bytes payload = reader_bytes(&r, length);

    if (r.failed || length < RECORD_PAYLOAD_MIN ||
        !bytes_equal(magic, bytes_of(record_magic, sizeof record_magic)) ||
        crc != crc32c_extend(crc32c(bytes_slice(at, 4, 4)), payload)) {
        return false;
    }
    r = reader_of(payload);
    ret->sequence = reader_u64le(&r);
    ret->op_count = reader_u32le(&r);
    ret->ops = r.rest;
    *ret_size = RECORD_HEAD + (size_t)length;
    return true;
}

enum journal_status journal_next(struct journal_cursor *c, struct journal_record *ret)
{
    struct bytes rest = bytes_slice(c->file, c->position, c->file.len - c->position);
    size_t size;

    if (rest.len == 0) {
        return JOURNAL_END;
    }
    if (!record_at(rest, ret, &size) || ret->sequence <= c->sequence) {
        return JOURNAL_DAMAGED;
    }
    c->position += size;
    c->sequence = ret->sequence;
    return JOURNAL_RECORD;
}

bool journal_record_op(struct journal_record *r, struct tree_op *ret)
{
    struct reader in = reader_of(r->ops);
    uint8_t kind = reader_u8(&in);
    uint8_t recursive = reader_u8(&in);
    struct tree_op op = {0};

    op.kind = (enum store_op_kind)kind;
    op.recursive = recursive != 0;
    op.version = reader_i32le(&in);
    op.path = reader_bytes(&in, reader_u16le(&in));
    op.data = reader_bytes(&in, reader_u32le(&in));
    if (in.failed || kind > STORE_DELETE || recursive > 1) {
        return false;
    }
    r->ops = in.rest;
    *ret = op;
    return true;
}

bool journal_has_record(struct bytes rest, uint64_t sequence)
{
    while (rest.len >= JOURNAL_RECORD_MIN) {
        const uint8_t *at = memmem(rest.data, rest.len, record_magic, sizeof record_magic);
        struct journal_record record;
        size_t size;

        if (at == NULL) {
            return false;
        }
        rest = bytes_slice(rest, (size_t)(at - rest.data), rest.len - (size_t)(at - rest.data));
        if (record_at(rest, &record, &size) && record.sequence > sequence) {
            return true;
        }
        rest = bytes_slice(rest, 1, rest.len - 1);
    }
    return false;
}
