/* Lists of names and maps of texts, as descriptors carry them: key columns, table properties.
 *
 * Plain values that borrow: items and texts live in whatever arena they were made in. Maps keep
 * the order of their text form and have each key once; they are small, look-ups walk them.
 * Thread: any.
 */
#ifndef FORMAT_TEXT_MAP_H
#define FORMAT_TEXT_MAP_H

#include "json.h"

#define TEXT_MAP_COUNT_MAX 1024 /* entries of a map from outside */

struct text_list {
    const char *const *items;
    size_t count;
};

struct text_pair {
    const char *key;
    const char *value;
};

struct text_map {
    const struct text_pair *items;
    size_t count;
};

/* From a JSON array of strings. */
MUST_USE enum errcode text_list_from_json(const struct json *value, struct arena *arena,
                                          struct text_list *ret, struct error *e);
void text_list_write_json(struct json_writer *w, struct text_list list);
struct text_list text_list_copy(struct text_list list, struct arena *arena);
bool text_list_contains(struct text_list list, const char *text);
/* "[a, b]" for messages. */
const char *text_list_text(struct text_list list, struct arena *arena);

/* From a JSON object whose values are strings; numbers and booleans are taken as their text. More
 * than TEXT_MAP_COUNT_MAX members are an error. */
MUST_USE enum errcode text_map_from_json(const struct json *value, struct arena *arena,
                                         struct text_map *ret, struct error *e);
void text_map_write_json(struct json_writer *w, struct text_map map);
struct text_map text_map_copy(struct text_map map, struct arena *arena);
/* NULL when absent. */
const char *text_map_get(struct text_map map, const char *key);
/* The map with one entry set, or removed when value is NULL. The new item list lies in the arena,
 * texts are shared. */
struct text_map text_map_with(struct text_map map, const char *key, const char *value,
                              struct arena *arena);
/* The same keys with the same values, in any order. */
bool text_map_equal(struct text_map a, struct text_map b);

#endif
