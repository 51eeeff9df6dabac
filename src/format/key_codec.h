/* The key encodings of lake formats, inside format/; see key.h. The types have been checked. */
#ifndef FORMAT_KEY_CODEC_H
#define FORMAT_KEY_CODEC_H

#include "key.h"

bool key_paimon_takes(const struct type *type);
struct bytes key_paimon_encode(const struct type *columns, const struct row_value *values,
                               struct arena *arena);
MUST_USE enum errcode key_paimon_decode(const struct type *columns, struct bytes key,
                                        struct arena *arena, const struct row_value **ret,
                                        struct error *e);

bool key_iceberg_takes(const struct type *type);
struct bytes key_iceberg_encode(const struct type *type, const struct row_value *value,
                                struct arena *arena);
MUST_USE enum errcode key_iceberg_decode(const struct type *type, struct bytes key,
                                         struct arena *arena, const struct row_value **ret,
                                         struct error *e);

bool key_hudi_takes(const struct type *type);
/* ERR_INVALID_ARGUMENT: a value that Hudi's text form of a key cannot hold. */
MUST_USE enum errcode key_hudi_encode(const struct type *columns, const struct row_value *values,
                                      struct arena *arena, struct bytes *ret, struct error *e);

#endif
