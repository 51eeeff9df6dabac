#include "text_map.h"

#include <inttypes.h>

enum errcode text_list_from_json(const struct json *value, struct arena *arena,
                                 struct text_list *ret, struct error *e)
{
    const char **items;
    size_t count = 0;

    TRY(json_as_array(value, e));
    items = arena_array(arena, json_count(value), sizeof *items);
    JSON_FOR_EACH(item, value)
    {
        TRY(json_as_string(item, &items[count], e));
        count++;
    }
    *ret = (struct text_list){.items = items, .count = count};
    return ERR_OK;
}

void text_list_write_json(struct json_writer *w, struct text_list list)
{
    json_write_array(w);
    for (size_t i = 0; i < list.count; i++) {
        json_write_string(w, list.items[i]);
    }
    json_write_end(w);
}

struct text_list text_list_copy(struct text_list list, struct arena *arena)
{
    const char **items = arena_array(arena, list.count, sizeof *items);

    for (size_t i = 0; i < list.count; i++) {
        items[i] = arena_strndup(arena, list.items[i], strlen(list.items[i]));
    }
    return (struct text_list){.items = items, .count = list.count};
}

bool text_list_contains(struct text_list list, const char *text)
{
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

const char *text_list_text(struct text_list list, struct arena *arena)
{
    size_t len = 2;
    char *text;
    char *p;

    for (size_t i = 0; i < list.count; i++) {
        len += strlen(list.items[i]) + 2;
    }
    text = arena_alloc(arena, len + 1);
    p = text;
    *p++ = '[';
    for (size_t i = 0; i < list.count; i++) {
        p = stpcpy(p, i == 0 ? "" : ", ");
        p = stpcpy(p, list.items[i]);
    }
    *p++ = ']';
    *p = '\0';
    return text;
}

/* The text of a scalar member. */
static enum errcode scalar_text(const struct json *value, struct arena *arena, const char **ret,
                                struct error *e)
{
    int64_t number = 0;
    bool flag = false;

    if (json_as_i64(value, &number, NULL) == ERR_OK) {
        *ret = arena_printf(arena, "%" PRId64, number);
        return ERR_OK;
    }
    if (json_as_bool(value, &flag, NULL) == ERR_OK) {
        *ret = flag ? "true" : "false";
        return ERR_OK;
    }
    return json_as_string(value, ret, e);
}

enum errcode text_map_from_json(const struct json *value, struct arena *arena, struct text_map *ret,
                                struct error *e)
{
    struct text_pair *items;
    size_t count = 0;

    TRY(json_as_object(value, e));
    if (json_count(value) > TEXT_MAP_COUNT_MAX) {
        return json_fail(value, e, "more than %d entries", TEXT_MAP_COUNT_MAX);
    }
    items = arena_array(arena, json_count(value), sizeof *items);
    JSON_FOR_EACH(member, value)
    {
        items[count].key = json_key_of(member);
        TRY(scalar_text(member, arena, &items[count].value, e));
        count++;
    }
    *ret = (struct text_map){.items = items, .count = count};
    return ERR_OK;
}

void text_map_write_json(struct json_writer *w, struct text_map map)
{
    json_write_object(w);
    for (size_t i = 0; i < map.count; i++) {
        json_write_string_member(w, map.items[i].key, map.items[i].value);
    }
    json_write_end(w);
}

struct text_map text_map_copy(struct text_map map, struct arena *arena)
{
    struct text_pair *items = arena_array(arena, map.count, sizeof *items);

    for (size_t i = 0; i < map.count; i++) {
        const struct text_pair *from = &map.items[i];

        items[i].key = arena_strndup(arena, from->key, strlen(from->key));
        items[i].value = arena_strndup(arena, from->value, strlen(from->value));
    }
    return (struct text_map){.items = items, .count = map.count};
}

const char *text_map_get(struct text_map map, const char *key)
{
    for (size_t i = 0; i < map.count; i++) {
        if (strcmp(map.items[i].key, key) == 0) {
            return map.items[i].value;
        }
    }
    return NULL;
}

struct text_map text_map_with(struct text_map map, const char *key, const char *value,
                              struct arena *arena)
{
    struct text_pair *items = arena_array(arena, map.count + 1, sizeof *items);
    bool placed = value == NULL;
    size_t count = 0;

    for (size_t i = 0; i < map.count; i++) {
        bool same = strcmp(map.items[i].key, key) == 0;

        if (!same) {
            items[count++] = map.items[i];
        } else if (value != NULL) {
            items[count++] = (struct text_pair){map.items[i].key, value};
            placed = true;
        }
    }
    if (!placed) {
        items[count++] = (struct text_pair){key, value};
    }
    return (struct text_map){.items = items, .count = count};
}

bool text_map_equal(struct text_map a, struct text_map b)
{
    if (a.count != b.count) {
        return false;
    }
    for (size_t i = 0; i < a.count; i++) {
        const char *other = text_map_get(b, a.items[i].key);

        if (other == NULL || strcmp(other, a.items[i].value) != 0) {
            return false;
        }
    }
    return true;
}
