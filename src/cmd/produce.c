#include "produce.h"

#include "sql_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "io/stream.h"
#include "io/terminal.h"
#include "shell/shell.h"

#define COLUMNS_MAX 2000
#define BATCH_ROWS  4000
#define BATCH_BYTES ((size_t)1 << 20)
#define RECORD_MAX  ((size_t)4 << 20) /* of one row */

struct producing {
    const struct produce_options *options;
    struct client_options client_options;
    struct client *client;
    struct arena names;       /* of what follows */
    struct text_list columns; /* of the table */
    struct text_list types;   /* theirs */
    struct text_list given;   /* columns that are written */
    enum produce_format format;
    struct buffer record; /* being read */
    struct buffer rows;   /* JSON objects with commas between them */
    size_t row_count;
    uint64_t line;       /* the last that was read */
    uint64_t first_line; /* of the batch */
    uint64_t written;
    char *input;
    size_t input_cap;
};

/* ---- records ---- */

bool produce_record_ends(struct bytes text)
{
    bool open = false;

    for (size_t i = 0; i < text.len; i++) {
        open = open != (text.data[i] == '"');
    }
    return !open;
}

/* One cell from the start of the text; *ret_len: what it takes. */
static enum errcode cell(struct bytes text, struct arena *arena, const char **ret, size_t *ret_len,
                         struct error *e)
{
    char *out = arena_alloc(arena, text.len + 1);
    bool quoted = text.len > 0 && text.data[0] == '"';
    size_t at = quoted ? 1 : 0;
    size_t len = 0;

    while (at < text.len && (quoted || text.data[at] != ',')) {
        if (quoted && text.data[at] == '"' && (at + 1 == text.len || text.data[at + 1] != '"')) {
            break;
        }
        at += quoted && text.data[at] == '"' ? 1 : 0;
        out[len++] = (char)text.data[at++];
    }
    if (quoted && (at == text.len || (at + 1 < text.len && text.data[at + 1] != ','))) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a quote does not end before a comma");
    }
    out[len] = '\0';
    *ret = len == 0 && !quoted ? NULL : out;
    *ret_len = at + (quoted ? 1 : 0);
    return ERR_OK;
}

enum errcode produce_cells(struct bytes record, struct arena *arena, struct text_list *ret,
                           struct error *e)
{
    const char **items = arena_array(arena, COLUMNS_MAX, sizeof *items);
    size_t count = 0;
    bool more = true;

    while (more) {
        size_t len = 0;

        if (count == COLUMNS_MAX) {
            return error_set(e, ERR_INVALID_ARGUMENT, "more than %d columns", COLUMNS_MAX);
        }
        TRY(cell(record, arena, &items[count++], &len, e));
        more = len < record.len; /* a comma is next */
        record = bytes_slice(record, more ? len + 1 : len, record.len - len - (more ? 1 : 0));
    }
    *ret = (struct text_list){.items = items, .count = count};
    return ERR_OK;
}

enum errcode produce_check_json(struct bytes line, struct text_list names, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *value;

    TRY(json_parse(line, NULL, &arena, &value, e));
    if (json_kind_of(value) != JSON_KIND_OBJECT) {
        return json_fail(value, e, "expected an object");
    }
    for (size_t i = 0; i < json_count(value); i++) {
        const char *key = json_key_of(json_at(value, i));

        if (!text_list_contains(names, key)) {
            return json_fail(value, e, "the table has no column \"%.80s\"", key);
        }
    }
    return ERR_OK;
}

/* ---- statements ---- */

/* Runs it; each row's texts go to the lists, of which there are `count`. */
static enum errcode run(struct producing *p, struct bytes statement, const char ***lists,
                        size_t *ret_count, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    enum errcode failure = ERR_OK;
    struct client_event event;

    TRY(client_query(p->client, statement, e));
    do {
        struct client_cell *cells;
        size_t count;

        TRY(client_next(p->client, &event, e));
        if (event.kind == CLIENT_ERROR) {
            failure = error_set(e, ERR_UNSUPPORTED_OPERATION, "%s: %s", event.problem.state,
                                event.problem.message);
        } else if (event.kind == CLIENT_ROW && lists != NULL && *ret_count < COLUMNS_MAX) {
            arena_reset(&arena);
            TRY(client_cells(&event, &arena, &cells, &count, e));
            for (size_t i = 0; i < 2 && i < count; i++) {
                lists[i][*ret_count] =
                    arena_strndup(&p->names, cells[i].text.data, cells[i].text.len);
            }
            (*ret_count)++;
        }
    } while (event.kind != CLIENT_READY);
    return failure;
}

static void put_table(struct producing *p, struct buffer *out)
{
    sql_text_quote(out, bytes_str(p->options->database), '"');
    sql_text_put(out, ".");
    sql_text_quote(out, bytes_str(p->options->table), '"');
}

static enum errcode find_columns(struct producing *p, struct error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    const char **names = arena_array(&p->names, COLUMNS_MAX, sizeof *names);
    const char **types = arena_array(&p->names, COLUMNS_MAX, sizeof *types);
    const char **lists[2] = {names, types};
    size_t count = 0;

    sql_text_put(&text, "DESCRIBE ");
    put_table(p, &text);
    TRY(run(p, buffer_view(&text), lists, &count, e));
    p->columns = (struct text_list){.items = names, .count = count};
    p->types = (struct text_list){.items = types, .count = count};
    p->given = p->columns;
    return ERR_OK;
}

/* Of JSON, only what SQL reads from text is taken as text; CSV has nothing else. */
static const char *type_of(const struct producing *p, const char *column)
{
    for (size_t i = 0; i < p->columns.count && p->format == PRODUCE_JSONL; i++) {
        if (strcmp(p->columns.items[i], column) == 0) {
            return strcmp(p->types.items[i], "VARCHAR") == 0 ||
                           strcmp(p->types.items[i], "BLOB") == 0
                       ? "VARCHAR"
                       : "JSON";
        }
    }
    return "VARCHAR";
}

/* Nested values stand as JSON in CSV, too. */
static bool is_nested(const struct producing *p, const char *column)
{
    for (size_t i = 0; i < p->columns.count; i++) {
        if (strcmp(p->columns.items[i], column) == 0) {
            return strpbrk(p->types.items[i], "[(") != NULL &&
                   strncmp(p->types.items[i], "DECIMAL(", 8) != 0;
        }
    }
    return false;
}

static void put_insert(struct producing *p, struct buffer *out)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct json_writer w;

    sql_text_put(out, "INSERT INTO ");
    put_table(p, out);
    json_writer_init(&w, &arena);
    json_write_array(&w);
    json_write_object(&w);
    for (size_t i = 0; i < p->given.count; i++) {
        sql_text_put(out, i == 0 ? " (" : ", ");
        sql_text_quote(out, bytes_str(p->given.items[i]), '"');
        json_write_string_member(&w, p->given.items[i], type_of(p, p->given.items[i]));
    }
    json_write_end(&w);
    json_write_end(&w);
    for (size_t i = 0; i < p->given.count; i++) {
        sql_text_put(out, i == 0 ? ") SELECT r." : ", r.");
        sql_text_quote(out, bytes_str(p->given.items[i]), '"');
        sql_text_put(out, is_nested(p, p->given.items[i]) ? "::JSON" : "");
    }
    sql_text_put(out, " FROM (SELECT unnest(from_json(");
    buffer_u8(&p->rows, ']');
    sql_text_quote(out, buffer_view(&p->rows), '\'');
    sql_text_put(out, ", ");
    sql_text_quote(out, json_writer_text(&w), '\'');
    sql_text_put(out, ")) AS r)");
}

static enum errcode send_batch(struct producing *p, struct error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    enum errcode code;

    if (p->row_count == 0) {
        return ERR_OK;
    }
    put_insert(p, &text);
    code = run(p, buffer_view(&text), NULL, NULL, e);
    if (code != ERR_OK) {
        error_wrap(e, "lines %" PRIu64 " to %" PRIu64, p->first_line, p->line);
        return code;
    }
    p->written += p->row_count;
    p->row_count = 0;
    buffer_clear(&p->rows);
    return ERR_OK;
}

/* ---- input ---- */

/* A line, of CSV as many as a record has; without its end. *ret false: there is no more. */
static enum errcode next_record(struct producing *p, bool *ret, struct error *e)
{
    buffer_clear(&p->record);
    *ret = false;
    for (;;) {
        ssize_t len = getline(&p->input, &p->input_cap, stdin);

        if (len < 0 && p->record.len > 0) {
            return error_set(e, ERR_INVALID_ARGUMENT, "a quote is open at the end");
        }
        if (len < 0) {
            return ERR_OK;
        }
        p->line++;
        buffer_bytes(&p->record, bytes_of(p->input, (size_t)len));
        if (p->record.len > RECORD_MAX || !utf8_valid(bytes_of(p->input, (size_t)len)) ||
            memchr(p->input, '\0', (size_t)len) != NULL) {
            return error_set(e, ERR_INVALID_ARGUMENT, "line %" PRIu64 " is no UTF-8, or too long",
                             p->line);
        }
        if (p->format != PRODUCE_CSV || produce_record_ends(buffer_view(&p->record))) {
            break;
        }
    }
    while (p->record.len > 0 && strchr("\r\n", p->record.data[p->record.len - 1]) != NULL) {
        p->record.len--;
    }
    *ret = true;
    return ERR_OK;
}

static enum errcode take_header(struct producing *p, struct error *e)
{
    bool some;

    TRY(next_record(p, &some, e));
    if (!some) {
        return error_set(e, ERR_INVALID_ARGUMENT, "there is no header");
    }
    TRY(produce_cells(buffer_view(&p->record), &p->names, &p->given, e));
    for (size_t i = 0; i < p->given.count; i++) {
        if (p->given.items[i] == NULL || !text_list_contains(p->columns, p->given.items[i])) {
            return error_set(e, ERR_INVALID_ARGUMENT, "the table has no column \"%.80s\"",
                             p->given.items[i] == NULL ? "" : p->given.items[i]);
        }
    }
    return ERR_OK;
}

static enum errcode put_csv(struct producing *p, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list cells;
    struct json_writer w;

    TRY(produce_cells(buffer_view(&p->record), &arena, &cells, e));
    if (cells.count != p->given.count) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found %zu columns, expected %zu", cells.count,
                         p->given.count);
    }
    json_writer_init(&w, &arena);
    json_write_object(&w);
    for (size_t i = 0; i < cells.count; i++) {
        if (cells.items[i] != NULL) {
            json_write_string_member(&w, p->given.items[i], cells.items[i]);
        }
    }
    json_write_end(&w);
    buffer_bytes(&p->rows, json_writer_text(&w));
    return ERR_OK;
}

static enum errcode put_record(struct producing *p, struct error *e)
{
    enum errcode code = ERR_OK;

    p->first_line = p->row_count == 0 ? p->line : p->first_line;
    buffer_u8(&p->rows, p->row_count == 0 ? '[' : ',');
    if (p->format == PRODUCE_CSV) {
        code = put_csv(p, e);
    } else {
        code = produce_check_json(buffer_view(&p->record), p->columns, e);
        buffer_bytes(&p->rows, buffer_view(&p->record));
    }
    if (code != ERR_OK) {
        error_wrap(e, "line %" PRIu64, p->line);
        return code;
    }
    p->row_count++;
    return p->row_count == BATCH_ROWS || p->rows.len >= BATCH_BYTES ? send_batch(p, e) : ERR_OK;
}

/* A file that begins as no text of ours does; what was taken off its front is in *ret. */
static enum errcode guess_format(struct producing *p, uint8_t magic[static 4], size_t *ret_len,
                                 struct error *e)
{
    int first = p->format == PRODUCE_GUESSED ? getc(stdin) : EOF;

    *ret_len = 0;
    if (first == 'P') {
        magic[0] = (uint8_t)first;
        TRY(stream_read(stdin, magic + 1, 3, ret_len, e));
        *ret_len += 1;
        p->format = PRODUCE_PARQUET;
        return *ret_len == 4 && memcmp(magic, "PAR1", 4) == 0
                   ? ERR_OK
                   : error_set(e, ERR_INVALID_ARGUMENT,
                               "line 1: neither JSON nor Parquet; --format names others");
    }
    if (p->format == PRODUCE_GUESSED) {
        (void)(first == EOF ? EOF : ungetc(first, stdin));
        p->format = PRODUCE_JSONL;
    }
    return ERR_OK;
}

static enum errcode send_file(struct producing *p, struct bytes begin, struct error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    struct produce_file file = {.client = p->client, .begin = begin};

    sql_text_put(&text, "COPY ");
    put_table(p, &text);
    sql_text_put(&text, " FROM STDIN (FORMAT parquet)");
    file.statement = buffer_view(&text);
    return produce_file(&file, stdin, &p->written, e);
}

static enum errcode run_all(struct producing *p, struct error *e)
{
    bool some = true;
    uint8_t magic[4];
    size_t len = 0;

    if (client_open(&p->client_options, &p->client, e) != ERR_OK) {
        error_wrap(e, "%s, the PostgreSQL listener", p->options->sql.text);
        return ERR_NETWORK;
    }
    TRY(guess_format(p, magic, &len, e));
    if (p->format == PRODUCE_PARQUET) {
        return send_file(p, bytes_of(magic, len), e);
    }
    TRY(find_columns(p, e));
    if (p->format == PRODUCE_CSV) {
        TRY(take_header(p, e));
    }
    while (some) {
        TRY(next_record(p, &some, e));
        if (some && p->record.len > 0) { /* empty lines are nothing */
            TRY(put_record(p, e));
        }
    }
    return send_batch(p, e);
}

static enum errcode dial(void *context, int *ret_fd, struct error *e)
{
    const struct place *place = context;

    return socket_connect(place->host, place->port, ret_fd, e);
}

enum errcode produce(const struct produce_options *options, uint64_t *ret_rows, struct error *e)
{
    struct producing p = {.options = options, .format = options->format};
    enum errcode code;

    p.client_options = (struct client_options){.dial = dial,
                                               .context = (void *)(uintptr_t)&options->sql,
                                               .user = "eider",
                                               .database = options->database};
    code = run_all(&p, e);
    *ret_rows = p.written;
    client_close(p.client);
    arena_fini(&p.names);
    buffer_fini(&p.record);
    buffer_fini(&p.rows);
    free(p.input);
    return code;
}
