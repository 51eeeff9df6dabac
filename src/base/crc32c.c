#include "crc32c.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define CRC32C_POLY 0x82f63b78u
/* Three streams of this many bytes hide the 3-cycle latency of the instruction. */
#define CRC32C_LANE 1024

static uint32_t crc32c_portable(uint32_t crc, const uint8_t *p, size_t len)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (size_t i = 0; i < len; i++) {
        crc = (crc >> 4) ^ nibble[(crc ^ p[i]) & 0xf];
        crc = (crc >> 4) ^ nibble[(crc ^ (p[i] >> 4)) & 0xf];
    }
    return crc;
}

#if defined(__x86_64__)

static uint32_t crc32c_table_entry(uint32_t v)
{
    for (int bit = 0; bit < 8; bit++) {
        v = (v & 1) != 0 ? (v >> 1) ^ CRC32C_POLY : v >> 1;
    }
    return v;
}

/* a * b modulo the polynomial, both reflected (x^0 is the top bit). */
static uint32_t crc32c_multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;

    for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
        if ((a & bit) != 0) {
            product ^= b;
        }
        b = (b & 1) != 0 ? (b >> 1) ^ CRC32C_POLY : b >> 1;
    }
    return product;
}

/* Tables that advance a CRC over CRC32C_LANE (and twice that) zero bytes, a byte at a time. */
struct crc32c_shift {
    uint32_t t[4][256];
};

static void crc32c_shift_init(struct crc32c_shift *s, size_t bytes)
{
    uint32_t power = 0x80000000u; /* x^0 */

    for (size_t i = 0; i < bytes; i++) {
        power = crc32c_table_entry(power & 0xff) ^ (power >> 8);
    }
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned v = 0; v < 256; v++) {
            s->t[k][v] = crc32c_multiply(power, (uint32_t)v << (8 * k));
        }
    }
}

static uint32_t crc32c_shift(const struct crc32c_shift *s, uint32_t crc)
{
    return s->t[0][crc & 0xff] ^ s->t[1][(crc >> 8) & 0xff] ^ s->t[2][(crc >> 16) & 0xff] ^
           s->t[3][crc >> 24];
}

static struct crc32c_shift crc32c_one_lane;  /* constant after crc32c_setup */
static struct crc32c_shift crc32c_two_lanes; /* constant after crc32c_setup */
static bool crc32c_hardware;                 /* constant after crc32c_setup */

__attribute__((constructor)) static void crc32c_setup(void)
{
    __builtin_cpu_init();
    crc32c_hardware = __builtin_cpu_supports("sse4.2") != 0;
    crc32c_shift_init(&crc32c_one_lane, CRC32C_LANE);
    crc32c_shift_init(&crc32c_two_lanes, 2 * (size_t)CRC32C_LANE);
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_lanes(uint32_t crc, const uint8_t *p)
{
    uint64_t a = crc;
    uint64_t b = 0;
    uint64_t c = 0;

    for (size_t i = 0; i < CRC32C_LANE; i += 8) {
        a = _mm_crc32_u64(a, get_u64le(p + i));
        b = _mm_crc32_u64(b, get_u64le(p + CRC32C_LANE + i));
        c = _mm_crc32_u64(c, get_u64le(p + 2 * (size_t)CRC32C_LANE + i));
    }
    return crc32c_shift(&crc32c_two_lanes, (uint32_t)a) ^
           crc32c_shift(&crc32c_one_lane, (uint32_t)b) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p,
                                                               size_t len)
{
    uint64_t c;

    while (len >= 3 * (size_t)CRC32C_LANE) {
        crc = crc32c_lanes(crc, p);
        p += 3 * (size_t)CRC32C_LANE;
        len -= 3 * (size_t)CRC32C_LANE;
    }
    c = crc;
    while (len >= 8) {
        c = _mm_crc32_u64(c, get_u64le(p));
        p += 8;
        len -= 8;
    }
    while (len > 0) {
        c = _mm_crc32_u8((uint32_t)c, *p++);
        len--;
    }
    return (uint32_t)c;
}

#endif

uint32_t crc32c_extend(uint32_t crc, struct bytes b)
{
#if defined(__x86_64__)
    if (crc32c_hardware) {
        return ~crc32c_sse42(~crc, b.data, b.len);
    }
#endif
    return ~crc32c_portable(~crc, b.data, b.len);
}

uint32_t crc32c(struct bytes b) { return crc32c_extend(0, b); }
