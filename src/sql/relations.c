#include "relations.h"

#include "scan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

/* A view there is, or that could not be made. */
struct relation {
    char *database;
    char *name; /* of the table */
    int64_t table_id;
    int32_t schema_id;
    bool made;
    bool keyed; /* has a primary key */
};

const char *relations_quote(struct arena *arena, const char *name)
{
    char *text = arena_alloc(arena, strlen(name) * 2 + 3);
    char *to = text;

    *to++ = '"';
    for (; *name != '\0'; name++) {
        *to++ = *name;
        if (*name == '"') {
            *to++ = '"';
        }
    }
    *to++ = '"';
    *to = '\0';
    return text;
}

static enum errcode drop_view(struct sql_engine *engine, struct arena *arena,
                              const struct relation *r, const char *suffix, struct error *e)
{
    const char *name = arena_printf(arena, "%s%s", r->name, suffix);

    return session_run(engine->owner,
                       arena_printf(arena, "DROP VIEW IF EXISTS " RELATIONS_CATALOG ".%s.%s",
                                    relations_quote(arena, r->database),
                                    relations_quote(arena, name)),
                       e);
}

static enum errcode make_view(struct sql_engine *engine, struct arena *arena,
                              const struct relation *r, enum relation_kind kind, struct error *e)
{
    static const char *const suffixes[] = {
        [RELATION_TABLE] = "", [RELATION_CHANGELOG] = "$changelog", [RELATION_BINLOG] = "$binlog"};
    const char *suffix = suffixes[kind];
    const char *name = arena_printf(arena, "%s%s", r->name, suffix);

    return session_run(engine->owner,
                       arena_printf(arena,
                                    "CREATE VIEW " RELATIONS_CATALOG ".%s.%s AS "
                                    "SELECT * FROM " SCAN_FUNCTION "(%lld, %d, %d)",
                                    relations_quote(arena, r->database),
                                    relations_quote(arena, name), (long long)r->table_id, (int)kind,
                                    r->schema_id),
                       e);
}

/* ---- primary keys, for pg_catalog.h ---- */

#define KEYS RELATIONS_CATALOG "." RELATIONS_SYSTEM ".eider_keys"

static void add_literal(struct buffer *out, const char *text)
{
    buffer_u8(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            buffer_u8(out, '\'');
        }
        buffer_u8(out, (uint8_t)*text);
    }
    buffer_u8(out, '\'');
}

static enum errcode drop_keys(struct sql_engine *engine, const struct relation *r, struct error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    buffer_bytes(&text, bytes_str("DELETE FROM " KEYS " WHERE schema_name = "));
    add_literal(&text, r->database);
    buffer_bytes(&text, bytes_str(" AND table_name = "));
    add_literal(&text, r->name);
    buffer_u8(&text, '\0');
    return session_run(engine->owner, (const char *)text.data, e);
}

static enum errcode make_keys(struct sql_engine *engine, const struct relation *r,
                              const struct schema *schema, struct error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    char number[16];

    if (!schema_has_primary_key(schema)) {
        return ERR_OK;
    }
    buffer_bytes(&text, bytes_str("INSERT INTO " KEYS " VALUES "));
    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        buffer_bytes(&text, bytes_str(i == 0 ? "(" : ", ("));
        add_literal(&text, r->database);
        buffer_u8(&text, ',');
        add_literal(&text, r->name);
        buffer_u8(&text, ',');
        add_literal(&text, schema->columns[schema->primary_key[i]].name);
        (void)snprintf(number, sizeof number, ", %u)", i + 1);
        buffer_bytes(&text, bytes_str(number));
    }
    buffer_u8(&text, '\0');
    return session_run(engine->owner, (const char *)text.data, e);
}

static void relation_drop(struct sql_engine *engine, struct relation *r)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    if (r->made && (drop_view(engine, &arena, r, "", &e) != ERR_OK ||
                    drop_view(engine, &arena, r, "$changelog", &e) != ERR_OK ||
                    (r->keyed && drop_view(engine, &arena, r, "$binlog", &e) != ERR_OK) ||
                    drop_keys(engine, r, &e) != ERR_OK)) {
        diag_warn("sql", "%s.%s stays visible: %s", r->database, r->name, e.message);
    }
    free(r->database);
    free(r->name);
}

static void relation_make(struct sql_engine *engine, struct relation *r,
                          const struct schema *schema)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    if (make_view(engine, &arena, r, RELATION_TABLE, &e) != ERR_OK) {
        diag_warn("sql", "%s.%s has no relation: %s", r->database, r->name, e.message);
        return;
    }
    r->made = true;
    if (make_keys(engine, r, schema, &e) != ERR_OK) {
        diag_warn("sql", "%s.%s shows no primary key: %s", r->database, r->name, e.message);
    }
    if (make_view(engine, &arena, r, RELATION_CHANGELOG, &e) != ERR_OK) {
        diag_warn("sql", "%s.%s has no changelog: %s", r->database, r->name, e.message);
    }
    r->keyed = schema_has_primary_key(schema);
    if (r->keyed && make_view(engine, &arena, r, RELATION_BINLOG, &e) != ERR_OK) {
        diag_warn("sql", "%s.%s has no binlog: %s", r->database, r->name, e.message);
    }
}

/* ---- databases ---- */

static bool database_there(const struct meta_view *view, const char *name)
{
    return meta_view_database(view, bytes_str(name)) != NULL;
}

static bool schema_there(const struct sql_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->schema_count; i++) {
        if (strcmp(engine->schemas[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void drop_schemas(struct sql_engine *engine, const struct meta_view *view)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t kept = 0;
    struct error e;

    for (size_t i = 0; i < engine->schema_count; i++) {
        char *name = engine->schemas[i];

        if (database_there(view, name)) {
            engine->schemas[kept++] = name;
            continue;
        }
        if (session_run(engine->owner,
                        arena_printf(&arena, "DROP SCHEMA IF EXISTS " RELATIONS_CATALOG ".%s",
                                     relations_quote(&arena, name)),
                        &e) != ERR_OK) {
            diag_warn("sql", "database %s stays visible: %s", name, e.message);
        }
        free(name);
    }
    engine->schema_count = kept;
}

static void make_schemas(struct sql_engine *engine, const struct meta_view *view)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    engine->schemas =
        mem_realloc(engine->schemas,
                    (engine->schema_count + view->database_count + 1) * sizeof *engine->schemas);
    for (size_t i = 0; i < view->database_count; i++) {
        const char *name = view->databases[i]->name;

        if (schema_there(engine, name)) {
            continue;
        }
        if (session_run(engine->owner,
                        arena_printf(&arena, "CREATE SCHEMA IF NOT EXISTS " RELATIONS_CATALOG ".%s",
                                     relations_quote(&arena, name)),
                        &e) != ERR_OK) {
            diag_warn("sql", "database %s is not visible: %s", name, e.message);
        }
        engine->schemas[engine->schema_count++] = mem_strdup(name);
    }
}

/* ---- tables ---- */

static int compare(const struct relation *r, const struct meta_table *t)
{
    int by_database = strcmp(r->database, t->database);

    return by_database != 0 ? by_database : strcmp(r->name, t->name);
}

static bool is_same(const struct relation *r, const struct meta_table *t)
{
    return r->table_id == t->id && r->schema_id == meta_table_latest(t)->id;
}

/* What the view has not, or has otherwise, is dropped. Both lists are in the order of names. */
static void drop_relations(struct sql_engine *engine, const struct meta_view *view)
{
    size_t kept = 0;
    size_t t = 0;

    for (size_t i = 0; i < engine->relation_count; i++) {
        struct relation *r = &engine->relations[i];

        while (t < view->table_count && compare(r, view->tables[t]) > 0) {
            t++;
        }
        if (t < view->table_count && compare(r, view->tables[t]) == 0 &&
            is_same(r, view->tables[t])) {
            engine->relations[kept++] = *r;
        } else {
            relation_drop(engine, r);
        }
    }
    engine->relation_count = kept;
}

static void make_relations(struct sql_engine *engine, const struct meta_view *view)
{
    struct relation *all = mem_zalloc((view->table_count + 1) * sizeof *all);
    size_t old = 0;

    for (size_t i = 0; i < view->table_count; i++) {
        const struct meta_table *t = view->tables[i];

        if (old < engine->relation_count && compare(&engine->relations[old], t) == 0) {
            all[i] = engine->relations[old++];
            continue;
        }
        all[i] = (struct relation){.database = mem_strdup(t->database),
                                   .name = mem_strdup(t->name),
                                   .table_id = t->id,
                                   .schema_id = meta_table_latest(t)->id};
        relation_make(engine, &all[i], meta_table_latest(t)->schema);
    }
    free(engine->relations);
    engine->relations = all;
    engine->relation_count = view->table_count;
}

/* ---- all of it at once ---- */

/* What the engine knows of its catalog. */
struct image {
    struct relation *relations;
    size_t relation_count;
    char **schemas;
    size_t schema_count;
};

static struct image image_copy(const struct sql_engine *engine)
{
    struct image copy = {
        .relations = mem_zalloc((engine->relation_count + 1) * sizeof *copy.relations),
        .relation_count = engine->relation_count,
        .schemas = mem_zalloc((engine->schema_count + 1) * sizeof *copy.schemas),
        .schema_count = engine->schema_count,
    };

    for (size_t i = 0; i < copy.relation_count; i++) {
        copy.relations[i] = engine->relations[i];
        copy.relations[i].database = mem_strdup(engine->relations[i].database);
        copy.relations[i].name = mem_strdup(engine->relations[i].name);
    }
    for (size_t i = 0; i < copy.schema_count; i++) {
        copy.schemas[i] = mem_strdup(engine->schemas[i]);
    }
    return copy;
}

static void image_free(struct image *image)
{
    for (size_t i = 0; i < image->relation_count; i++) {
        free(image->relations[i].database);
        free(image->relations[i].name);
    }
    for (size_t i = 0; i < image->schema_count; i++) {
        free(image->schemas[i]);
    }
    free(image->relations);
    free(image->schemas);
}

/* The engine's image becomes this one; the answer is what it was. */
static struct image image_swap(struct sql_engine *engine, const struct image *image)
{
    struct image was = {.relations = engine->relations,
                        .relation_count = engine->relation_count,
                        .schemas = engine->schemas,
                        .schema_count = engine->schema_count};

    engine->relations = image->relations;
    engine->relation_count = image->relation_count;
    engine->schemas = image->schemas;
    engine->schema_count = image->schema_count;
    return was;
}

/* One transaction, so that no statement sees a part of it; one that fails is tried again with the next
 * statement. */
static enum errcode follow(struct sql_engine *engine, const struct meta_view *view, struct error *e)
{
    struct error ignored;
    enum errcode code;

    TRY(session_run(engine->owner, "BEGIN TRANSACTION", e));
    drop_relations(engine, view);
    drop_schemas(engine, view);
    make_schemas(engine, view);
    make_relations(engine, view);
    code = session_run(engine->owner, "COMMIT", e);
    if (code != ERR_OK) {
        IGNORE(session_run(engine->owner, "ROLLBACK", &ignored) != ERR_OK);
    }
    return code;
}

void relations_follow(struct sql_engine *engine, struct meta_view *view)
{
    struct image old;
    struct error e;

    if (engine->relations != NULL && view->version <= engine->view_version) {
        return;
    }
    old = image_copy(engine);
    sql_session_view(engine->owner, view);
    session_adopt_view(engine->owner);
    if (follow(engine, view, &e) == ERR_OK) {
        engine->view_version = view->version;
    } else {
        diag_warn("sql", "the relations are as of an earlier moment: %s", e.message);
        old = image_swap(engine, &old);
    }
    image_free(&old);
}

void relations_free(struct sql_engine *engine)
{
    static const struct image none = {.relations = NULL};
    struct image all = image_swap(engine, &none);

    image_free(&all);
}
