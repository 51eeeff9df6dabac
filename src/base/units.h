/* Values of options as people write them: durations, memory sizes, numbers, booleans.
 *
 * The accepted texts are those of Fluss (ConfigurationUtils, TimeUtils, MemorySize):
 *   duration     digits, then d day h hour min m minute s sec second ms milli millisecond
 *                us (also with a micro sign) micro microsecond ns nano nanosecond, most also in
 *                the plural; "7d", "10 min", "100ms". No sign, no fraction, the unit is required.
 *   memory size  digits, then b bytes, k kb kibibytes, m mb mebibytes, g gb gibibytes,
 *                t tb tebibytes, each step 1024; the unit is required.
 *   boolean      true, false
 * Units and booleans in any case; white space around a duration or size and before its unit is
 * ignored. Errors are ERR_INVALID_ARGUMENT and say what was found and what is expected.
 * Thread: any.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "error.h"

/* Milliseconds, rounded down, >= 0. */
MUST_USE enum errcode units_parse_duration_ms(const char *text, int64_t *ret, struct error *e);
/* Bytes, >= 0. */
MUST_USE enum errcode units_parse_memory_size(const char *text, int64_t *ret, struct error *e);
MUST_USE enum errcode units_parse_bool(const char *text, bool *ret, struct error *e);
/* Decimal, optional sign, nothing else. */
MUST_USE enum errcode units_parse_i32(const char *text, int32_t *ret, struct error *e);
MUST_USE enum errcode units_parse_i64(const char *text, int64_t *ret, struct error *e);
/* A finite decimal number. */
MUST_USE enum errcode units_parse_double(const char *text, double *ret, struct error *e);

/* Enough for every text of the functions below. */
#define UNITS_TEXT_MAX 32

/* "7 d", "90 s", "0 ms": the largest unit that loses nothing. text has UNITS_TEXT_MAX bytes. */
void units_format_duration_ms(int64_t ms, char *text);
/* "512 mb", "1500 bytes" likewise. */
void units_format_memory_size(int64_t bytes, char *text);

/* Equal up to the case of ASCII letters. */
bool text_equal_ignore_case(const char *a, const char *b);

#endif
