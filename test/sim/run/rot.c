#include "rot.h"

#include <stdlib.h>
#include <string.h>

#include "format/batch.h"
#include "log/log.h"

#define DATA            "/data"
#define CLEAN_MARKER    DATA "/.fluss_cleanshutdown"
#define RECOVERY_POINTS DATA "/recovery-point-offset-checkpoint"
#define TRIES           64
#define SECTOR          512

enum kind {
    KIND_DATA,
    KIND_INDEX,    /* of a log, or a snapshot of its writers */
    KIND_STATE,    /* of a primary-key table */
    KIND_SNAPSHOT, /* of that; of which bucket is not known */
    KINDS,
    KIND_OTHER
};

/* A file of a bucket. */
struct found {
    const char *path;
    struct bytes device;
    struct place place;
    enum kind kind;
    const char *dir; /* in the arena */
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);

    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

/* The number behind the last '-' before `end`; *ret_p: it is that of a partition, "name-p7". */
static int64_t number_before(const char *path, const char *end, bool *ret_p)
{
    const char *at = end;

    while (at > path && at[-1] != '-') {
        at--;
    }
    *ret_p = *at == 'p';
    return strtoll(*ret_p ? at + 1 : at, NULL, 10);
}

static enum kind kind_of(const char *path)
{
    if (strstr(path, "/snap-") != NULL) {
        return KIND_SNAPSHOT;
    }
    if (strstr(path, "/kv-") != NULL) {
        return ends_with(path, "/rows") ? KIND_STATE : KIND_OTHER;
    }
    if (strstr(path, "/log-") == NULL) {
        return KIND_OTHER;
    }
    return ends_with(path, ".log")                                           ? KIND_DATA
           : ends_with(path, "index") || ends_with(path, ".writer_snapshot") ? KIND_INDEX
                                                                             : KIND_OTHER;
}

/* /data/sim/t0-4/log-2/..., /data/sim/t0-4/a-p9/log-2/..., the same with kv-. */
static void find_place(struct found *f, struct arena *arena)
{
    const char *log = strstr(f->path, "/log-");
    const char *leaf = log == NULL ? strstr(f->path, "/kv-") : log;
    bool partitioned = false;
    const char *slash;

    f->place.bucket = (int32_t)strtol(strchr(leaf, '-') + 1, NULL, 10);
    f->place.table = number_before(f->path, leaf, &partitioned);
    f->place.partition = -1;
    if (partitioned) {
        f->place.partition = f->place.table;
        for (slash = leaf - 1; *slash != '/'; slash--) {
        }
        f->place.table = number_before(f->path, slash, &partitioned);
    }
    f->dir = arena_strndup(arena, f->path, (size_t)(strchr(leaf + 1, '/') - f->path));
}

/* Whether such a file may be hit in its bucket. */
static bool fits(const struct found *f)
{
    bool data = (f->place.table + f->place.bucket) % 2 == 0;

    return f->kind == KIND_SNAPSHOT || data == (f->kind == KIND_DATA);
}

/* ---- how far a log is safe from being taken for the work of a crash ---- */

static int64_t safe_offset(struct disk *d, const struct place *place, struct arena *arena)
{
    const struct checkpoint_entry *entry;
    struct checkpoint c;

    if (disk_kind(d, CLEAN_MARKER) != DISK_NOTHING) {
        return INT64_MAX;
    }
    if (checkpoint_parse(disk_device(d, RECOVERY_POINTS), arena, &c, NULL) != ERR_OK) {
        return 0;
    }
    entry = checkpoint_find(&c, place->table, place->partition, place->bucket);
    return entry == NULL ? 0 : entry->offset;
}

/* The end of the last batch below the offset; 0 when one below it was hit already: what lies between
 * two hits may be lost with them, for nothing confirms its offsets. */
static uint64_t safe_bytes(struct bytes file, int64_t offset)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    uint64_t end = 0;
    int64_t next = -1;

    batch_iterator_init(&it, file);
    while (next < offset) {
        if (batch_next(&it, &batch, &found, NULL) != ERR_OK) {
            return 0;
        }
        if (!found || batch_next_offset(&batch.header) > offset) {
            break;
        }
        if (batch_check_crc(&batch.header, batch.data, NULL) != ERR_OK ||
            (next >= 0 && batch.header.base_offset != next)) {
            return 0;
        }
        next = batch_next_offset(&batch.header);
        end = batch.position + batch.header.size;
    }
    return end;
}

/* ---- the hit ---- */

static struct disk_rot draw(struct prng *prng, uint64_t size, bool hidden)
{
    struct disk_rot rot = {.from = prng_below(prng, size), .len = 1, .hidden = hidden};

    if (prng_below(prng, 3) > 0) {
        rot.flip = (uint8_t)(1u << prng_below(prng, 8));
        return rot;
    }
    rot.from = rot.from / SECTOR * SECTOR;
    rot.len = size - rot.from < SECTOR ? size - rot.from : SECTOR;
    return rot;
}

/* Batches that have bytes there. */
static void note(struct workload *load, const struct found *f, const struct disk_rot *rot)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    batch_iterator_init(&it, f->device);
    while (batch_next(&it, &batch, &found, NULL) == ERR_OK && found &&
           batch.position < rot->from + rot->len) {
        if (batch.position + batch.header.size > rot->from) {
            workload_decay(load, &(struct decay){.place = f->place,
                                                 .from = batch.header.base_offset,
                                                 .end = batch_next_offset(&batch.header),
                                                 .dir = f->dir});
        }
    }
}

static bool strike(struct world *w, struct workload *load, struct prng *prng, const struct found *f,
                   bool hidden)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint64_t size = f->device.len;
    struct found before = *f;
    struct disk_rot rot;

    if (f->kind == KIND_DATA) {
        size = safe_bytes(f->device, safe_offset(world_disk(w), &f->place, &arena));
    }
    if (size == 0) {
        return false;
    }
    before.device = arena_copy(&arena, f->device);
    rot = draw(prng, size, hidden);
    if (!disk_rot(world_disk(w), f->path, &rot)) {
        return false;
    }
    if (f->kind == KIND_DATA) {
        note(load, &before, &rot);
    }
    return true;
}

bool rot_strike(struct world *w, struct workload *load, struct prng *prng, bool hidden)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char **paths;
    size_t count = disk_files(world_disk(w), &arena, &paths);
    enum kind kind = (enum kind)prng_below(prng, KINDS);

    for (int i = 0; i < TRIES && count > 0; i++) {
        struct found f = {.path = paths[prng_below(prng, count)]};

        f.kind = kind_of(f.path);
        if (f.kind != kind) {
            continue;
        }
        f.device = disk_device(world_disk(w), f.path);
        if (f.kind != KIND_SNAPSHOT) {
            find_place(&f, &arena);
        }
        if (fits(&f) && strike(w, load, prng, &f, hidden)) {
            return true;
        }
    }
    return false;
}
