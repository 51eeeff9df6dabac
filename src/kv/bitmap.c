/* Containers of roaring bitmaps and their union, see bitmap.h. */
#include "bitmap.h"

#define WORDS       1024
#define BITSET_SIZE ((size_t)WORDS * 8)
#define ARRAY_MAX   4096
#define NUMBER_SIZE 2
#define RUN_SIZE    4
#define NUMBER_MAX  0xffffu

/* All numbers of a container. */
struct bitset {
    uint64_t words[WORDS];
};

static enum errcode corrupt(struct error *e, const char *what)
{
    return error_set(e, ERR_CORRUPT_RECORD, "not a roaring bitmap: %s", what);
}

/* ---- reading ---- */

static enum errcode check_array(struct bytes data, struct error *e)
{
    for (size_t at = NUMBER_SIZE; at < data.len; at += NUMBER_SIZE) {
        if (get_u16le(data.data + at) <= get_u16le(data.data + at - NUMBER_SIZE)) {
            return corrupt(e, "an array that is not ascending");
        }
    }
    return ERR_OK;
}

static enum errcode check_bitset(struct bytes data, uint32_t cardinality, struct error *e)
{
    uint32_t count = 0;

    for (size_t at = 0; at < data.len; at += 8) {
        count += (uint32_t)__builtin_popcountll(get_u64le(data.data + at));
    }
    return count == cardinality ? ERR_OK : corrupt(e, "a bitset of another cardinality");
}

/* data: with the count in front. */
static enum errcode check_runs(struct bytes data, uint32_t *ret_cardinality, struct error *e)
{
    uint32_t next = 0; /* the smallest number a run may start with */
    uint32_t cardinality = 0;

    for (size_t at = NUMBER_SIZE; at < data.len; at += RUN_SIZE) {
        uint32_t first = get_u16le(data.data + at);
        uint32_t more = get_u16le(data.data + at + NUMBER_SIZE);

        if (first < next || first + more > NUMBER_MAX) {
            return corrupt(e, "runs that overlap");
        }
        next = first + more + 1;
        cardinality += more + 1;
    }
    *ret_cardinality = cardinality;
    return cardinality > 0 ? ERR_OK : corrupt(e, "an empty container");
}

enum errcode bitmap_container_read(struct reader *r, enum bitmap_kind kind, uint32_t cardinality,
                                   struct bitmap_container *ret, struct error *e)
{
    struct reader ahead = *r;
    size_t size = BITSET_SIZE;

    if (kind == BITMAP_RUN) {
        size = NUMBER_SIZE + (size_t)reader_u16le(&ahead) * RUN_SIZE;
    } else if (cardinality == 0 || cardinality > NUMBER_MAX + 1) {
        return corrupt(e, "a container of an impossible cardinality");
    } else if (kind == BITMAP_ARRAY) {
        size = (size_t)cardinality * NUMBER_SIZE;
    }
    ret->kind = kind;
    ret->cardinality = cardinality;
    ret->data = reader_bytes(r, size);
    if (r->failed) {
        return corrupt(e, "a container cut short");
    }
    return kind == BITMAP_RUN      ? check_runs(ret->data, &ret->cardinality, e)
           : kind == BITMAP_BITSET ? check_bitset(ret->data, cardinality, e)
                                   : check_array(ret->data, e);
}

/* ---- containers as bitsets ---- */

static void set_range(struct bitset *b, uint32_t first, uint32_t last)
{
    for (uint32_t word = first / 64; word <= last / 64; word++) {
        uint64_t bits = UINT64_MAX;

        bits &= word == first / 64 ? UINT64_MAX << first % 64 : UINT64_MAX;
        bits &= word == last / 64 ? UINT64_MAX >> (63 - last % 64) : UINT64_MAX;
        b->words[word] |= bits;
    }
}

static void add_container(struct bitset *b, const struct bitmap_container *c)
{
    const uint8_t *p = c->data.data;

    switch (c->kind) {
    case BITMAP_RUN:
        for (size_t at = NUMBER_SIZE; at < c->data.len; at += RUN_SIZE) {
            uint32_t first = get_u16le(p + at);

            set_range(b, first, first + get_u16le(p + at + NUMBER_SIZE));
        }
        break;
    case BITMAP_BITSET:
        for (size_t i = 0; i < WORDS; i++) {
            b->words[i] |= get_u64le(p + i * 8);
        }
        break;
    case BITMAP_ARRAY:
        for (size_t at = 0; at < c->data.len; at += NUMBER_SIZE) {
            b->words[get_u16le(p + at) / 64] |= UINT64_C(1) << get_u16le(p + at) % 64;
        }
        break;
    }
}

/* The next number that is (or, with `set` false, is not) in b; NUMBER_MAX + 1: none. */
static uint32_t find_from(const struct bitset *b, uint32_t from, bool set)
{
    for (uint32_t word = from / 64; word < WORDS; word++) {
        uint64_t bits = set ? b->words[word] : ~b->words[word];

        bits &= word == from / 64 ? UINT64_MAX << from % 64 : UINT64_MAX;
        if (bits != 0) {
            return word * 64 + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return NUMBER_MAX + 1;
}

static uint32_t count_runs(const struct bitset *b)
{
    uint32_t runs = 0;
    uint64_t before = 0; /* the last bit of the word before */

    for (size_t i = 0; i < WORDS; i++) {
        uint64_t starts = b->words[i] & ~(b->words[i] << 1 | before);

        runs += (uint32_t)__builtin_popcountll(starts);
        before = b->words[i] >> 63;
    }
    return runs;
}

static void write_runs(const struct bitset *b, struct writer *w)
{
    for (uint32_t first = find_from(b, 0, true); first <= NUMBER_MAX;) {
        uint32_t end = find_from(b, first, false);

        writer_u16le(w, (uint16_t)first);
        writer_u16le(w, (uint16_t)(end - first - 1));
        first = end <= NUMBER_MAX ? find_from(b, end, true) : end;
    }
}

static void write_numbers(const struct bitset *b, struct writer *w)
{
    for (size_t i = 0; i < WORDS; i++) {
        for (uint64_t rest = b->words[i]; rest != 0; rest &= rest - 1) {
            writer_u16le(w, (uint16_t)(i * 64 + (size_t)__builtin_ctzll(rest)));
        }
    }
}

/* The smallest form of b, which is not empty. */
static void from_bitset(const struct bitset *b, struct arena *arena, struct bitmap_container *ret)
{
    uint32_t runs = count_runs(b);
    size_t run_size = NUMBER_SIZE + (size_t)runs * RUN_SIZE;
    size_t size;
    struct writer w;

    ret->cardinality = 0;
    for (size_t i = 0; i < WORDS; i++) {
        ret->cardinality += (uint32_t)__builtin_popcountll(b->words[i]);
    }
    ret->kind = ret->cardinality <= ARRAY_MAX ? BITMAP_ARRAY : BITMAP_BITSET;
    size = ret->kind == BITMAP_ARRAY ? (size_t)ret->cardinality * NUMBER_SIZE : BITSET_SIZE;
    if (run_size < size) {
        ret->kind = BITMAP_RUN;
        size = run_size;
    }
    w = writer_of(arena_alloc(arena, size), size);
    if (ret->kind == BITMAP_RUN) {
        writer_u16le(&w, (uint16_t)runs);
        write_runs(b, &w);
    } else if (ret->kind == BITMAP_ARRAY) {
        write_numbers(b, &w);
    } else {
        for (size_t i = 0; i < WORDS; i++) {
            writer_u64le(&w, b->words[i]);
        }
    }
    ASSERT(w.len == size);
    ret->data = bytes_of(w.data, size);
}

/* ---- union ---- */

static bool is_smallest_array(const struct bitmap_container *c)
{
    size_t runs = 1;

    if (c->kind != BITMAP_ARRAY || c->cardinality > ARRAY_MAX) {
        return false;
    }
    for (size_t at = NUMBER_SIZE; at < c->data.len; at += NUMBER_SIZE) {
        runs += get_u16le(c->data.data + at) != get_u16le(c->data.data + at - NUMBER_SIZE) + 1;
    }
    return c->data.len <= NUMBER_SIZE + runs * RUN_SIZE;
}

/* The container with the numbers of a and, unless NULL, b. */
static void unite(const struct bitmap_container *a, const struct bitmap_container *b,
                  struct arena *arena, struct bitmap_container *ret)
{
    struct bitset all = {{0}};

    *ret = *a;
    if (b == NULL && is_smallest_array(a)) {
        return; /* what most containers of most bitmaps are */
    }
    add_container(&all, a);
    if (b != NULL) {
        add_container(&all, b);
    }
    from_bitset(&all, arena, ret);
}

static struct bitmap_list unite_lists(const struct bitmap_list *a, const struct bitmap_list *b,
                                      struct arena *arena)
{
    struct bitmap_list out = {.items =
                                  arena_alloc(arena, (a->count + b->count) * sizeof *out.items)};
    size_t i = 0;
    size_t k = 0;

    while (i < a->count || k < b->count) {
        const struct bitmap_container *left = i < a->count ? &a->items[i] : NULL;
        const struct bitmap_container *right = k < b->count ? &b->items[k] : NULL;

        if (left != NULL && right != NULL && left->key != right->key) {
            *(left->key < right->key ? &right : &left) = NULL;
        }
        i += left != NULL;
        k += right != NULL;
        unite(left != NULL ? left : right, left != NULL ? right : NULL, arena,
              &out.items[out.count++]);
    }
    return out;
}

enum errcode bitmap_union(enum bitmap_width width, struct bytes a, struct bytes b,
                          struct arena *arena, struct bytes *ret, struct error *e)
{
    struct bitmap_list lists[2];
    struct bitmap_list both;

    if (width == BITMAP_32) {
        TRY(bitmap32_read(a, arena, &lists[0], e));
        TRY(bitmap32_read(b, arena, &lists[1], e));
    } else {
        TRY(bitmap64_read(a, arena, &lists[0], e));
        TRY(bitmap64_read(b, arena, &lists[1], e));
    }
    both = unite_lists(&lists[0], &lists[1], arena);
    *ret = width == BITMAP_32 ? bitmap32_write(&both, arena) : bitmap64_write(&both, arena);
    return ERR_OK;
}
