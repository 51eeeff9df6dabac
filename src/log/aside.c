#include "aside.h"

#include <inttypes.h>
#include <stdio.h>

#define COPY_SIZE ((size_t)256 * 1024)

/* Appends ".aside" to the name in path, with a number when that name is taken. */
static void choose_name(char path[LOG_PATH_MAX + 64])
{
    size_t len = strlen(path);

    ASSERT(len + 32 < LOG_PATH_MAX + 64);
    (void)snprintf(path + len, 32, ".aside");
    for (unsigned n = 1; path_exists(path); n++) {
        (void)snprintf(path + len, 32, ".%u.aside", n);
    }
}

static bool all_zero(const uint8_t *p, size_t len)
{
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Zeros become a hole of the copy: a tail allocated in advance takes no space twice. */
static enum errcode copy_range(struct file *from, uint64_t position, uint64_t end, struct file *to,
                               struct error *e)
{
    OWNED(mem_freep) uint8_t *buffer = mem_alloc(COPY_SIZE);
    uint64_t start = position;

    while (position < end) {
        size_t want = end - position < COPY_SIZE ? (size_t)(end - position) : COPY_SIZE;

        TRY(file_read_at(from, position, buffer, want, e));
        if (!all_zero(buffer, want)) {
            TRY(file_write_at(to, position - start, bytes_of(buffer, want), e));
        }
        position += want;
    }
    TRY(file_truncate(to, end - start, e));
    return file_sync(to, e);
}

enum errcode aside_tail(struct segment *s, struct aside *ret, struct error *e)
{
    OWNED(file_unrefp) struct file *copy = NULL;
    uint64_t end = 0;
    size_t len;

    s->file = file_unref(s->file);
    TRY(segment_open(s, FILE_WRITE, e));
    TRY(file_size(s->file, &end, e));
    ASSERT(end >= s->size);
    log_path(ret->path, s->dir, s->base_offset, LOG_FILE_DATA);
    len = strlen(ret->path);
    (void)snprintf(ret->path + len, sizeof ret->path - len, ".%" PRIu64, s->size);
    choose_name(ret->path);
    TRY(file_open(ret->path, FILE_CREATE_NEW, &copy, e));
    TRY(copy_range(s->file, s->size, end, copy, e));
    TRY(dir_sync(s->dir, e));
    TRY(file_truncate(s->file, s->size, e));
    ret->bytes = end - s->size;
    return file_sync(s->file, e);
}

static enum errcode remove_indexes(const char *dir, int64_t base_offset, struct error *e)
{
    char path[LOG_PATH_MAX];

    log_path(path, dir, base_offset, LOG_FILE_OFFSET_INDEX);
    TRY(path_remove(path, e));
    log_path(path, dir, base_offset, LOG_FILE_TIME_INDEX);
    return path_remove(path, e);
}

enum errcode aside_segment(const char *dir, int64_t base_offset, struct aside *ret, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;
    char from[LOG_PATH_MAX];

    log_path(from, dir, base_offset, LOG_FILE_DATA);
    TRY(file_open(from, FILE_READ, &file, e));
    TRY(file_size(file, &ret->bytes, e));
    (void)snprintf(ret->path, sizeof ret->path, "%s", from);
    choose_name(ret->path);
    TRY(path_rename(from, ret->path, e));
    return remove_indexes(dir, base_offset, e);
}

enum errcode aside_remove_empty(const char *dir, int64_t base_offset, struct error *e)
{
    char path[LOG_PATH_MAX];

    log_path(path, dir, base_offset, LOG_FILE_DATA);
    TRY(path_remove(path, e));
    return remove_indexes(dir, base_offset, e);
}
