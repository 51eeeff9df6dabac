#include "pg_parameter.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/calendar.h"

#define EPOCH_DAYS     INT64_C(10957) /* 2000-01-01 */
#define MICROS         INT64_C(1000000)
#define NUMERIC_GROUPS 64

static enum errcode malformed(uint32_t oid, struct error *e)
{
    return error_set(e, ERR_CORRUPT_MESSAGE, "a binary parameter is no value of type %u", oid);
}

static struct bytes text_of(char *text) { return bytes_str(text); }

static struct bytes date_text(int64_t days, struct arena *arena)
{
    struct civil c = calendar_civil(days * SECONDS_PER_DAY);

    if (days == INT32_MIN + EPOCH_DAYS || days == INT32_MAX + EPOCH_DAYS) {
        return bytes_str(days < 0 ? "-infinity" : "infinity");
    }
    return text_of(arena_printf(arena, "%04d-%02d-%02d%s", c.year <= 0 ? 1 - c.year : c.year,
                                c.month, c.day, c.year <= 0 ? " (BC)" : ""));
}

static struct bytes time_text(int64_t micros, struct arena *arena)
{
    int64_t seconds = micros / MICROS;

    return text_of(arena_printf(arena, "%02d:%02d:%02d.%06d", (int)(seconds / 3600),
                                (int)(seconds / 60 % 60), (int)(seconds % 60),
                                (int)(micros % MICROS)));
}

static struct bytes timestamp_text(int64_t micros, bool utc, struct arena *arena)
{
    int64_t day = floor_div(micros, SECONDS_PER_DAY * MICROS);
    struct bytes date = date_text(day + EPOCH_DAYS, arena);
    struct bytes time = time_text(floor_mod(micros, SECONDS_PER_DAY * MICROS), arena);

    if (micros == INT64_MIN || micros == INT64_MAX) {
        return bytes_str(micros < 0 ? "-infinity" : "infinity");
    }
    return text_of(arena_printf(arena, "%.*s %.*s%s", (int)date.len, (const char *)date.data,
                                (int)time.len, (const char *)time.data, utc ? "+00" : ""));
}

static struct bytes uuid_text(const uint8_t *b, struct arena *arena)
{
    char *text = arena_alloc(arena, 40);
    size_t at = 0;

    for (size_t i = 0; i < 16; i++) {
        at += (size_t)snprintf(text + at, 40 - at,
                               i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
    }
    return bytes_of(text, at);
}

/* Groups of four digits around the point. */
static enum errcode numeric_text(struct bytes value, struct arena *arena, struct bytes *ret,
                                 struct error *e)
{
    struct reader r = reader_of(value);
    int count = reader_u16be(&r);
    int weight = reader_i16be(&r);
    uint16_t sign = reader_u16be(&r);
    int scale = reader_u16be(&r);
    char *text = arena_alloc(arena, 4 * NUMERIC_GROUPS * 2 + 16);
    size_t at = 0;
    uint16_t groups[NUMERIC_GROUPS];

    if (r.failed || count > NUMERIC_GROUPS || weight >= NUMERIC_GROUPS ||
        weight < -NUMERIC_GROUPS || scale > 4 * NUMERIC_GROUPS - 4 ||
        (sign != 0 && sign != 0x4000)) {
        return malformed(1700, e);
    }
    for (int i = 0; i < count; i++) {
        groups[i] = reader_u16be(&r);
        if (r.failed || groups[i] > 9999) {
            return malformed(1700, e);
        }
    }
    text[at++] = sign != 0 ? '-' : '+';
    for (int i = 0; i <= weight; i++) {
        at += (size_t)snprintf(text + at, 8, "%04d", i < count ? groups[i] : 0);
    }
    text[at++] = weight < 0 ? '0' : '.';
    if (weight < 0) {
        text[at++] = '.';
    }
    for (int done = 0, i = -1; done < scale; done += 4, i--) {
        int index = weight - i;
        char group[8];
        int take = scale - done < 4 ? scale - done : 4;

        (void)snprintf(group, sizeof group, "%04d",
                       index >= 0 && index < count ? groups[index] : 0);
        memcpy(text + at, group, (size_t)take);
        at += (size_t)take;
    }
    *ret = bytes_of(text, text[at - 1] == '.' ? at - 1 : at);
    return ERR_OK;
}

static enum errcode real_text(struct bytes value, bool is_float, struct arena *arena,
                              struct bytes *ret)
{
    uint32_t bits32 = is_float ? get_u32be(value.data) : 0;
    uint64_t bits64 = is_float ? 0 : get_u64be(value.data);
    float narrow;
    double wide;

    memcpy(&narrow, &bits32, sizeof narrow);
    memcpy(&wide, &bits64, sizeof wide);
    *ret =
        text_of(arena_printf(arena, "%.*g", is_float ? 9 : 17, is_float ? (double)narrow : wide));
    return ERR_OK;
}

static size_t fixed_size(uint32_t oid)
{
    switch (oid) {
    case 16:
        return 1;
    case 21:
        return 2;
    case 23:
    case 26: /* oid */
    case 700:
    case 1082:
        return 4;
    case 20:
    case 701:
    case 1083:
    case 1114:
    case 1184:
        return 8;
    case 2950:
        return 16;
    default:
        return 0;
    }
}

static enum errcode fixed_text(uint32_t oid, struct bytes v, struct arena *arena, struct bytes *ret)
{
    switch (oid) {
    case 16:
        *ret = bytes_str(v.data[0] != 0 ? "true" : "false");
        return ERR_OK;
    case 21:
        *ret = text_of(arena_printf(arena, "%d", get_i16be(v.data)));
        return ERR_OK;
    case 23:
        *ret = text_of(arena_printf(arena, "%d", get_i32be(v.data)));
        return ERR_OK;
    case 26:
        *ret = text_of(arena_printf(arena, "%u", get_u32be(v.data)));
        return ERR_OK;
    case 20:
        *ret = text_of(arena_printf(arena, "%" PRId64, get_i64be(v.data)));
        return ERR_OK;
    case 1082:
        *ret = date_text((int64_t)get_i32be(v.data) + EPOCH_DAYS, arena);
        return ERR_OK;
    case 1083:
        *ret = time_text(get_i64be(v.data), arena);
        return ERR_OK;
    case 1114:
    case 1184:
        *ret = timestamp_text(get_i64be(v.data), oid == 1184, arena);
        return ERR_OK;
    case 2950:
        *ret = uuid_text(v.data, arena);
        return ERR_OK;
    default:
        return real_text(v, oid == 700, arena, ret);
    }
}

enum errcode pg_parameter_text(uint32_t oid, struct bytes value, struct arena *arena,
                               struct bytes *ret, struct error *e)
{
    size_t size = fixed_size(oid);

    if (size > 0) {
        return value.len == size ? fixed_text(oid, value, arena, ret) : malformed(oid, e);
    }
    switch (oid) {
    case 0: /* unknown: text */
    case 19:
    case 25:
    case 114:
    case 705:
    case 1042:
    case 1043:
    case PG_OID_BYTEA:
        *ret = value;
        return ERR_OK;
    case 1700:
        return numeric_text(value, arena, ret, e);
    default:
        return error_set(e, ERR_UNSUPPORTED_OPERATION,
                         "binary parameters of type %u are not supported, send text", oid);
    }
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

enum errcode pg_parameter_hex(struct bytes text, struct arena *arena, struct bytes *ret,
                              struct error *e)
{
    uint8_t *data = arena_alloc(arena, text.len);
    size_t len = 0;

    if (text.len < 2 || text.len % 2 != 0 || text.data[0] != '\\' || text.data[1] != 'x') {
        return malformed(PG_OID_BYTEA, e);
    }
    for (size_t i = 2; i < text.len; i += 2) {
        int high = hex_digit(text.data[i]);
        int low = hex_digit(text.data[i + 1]);

        if (high < 0 || low < 0) {
            return malformed(PG_OID_BYTEA, e);
        }
        data[len++] = (uint8_t)(high << 4 | low);
    }
    *ret = bytes_of(data, len);
    return ERR_OK;
}
