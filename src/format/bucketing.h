/* Which bucket a bucket key belongs to. Clients decide this; the server, which looks at keys only
 * to rebuild state, needs it where it acts as a client.
 *
 *   FLUSS    H = murmur 3 of 32 bits, seed 42, over words of 4 bytes, but each byte of the tail is
 *            sign-extended and mixed like a whole word; then a second murmur over H as one word;
 *            absolute value (0 for the smallest number), modulo n
 *   PAIMON   |H % n|, the remainder of C
 *   ICEBERG  standard murmur 3 of 32 bits, seed 0, sign bit cleared, modulo n
 *   HUDI     the 4 bytes of the key as a big-endian number, sign bit cleared, modulo n
 *
 * Source: BucketingFunction, MurmurHashUtils, MathUtils of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_BUCKETING_H
#define FORMAT_BUCKETING_H

#include "base/bytes.h"
#include "base/error.h"

enum bucketing { BUCKETING_FLUSS, BUCKETING_PAIMON, BUCKETING_ICEBERG, BUCKETING_HUDI };

/* count > 0 (ASSERT). ERR_INVALID_ARGUMENT: a Hudi key that has not 4 bytes. */
MUST_USE enum errcode bucketing_bucket(enum bucketing function, struct bytes key, int32_t count,
                                       int32_t *ret, struct error *e);

/* H, and the second murmur over it. */
int32_t bucketing_hash(struct bytes key);
int32_t bucketing_rehash(int32_t hash);

#endif
