/* Golden keys: every case of key_encoders.json in one of its encodings. */
#ifndef TEST_SUPPORT_KEY_VECTORS_H
#define TEST_SUPPORT_KEY_VECTORS_H

#include "row_vectors.h"

#include "format/key.h"

/* Encodes and decodes the keys that "member" (fluss, paimon, iceberg) of each case has, and compares
 * the buckets of `function`; cases with an error must not pass key_format_check. */
void key_vectors_check(const char *member, enum key_encoding encoding, enum bucketing function);

/* The format of a case, and its values. */
struct key_format key_vector_format(const json_t *one, enum key_encoding encoding,
                                    struct arena *arena);

/* "bucket_of_7" of `of`, for every such member. */
void key_vector_check_buckets(const json_t *of, struct bytes key, enum bucketing function);

#endif
