#include "spool.h"

#include <inttypes.h>

/* Counts what the file is to have; more than is allowed counts nothing. */
static enum errcode grow(struct spool *s, uint64_t size, struct error *e)
{
    uint64_t more = size - s->size;
    uint64_t before = atomic_fetch_add(&s->engine->spooled, more);

    ASSERT(size >= s->size);
    if (before + more > s->engine->options.spool_bytes) {
        (void)atomic_fetch_sub(&s->engine->spooled, more);
        return error_set(e, ERR_DISK_FULL,
                         "files of COPY have more than %" PRIu64
                         " bytes together, the option eider.sql.spool",
                         s->engine->options.spool_bytes);
    }
    s->size = size;
    return ERR_OK;
}

enum errcode spool_open(struct sql_engine *engine, struct spool *ret, struct error *e)
{
    struct spool s = {.engine = engine};

    TRY(file_open_unnamed(engine->options.spool_dir, &s.file, e));
    *ret = s;
    return ERR_OK;
}

void spool_close(struct spool *s)
{
    if (s->file != NULL) {
        (void)atomic_fetch_sub(&s->engine->spooled, s->size);
        s->file = file_unref(s->file);
    }
}

enum errcode spool_add(struct spool *s, struct bytes bytes, struct error *e)
{
    uint64_t at = s->size;

    TRY(grow(s, at + bytes.len, e));
    return file_write_at(s->file, at, bytes, e);
}

enum errcode spool_grown(struct spool *s, struct error *e)
{
    uint64_t size = 0;

    TRY(file_size(s->file, &size, e));
    return size <= s->size ? ERR_OK : grow(s, size, e);
}
