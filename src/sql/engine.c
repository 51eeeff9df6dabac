#include "column_cache.h"
#include "copy_in.h"
#include "pg_catalog.h"
#include "pg_information.h"
#include "pg_setting.h"
#include "relations.h"
#include "scan.h"
#include "statement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

#define DATABASE_DEFAULT "fluss"

struct sql_engine *sql_engine_new(const struct sql_options *options, const struct sql_world *world)
{
    struct sql_engine *engine = mem_new(struct sql_engine);

    engine->options = *options;
    engine->world = *world;
    lock_init(&engine->lock);
    lock_init(&engine->sessions_lock);
    map_init(&engine->sessions);
    map_init(&engine->writings);
    return engine;
}

/* ---- sessions ---- */

static enum errcode connect_session(struct sql_engine *engine, struct sql_session **ret,
                                    struct error *e)
{
    const struct duckdb *d = duckdb();
    struct sql_session *s;
    void *connection = NULL;
    void *context = NULL;

    if (d->connect(engine->db, &connection) != DUCK_OK) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "DuckDB gives no further connection");
    }
    s = mem_new(struct sql_session);
    s->engine = engine;
    s->connection = connection;
    lock_init(&s->lock);
    lock_init(&s->second_lock);
    list_init(&s->cuts);
    d->connection_get_client_context(connection, &context);
    s->id = d->client_context_get_connection_id(context);
    d->destroy_client_context(&context);
    lock_take(&engine->sessions_lock);
    (void)map_put(&engine->sessions, s->id, s);
    lock_give(&engine->sessions_lock);
    *ret = s;
    return ERR_OK;
}

static void path_clear(struct sql_session *s)
{
    for (size_t i = 0; i < s->path_count; i++) {
        free(s->path[i]);
    }
    free(s->path);
    s->path = NULL;
    s->path_count = 0;
}

static void session_free(struct sql_session *s)
{
    path_clear(s);
    session_cuts_clear(s);
    duckdb()->disconnect(&s->connection);
    lock_take(&s->engine->sessions_lock);
    (void)map_remove(&s->engine->sessions, s->id);
    lock_give(&s->engine->sessions_lock);
    s->view = meta_view_unref(s->view);
    s->next_view = meta_view_unref(s->next_view);
    lock_fini(&s->second_lock);
    lock_fini(&s->lock);
    free(s);
}

struct sql_session *engine_session(struct sql_engine *engine, uint64_t id)
{
    struct sql_session *s;

    lock_take(&engine->sessions_lock);
    s = map_get(&engine->sessions, id);
    lock_give(&engine->sessions_lock);
    return s;
}

enum errcode session_run(struct sql_session *s, const char *text, struct error *e)
{
    const struct duckdb *d = duckdb();
    struct duck_result result;
    enum errcode code = ERR_OK;

    if (d->query(s->connection, text, &result) != DUCK_OK) {
        code = error_set(e, ERR_INVALID_ARGUMENT, "%s", d->result_error(&result));
    }
    d->destroy_result(&result);
    return code;
}

enum errcode session_ask(struct sql_session *s, const char *text, struct buffer *out,
                         struct error *e)
{
    const struct duckdb *d = duckdb();
    struct duck_result result;
    void *chunk = NULL;
    enum errcode code = ERR_OK;

    if (d->query(s->connection, text, &result) != DUCK_OK) {
        code = error_set(e, ERR_INVALID_ARGUMENT, "%s", d->result_error(&result));
    } else {
        chunk = d->fetch_chunk(result);
    }
    if (chunk != NULL) {
        const struct duck_string *found = d->vector_get_data(d->data_chunk_get_vector(chunk, 0));

        buffer_bytes(out, duck_string_bytes(found));
        d->destroy_data_chunk(&chunk);
    }
    d->destroy_result(&result);
    return code;
}

/* ---- opening DuckDB ---- */

static void set(void *config, const char *name, const char *value)
{
    if (duckdb()->set_config(config, name, value) != DUCK_OK) {
        diag_warn("sql", "DuckDB refuses %s = %s", name, value);
    }
}

enum errcode engine_open_instance(unsigned threads, uint64_t memory_bytes, void **ret,
                                  struct error *e)
{
    const struct duckdb *d = duckdb();
    void *config = NULL;
    char *why = NULL;
    char text[32];
    enum errcode code = ERR_OK;

    if (d->create_config(&config) != DUCK_OK) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "DuckDB gives no configuration");
    }
    (void)snprintf(text, sizeof text, "%u", threads);
    set(config, "threads", text);
    (void)snprintf(text, sizeof text, "%" PRIu64 "B", memory_bytes);
    set(config, "memory_limit", text);
    set(config, "temp_directory", "");
    set(config, "autoinstall_known_extensions", "false");
    set(config, "autoload_known_extensions", "false");
    if (d->open_ext(NULL, ret, config, &why) != DUCK_OK) {
        code = error_set(e, ERR_UNSUPPORTED_OPERATION, "DuckDB cannot be opened: %s", why);
        d->free(why);
    }
    d->destroy_config(&config);
    return code;
}

/* What is to stand before nobody can change anything any more. */
static enum errcode prepare_database(struct sql_session *owner, struct error *e)
{
    static const char *const first[] = {
        "ATTACH ':memory:' AS " RELATIONS_CATALOG,
        "CREATE SCHEMA " RELATIONS_CATALOG "." RELATIONS_SYSTEM,
        "USE " RELATIONS_CATALOG "." RELATIONS_SYSTEM,
        "SET GLOBAL TimeZone = 'UTC'",
    };
    static const char *const last[] = {
        "SET GLOBAL allow_community_extensions = false",
        "SET GLOBAL enable_external_access = false",
        "SET GLOBAL lock_configuration = true",
    };
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        TRY(session_run(owner, first[i], e));
    }
    for (size_t i = 0; pg_catalog_objects[i] != NULL; i++) {
        TRY(session_run(owner, pg_catalog_objects[i], e));
    }
    TRY(session_run(owner, pg_settings_statement(&arena), e));
    for (size_t i = 0; pg_information_objects[i] != NULL; i++) {
        TRY(session_run(owner, pg_information_objects[i], e));
    }
    TRY(scan_register(owner, e));
    TRY(copy_register(owner, e));
    for (size_t i = 0; i < ARRAY_LEN(last); i++) {
        TRY(session_run(owner, last[i], e));
    }
    return ERR_OK;
}

static enum errcode engine_open(struct sql_engine *engine, struct error *e)
{
    enum errcode code;

    if (engine->open) {
        return ERR_OK;
    }
    TRY(duckdb_load(engine->options.library, e));
    TRY(engine_open_instance(engine->options.threads, engine->options.memory_bytes, &engine->db,
                             e));
    code = connect_session(engine, &engine->owner, e);
    if (code == ERR_OK) {
        code = prepare_database(engine->owner, e);
    }
    if (code != ERR_OK) {
        if (engine->owner != NULL) {
            session_free(engine->owner);
            engine->owner = NULL;
        }
        duckdb()->close(&engine->db);
        return code;
    }
    if (engine->options.cache_bytes > 0) {
        engine->cache = column_cache_new(engine->options.cache_bytes);
    }
    engine->open = true;
    diag_info("sql", "DuckDB %s is open", duckdb()->library_version());
    return ERR_OK;
}

void sql_engine_free(struct sql_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    if (engine->open) {
        session_free(engine->owner);
        duckdb()->close(&engine->files);
        duckdb()->close(&engine->db);
    }
    column_cache_free(engine->cache);
    ASSERT(engine->sessions.count == 0);
    relations_free(engine);
    map_fini(&engine->sessions);
    map_fini(&engine->writings);
    lock_fini(&engine->sessions_lock);
    lock_fini(&engine->lock);
    free(engine);
}

/* ---- for clients ---- */

static bool failed(struct sql_error *e, const char *state, const struct error *why)
{
    return sql_fail(e, state, why->message);
}

bool sql_session_open(struct sql_engine *engine, struct meta_view *view, const char *database,
                      struct sql_session **ret, struct sql_error *e)
{
    bool known = meta_view_database(view, bytes_str(database)) != NULL;
    struct sql_session *s = NULL;
    enum errcode code;
    struct error why;

    lock_take(&engine->lock);
    code = engine_open(engine, &why);
    if (code == ERR_OK) {
        code = connect_session(engine, &s, &why);
    }
    lock_give(&engine->lock);
    if (code != ERR_OK) {
        return failed(e, "58000", &why);
    }
    sql_session_view(s, view);
    session_refresh(s);
    if (!sql_session_path(s, known ? database : DATABASE_DEFAULT, e) &&
        !sql_session_path(s, "", e)) {
        sql_session_close(s);
        return false;
    }
    *ret = s;
    return true;
}

void sql_session_close(struct sql_session *s)
{
    if (s != NULL) {
        session_free(s);
    }
}

void sql_session_view(struct sql_session *s, struct meta_view *view)
{
    if (s->next_view != view) {
        struct meta_view *old = s->next_view;

        s->next_view = meta_view_ref(view);
        (void)meta_view_unref(old);
    }
}

void session_adopt_view(struct sql_session *s)
{
    if (s->view != s->next_view) {
        struct meta_view *old = s->view;

        s->view = meta_view_ref(s->next_view);
        (void)meta_view_unref(old);
    }
}

void session_refresh(struct sql_session *s)
{
    uint64_t before;

    session_adopt_view(s);
    lock_take(&s->engine->lock);
    before = s->engine->view_version;
    relations_follow(s->engine, s->view);
    if (s->engine->cache != NULL && s->engine->view_version != before) {
        column_cache_follow(s->engine->cache, s->view);
    }
    lock_give(&s->engine->lock);
}

/* One name of a path as DuckDB's search path has it. */
static void add_place(struct buffer *out, struct bytes name)
{
    buffer_bytes(out, bytes_str(RELATIONS_CATALOG ".\""));
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] != '"' && name.data[i] != '\'') {
            buffer_u8(out, name.data[i]);
        }
    }
    buffer_bytes(out, bytes_str("\","));
}

/* The next name of a list, without its quotes; empty: it is none of ours. */
static struct bytes next_place(const char **path)
{
    size_t len = strcspn(*path, ",");
    struct bytes name = bytes_of(*path, len);

    *path += len + ((*path)[len] == ',');
    while (name.len > 0 && strchr(" \"'", name.data[0]) != NULL) {
        name = bytes_slice(name, 1, name.len - 1);
    }
    while (name.len > 0 && strchr(" \"'", name.data[name.len - 1]) != NULL) {
        name.len--;
    }
    if (name.len > 0 && (name.data[0] == '$' || bytes_equal_str(name, "pg_catalog"))) {
        name.len = 0;
    }
    return name;
}

static char *copy_text(struct bytes text)
{
    char *copy = mem_zalloc(text.len + 1);

    memcpy(copy, text.data, text.len);
    return copy;
}

static void path_take(struct sql_session *s, const char *path)
{
    path_clear(s);
    while (*path != '\0') {
        struct bytes name = next_place(&path);

        if (name.len > 0) {
            s->path = mem_realloc(s->path, (s->path_count + 1) * sizeof *s->path);
            s->path[s->path_count++] = copy_text(name);
        }
    }
}

bool sql_session_path(struct sql_session *s, const char *path, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    const char *rest = path;
    struct error why;

    buffer_bytes(&text, bytes_str("SET search_path = '"));
    while (*rest != '\0') {
        struct bytes name = next_place(&rest);

        if (name.len > 0) {
            add_place(&text, name);
        }
    }
    add_place(&text, bytes_str(RELATIONS_SYSTEM));
    text.len--;
    buffer_bytes(&text, bytes_of("'", 2));
    if (session_run(s, (const char *)text.data, &why) != ERR_OK) {
        return failed(e, "3F000", &why);
    }
    path_take(s, path);
    return true;
}

/* ---- beside another one ---- */

void sql_session_view_as(struct sql_session *s, const struct sql_session *other)
{
    sql_session_view(s, other->next_view);
}

static bool same_path(const struct sql_session *a, const struct sql_session *b)
{
    bool same = a->path_count == b->path_count;

    for (size_t i = 0; same && i < a->path_count; i++) {
        same = strcmp(a->path[i], b->path[i]) == 0;
    }
    return same;
}

bool sql_session_path_as(struct sql_session *s, const struct sql_session *other,
                         struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer path = BUFFER_INIT;

    if (same_path(s, other)) {
        return true;
    }
    for (size_t i = 0; i < other->path_count; i++) {
        buffer_bytes(&path, bytes_str(i > 0 ? "," : ""));
        buffer_bytes(&path, bytes_str(other->path[i]));
    }
    buffer_u8(&path, 0);
    return sql_session_path(s, (const char *)path.data, e);
}

bool sql_session_beside(const struct sql_session *s, struct sql_session **ret, struct sql_error *e)
{
    struct sql_session *made = NULL;

    if (!sql_session_open(s->engine, s->next_view, "", &made, e)) {
        return false;
    }
    if (!sql_session_path_as(made, s, e)) {
        sql_session_close(made);
        return false;
    }
    *ret = made;
    return true;
}

void sql_interrupt(struct sql_session *s)
{
    duckdb()->interrupt(s->connection);
    lock_take(&s->second_lock);
    if (s->second != NULL) {
        duckdb()->interrupt(s->second);
    }
    lock_give(&s->second_lock);
}

void session_second(struct sql_session *s, void *connection)
{
    lock_take(&s->second_lock);
    s->second = connection;
    lock_give(&s->second_lock);
}

/* ---- cuts ---- */

static struct session_cut *find_cut(struct sql_session *s, const struct meta_table *table,
                                    bool current)
{
    LIST_FOR_EACH(it, &s->cuts)
    {
        struct session_cut *c = container_of(it, struct session_cut, link);

        /* current rows are given once: whoever comes second has a cut of its own */
        if (c->cut->table_id == table->id && c->cut->current == current &&
            (!current || !atomic_load(&c->cut->taken))) {
            return c;
        }
    }
    return NULL;
}

static enum errcode make_cut(struct sql_session *s, const struct meta_table *table, bool current,
                             struct prune *prune, struct session_cut **ret, struct error *e)
{
    struct sql_cut *cut = NULL;

    TRY(sql_cut_take(&s->engine->world, table, current, prune, &cut, e));
    *ret = mem_new(struct session_cut);
    (*ret)->cut = cut;
    list_init(&(*ret)->link);
    list_push_back(&s->cuts, &(*ret)->link);
    return ERR_OK;
}

enum errcode session_take_cut(struct sql_session *s, const struct meta_table *table, bool current,
                              struct sql_cut **ret, struct error *e)
{
    enum errcode code = ERR_OK;
    struct session_cut *found;

    lock_take(&s->lock);
    found = find_cut(s, table, current);
    if (found == NULL) {
        code = make_cut(s, table, current, NULL, &found, e);
    }
    if (found != NULL) {
        atomic_store(&found->cut->taken, true);
        *ret = sql_cut_ref(found->cut);
    }
    lock_give(&s->lock);
    return code;
}

enum errcode session_make_cut(struct sql_session *s, const struct meta_table *table, bool current,
                              struct prune *prune, struct error *e)
{
    enum errcode code = ERR_OK;
    struct session_cut *made;

    lock_take(&s->lock);
    if (current || find_cut(s, table, current) == NULL) {
        code = make_cut(s, table, current, prune, &made, e);
    } else {
        prune_free(prune);
    }
    lock_give(&s->lock);
    return code;
}

void session_cuts_clear(struct sql_session *s)
{
    lock_take(&s->lock);
    LIST_FOR_EACH(it, &s->cuts)
    {
        struct session_cut *c = container_of(it, struct session_cut, link);

        list_remove(it);
        (void)sql_cut_unref(c->cut);
        free(c);
    }
    lock_give(&s->lock);
}
