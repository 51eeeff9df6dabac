/* Rows of units with a length and a checksum: see mutate.h.
 *
 * An input is cut into units by the lengths that it states; what states none that fits is one last unit.
 * After the change each unit is sealed: its length is its size, its checksum that of its bytes. */
#include "mutate.h"

#include "mutate_dice.h"

#include "base/buffer.h"
#include "base/crc32c.h"
#include "format/batch.h"
#include "format/kv_batch.h"
#include "rpc/api.h"
#include "rpc/frame.h"

#define UNITS_MAX         64
#define JOURNAL_HEAD      12 /* magic, length, checksum */
#define JOURNAL_MIN       24
#define KV_RECORD_MIN     5
#define REQUEST_HEAD      12
#define ONE_BYTE_VARINT   0x7f
#define RECORD_LENGTH     4
#define FIRST_FILE_OFFSET 7 /* where test/fuzz/segment_recover_fuzz.c has its file begin */

/* What sealing one unit tells the next. */
struct seal {
    struct dice *dice;
    int64_t next;
};

struct unit_format {
    size_t prefix; /* bytes that tell the size */
    size_t min;    /* no unit is smaller */
    uint64_t (*size)(const uint8_t *prefix);
    size_t (*change)(uint8_t *unit, size_t size, size_t max, struct dice *dice);
    void (*seal)(uint8_t *unit, size_t size, struct seal *seal);
};

static size_t change_batch(uint8_t *unit, size_t size, size_t max, struct dice *dice);
static size_t change_kv_batch(uint8_t *unit, size_t size, size_t max, struct dice *dice);
static size_t change_plain(uint8_t *unit, size_t size, size_t max, struct dice *dice);
static size_t change_request(uint8_t *unit, size_t size, size_t max, struct dice *dice);
static void seal_batch(uint8_t *unit, size_t size, struct seal *seal);
static void seal_in_file(uint8_t *unit, size_t size, struct seal *seal);
static void seal_kv_batch(uint8_t *unit, size_t size, struct seal *seal);
static void seal_kv_record(uint8_t *unit, size_t size, struct seal *seal);
static void seal_request(uint8_t *unit, size_t size, struct seal *seal);
static void seal_journal(uint8_t *unit, size_t size, struct seal *seal);

static uint64_t batch_size(const uint8_t *p) { return (uint64_t)get_u32le(p + 8) + 12; }
static uint64_t le_size(const uint8_t *p) { return (uint64_t)get_u32le(p) + RECORD_LENGTH; }
static uint64_t be_size(const uint8_t *p) { return (uint64_t)get_u32be(p) + RPC_LENGTH_SIZE; }
static uint64_t journal_size(const uint8_t *p) { return (uint64_t)get_u32le(p + 4) + JOURNAL_HEAD; }

static const struct unit_format formats[] = {
    [MUTATE_LOG_BATCHES] = {12, BATCH_HEADER_SIZE_MAX, batch_size, change_batch, seal_batch},
    [MUTATE_LOG_FILE] = {12, BATCH_HEADER_SIZE_MAX, batch_size, change_batch, seal_in_file},
    [MUTATE_KV_BATCH] = {4, KV_BATCH_HEADER_SIZE, le_size, change_kv_batch, seal_kv_batch},
    [MUTATE_KV_RECORDS] = {4, KV_RECORD_MIN, le_size, change_plain, seal_kv_record},
    [MUTATE_FRAMES] = {4, REQUEST_HEAD, be_size, change_request, seal_request},
    [MUTATE_JOURNAL] = {8, JOURNAL_MIN, journal_size, change_plain, seal_journal},
};

static size_t split(const struct unit_format *f, struct bytes in, struct bytes units[UNITS_MAX]);
static size_t rearrange(struct bytes units[UNITS_MAX], size_t count, size_t at, struct dice *dice);
static size_t join(const struct unit_format *f, struct bytes *units, size_t count,
                   struct buffer *out, struct seal *seal);

size_t mutate_units(enum mutate_units kind, uint8_t *data, size_t size, size_t max, unsigned seed)
{
    const struct unit_format *f = &formats[kind];
    OWNED(buffer_fini) struct buffer changed = BUFFER_INIT;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct dice dice = dice_of(seed);
    struct seal seal = {.dice = &dice, .next = FIRST_FILE_OFFSET};
    struct bytes units[UNITS_MAX + 1];
    size_t count = split(f, bytes_of(data, size), units);
    size_t at = dice_roll(&dice, count);

    if (dice_roll(&dice, 8) == 0 || max < f->min) {
        return LLVMFuzzerMutate(data, size, max);
    }
    if (dice_roll(&dice, 3) > 0) {
        buffer_bytes(&changed, units[at]);
        (void)buffer_room(&changed, max + f->min);
        memset(changed.data + units[at].len, 0, max + f->min);
        units[at].len =
            f->change(changed.data, units[at].len < f->min ? f->min : units[at].len, max, &dice);
        units[at].data = changed.data;
    } else {
        count = rearrange(units, count, at, &dice);
    }
    size = join(f, units, count, &out, &seal);
    size = size < max ? size : max;
    if (size > 0) {
        memcpy(data, out.data, size);
    }
    return size;
}

/* At least one; the last takes all that is left when there are too many or their sizes do not fit. */
static size_t split(const struct unit_format *f, struct bytes in, struct bytes units[UNITS_MAX])
{
    size_t count = 0;

    do {
        uint64_t size = in.len >= f->prefix ? f->size(in.data) : in.len;

        size = size > in.len || size < f->min || count == UNITS_MAX - 1 ? in.len : size;
        units[count++] = bytes_of(in.data, size);
        in = bytes_slice(in, size, in.len - size);
    } while (in.len > 0);
    return count;
}

/* units has room for one more. */
static size_t rearrange(struct bytes units[UNITS_MAX], size_t count, size_t at, struct dice *dice)
{
    struct bytes unit = units[at];

    switch (dice_roll(dice, 3)) {
    case 0:
        memmove(units + at + 1, units + at, (count - at) * sizeof *units);
        return count + 1;
    case 1:
        memmove(units + at, units + at + 1, (count - at - 1) * sizeof *units);
        return count - 1;
    default:
        units[at] = units[count - 1];
        units[count - 1] = unit;
        return count;
    }
}

static size_t join(const struct unit_format *f, struct bytes *units, size_t count,
                   struct buffer *out, struct seal *seal)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = units[i].len < f->min ? f->min : units[i].len;
        uint8_t *unit = buffer_room(out, size);

        memset(unit, 0, size);
        if (units[i].len > 0) {
            memcpy(unit, units[i].data, units[i].len);
        }
        f->seal(unit, size, seal);
    }
    return out->len;
}

/* ---- changes ---- */

static size_t change_plain(uint8_t *unit, size_t size, size_t max, struct dice *dice)
{
    (void)dice;
    return LLVMFuzzerMutate(unit, size, max);
}

/* What comes after the first `head` bytes. */
static size_t change_behind(uint8_t *unit, size_t size, size_t max, size_t head)
{
    return size < head || max <= head
               ? size
               : head + LLVMFuzzerMutate(unit + head, size - head, max - head);
}

/* One field of the header, or what follows it. */
static size_t change_batch(uint8_t *unit, size_t size, size_t max, struct dice *dice)
{
    static const uint8_t ends[] = {0, 8, 12, 13, 21, 25, 27, 28, 32, 40, 44, 48, 52, 56};
    size_t field = dice_roll(dice, 2 * (ARRAY_LEN(ends) - 1));

    if (field < ARRAY_LEN(ends) - 1) {
        size_t len = (size_t)(ends[field + 1] - ends[field]);

        (void)LLVMFuzzerMutate(unit + ends[field], len, len);
        return size;
    }
    return change_behind(unit, size, max, BATCH_HEADER_SIZE_MIN);
}

static size_t change_kv_batch(uint8_t *unit, size_t size, size_t max, struct dice *dice)
{
    if (dice_roll(dice, 4) == 0 || max < KV_BATCH_HEADER_SIZE + KV_RECORD_MIN) {
        (void)LLVMFuzzerMutate(unit, KV_BATCH_HEADER_SIZE, KV_BATCH_HEADER_SIZE);
        return size;
    }
    return KV_BATCH_HEADER_SIZE + mutate_units(MUTATE_KV_RECORDS, unit + KV_BATCH_HEADER_SIZE,
                                               size - KV_BATCH_HEADER_SIZE,
                                               max - KV_BATCH_HEADER_SIZE, dice_next(dice));
}

static size_t change_request(uint8_t *unit, size_t size, size_t max, struct dice *dice)
{
    const struct rpc_api *api = rpc_api_find(get_i16be(unit + RPC_LENGTH_SIZE));

    if (api == NULL || dice_roll(dice, 8) == 0) {
        api = rpc_api_at(dice_roll(dice, rpc_api_count()));
        put_i16be(unit + RPC_LENGTH_SIZE, (int16_t)api->key);
        put_i16be(unit + RPC_LENGTH_SIZE + 2, api->version_max);
    }
    return max <= REQUEST_HEAD ? size
                               : REQUEST_HEAD + mutate_message(api->request, unit + REQUEST_HEAD,
                                                               size - REQUEST_HEAD,
                                                               max - REQUEST_HEAD, dice_next(dice));
}

/* ---- seals ---- */

static void seal_batch(uint8_t *unit, size_t size, struct seal *seal)
{
    uint8_t magic = unit[12] % (BATCH_MAGIC_MAX + 1);
    size_t schema_at = magic == 2 ? 29 : 25;
    size_t header = magic == 0 ? 48 : magic == 1 ? 52 : 56;
    uint32_t count = get_u32le(unit + schema_at + 19);

    unit[12] = magic;
    put_u32le(unit + 8, (uint32_t)(size - 12));
    if (dice_roll(seal->dice, 8) > 0) {
        count &= 0xffff;
        put_u32le(unit + schema_at + 19, count);
        put_u32le(unit + schema_at + 3, count > 0 ? count - 1 : 0);
    }
    if (magic > 0 && get_u32le(unit + header - 4) > size - header) {
        put_u32le(unit + header - 4, 0);
    }
    put_u32le(unit + schema_at - 4, crc32c(bytes_of(unit + schema_at, size - schema_at)));
}

static void seal_in_file(uint8_t *unit, size_t size, struct seal *seal)
{
    seal_batch(unit, size, seal);
    if (dice_roll(seal->dice, 16) > 0) {
        put_i64le(unit, seal->next);
    }
    seal->next += get_u32le(unit + (unit[12] == 2 ? 32 : 28)) + (int64_t)1;
}

static void seal_kv_batch(uint8_t *unit, size_t size, struct seal *seal)
{
    struct bytes rest = bytes_of(unit + KV_BATCH_HEADER_SIZE, size - KV_BATCH_HEADER_SIZE);
    uint32_t count = 0;

    while (rest.len >= KV_RECORD_MIN && le_size(rest.data) <= rest.len) {
        rest = bytes_slice(rest, le_size(rest.data), rest.len - le_size(rest.data));
        count++;
    }
    put_u32le(unit, (uint32_t)(size - 4));
    unit[4] = 0;
    if (dice_roll(seal->dice, 8) > 0) {
        put_u32le(unit + 24, count);
    }
    put_u32le(unit + 5, crc32c(bytes_of(unit + 9, size - 9)));
}

/* The key takes no more than there is. */
static void seal_kv_record(uint8_t *unit, size_t size, struct seal *seal)
{
    size_t room = size - KV_RECORD_MIN;

    (void)seal;
    put_u32le(unit, (uint32_t)(size - RECORD_LENGTH));
    unit[RECORD_LENGTH] &= ONE_BYTE_VARINT;
    if (unit[RECORD_LENGTH] > room) {
        unit[RECORD_LENGTH] = (uint8_t)room;
    }
}

static void seal_request(uint8_t *unit, size_t size, struct seal *seal)
{
    (void)seal;
    put_u32be(unit, (uint32_t)(size - RPC_LENGTH_SIZE));
}

static void seal_journal(uint8_t *unit, size_t size, struct seal *seal)
{
    static const uint8_t magic[] = {0xf5, 0x4a, 0x52, 0xff};
    uint32_t crc;

    (void)seal;
    memcpy(unit, magic, sizeof magic);
    put_u32le(unit + 4, (uint32_t)(size - JOURNAL_HEAD));
    crc = crc32c(bytes_of(unit + 4, 4));
    put_u32le(unit + 8, crc32c_extend(crc, bytes_of(unit + JOURNAL_HEAD, size - JOURNAL_HEAD)));
}
