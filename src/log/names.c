#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OFFSET_DIGITS ((size_t)20)

static const char *const suffixes[] = {
    [LOG_FILE_DATA] = ".log",
    [LOG_FILE_OFFSET_INDEX] = ".index",
    [LOG_FILE_TIME_INDEX] = ".timeindex",
    [LOG_FILE_WRITER_SNAPSHOT] = ".writer_snapshot",
};

/* The leading 20 digits; false when there are fewer or they exceed an offset. */
static bool parse_offset(const char *name, int64_t *ret)
{
    int64_t offset = 0;

    for (size_t i = 0; i < OFFSET_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9' ||
            __builtin_mul_overflow(offset, (int64_t)10, &offset) ||
            __builtin_add_overflow(offset, (int64_t)(name[i] - '0'), &offset)) {
            return false;
        }
    }
    *ret = offset;
    return true;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

struct log_name log_name_parse(const char *name)
{
    struct log_name parsed = {.kind = LOG_FILE_FOREIGN};
    const char *suffix;

    if (!parse_offset(name, &parsed.offset)) {
        return parsed;
    }
    suffix = name + OFFSET_DIGITS;
    for (size_t kind = 0; kind < ARRAY_LEN(suffixes); kind++) {
        if (strcmp(suffix, suffixes[kind]) == 0) {
            parsed.kind = (enum log_file_kind)kind;
            return parsed;
        }
    }
    if (ends_with(suffix, ".deleted") || ends_with(suffix, ".tmp")) {
        parsed.kind = LOG_FILE_DOOMED;
    }
    return parsed;
}

void log_path(char ret[LOG_PATH_MAX], const char *dir, int64_t offset, enum log_file_kind kind)
{
    int len;

    ASSERT(offset >= 0 && kind <= LOG_FILE_WRITER_SNAPSHOT);
    len = snprintf(ret, LOG_PATH_MAX, "%s/%020" PRId64 "%s", dir, offset, suffixes[kind]);
    ASSERT(len > 0 && len < LOG_PATH_MAX);
}
