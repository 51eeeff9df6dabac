#include "script.h"

#include "sql/dialect.h"

void script_fini(struct script *s) { buffer_fini(&s->text); }

void script_clear(struct script *s)
{
    buffer_clear(&s->text);
    s->start = 0;
    s->ready = false;
}

/* Statements of many lines are looked at again only when a line may have ended one. */
static bool may_end(struct bytes line)
{
    return memchr(line.data, ';', line.len) != NULL || memchr(line.data, '\\', line.len) != NULL;
}

void script_add(struct script *s, struct bytes line)
{
    size_t have = s->text.len - s->start;

    if (line.len == 0) {
        return;
    }
    if (s->start > 0) {
        memmove(s->text.data, s->text.data + s->start, have);
        s->text.len = have;
        s->start = 0;
    }
    buffer_bytes(&s->text, line);
    s->ready = s->ready || may_end(line);
}

static struct bytes rest_of(const struct script *s)
{
    return s->text.len == 0 ? BYTES_EMPTY
                            : bytes_of(s->text.data + s->start, s->text.len - s->start);
}

/* Space, comments and lone semicolons in front are taken off; not a comment that has not ended. */
static void skip_empty(struct script *s)
{
    for (;;) {
        struct bytes rest = rest_of(s);
        struct bytes after = rest;
        struct token t = token_next(&after);
        bool open = t.kind == TOKEN_SPACE && after.len == 0 && memchr(t.text.data, '*', t.text.len);

        if (open || (t.kind != TOKEN_SPACE && t.kind != TOKEN_SEMICOLON)) {
            return;
        }
        s->start += t.text.len;
    }
}

bool script_empty(const struct script *s)
{
    struct bytes rest = rest_of(s);

    return token_next_solid(&rest).kind == TOKEN_END;
}

static struct bytes take(struct script *s, size_t len, size_t skip)
{
    struct bytes taken = bytes_slice(rest_of(s), 0, len);

    s->start += len + skip;
    return taken;
}

static struct bytes take_line(struct script *s)
{
    struct bytes rest = rest_of(s);
    const uint8_t *end = memchr(rest.data, '\n', rest.len);
    size_t len = end == NULL ? rest.len : (size_t)(end - rest.data);

    return take(s, len, end == NULL ? 0 : 1);
}

enum script_item script_take(struct script *s, bool last, struct bytes *ret)
{
    struct bytes rest;
    struct bytes text;
    struct bytes before;
    struct token t;

    if (!s->ready && !last) {
        return SCRIPT_NOTHING;
    }
    skip_empty(s);
    rest = rest_of(s);
    if (rest.len > 0 && rest.data[0] == '\\') {
        rest = take_line(s);
        *ret = bytes_slice(rest, 1, rest.len - 1);
        return SCRIPT_COMMAND;
    }
    text = rest;
    do {
        before = text;
        t = token_next(&text);
    } while (t.kind != TOKEN_SEMICOLON && t.kind != TOKEN_END);
    if (t.kind == TOKEN_END && (!last || rest.len == 0)) {
        s->ready = false;
        return SCRIPT_NOTHING;
    }
    *ret = take(s, rest.len - before.len, t.kind == TOKEN_SEMICOLON ? 1 : 0);
    return SCRIPT_STATEMENT;
}

bool script_line(struct script *s, struct bytes *ret)
{
    if (rest_of(s).len == 0) {
        return false;
    }
    *ret = take_line(s);
    return true;
}
