/* Partitions: specs, values and names.
 *
 * A spec is a list of (key, value) in any order. The value of each partition key, in the order of
 * the keys, makes the name, "eu$20260822", and the qualified name of messages,
 * "region=eu/day=20260822". Values follow name.h, so neither needs escaping.
 * Thread: any.
 */
#ifndef FORMAT_PARTITION_H
#define FORMAT_PARTITION_H

#include "name.h"
#include "text_map.h"

#define PARTITION_SEPARATOR  '$'
#define PARTITION_HISTORICAL "__historical__" /* a value only the system makes */

/* The values of spec in the order of keys. A spec that does not name exactly the keys, or a bad
 * value, is ERR_PARTITION_SPEC_INVALID; creating: the reserved prefix is refused, too. */
MUST_USE enum errcode partition_resolve(struct text_list keys, struct text_map spec, bool creating,
                                        struct arena *arena, struct text_list *ret,
                                        struct error *e);
/* For a spec that names some of the keys: unknown keys are ERR_PARTITION_SPEC_INVALID. */
MUST_USE enum errcode partition_check_partial(struct text_list keys, struct text_map spec,
                                              struct error *e);
/* Whether a partition has the values that a (checked) partial spec asks for. */
bool partition_matches(struct text_list keys, struct text_list values, struct text_map spec);

const char *partition_name(struct text_list values, struct arena *arena);
const char *partition_qualified_name(struct text_list keys, struct text_list values,
                                     struct arena *arena);
/* The values of a name; ERR_PARTITION_SPEC_INVALID when it does not have count values. */
MUST_USE enum errcode partition_split_name(const char *name, size_t count, struct arena *arena,
                                           struct text_list *ret, struct error *e);

#endif
