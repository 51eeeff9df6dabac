#include "partition.h"

enum errcode partition_resolve(struct text_list keys, struct text_map spec, bool creating,
                               struct arena *arena, struct text_list *ret, struct error *e)
{
    const char **values = arena_array(arena, keys.count, sizeof *values);

    if (spec.count != keys.count) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID,
                         "the partition spec has %zu keys, the table has the %zu partition keys %s",
                         spec.count, keys.count, text_list_text(keys, arena));
    }
    for (size_t i = 0; i < keys.count; i++) {
        values[i] = text_map_get(spec, keys.items[i]);
        if (values[i] == NULL) {
            return error_set(e, ERR_PARTITION_SPEC_INVALID,
                             "the partition spec has no value for the key '%.80s'", keys.items[i]);
        }
        TRY(name_check(creating ? NAME_NEW_PARTITION_VALUE : NAME_PARTITION_VALUE,
                       bytes_str(values[i]), e));
    }
    *ret = (struct text_list){.items = values, .count = keys.count};
    return ERR_OK;
}

enum errcode partition_check_partial(struct text_list keys, struct text_map spec, struct error *e)
{
    for (size_t i = 0; i < spec.count; i++) {
        if (!text_list_contains(keys, spec.items[i].key)) {
            return error_set(e, ERR_PARTITION_SPEC_INVALID,
                             "'%.80s' is not a partition key of the table", spec.items[i].key);
        }
    }
    return ERR_OK;
}

bool partition_matches(struct text_list keys, struct text_list values, struct text_map spec)
{
    ASSERT(keys.count == values.count);
    for (size_t i = 0; i < keys.count; i++) {
        const char *asked = text_map_get(spec, keys.items[i]);

        if (asked != NULL && strcmp(asked, values.items[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The values joined by separator, each behind its key and '=' when there are keys. */
static const char *join(const struct text_list *keys, struct text_list values, char separator,
                        struct arena *arena)
{
    size_t len = 0;
    char *text;
    char *p;

    for (size_t i = 0; i < values.count; i++) {
        len += strlen(values.items[i]) + 1;
        len += keys == NULL ? 0 : strlen(keys->items[i]) + 1;
    }
    text = arena_alloc(arena, len + 1);
    p = text;
    for (size_t i = 0; i < values.count; i++) {
        if (i > 0) {
            *p++ = separator;
        }
        if (keys != NULL) {
            p = stpcpy(p, keys->items[i]);
            *p++ = '=';
        }
        p = stpcpy(p, values.items[i]);
    }
    *p = '\0';
    return text;
}

const char *partition_name(struct text_list values, struct arena *arena)
{
    return join(NULL, values, PARTITION_SEPARATOR, arena);
}

const char *partition_qualified_name(struct text_list keys, struct text_list values,
                                     struct arena *arena)
{
    ASSERT(keys.count == values.count);
    return join(&keys, values, '/', arena);
}

enum errcode partition_split_name(const char *name, size_t count, struct arena *arena,
                                  struct text_list *ret, struct error *e)
{
    const char **values = arena_array(arena, count, sizeof *values);
    const char *rest = name;
    size_t found = 0;

    while (rest != NULL && found < count) {
        const char *end = strchr(rest, PARTITION_SEPARATOR);

        values[found++] =
            arena_strndup(arena, rest, end == NULL ? strlen(rest) : (size_t)(end - rest));
        rest = end == NULL ? NULL : end + 1;
    }
    if (found != count || rest != NULL) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID,
                         "the partition name '%.100s' does not have %zu values", name, count);
    }
    *ret = (struct text_list){.items = values, .count = count};
    return ERR_OK;
}
