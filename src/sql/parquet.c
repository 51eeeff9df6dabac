#include "parquet.h"

#include "dml_run.h"
#include "encode.h"
#include "failure.h"
#include "names.h"
#include "parquet_footer.h"
#include "parquet_write.h"

#include <stdio.h>
#include <strings.h>

#include "base/diag.h"

#define COLUMNS_MAX 4096

/* ---- the other instance ---- */

static uint64_t memory_bytes(const struct sql_engine *engine)
{
    return engine->options.memory_bytes / 2;
}

static enum errcode run(void *connection, const char *text, struct error *e)
{
    const struct duckdb *d = duckdb();
    struct duck_result result;
    enum errcode code = ERR_OK;

    if (d->query(connection, text, &result) != DUCK_OK) {
        code = error_set(e, ERR_UNSUPPORTED_OPERATION, "%s", d->result_error(&result));
    }
    d->destroy_result(&result);
    return code;
}

/* The file cache goes by paths, and ours come again with other contents. */
static enum errcode shut(void *connection, struct error *e)
{
    static const char *const settings[] = {
        "SET GLOBAL TimeZone = 'UTC'",
        "SET GLOBAL enable_external_file_cache = false",
        "SET GLOBAL allowed_directories = ['/proc/self/fd/']",
        "SET GLOBAL allow_community_extensions = false",
        "SET GLOBAL enable_external_access = false",
        "SET GLOBAL lock_configuration = true",
    };

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        TRY(run(connection, settings[i], e));
    }
    return ERR_OK;
}

static enum errcode open_files(struct sql_engine *engine, struct error *e)
{
    const struct duckdb *d = duckdb();
    void *connection = NULL;
    enum errcode code;

    TRY(engine_open_instance(1, memory_bytes(engine), &engine->files, e));
    if (d->connect(engine->files, &connection) != DUCK_OK) {
        code = error_set(e, ERR_UNSUPPORTED_OPERATION, "DuckDB gives no further connection");
    } else {
        code = parquet_write_register(engine, connection, e);
        code = code == ERR_OK ? shut(connection, e) : code;
    }
    d->disconnect(&connection);
    if (code != ERR_OK) {
        d->close(&engine->files);
    }
    return code;
}

enum errcode parquet_connect(struct sql_engine *engine, void **ret, struct error *e)
{
    enum errcode code = ERR_OK;

    lock_take(&engine->lock);
    if (engine->files == NULL) {
        code = open_files(engine, e);
    }
    if (code == ERR_OK && duckdb()->connect(engine->files, ret) != DUCK_OK) {
        code = error_set(e, ERR_UNSUPPORTED_OPERATION, "DuckDB gives no further connection");
    }
    lock_give(&engine->lock);
    return code;
}

/* Whoever has a connection keeps it alive until then. */
static void forget_files(struct sql_engine *engine)
{
    lock_take(&engine->lock);
    duckdb()->close(&engine->files);
    lock_give(&engine->lock);
}

/* ---- errors ---- */

/* Our path says nothing to the client. */
static void hide(char *text, const char *path)
{
    size_t len = strlen(path);
    char *at;

    while ((at = strstr(text, path)) != NULL) {
        memcpy(at, "it", 2);
        memmove(at + 2, at + len, strlen(at + len) + 1);
    }
}

void parquet_failed(const struct spool *file, const char *words, struct sql_error *e)
{
    if (strncmp(words, "FATAL", 5) == 0 || strncmp(words, "INTERNAL", 8) == 0) {
        diag_warn("sql", "Parquet: %s", words);
        forget_files(file->engine);
    }
    (void)failure_of_duck(e, words);
    failure_hide_line(e);
    hide(e->message, file->file->path);
}

/* What may be the fault of the file is one. */
static bool bad_file(const struct spool *file, const char *words, struct sql_error *e)
{
    const char *const faults[] = {"XX000", "22023", "58030"};

    parquet_failed(file, words, e);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (strcmp(e->state, faults[i]) == 0) {
            (void)snprintf(e->state, sizeof e->state, "22P04");
        }
    }
    return false;
}

/* ---- the file ---- */

/* Before DuckDB sees it. */
static enum errcode check_file(const struct sql_engine *engine, const struct spool *file,
                               struct error *e)
{
    OWNED(buffer_fini) struct buffer footer = BUFFER_INIT;
    uint8_t tail[PARQUET_TAIL_SIZE] = {0};
    uint64_t len;

    if (file->size >= PARQUET_TAIL_SIZE) {
        TRY(file_read_at(file->file, file->size - sizeof tail, tail, sizeof tail, e));
    }
    len = get_u32le(tail);
    if (memcmp(tail + 4, PARQUET_MAGIC, 4) != 0 || len > PARQUET_FOOTER_MAX ||
        len + sizeof tail > file->size) {
        return error_set(e, ERR_CORRUPT_FILE, "this is no whole file of Parquet");
    }
    TRY(file_read_at(file->file, file->size - sizeof tail - len, buffer_room(&footer, len), len,
                     e));
    return parquet_footer_check(buffer_view(&footer), memory_bytes(engine), e);
}

struct reading {
    struct sql_statement *statement;
    const struct spool *file;
    void *connection;
    struct sql_result *rows;
    struct dml dml; /* that of the statement, with the columns of the file */
    struct arena arena;
};

static bool failed(const struct reading *r, const char *words, struct sql_error *e)
{
    return bad_file(r->file, words == NULL ? "DuckDB gives no reason" : words, e);
}

static void put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

static void put_from(const struct reading *r, struct buffer *out)
{
    put(out, " FROM read_parquet('");
    put(out, r->file->file->path);
    put(out, "', hive_partitioning = false)");
    buffer_u8(out, '\0');
}

static bool prepare(struct reading *r, const struct buffer *text, void **ret, struct sql_error *e)
{
    const struct duckdb *d = duckdb();

    return d->prepare(r->connection, (const char *)text->data, ret) == DUCK_OK ||
           failed(r, *ret == NULL ? NULL : d->prepare_error(*ret), e);
}

/* ---- columns ---- */

static bool no_column(const struct reading *r, const char *column, bool in_file,
                      struct sql_error *e)
{
    char text[300];

    (void)snprintf(text, sizeof text,
                   in_file ? "the table \"%.100s\" has no column \"%.100s\", the file has"
                           : "the file for table \"%.100s\" has no column \"%.100s\"",
                   r->dml.table->name, column);
    (void)sql_fail(e, "42703", text);
    if (in_file) {
        (void)snprintf(e->hint, sizeof e->hint,
                       "COPY t (a, b) FROM STDIN takes these columns and leaves out others.");
    }
    return false;
}

/* As names_column finds them. */
static const char *find_name(struct text_list names, const char *wanted)
{
    if (text_list_contains(names, wanted)) {
        return wanted;
    }
    for (size_t i = 0; i < names.count; i++) {
        if (strcasecmp(names.items[i], wanted) == 0) {
            return names.items[i];
        }
    }
    return NULL;
}

/* Columns that the statement names, by their place in the file. */
static bool find_named(struct reading *r, const struct text_list names, const char **sources,
                       struct sql_error *e)
{
    const struct schema *schema = meta_table_latest(r->dml.table)->schema;

    for (size_t i = 0; i < r->dml.column_count; i++) {
        const char *wanted = schema->columns[r->dml.columns[i]].name;

        sources[i] = find_name(names, wanted);
        if (sources[i] == NULL) {
            return no_column(r, wanted, false, e);
        }
    }
    return true;
}

/* Without names, the columns of the file are meant. */
static bool take_all(struct reading *r, const struct text_list names, struct sql_error *e)
{
    const struct schema *schema = meta_table_latest(r->dml.table)->schema;
    int32_t *columns = arena_array(&r->arena, names.count, sizeof *columns);

    for (size_t i = 0; i < names.count; i++) {
        columns[i] = names_column(schema, names.items[i], false);
        if (columns[i] < 0) {
            return no_column(r, names.items[i], true, e);
        }
        for (size_t before = 0; before < i; before++) {
            if (columns[before] == columns[i]) {
                return sql_fail(e, "42701", "the file has two columns of one name");
            }
        }
    }
    r->dml.columns = columns;
    r->dml.column_count = names.count;
    r->dml.partial = schema_has_primary_key(schema) && names.count < schema->count;
    return true;
}

static bool file_columns(struct reading *r, struct text_list *ret, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    void *prepared = NULL;
    const char **names;
    size_t count;

    put(&text, "SELECT *");
    put_from(r, &text);
    if (!prepare(r, &text, &prepared, e)) {
        d->destroy_prepare(&prepared);
        return false;
    }
    count = d->prepared_statement_column_count(prepared);
    names = arena_array(&r->arena, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const char *name = d->prepared_statement_column_name(prepared, i);

        names[i] = arena_strndup(&r->arena, name, strlen(name));
        d->free((void *)(uintptr_t)name);
    }
    d->destroy_prepare(&prepared);
    *ret = (struct text_list){.items = names, .count = count};
    return count > 0 && count <= COLUMNS_MAX
               ? true
               : sql_fail(e, "54011", "the file has no columns, or too many");
}

/* ---- rows ---- */

static bool make_query(struct reading *r, struct buffer *out, struct sql_error *e)
{
    const struct schema *schema = meta_table_latest(r->dml.table)->schema;
    struct text_list names = {0};
    const char *const *sources;

    if (!file_columns(r, &names, e)) {
        return false;
    }
    if (r->statement->copy.all_columns) {
        sources = names.items;
        if (!take_all(r, names, e)) {
            return false;
        }
    } else {
        const char **found = arena_array(&r->arena, r->dml.column_count, sizeof *found);

        sources = found;
        if (!find_named(r, names, found, e)) {
            return false;
        }
    }
    for (size_t i = 0; i < r->dml.column_count; i++) {
        put(out, i == 0 ? "SELECT CAST(" : ", CAST(");
        encode_name(sources[i], out);
        put(out, " AS ");
        encode_type_name(schema->columns[r->dml.columns[i]].type, out);
        put(out, ")");
    }
    put_from(r, out);
    return true;
}

static bool start(struct reading *r, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    void *prepared = NULL;
    bool right = make_query(r, &text, e) && prepare(r, &text, &prepared, e);

    r->rows = mem_new(struct sql_result);
    r->rows->statement = r->statement;
    if (right) {
        right = d->pending_prepared_streaming(prepared, &r->rows->pending) == DUCK_OK ||
                failed(r, r->rows->pending == NULL ? NULL : d->pending_error(r->rows->pending), e);
    }
    if (right) {
        r->rows->open = true;
        right = d->execute_pending(r->rows->pending, &r->rows->result) == DUCK_OK ||
                failed(r, d->result_error(&r->rows->result), e);
    }
    d->destroy_prepare(&prepared);
    return right;
}

/* Errors of the writer are told from those of the file by who has words. */
static bool write_rows(struct reading *r, uint64_t *ret_count, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    struct dml_writing *w = dml_begin(&r->dml, r->statement->session);
    bool right = dml_write(w, r->rows, e) && dml_flush(w, e);
    const char *words = right ? NULL : d->result_error(&r->rows->result);

    if (words != NULL && *words != '\0') {
        (void)failed(r, words, e);
    }
    *ret_count = dml_written(w);
    dml_end(w);
    return right;
}

bool parquet_write_rows(struct sql_statement *st, const struct spool *file, uint64_t *ret_count,
                        struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    struct sql_engine *engine = st->session->engine;
    struct reading r = {.statement = st, .file = file, .dml = st->dml};
    struct error why;
    bool right;

    *ret_count = 0;
    if (check_file(engine, file, &why) != ERR_OK) {
        return why.code == ERR_CORRUPT_FILE ? sql_fail(e, "22P04", why.message)
                                            : failure_of(e, &why);
    }
    if (parquet_connect(engine, &r.connection, &why) != ERR_OK) {
        return sql_fail(e, "58000", why.message);
    }
    session_second(st->session, r.connection);
    right = start(&r, e) && write_rows(&r, ret_count, e);
    session_second(st->session, NULL);
    sql_result_free(r.rows);
    d->disconnect(&r.connection);
    arena_fini(&r.arena);
    return right;
}
