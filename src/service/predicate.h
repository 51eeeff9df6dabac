/* PbPredicate -> struct filter. See PredicateMessageUtils of Apache Fluss for the encoding. */
#ifndef SERVICE_PREDICATE_H
#define SERVICE_PREDICATE_H

#include "format/filter.h"
#include "meta/meta.h"
#include "rpc/messages.h"

/* In the arena, borrowing literals from the message. NULL when the filter cannot be built (unknown
 * table, schema or column, literal of another type, nesting too deep): filters only save work, so
 * a fetch without it is right. */
const struct filter *predicate_build(const struct meta_view *view, int64_t table_id,
                                     int32_t schema_id, const struct msg_pb_predicate *p,
                                     struct arena *arena);

#endif
