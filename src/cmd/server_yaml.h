/* server.yaml as a flat list of settings.
 *
 * What is allowed: one document (or none) of UTF-8, at its root a mapping. Nested mappings give
 * dotted keys, so "a.b: 1" and "a: {b: 1}" are the same; a sequence of scalars gives its elements
 * joined by commas. Refused: a key given twice in any spelling, a key without a value, anchors and
 * aliases, tags, an element with a comma in it, more than YAML_DEPTH_MAX levels, keys and values
 * beyond the limits of options.h. Errors are ERR_INVALID_ARGUMENT and begin with "name:line: ".
 * Pure. Thread: any.
 */
#ifndef CMD_SERVER_YAML_H
#define CMD_SERVER_YAML_H

#include "base/arena.h"
#include "base/error.h"

#define YAML_DEPTH_MAX 16

struct yaml_setting {
    struct bytes key;
    struct bytes value;
    size_t line; /* from 1, where the value begins */
};

struct yaml_settings {
    struct yaml_setting *items; /* in the order of the file */
    size_t count;
};

/* Results live in the arena; `name` is what messages call the file. */
MUST_USE enum errcode server_yaml_parse(struct bytes text, const char *name, struct arena *arena,
                                        struct yaml_settings *ret, struct error *e);

#endif
