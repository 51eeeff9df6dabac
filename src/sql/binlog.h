/* Rows of "t$binlog" from those of a changelog: the two rows of an update, which follow each other in one
 * batch, become one. Pure. Thread: any. */
#ifndef SQL_BINLOG_H
#define SQL_BINLOG_H

#include "base/bytes.h"

struct binlog_row {
    const char *change; /* "insert", "update", "delete" */
    size_t first;       /* row of the changelog that it begins with */
    size_t count;       /* rows of the changelog that it consists of */
    bool has_before;    /* it is the first row */
    bool has_after;     /* it is the last row */
};

/* types: change types of a batch of count rows; NULL: all are appended. at < count. Where changelogs have
 * no images from before an update, updates have none either. */
struct binlog_row binlog_next(const uint8_t *types, size_t count, size_t at);

#endif
