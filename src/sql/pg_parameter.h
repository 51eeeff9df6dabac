/* Values of parameters in the binary format of PostgreSQL as text. Pure. */
#ifndef SQL_PG_PARAMETER_H
#define SQL_PG_PARAMETER_H

#include "base/arena.h"
#include "base/error.h"

#define PG_OID_BYTEA 17

/* The text of a value of the type, in the arena; of bytea: the bytes. ERR_CORRUPT_MESSAGE: no value of
 * it; ERR_UNSUPPORTED_OPERATION: a type whose binary format is not known here. */
MUST_USE enum errcode pg_parameter_text(uint32_t oid, struct bytes value, struct arena *arena,
                                        struct bytes *ret, struct error *e);
/* The bytes of bytea as text, \x and hexadecimal digits. ERR_CORRUPT_MESSAGE. */
MUST_USE enum errcode pg_parameter_hex(struct bytes text, struct arena *arena, struct bytes *ret,
                                       struct error *e);

#endif
