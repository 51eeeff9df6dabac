/* Time zones by name, from the system's zone database. Thread: coordinator (reads files). */
#ifndef META_ZONE_H
#define META_ZONE_H

#include "format/tz.h"

/* A fixed offset ("UTC", "+08:00") or "Area/City"; NULL: the zone of this machine, UTC when it has
 * none. Lives in the arena. ERR_INVALID_CONFIG for an unknown name. */
MUST_USE enum errcode zone_find(const char *name, struct arena *arena, const struct tz **ret,
                                struct error *e);

#endif
