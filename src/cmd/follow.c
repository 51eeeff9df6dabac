#include "follow.h"

#include "sql_text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"
#include "format/partition.h"
#include "io/blocking.h"
#include "io/clock.h"
#include "io/stream.h"
#include "io/terminal.h"

#define POLL_US    100000
#define REFRESH_US 2000000 /* new partitions, new leaders */
#define RANGE_MAX  100000  /* rows of a bucket that one statement sorts */
#define RETRY_US   500000  /* after a connection was lost */
#define OFFSET     "_log_offset"

struct position {
    int64_t partition_id;
    int32_t bucket;
    int64_t next; /* offset */
};

struct following {
    const struct follow_options *options;
    struct tool_client tool;
    struct client *client;
    struct client_options client_options;
    struct tool_table table;
    struct arena table_arena;
    struct position *positions; /* heap */
    size_t position_count;
    struct position *showing; /* whose rows the statement gives */
    int64_t table_id;
    struct output output;
    struct output_options look;
    struct sink sink;
    struct arena columns; /* of the output */
    struct buffer statement;
    int64_t time_ms;
    int64_t shown;
    int interrupt; /* -1: not yet */
    bool lost;     /* the server said that it goes */
    bool begun;    /* the output */
    bool ended;
};

typedef enum errcode follow_row_fn(struct following *f, struct client_cell *cells, size_t count,
                                   struct error *e);

static enum errcode run_statement(struct following *f, follow_row_fn *row, struct error *e);

/* ---- SQL text ---- */

void follow_put_columns(const char *columns, struct buffer *out)
{
    for (const char *p = columns;; p++) {
        size_t len = strcspn(p, ",");
        size_t from = strspn(p, " ");
        size_t to = len;

        while (to > from && p[to - 1] == ' ') {
            to--;
        }
        sql_text_quote(out, bytes_of(p + (from < to ? from : to), from < to ? to - from : 0), '"');
        p += len;
        if (*p == '\0') {
            return;
        }
        sql_text_put(out, ", ");
    }
}

static enum errcode put_partition_value(const struct type *type, const char *text,
                                        struct buffer *out, struct error *e)
{
    switch ((int)type->root) { /* the other kinds are refused together */
    case TYPE_CHAR:
    case TYPE_STRING:
        sql_text_quote(out, bytes_str(text), '\'');
        return ERR_OK;
    case TYPE_DATE:
        sql_text_put(out, "DATE ");
        sql_text_quote(out, bytes_str(text), '\'');
        return ERR_OK;
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        sql_text_put(out, text);
        return ERR_OK;
    default:
        return error_set(e, ERR_UNSUPPORTED_OPERATION,
                         "partitions by a column of type %s cannot be followed",
                         type_text(type).text);
    }
}

static enum errcode put_partition(const struct follow_range *r, struct buffer *out, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct table_def *def = &r->table->descriptor->def;
    struct text_list values;

    TRY(partition_split_name(r->bucket->partition, def->partition_keys.count, &arena, &values, e));
    for (size_t i = 0; i < values.count; i++) {
        const char *key = def->partition_keys.items[i];
        int32_t column = schema_find(def->schema, key);

        if (column < 0) {
            return error_set(e, ERR_INVALID_TABLE, "%s is a partition key and no column", key);
        }
        sql_text_put(out, " AND ");
        sql_text_quote(out, bytes_str(key), '"');
        sql_text_put(out, " = ");
        TRY(put_partition_value(def->schema->columns[column].type, values.items[i], out, e));
    }
    return ERR_OK;
}

enum errcode follow_condition(const struct follow_range *r, struct buffer *out, struct error *e)
{
    char text[160];

    (void)snprintf(text, sizeof text,
                   "_bucket = %" PRId32 " AND _log_offset >= %" PRId64
                   " AND _log_offset < %" PRId64,
                   r->bucket->bucket, r->from, r->end);
    sql_text_put(out, text);
    return r->bucket->partition == NULL ? ERR_OK : put_partition(r, out, e);
}

static void put_relation(struct following *f)
{
    struct buffer *out = &f->statement;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    sql_text_quote(out, bytes_str(f->options->database), '"');
    sql_text_put(out, ".");
    sql_text_quote(out, bytes_str(arena_printf(&arena, "%s$changelog", f->options->table)), '"');
}

/* ---- rows ---- */

static enum errcode take_number(const struct client_cell *cell, int64_t *ret, struct error *e)
{
    char text[32] = "";

    if (cell->text.len < sizeof text) {
        memcpy(text, cell->text.data, cell->text.len);
    }
    return units_parse_i64(text, ret, e);
}

/* Behind the columns that are shown stands the offset: what has been shown is not asked for again. */
static enum errcode show_row(struct following *f, struct client_cell *cells, size_t count,
                             struct error *e)
{
    int64_t offset;

    if (count != f->output.count + 1) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "the columns of the table have changed");
    }
    if (!client_cancelled(f->client)) {
        TRY(take_number(&cells[count - 1], &offset, e));
        output_row(&f->output, cells);
        f->shown++;
        f->showing->next = offset + 1;
    }
    return ERR_OK;
}

static enum errcode on_columns(struct following *f, const struct client_event *event,
                               struct error *e)
{
    struct client_column *columns;
    size_t count;

    if (f->begun) {
        return ERR_OK; /* the same again */
    }
    TRY(client_columns(event, &f->columns, &columns, &count, e));
    f->begun = true;
    output_begin(&f->output, columns, count - 1);
    return ERR_OK;
}

/* Runs f->statement; row: gets each row. An interrupt ends it without an error. */
static enum errcode run_statement(struct following *f, follow_row_fn *row, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    enum errcode failure = ERR_OK;
    struct client_event event;

    TRY(client_query(f->client, buffer_view(&f->statement), e));
    do {
        struct client_cell *cells;
        size_t count;

        TRY(client_next(f->client, &event, e));
        if (event.kind == CLIENT_COLUMNS && row == show_row) {
            TRY(on_columns(f, &event, e));
        } else if (event.kind == CLIENT_ROW) {
            arena_reset(&arena);
            TRY(client_cells(&event, &arena, &cells, &count, e));
            TRY(row(f, cells, count, e));
        } else if (event.kind == CLIENT_ERROR && !client_cancelled(f->client)) {
            failure = error_set(e, ERR_UNSUPPORTED_OPERATION, "%s: %s", event.problem.state,
                                event.problem.message);
            f->lost = strncmp(event.problem.state, "57P", 3) == 0; /* it is stopping */
        }
        f->ended = f->ended || client_cancelled(f->client) || f->sink.failed;
    } while (event.kind != CLIENT_READY);
    return failure;
}

static enum errcode show_range(struct following *f, const struct follow_range *range,
                               struct error *e)
{
    struct buffer *out = &f->statement;
    char limit[48] = "";

    buffer_clear(out);
    sql_text_put(out, "SELECT ");
    if (f->options->columns == NULL) {
        sql_text_put(out, "*");
    } else {
        follow_put_columns(f->options->columns, out);
    }
    sql_text_put(out, ", " OFFSET " FROM ");
    put_relation(f);
    sql_text_put(out, " WHERE ");
    TRY(follow_condition(range, out, e));
    if (f->options->where != NULL) {
        sql_text_put(out, " AND (");
        sql_text_put(out, f->options->where);
        sql_text_put(out, "\n)"); /* which may end in a comment */
    }
    if (f->options->limit > 0) {
        (void)snprintf(limit, sizeof limit, " LIMIT %" PRId64, f->options->limit - f->shown);
    }
    sql_text_put(out, " ORDER BY " OFFSET);
    sql_text_put(out, limit);
    TRY(run_statement(f, show_row, e));
    f->ended = f->ended || (f->options->limit > 0 && f->shown >= f->options->limit);
    return ERR_OK;
}

/* ---- where it stands ---- */

static struct position *position_of(struct following *f, const struct tool_bucket *b)
{
    for (size_t i = 0; i < f->position_count; i++) {
        if (f->positions[i].bucket == b->bucket &&
            f->positions[i].partition_id == b->partition_id) {
            return &f->positions[i];
        }
    }
    return NULL;
}

static struct tool_where where_to_begin(const struct following *f, bool first)
{
    enum tool_offset type =
        !first || f->options->from == FOLLOW_EARLIEST || f->options->from == FOLLOW_OFFSET
            ? TOOL_EARLIEST
        : f->options->from == FOLLOW_LATEST ? TOOL_LATEST
                                            : TOOL_BY_TIME;

    return (struct tool_where){.type = type, .timestamp_ms = f->time_ms};
}

/* The table as it is now; buckets that were not known begin where they should. */
static enum errcode refresh(struct following *f, bool first, struct error *e)
{
    struct tool_where where = where_to_begin(f, first);
    int64_t *offsets;
    bool known = true;

    tool_table_fini(&f->table);
    arena_reset(&f->table_arena);
    TRY(tool_table_get(&f->tool, f->options->database, f->options->table, &f->table_arena,
                       &f->table, e));
    if (!first && f->table.id != f->table_id) {
        return error_set(e, ERR_TABLE_NOT_EXIST, "the table has been dropped, and made anew");
    }
    f->table_id = f->table.id;
    offsets = arena_array(&f->table_arena, f->table.bucket_count, sizeof *offsets);
    for (size_t i = 0; i < f->table.bucket_count && known; i++) {
        known = position_of(f, &f->table.buckets[i]) != NULL;
    }
    if (!known) {
        TRY(tool_offsets(&f->table, where, offsets, e));
        f->positions = mem_realloc(f->positions, (f->position_count + f->table.bucket_count + 1) *
                                                     sizeof *f->positions);
    }
    for (size_t i = 0; i < f->table.bucket_count; i++) {
        const struct tool_bucket *b = &f->table.buckets[i];

        if (position_of(f, b) == NULL && offsets[i] >= 0) {
            bool later = first && f->options->from == FOLLOW_OFFSET;

            f->positions[f->position_count++] = (struct position){
                .partition_id = b->partition_id,
                .bucket = b->bucket,
                .next = later && offsets[i] < f->options->offset ? f->options->offset : offsets[i]};
        }
    }
    return ERR_OK;
}

static enum errcode show_bucket(struct following *f, const struct tool_bucket *b, int64_t end,
                                struct error *e)
{
    struct position *p = position_of(f, b);

    while (p != NULL && p->next < end && !f->ended) {
        int64_t to = end - p->next > RANGE_MAX ? p->next + RANGE_MAX : end;
        struct follow_range range = {.table = &f->table, .bucket = b, .from = p->next, .end = to};

        f->showing = p;
        TRY(show_range(f, &range, e));
        p->next = to;
    }
    return ERR_OK;
}

static enum errcode poll_once(struct following *f, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t *ends = arena_array(&arena, f->table.bucket_count, sizeof *ends);

    TRY(tool_offsets(&f->table, (struct tool_where){.type = TOOL_LATEST}, ends, e));
    for (size_t i = 0; i < f->table.bucket_count && !f->ended; i++) {
        TRY(show_bucket(f, &f->table.buckets[i], ends[i], e));
    }
    if (f->begun) {
        output_settle(&f->output);
        f->ended = f->ended || f->sink.failed;
    }
    return ERR_OK;
}

/* ---- all of it ---- */

static enum errcode dial(void *context, int *ret_fd, struct error *e)
{
    const struct place *place = context;

    return socket_connect(place->host, place->port, ret_fd, e);
}

static enum errcode take_time(struct following *f, struct client_cell *cells, size_t count,
                              struct error *e)
{
    return count == 1 ? take_number(&cells[0], &f->time_ms, e)
                      : error_set(e, ERR_CORRUPT_MESSAGE, "a time has %zu columns", count);
}

/* Milliseconds of --from time:. */
static enum errcode find_time(struct following *f, struct error *e)
{
    const char *text = f->options->time;

    if (text == NULL ||
        (isdigit((unsigned char)text[0]) && strspn(text, "0123456789") == strlen(text))) {
        return text == NULL ? ERR_OK : units_parse_i64(text, &f->time_ms, e);
    }
    buffer_clear(&f->statement);
    sql_text_put(&f->statement, "SELECT epoch_ms(");
    sql_text_quote(&f->statement, bytes_str(text), '\'');
    sql_text_put(&f->statement, "::TIMESTAMPTZ)::BIGINT");
    return run_statement(f, take_time, e);
}

static enum errcode connect_both(struct following *f, struct error *e)
{
    const struct follow_options *o = f->options;

    TRY(tool_open(&o->server, "eider-tail", TOOL_TIMEOUT_US, &f->tool, e));
    f->client_options = (struct client_options){.dial = dial,
                                                .context = (void *)(uintptr_t)&o->sql,
                                                .user = "eider",
                                                .database = o->database};
    if (client_open(&f->client_options, &f->client, e) != ERR_OK) {
        error_wrap(e, "%s, the PostgreSQL listener", o->sql.text);
        return ERR_NETWORK;
    }
    client_watch(f->client, f->interrupt);
    return ERR_OK;
}

static enum errcode begin(struct following *f, struct error *e)
{
    TRY(connect_both(f, e));
    f->interrupt = interrupt_open();
    client_watch(f->client, f->interrupt);
    TRY(find_time(f, e));
    return refresh(f, true, e);
}

static void disconnect_both(struct following *f)
{
    client_close(TAKE(f->client));
    tool_table_fini(&f->table);
    tool_close(&f->tool);
    f->tool = (struct tool_client){0};
}

static void wait_for_interrupt(struct following *f, int64_t us)
{
    struct socket_interest item = {.fd = f->interrupt};

    socket_wait(&item, 1, us);
    f->ended = f->ended || interrupt_take(f->interrupt);
}

static bool is_lost(const struct following *f, enum errcode code)
{
    return f->lost || code == ERR_NETWORK || code == ERR_REQUEST_TIME_OUT ||
           code == ERR_SHUTTING_DOWN || code == ERR_LEADER_NOT_AVAILABLE;
}

/* Until both are there again, and the table: a server that starts may not know it at once. */
static enum errcode connect_again(struct following *f, struct error *e)
{
    enum errcode code = ERR_NETWORK;

    if (f->begun) {
        output_settle(&f->output);
    }
    fprintf(stderr, "eider tail: %s; it goes on when the server is there again\n", e->message);
    while (!f->ended && code != ERR_OK) {
        disconnect_both(f);
        wait_for_interrupt(f, RETRY_US);
        f->lost = false;
        code = f->ended ? ERR_OK : connect_both(f, e);
        code = f->ended || code != ERR_OK ? code : refresh(f, false, e);
        if (code != ERR_OK && !is_lost(f, code)) {
            return code;
        }
    }
    return ERR_OK;
}

static enum errcode run(struct following *f, struct error *e)
{
    int64_t refreshed_us;

    TRY(begin(f, e));
    refreshed_us = clock_mono_us();
    while (!f->ended) {
        enum errcode code = poll_once(f, e);

        if (code == ERR_OK && !f->ended && clock_mono_us() - refreshed_us > REFRESH_US) {
            refreshed_us = clock_mono_us();
            code = refresh(f, false, e);
        }
        if (code != ERR_OK && !is_lost(f, code)) {
            return code;
        }
        if (code != ERR_OK) {
            TRY(connect_again(f, e));
        } else if (!f->ended) {
            wait_for_interrupt(f, POLL_US);
        }
    }
    return ERR_OK;
}

enum errcode follow(const struct follow_options *options, struct error *e)
{
    struct following f = {.options = options, .interrupt = -1, .table = {.id = -1}};
    enum errcode code;

    f.look = (struct output_options){.format = options->format,
                                     .bare = options->format == OUTPUT_BOX,
                                     .width = terminal_columns(STDOUT_FILENO)};
    f.output = (struct output){.options = &f.look, .sink = &f.sink};
    sink_init(&f.sink, STDOUT_FILENO);
    code = run(&f, e);
    if (f.begun) {
        output_end(&f.output);
    }
    sink_flush(&f.sink);
    if (code == ERR_OK && f.sink.failed && f.sink.error.os_errno != EPIPE) {
        code = error_set(e, ERR_LOG_STORAGE, "%s", f.sink.error.message);
    }
    sink_fini(&f.sink);
    client_close(f.client);
    tool_close(&f.tool);
    tool_table_fini(&f.table);
    arena_fini(&f.table_arena);
    arena_fini(&f.output.arena);
    arena_fini(&f.columns);
    buffer_fini(&f.statement);
    free(f.positions);
    return code;
}
