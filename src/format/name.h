/* Names of databases, tables, partition values and producers.
 *
 * 1..200 characters of A-Z a-z 0-9 _ -, not "." or "..". What users create must not start with
 * "__", which is reserved for the system. Names become file names, so everything that enters the
 * catalog passes here. Thread: any.
 */
#ifndef FORMAT_NAME_H
#define FORMAT_NAME_H

#include "base/bytes.h"
#include "base/error.h"

#define NAME_LEN_MAX         200
#define NAME_RESERVED_PREFIX "__"

enum name_kind {
    NAME_DATABASE,            /* ERR_INVALID_DATABASE */
    NAME_TABLE,               /* ERR_INVALID_TABLE */
    NAME_NEW_PARTITION_VALUE, /* ERR_PARTITION_SPEC_INVALID */
    NAME_PARTITION_VALUE,     /* the same, of a partition that may exist: "__" is allowed */
    NAME_PRODUCER,            /* ERR_INVALID_PRODUCER_ID; "__" is allowed */
    NAME_KIND_COUNT
};

/* Errors say what is wrong and with which name. */
MUST_USE enum errcode name_check(enum name_kind kind, struct bytes name, struct error *e);

#endif
