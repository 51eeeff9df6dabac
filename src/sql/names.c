#include "names.h"

#include <stdio.h>
#include <strings.h>

const char *names_database(const struct sql_session *s, const struct sql_name *name)
{
    if (name->database != NULL) {
        return name->database;
    }
    return s->path_count > 0 ? s->path[0] : NULL;
}

static const struct meta_table *find_table(const struct meta_view *view, const char *database,
                                           const struct sql_name *name)
{
    const struct meta_table *exact =
        meta_view_table(view, bytes_str(database), bytes_str(name->name));
    struct meta_tables all;

    if (exact != NULL || name->exact) {
        return exact;
    }
    all = meta_view_tables_of(view, bytes_str(database));
    for (size_t i = 0; i < all.count; i++) {
        if (strcasecmp(all.items[i]->name, name->name) == 0) {
            return all.items[i];
        }
    }
    return NULL;
}

static bool not_found(const struct sql_name *name, const char *state, const char *text,
                      struct sql_error *e)
{
    (void)sql_fail(e, state, text);
    e->position = name->position;
    return false;
}

bool names_table(const struct sql_session *s, const struct sql_name *name,
                 const struct meta_table **ret, struct sql_error *e)
{
    char text[600];

    if (name->database != NULL) {
        *ret = find_table(s->view, name->database, name);
        if (*ret == NULL && meta_view_database(s->view, bytes_str(name->database)) == NULL) {
            (void)snprintf(text, sizeof text, "schema \"%.200s\" does not exist", name->database);
            return not_found(name, "3F000", text, e);
        }
    } else {
        *ret = NULL;
        for (size_t i = 0; i < s->path_count && *ret == NULL; i++) {
            *ret = find_table(s->view, s->path[i], name);
        }
    }
    if (*ret == NULL) {
        (void)snprintf(text, sizeof text, "table \"%.200s%s%.200s\" does not exist",
                       name->database == NULL ? "" : name->database,
                       name->database == NULL ? "" : ".", name->name);
        return not_found(name, "42P01", text, e);
    }
    return true;
}

int32_t names_column(const struct schema *schema, const char *name, bool exact)
{
    int32_t found = schema_find(schema, name);

    for (uint32_t i = 0; found < 0 && !exact && i < schema->count; i++) {
        if (strcasecmp(schema->columns[i].name, name) == 0) {
            found = (int32_t)i;
        }
    }
    return found;
}
