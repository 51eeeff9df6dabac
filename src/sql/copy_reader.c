#include "copy_binary.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

static void new_cells(struct copy_reader *r)
{
    r->cells = arena_array(&r->arena, r->rows_max * r->columns, sizeof *r->cells);
}

void copy_reader_init(struct copy_reader *r, const struct copy_format *format, size_t columns)
{
    *r = (struct copy_reader){
        .format = format, .columns = columns, .line = 1, .first_line = 1, .header = format->header};
    r->rows_max =
        columns * COPY_ROWS_MAX > COPY_CELLS_MAX ? COPY_CELLS_MAX / columns : COPY_ROWS_MAX;
    ASSERT(columns > 0 && r->rows_max > 0);
    new_cells(r);
}

void copy_reader_fini(struct copy_reader *r)
{
    buffer_fini(&r->field);
    arena_fini(&r->arena);
}

/* A row that is not complete yet stays. */
void copy_reader_clear(struct copy_reader *r)
{
    struct arena old = r->arena;
    const struct copy_cell *begun = r->cells + r->rows * r->columns;

    r->arena = ARENA_INIT;
    new_cells(r);
    for (size_t i = 0; i < r->at; i++) {
        r->cells[i] = begun[i];
        r->cells[i].text = arena_copy(&r->arena, begun[i].text);
    }
    r->rows = 0;
    r->first_line = r->line;
    arena_fini(&old);
}

bool copy_reader_full(const struct copy_reader *r)
{
    return r->rows == r->rows_max || (r->rows > 0 && r->arena.total > COPY_BYTES_MAX);
}

static bool bad(const struct copy_reader *r, const char *state, const char *what,
                struct sql_error *e)
{
    char text[160];

    (void)snprintf(text, sizeof text, "COPY line %" PRIu64 ": %s", r->line, what);
    return sql_fail(e, state, text);
}

/* ---- fields ---- */

static int digit(uint8_t c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;

    return value < base ? value : -1;
}

/* Up to `count` digits at the front. */
static uint8_t take_digits(struct bytes *in, int base, size_t count)
{
    int value = 0;

    for (; count > 0 && in->len > 0 && digit(in->data[0], base) >= 0; count--) {
        value = value * base + digit(in->data[0], base);
        *in = bytes_slice(*in, 1, in->len - 1);
    }
    return (uint8_t)value;
}

/* Behind a backslash. */
static uint8_t unescape_one(struct bytes *in)
{
    static const char *const from = "bfnrtv";
    static const char *const to = "\b\f\n\r\t\v";
    uint8_t c = in->data[0];
    const char *known = strchr(from, c);

    if (digit(c, 8) >= 0) {
        return take_digits(in, 8, 3);
    }
    *in = bytes_slice(*in, 1, in->len - 1);
    if (c == 'x' && in->len > 0 && digit(in->data[0], 16) >= 0) {
        return take_digits(in, 16, 2);
    }
    return c != '\0' && known != NULL ? (uint8_t)to[known - from] : c;
}

static struct bytes unescape(struct arena *arena, struct bytes in)
{
    uint8_t *out = arena_alloc(arena, in.len);
    size_t len = 0;

    while (in.len > 0) {
        uint8_t c = in.data[0];

        in = bytes_slice(in, 1, in.len - 1);
        out[len++] = c == '\\' && in.len > 0 ? unescape_one(&in) : c;
    }
    return bytes_of(out, len);
}

static bool end_field(struct copy_reader *r, struct sql_error *e)
{
    struct bytes raw = buffer_view(&r->field);
    bool null = !r->quoted && bytes_equal_str(raw, r->format->null);
    struct copy_cell *cell;

    if (r->at == r->columns && !r->header) {
        return bad(r, "22P04", "extra data after the last expected column", e);
    }
    if (r->at < r->columns) {
        cell = &r->cells[r->rows * r->columns + r->at];
        cell->null = null;
        cell->text = r->format->kind == COPY_KIND_CSV ? arena_copy(&r->arena, raw)
                                                      : unescape(&r->arena, raw);
        if (cell->text.len > 0 &&
            (!utf8_valid(cell->text) || memchr(cell->text.data, 0, cell->text.len) != NULL)) {
            return bad(r, "22021", "a field is not UTF-8, or has a zero byte", e);
        }
        r->at++;
    }
    buffer_clear(&r->field);
    r->quoted = false;
    return true;
}

static bool end_row(struct copy_reader *r, struct sql_error *e)
{
    if (r->at == 0 && !r->quoted && bytes_equal_str(buffer_view(&r->field), "\\.")) {
        r->ended = true;
        buffer_clear(&r->field);
        return true;
    }
    if (!end_field(r, e)) {
        return false;
    }
    if (r->at < r->columns && !r->header) {
        return bad(r, "22P04", "missing data for a column", e);
    }
    r->rows += !r->header;
    r->header = false;
    r->at = 0;
    r->line++;
    return true;
}

/* ---- bytes ---- */

/* In front of the next field or row. */
static bool plain_byte(struct copy_reader *r, uint8_t c, struct sql_error *e)
{
    const struct copy_format *f = r->format;

    if (c == '\n') {
        return end_row(r, e);
    }
    if (c == '\r') {
        r->state = COPY_RETURN;
        return true;
    }
    if (c == (uint8_t)f->delimiter) {
        return end_field(r, e);
    }
    if (f->kind == COPY_KIND_CSV && c == (uint8_t)f->quote) {
        r->state = COPY_QUOTED;
        r->quoted = true;
        return true;
    }
    if (f->kind == COPY_KIND_TEXT && c == '\\') {
        r->state = COPY_BACKSLASH;
    }
    buffer_u8(&r->field, c);
    return true;
}

static void quoted_byte(struct copy_reader *r, uint8_t c)
{
    const struct copy_format *f = r->format;

    if (c == (uint8_t)f->escape && f->escape != f->quote) {
        r->state = COPY_ESCAPED;
    } else if (c == (uint8_t)f->quote) {
        r->state = COPY_QUOTE_BEHIND;
    } else {
        buffer_u8(&r->field, c);
    }
}

static bool take_byte(struct copy_reader *r, uint8_t c, struct sql_error *e)
{
    const struct copy_format *f = r->format;

    switch (r->state) {
    case COPY_PLAIN:
        return plain_byte(r, c, e);
    case COPY_BACKSLASH:
        buffer_u8(&r->field, c);
        r->state = COPY_PLAIN;
        return true;
    case COPY_RETURN:
        r->state = COPY_PLAIN;
        return end_row(r, e) && (c == '\n' || r->ended || plain_byte(r, c, e));
    case COPY_QUOTED:
        quoted_byte(r, c);
        return true;
    case COPY_ESCAPED:
        r->state = COPY_QUOTED;
        if (c == (uint8_t)f->quote || c == (uint8_t)f->escape) {
            buffer_u8(&r->field, c);
        } else {
            buffer_u8(&r->field, (uint8_t)f->escape);
            quoted_byte(r, c);
        }
        return true;
    case COPY_QUOTE_BEHIND:
        if (c == (uint8_t)f->quote && f->escape == f->quote) {
            buffer_u8(&r->field, c);
            r->state = COPY_QUOTED;
            return true;
        }
        r->state = COPY_PLAIN;
        return plain_byte(r, c, e);
    case COPY_BINARY_MORE:
    case COPY_BINARY_COUNT:
    case COPY_BINARY_LEN:
    case COPY_BINARY_VALUE:
        break;
    }
    return true;
}

bool copy_reader_feed(struct copy_reader *r, struct bytes *in, struct sql_error *e)
{
    if (r->format->kind == COPY_KIND_BINARY) {
        return copy_binary_feed(r, in, e);
    }
    while (in->len > 0 && !r->ended && !copy_reader_full(r)) {
        if (!take_byte(r, in->data[0], e)) {
            return false;
        }
        if (r->field.len > COPY_FIELD_MAX) {
            return bad(r, "54000", "a field is too long", e);
        }
        *in = bytes_slice(*in, 1, in->len - 1);
    }
    if (r->ended) {
        in->len = 0;
    }
    return true;
}

bool copy_reader_end(struct copy_reader *r, struct sql_error *e)
{
    if (r->format->kind == COPY_KIND_BINARY) {
        return copy_binary_end(r, e);
    }
    if (r->state == COPY_QUOTED || r->state == COPY_ESCAPED) {
        return bad(r, "22P04", "a quoted field is not ended", e);
    }
    if (r->ended || (r->state == COPY_PLAIN && r->field.len == 0 && r->at == 0 && !r->quoted)) {
        return true;
    }
    r->state = COPY_PLAIN;
    return end_row(r, e);
}
