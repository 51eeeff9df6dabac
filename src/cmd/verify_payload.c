#include "verify_payload.h"

#include <inttypes.h>

#include "format/row.h"
#include "format/schema.h"

#define CHANGE_TYPE_LAST 4 /* append, insert, update before, update after, delete */

void verify_payload_init(struct verify_payload *p, const struct meta_table *table)
{
    *p = (struct verify_payload){.table = table};
}

void verify_payload_fini(struct verify_payload *p)
{
    arena_fini(&p->arena);
    arena_fini(&p->scratch);
}

/* Batches of one schema follow one another: only a change costs anything. */
static enum errcode take_schema(struct verify_payload *p, int32_t schema_id, struct error *e)
{
    const struct meta_schema *found;

    if (p->schema_id == schema_id && p->schema != NULL) {
        return ERR_OK;
    }
    found = meta_table_schema(p->table, schema_id);
    if (found == NULL) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "batch of schema %" PRId32 ", which table %s.%s does not have", schema_id,
                         p->table->database, p->table->name);
    }
    arena_reset(&p->arena);
    p->schema_id = schema_id;
    p->schema = found->schema;
    p->layout = arrow_layout_of(p->schema, &p->arena);
    return ERR_OK;
}

static enum errcode check_type(uint8_t type, struct error *e)
{
    return type <= CHANGE_TYPE_LAST
               ? ERR_OK
               : error_set(e, ERR_CORRUPT_RECORD, "a record with change type %u", type);
}

static enum errcode check_arrow(const struct verify_payload *p, const struct batch_header *header,
                                struct bytes body, struct error *e)
{
    size_t types = batch_append_only(header) ? 0 : (size_t)header->record_count;
    struct arrow_message message;
    struct bytes rest;

    if (types > body.len) {
        return error_set(e, ERR_CORRUPT_RECORD, "%zu records in a body of %zu bytes", types,
                         body.len);
    }
    for (size_t i = 0; i < types; i++) {
        TRY(check_type(body.data[i], e));
    }
    rest = bytes_slice(body, types, body.len - types);
    TRY(arrow_message_parse(rest, &message, e));
    if (message.row_count != header->record_count) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "an Arrow message of %" PRId64 " rows in a batch of %" PRId32,
                         message.row_count, header->record_count);
    }
    if (message.body_at > rest.len || message.body_size > rest.len - message.body_at) {
        return error_set(e, ERR_CORRUPT_RECORD, "an Arrow body of %zu bytes, %zu are there",
                         message.body_size, rest.len);
    }
    return arrow_message_check(&message, &p->layout, e);
}

static enum errcode check_rows(struct verify_payload *p, const struct batch_header *header,
                               struct bytes body, struct error *e)
{
    bool indexed = p->table->options->log_format == LOG_FORMAT_INDEXED;
    struct row_format format = {.layout = indexed ? ROW_INDEXED : ROW_COMPACTED,
                                .row = p->schema->row};
    struct reader in = reader_of(body);

    for (int32_t i = 0; i < header->record_count; i++) {
        struct reader record = reader_of(reader_bytes(&in, reader_u32le(&in)));
        uint8_t type = reader_u8(&record);
        const struct row_value *values;

        if (in.failed || record.failed) {
            return error_set(e, ERR_CORRUPT_RECORD, "record %" PRId32 " is cut short", i);
        }
        TRY(check_type(type, e));
        arena_reset(&p->scratch);
        TRY(row_decode(format, record.rest, &p->scratch, &values, e));
    }
    return in.rest.len == 0
               ? ERR_OK
               : error_set(e, ERR_CORRUPT_RECORD, "%zu bytes behind the last record", in.rest.len);
}

enum errcode verify_payload_check(struct verify_payload *p, const struct batch_header *header,
                                  struct bytes data, struct error *e)
{
    struct bytes body = batch_body(header, data);

    if (header->record_count == 0) {
        return body.len == 0 ? ERR_OK
                             : error_set(e, ERR_CORRUPT_RECORD,
                                         "a batch without records has %zu bytes of them", body.len);
    }
    TRY(take_schema(p, header->schema_id, e));
    if (p->table->options->log_format == LOG_FORMAT_ARROW) {
        return check_arrow(p, header, body, e);
    }
    return check_rows(p, header, body, e);
}
