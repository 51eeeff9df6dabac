#include "suspect.h"

#include "names.h"

#include <stdio.h>

#include "base/diag.h"

#define MARK       "sync_failed"
#define COPY_BYTES ((size_t)64 << 10)

static void mark_path(char ret[LOG_PATH_MAX], const char *dir)
{
    (void)snprintf(ret, LOG_PATH_MAX, "%s/" MARK, dir);
}

void suspect_mark(const char *dir)
{
    OWNED(file_unrefp) struct file *f = NULL;
    char path[LOG_PATH_MAX];
    struct error e;

    mark_path(path, dir);
    if (file_open(path, FILE_CREATE, &f, &e) != ERR_OK) {
        diag_error("log",
                   "%s: restart the machine, not only the server: a sync has failed, and this "
                   "cannot be noted: %s",
                   dir, e.message);
    }
}

bool suspect_is_marked(const char *dir)
{
    char path[LOG_PATH_MAX];

    mark_path(path, dir);
    return path_exists(path);
}

enum errcode suspect_rewrite(const struct file *f, struct error *e)
{
    OWNED(file_unrefp) struct file *out = NULL;
    OWNED(mem_freep) uint8_t *copy = mem_alloc(COPY_BYTES);
    uint64_t position = 0;
    size_t len;

    TRY(file_open(f->path, FILE_WRITE, &out, e));
    do {
        TRY(file_read_some(out, position, copy, COPY_BYTES, &len, e));
        TRY(file_write_at(out, position, bytes_of(copy, len), e));
        position += len;
    } while (len > 0);
    return ERR_OK;
}

enum errcode suspect_clear(const char *dir, struct error *e)
{
    char path[LOG_PATH_MAX];

    mark_path(path, dir);
    return path_remove(path, e);
}
