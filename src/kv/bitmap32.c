/* Roaring bitmaps of 32 bits, little-endian; containers are drawn in bitmap.h.
 *
 *   u32 12346, u32 n                without runs
 *   u32 12347 | (n - 1) << 16       with runs; then a bit for each container, set for runs, in
 *                                   (n + 7) / 8 bytes
 *   n x (u16 upper bits, u16 cardinality - 1), by ascending upper bits
 *   n x u32                         where each container starts; with runs only if n >= 4
 *   the containers: runs where the bit says so, else arrays up to a cardinality of 4096 and bitsets
 *   above
 */
#include "bitmap.h"

#define COOKIE          12346u
#define COOKIE_RUNS     12347u
#define ARRAY_MAX       4096
#define OFFSETS_MIN     4 /* containers, with runs */
#define CONTAINERS_MAX  0x10000u
#define DESCRIPTOR_SIZE 4
#define OFFSET_SIZE     4

static enum errcode corrupt(struct error *e, const char *what)
{
    return error_set(e, ERR_CORRUPT_RECORD, "not a roaring bitmap of 32 bits: %s", what);
}

static bool bit_of(struct bytes bits, size_t i)
{
    return bits.len > 0 && (bits.data[i / 8] >> i % 8 & 1) != 0;
}

/* Reads up to the descriptors. runs: a bit for each container; empty when there are none. */
static enum errcode read_header(struct reader *r, uint32_t *ret_count, struct bytes *runs,
                                struct error *e)
{
    uint32_t cookie = reader_u32le(r);

    *runs = BYTES_EMPTY;
    if ((cookie & 0xffff) == COOKIE_RUNS) {
        *ret_count = (cookie >> 16) + 1;
        *runs = reader_bytes(r, (*ret_count + 7) / 8);
    } else if (cookie == COOKIE) {
        *ret_count = reader_u32le(r);
    } else {
        return corrupt(e, "unknown cookie");
    }
    return r->failed || *ret_count > CONTAINERS_MAX ? corrupt(e, "header cut short") : ERR_OK;
}

enum errcode bitmap32_read(struct bytes in, struct arena *arena, struct bitmap_list *ret,
                           struct error *e)
{
    struct reader r = reader_of(in);
    struct reader descriptors;
    struct bytes runs;
    uint32_t count = 0;

    TRY(read_header(&r, &count, &runs, e));
    descriptors = reader_of(reader_bytes(&r, (size_t)count * DESCRIPTOR_SIZE));
    if (runs.len == 0 || count >= OFFSETS_MIN) {
        (void)reader_bytes(&r, (size_t)count * OFFSET_SIZE);
    }
    if (r.failed) {
        return corrupt(e, "header cut short");
    }
    ret->items = arena_array(arena, count, sizeof *ret->items);
    ret->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t key = reader_u16le(&descriptors);
        uint32_t cardinality = (uint32_t)reader_u16le(&descriptors) + 1;
        enum bitmap_kind kind = bit_of(runs, i)            ? BITMAP_RUN
                                : cardinality <= ARRAY_MAX ? BITMAP_ARRAY
                                                           : BITMAP_BITSET;

        if (i > 0 && key <= ret->items[i - 1].key) {
            return corrupt(e, "containers that are not ascending");
        }
        TRY(bitmap_container_read(&r, kind, cardinality, &ret->items[i], e));
        ret->items[i].key = key;
    }
    return ERR_OK;
}

/* ---- writing ---- */

static size_t header_size(size_t count, bool has_runs)
{
    size_t size = has_runs ? sizeof(uint32_t) + (count + 7) / 8 : 2 * sizeof(uint32_t);

    size += count * DESCRIPTOR_SIZE;
    return !has_runs || count >= OFFSETS_MIN ? size + count * OFFSET_SIZE : size;
}

static void write_runs(const struct bitmap_list *list, struct writer *w)
{
    size_t size = (list->count + 7) / 8;
    uint8_t *bits = writer_room(w, size);

    memset(bits, 0, size);
    for (size_t i = 0; i < list->count; i++) {
        bits[i / 8] |= (uint8_t)((list->items[i].kind == BITMAP_RUN) << i % 8);
    }
}

static void write_header(const struct bitmap_list *list, bool has_runs, struct writer *w)
{
    size_t offset = header_size(list->count, has_runs);

    if (has_runs) {
        writer_u32le(w, COOKIE_RUNS | (uint32_t)(list->count - 1) << 16);
        write_runs(list, w);
    } else {
        writer_u32le(w, COOKIE);
        writer_u32le(w, (uint32_t)list->count);
    }
    for (size_t i = 0; i < list->count; i++) {
        writer_u16le(w, (uint16_t)list->items[i].key);
        writer_u16le(w, (uint16_t)(list->items[i].cardinality - 1));
    }
    for (size_t i = 0; i < list->count && (!has_runs || list->count >= OFFSETS_MIN); i++) {
        writer_u32le(w, (uint32_t)offset);
        offset += list->items[i].data.len;
    }
}

struct bytes bitmap32_write(const struct bitmap_list *list, struct arena *arena)
{
    bool has_runs = false;
    size_t size = 0;
    struct writer w;

    ASSERT(list->count <= CONTAINERS_MAX);
    for (size_t i = 0; i < list->count; i++) {
        has_runs = has_runs || list->items[i].kind == BITMAP_RUN;
        size += list->items[i].data.len;
    }
    size += header_size(list->count, has_runs);
    w = writer_of(arena_alloc(arena, size), size);
    write_header(list, has_runs, &w);
    for (size_t i = 0; i < list->count; i++) {
        writer_bytes(&w, list->items[i].data);
    }
    ASSERT(w.len == size);
    return bytes_of(w.data, size);
}
