/* Automatic partitions: the value of a time unit, and which partitions to create and drop.
 *
 * One partition key carries time, in units of a year, quarter, month, day or hour of the table's
 * zone. Its value is the unit in a pattern, by default
 *   YEAR yyyy   QUARTER yyyyQ   MONTH yyyyMM   DAY yyyyMMdd   HOUR yyyyMMddHH
 * A custom pattern has exactly the fields of the unit in this order and these widths (yyyy or
 * uuuu, Q or q, MM or LL, dd, HH) between literals, quoted with ' where they are letters. So the
 * order of texts is the order of time, and "older" is a string comparison.
 *
 * Everything here is a pure function of the time it is given. Thread: any.
 */
#ifndef FORMAT_AUTO_PARTITION_H
#define FORMAT_AUTO_PARTITION_H

#include "partition.h"
#include "tz.h"

enum partition_unit {
    PARTITION_YEAR,
    PARTITION_QUARTER,
    PARTITION_MONTH,
    PARTITION_DAY,
    PARTITION_HOUR,
    PARTITION_UNIT_COUNT
};

/* The table.auto-partition.* options. */
struct auto_partition {
    bool enabled;
    enum partition_unit unit;
    const char *key;    /* NULL: the first partition key */
    const char *format; /* NULL: by unit */
    const char *zone;   /* NULL: the zone of the server */
    int32_t precreate;  /* units from the current one on to keep ready */
    int32_t retention;  /* past units to keep; < 0: all */
};

/* A pattern, compiled. */
struct partition_format {
    size_t count;
    struct {
        char field; /* 'y', 'Q', 'M', 'd', 'H'; 0: literal */
        char literal;
    } items[NAME_LEN_MAX];
};

/* format NULL: the default of the unit. ERR_INVALID_TABLE when the pattern does not have the
 * fields of the unit, or makes values that are not legal. */
MUST_USE enum errcode partition_format_parse(const char *format, enum partition_unit unit,
                                             struct partition_format *ret, struct error *e);
/* Whether text is a value of this format; a day of 29..31 need not exist in its month. */
bool partition_format_matches(const struct partition_format *format, const char *text);

/* A table at a moment. */
struct auto_partition_state {
    const struct auto_partition *options;
    struct text_list partition_keys;
    const struct tz *tz; /* of options->zone */
    int64_t now_ms;
};

/* The value of the unit that lies `offset` units after (before, when negative) the moment. */
const char *auto_partition_value(const struct auto_partition_state *state,
                                 const struct partition_format *format, int32_t offset,
                                 struct arena *arena);

/* Position of the key that carries time; -1 when options->key is not a partition key. */
int32_t auto_partition_key(const struct auto_partition *options, struct text_list partition_keys);

/* For a partition a user creates: while automatic partitioning is enabled or a format is set, the
 * value of the time key must have the format and, when enabled, not lie before the retention.
 * ERR_PARTITION_SPEC_INVALID. values are those of the partition keys, in their order. */
MUST_USE enum errcode auto_partition_check(const struct auto_partition_state *state,
                                           struct text_list values, struct error *e);

struct auto_partition_plan {
    struct text_list create; /* partition names, oldest first */
    struct text_list drop;   /* names out of `existing` */
};

/* What to do for the partitions that exist (by name). Tables with several partition keys get none
 * created, and retention looks at the time key only; system partitions are left alone. Both lists
 * are empty when automatic partitioning is disabled. ERR_INVALID_TABLE for a bad format. */
MUST_USE enum errcode auto_partition_plan(const struct auto_partition_state *state,
                                          struct text_list existing, struct arena *arena,
                                          struct auto_partition_plan *ret, struct error *e);

#endif
