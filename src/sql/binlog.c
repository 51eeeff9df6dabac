#include "binlog.h"

/* Change types as batches have them (format/batch.h). */
enum { CHANGE_APPEND = 0, CHANGE_UPDATE_BEFORE = 2, CHANGE_UPDATE_AFTER = 3, CHANGE_DELETE = 4 };

struct binlog_row binlog_next(const uint8_t *types, size_t count, size_t at)
{
    struct binlog_row row = {.change = "insert", .first = at, .count = 1, .has_after = true};
    uint8_t type = types == NULL ? CHANGE_APPEND : types[at];

    ASSERT(at < count);
    if (type == CHANGE_UPDATE_BEFORE || type == CHANGE_UPDATE_AFTER) {
        row.change = "update";
        row.has_before = type == CHANGE_UPDATE_BEFORE;
        row.count =
            row.has_before && at + 1 < count && types[at + 1] == CHANGE_UPDATE_AFTER ? 2 : 1;
        row.has_after = !row.has_before || row.count == 2;
    } else if (type == CHANGE_DELETE) {
        row.change = "delete";
        row.has_before = true;
        row.has_after = false;
    }
    return row;
}
