/* The PostgreSQL protocol: a whole session of outside bytes, over an engine that finds no library, so
 * that it ends where the startup does; and what lies behind that on its own: messages, statements,
 * parameters, settings.
 *
 * Input: byte 0 bit 0: a first message comes first; byte 1: type of the parameters, as an index;
 * then the bytes of the connection. */
#include <stdlib.h>

#include "front/pg_command.h"
#include "front/pg_session.h"
#include "meta/meta.h"
#include "sql/dialect.h"
#include "sql/pg_array.h"
#include "sql/pg_parameter.h"
#include "sql/syntax.h"
#include "sql/tail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {0,   16,  17,   20,   21,   23,   25,   26,
                                 700, 701, 1082, 1083, 1114, 1184, 1700, 2950};

/* Splitting loses no statement, and what is rewritten is rewritten once. */
static void look_at_text(struct bytes text, struct arena *arena)
{
    static const char *const casts[] = {"BIGINT", NULL, "DATE"};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct bytes rest = text;
    struct bytes one;
    size_t tokens = 0;

    while (dialect_split(&rest, &one)) {
        (void)pg_command_of(one, arena);
        ASSERT(one.data >= text.data && one.data + one.len <= text.data + text.len);
    }
    ASSERT(rest.len == 0);
    dialect_rewrite(text, casts, ARRAY_LEN(casts), &out);
    for (rest = text; token_next(&rest).kind != TOKEN_END;) {
        tokens++;
    }
    ASSERT(tokens <= text.len);
    buffer_clear(&out);
    tail_probe(&(struct tail){.probe = "x"}, text, &out);
    ASSERT(out.len > text.len);
    IGNORE(tail_is_mentioned(text));
    rest = text;
    syntax_skip_explain(&rest);
    ASSERT(rest.len <= text.len);
}

static void look_at_message(const struct pg_message *m, uint32_t oid, struct arena *arena)
{
    struct reader r = reader_of(m->body);
    struct bytes value;
    bool null;
    int64_t ms;

    look_at_text(bytes_str(pg_text(&r)), arena);
    look_at_text(m->body, arena);
    while (!r.failed && r.rest.len > 0) {
        value = pg_value(&r, &null);
        IGNORE(pg_parameter_text(oid, value, arena, &value, NULL) != ERR_OK);
        IGNORE(pg_parameter_hex(value, arena, &value, NULL) != ERR_OK);
        IGNORE(pg_timeout_parse(arena_strndup(arena, value.data, value.len), &ms));
    }
    IGNORE(pg_parameter_text(oid, m->body, arena, &value, NULL) != ERR_OK);
    IGNORE(pg_array_of_text(m->body, arena, &value, NULL) != ERR_OK);
    IGNORE(pg_array_of_binary(1007, m->body, arena, &value, NULL) != ERR_OK);
    IGNORE(pg_array_of_binary(1231, m->body, arena, &value, NULL) != ERR_OK);
}

static void run_session(struct bytes in)
{
    struct sql_options options = {.library = "no/such/library"};
    struct sql_world world = {0};
    struct sql_engine *engine = sql_engine_new(&options, &world);
    struct pg_session *s = pg_session_new(engine, (struct pg_key){.pid = 1, .secret = 1});
    OWNED(buffer_fini) struct buffer bytes = BUFFER_INIT;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct meta_view view = {.refs = 1};
    size_t left;

    buffer_bytes(&bytes, in);
    left = bytes.len;
    while (pg_session_step(s, &view, &bytes, &out) == PG_HAS_MORE) {
        ASSERT(bytes.len < left);
        left = bytes.len;
        buffer_clear(&out);
    }
    pg_session_free(s);
    sql_engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct pg_message m;
    struct bytes in;
    bool first;

    if (size < 2) {
        return 0;
    }
    in = bytes_of(data + 2, size - 2);
    first = (data[0] & 1) != 0;
    run_session(in);
    while (pg_take(&in, first, &m) == PG_MESSAGE) {
        look_at_message(&m, types[data[1] % ARRAY_LEN(types)], &arena);
        first = false;
    }
    return 0;
}
