/* Arithmetic of decimals, see decimal.h. A product has up to 256 bits. */
#include "decimal.h"

#define COMPACT_PRECISION_MAX 18
#define PRECISION_MAX         38

struct wide {
    unsigned __int128 high;
    unsigned __int128 low;
};

static unsigned __int128 power_of_ten(int32_t exponent)
{
    unsigned __int128 power = 1;

    ASSERT(exponent >= 0 && exponent <= PRECISION_MAX);
    for (int32_t i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

static unsigned __int128 magnitude(__int128 value)
{
    return value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
}

bool decimal_fits(__int128 value, int32_t precision)
{
    return magnitude(value) < power_of_ten(precision);
}

bool decimal_sum(__int128 a, __int128 b, int32_t precision, __int128 *ret)
{
    __int128 sum;

    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    if (precision <= COMPACT_PRECISION_MAX ? sum > INT64_MAX || sum < INT64_MIN
                                           : !decimal_fits(sum, precision)) {
        return false;
    }
    *ret = sum;
    return true;
}

static struct wide multiply(unsigned __int128 a, unsigned __int128 b)
{
    uint64_t a_low = (uint64_t)a;
    uint64_t a_high = (uint64_t)(a >> 64);
    uint64_t b_low = (uint64_t)b;
    uint64_t b_high = (uint64_t)(b >> 64);
    unsigned __int128 low = (unsigned __int128)a_low * b_low;
    unsigned __int128 middle = (unsigned __int128)a_low * b_high + (uint64_t)(low >> 64);
    unsigned __int128 other = (unsigned __int128)a_high * b_low + (uint64_t)middle;

    return (struct wide){
        .high =
            (unsigned __int128)a_high * b_high + (uint64_t)(middle >> 64) + (uint64_t)(other >> 64),
        .low = other << 64 | (uint64_t)low,
    };
}

/* Bit by bit; the divisor is below 2^127, so the remainder never overflows. */
static struct wide divide(struct wide value, unsigned __int128 divisor, unsigned __int128 *rest)
{
    struct wide quotient = {0};
    unsigned __int128 remainder = 0;

    for (int bit = 255; bit >= 0; bit--) {
        unsigned __int128 half = bit >= 128 ? value.high : value.low;

        remainder = remainder << 1 | (half >> bit % 128 & 1);
        quotient.high = quotient.high << 1 | quotient.low >> 127;
        quotient.low = quotient.low << 1;
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient.low |= 1;
        }
    }
    *rest = remainder;
    return quotient;
}

bool decimal_product(__int128 a, __int128 b, int32_t precision, int32_t scale, __int128 *ret)
{
    struct wide product = multiply(magnitude(a), magnitude(b));
    unsigned __int128 divisor = power_of_ten(scale);
    unsigned __int128 rest = 0;
    struct wide quotient = divide(product, divisor, &rest);

    if (quotient.high != 0 || quotient.low >= power_of_ten(precision)) {
        return false;
    }
    if (rest >= divisor - rest) {
        quotient.low++;
    }
    if (quotient.low >= power_of_ten(precision)) {
        return false;
    }
    *ret = (a < 0) != (b < 0) ? -(__int128)quotient.low : (__int128)quotient.low;
    return true;
}
