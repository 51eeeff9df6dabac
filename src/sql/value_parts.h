/* Inside sql/: single values in the forms of PostgreSQL, text and binary. Thread: any. */
#ifndef SQL_VALUE_PARTS_H
#define SQL_VALUE_PARTS_H

#include "duckdb.h"

#include "base/buffer.h"

void parts_u32be(uint32_t value, struct buffer *out);
/* Saturates; the two ends stand for infinities. */
int64_t parts_scale(int64_t value, int64_t factor);
bool parts_is_finite(double value);
/* The shortest digits that read back as the same number. */
void parts_real(double value, bool is_float, struct buffer *out);
void parts_real_binary(double value, bool is_float, struct buffer *out);
void parts_decimal(__int128 value, bool is_unsigned, unsigned scale, struct buffer *out);
void parts_hex(struct bytes b, struct buffer *out);
void parts_date(int32_t days, struct buffer *out);
void parts_time(int64_t micros, struct buffer *out);
void parts_timestamp(int64_t micros, bool utc, struct buffer *out);
void parts_interval(const struct duck_interval *i, struct buffer *out);
void parts_interval_binary(const struct duck_interval *i, struct buffer *out);
/* As DuckDB stores it. */
void parts_uuid(unsigned __int128 stored, struct buffer *out);
void parts_uuid_binary(unsigned __int128 stored, struct buffer *out);
/* Since 2000-01-01; infinities stay. */
int32_t parts_pg_date(int32_t days);
int64_t parts_pg_timestamp(int64_t micros);
void parts_json_string(struct bytes text, struct buffer *out);
/* Quoted when it has to be. */
void parts_array_element(struct bytes text, struct buffer *out);

#endif
