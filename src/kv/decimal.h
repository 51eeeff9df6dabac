/* Sums and products of DECIMAL(precision, scale), given as unscaled numbers.
 *
 * As the original does: a sum of at most 18 digits may have more digits than the precision as long
 * as it fits into 64 bits; everything else that exceeds the precision is null. A product is rounded
 * half up (away from zero) to the scale. Thread: any.
 */
#ifndef KV_DECIMAL_H
#define KV_DECIMAL_H

#include "base/check.h"

/* Whether a value has no more digits than a precision of 1..38. */
MUST_USE bool decimal_fits(__int128 value, int32_t precision);
/* false: null. precision 1..38, scale 0..precision. */
MUST_USE bool decimal_sum(__int128 a, __int128 b, int32_t precision, __int128 *ret);
MUST_USE bool decimal_product(__int128 a, __int128 b, int32_t precision, int32_t scale,
                              __int128 *ret);

#endif
