/* Reading column statistics; the bytes are drawn in stats.h. */
#include "stats.h"

#include <inttypes.h>

#define STATS_VERSION 1

static struct bytes read_row(struct reader *r);

enum errcode stats_parse(struct bytes section, struct stats *ret, struct error *e)
{
    struct reader r = reader_of(section);
    uint8_t version = reader_u8(&r);
    int16_t count = reader_i16le(&r);
    struct stats stats = {0};
    struct bytes min;
    struct bytes max;

    if (r.failed || version != STATS_VERSION || count <= 0) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "statistics of %zu bytes, version %u, %" PRId16 " columns", section.len,
                         version, count);
    }
    stats.column_count = (size_t)count;
    stats.positions = reader_bytes(&r, 2 * stats.column_count).data;
    stats.null_counts = reader_bytes(&r, 4 * stats.column_count).data;
    min = read_row(&r);
    max = read_row(&r);
    if (r.failed) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "statistics of %" PRId16 " columns cut short at %zu", count, section.len);
    }
    TRY(aligned_row_init(&stats.min, min, stats.column_count, e));
    TRY(aligned_row_init(&stats.max, max, stats.column_count, e));
    *ret = stats;
    return ERR_OK;
}

static struct bytes read_row(struct reader *r)
{
    /* A negative size becomes one that never fits. */
    return reader_bytes(r, reader_u32le(r));
}

enum errcode stats_column(const struct stats *stats, uint32_t position, const struct type *type,
                          struct stats_column *ret, struct error *e)
{
    struct stats_column column;
    size_t i = 0;

    while (i < stats->column_count && get_u16le(stats->positions + 2 * i) != position) {
        i++;
    }
    if (i == stats->column_count) {
        return error_set(e, ERR_INVALID_ARGUMENT, "no statistics for column %" PRIu32, position);
    }
    column.null_count = get_i32le(stats->null_counts + 4 * i);
    TRY(aligned_row_get(&stats->min, i, type, &column.min, e));
    TRY(aligned_row_get(&stats->max, i, type, &column.max, e));
    *ret = column;
    return ERR_OK;
}
