#include "store_reached.h"

#include "base/crc32c.h"
#include "io/file.h"

#define REACHED_FORMAT 1
#define REACHED_SIZE   24
#define REACHED_MAX    ((size_t)4096) /* no file of ours is larger */

static const uint8_t reached_magic[8] = {'E', 'I', 'D', 'R', 'S', 'E', 'Q', 'N'};

char *reached_path(const char *dir, struct arena *arena)
{
    return arena_printf(arena, "%s/reached", dir);
}

enum errcode reached_write(const char *dir, uint64_t sequence, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t raw[REACHED_SIZE];
    struct writer w = writer_of(raw, sizeof raw);

    writer_bytes(&w, bytes_of(reached_magic, sizeof reached_magic));
    writer_u32le(&w, REACHED_FORMAT);
    writer_u64le(&w, sequence);
    writer_u32le(&w, crc32c(bytes_of(raw, w.len)));
    ASSERT(w.len == sizeof raw);
    return file_replace(reached_path(dir, &arena), bytes_of(raw, sizeof raw), e);
}

enum errcode reached_read(const char *dir, uint64_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = reached_path(dir, &arena);
    struct bytes file = BYTES_EMPTY;
    bool exists = false;
    struct reader r;
    struct bytes magic;
    uint32_t format;
    uint64_t sequence;
    uint32_t crc;

    TRY(file_read_whole(path, REACHED_MAX, &arena, &file, &exists, e));
    if (!exists) {
        *ret = 0;
        return ERR_OK;
    }
    r = reader_of(file);
    magic = reader_bytes(&r, sizeof reached_magic);
    format = reader_u32le(&r);
    sequence = reader_u64le(&r);
    crc = reader_u32le(&r);
    if (r.failed || r.rest.len > 0 || format != REACHED_FORMAT ||
        !bytes_equal(magic, bytes_of(reached_magic, sizeof reached_magic)) ||
        crc != crc32c(bytes_slice(file, 0, REACHED_SIZE - 4))) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: the file is damaged", path);
    }
    *ret = sequence;
    return ERR_OK;
}
