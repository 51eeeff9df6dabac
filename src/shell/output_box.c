/* Boxes: the widths come from the first BOX_SAMPLE rows. A later value that is wider is cut on a
 * terminal, and elsewhere stands out of its column. */
#include "output_kinds.h"

#include <inttypes.h>
#include <wchar.h>

#include "base/utf8.h"

#define BOX_SAMPLE    1000
#define COLUMN_MIN    8 /* what a value is cut to at least, before the box turns over */
#define ELLIPSIS      "\xe2\x80\xa6"
#define LINE          "\xe2\x94\x80"
#define BAR           "\xe2\x94\x82"
#define NUMBER_OF_ROW "\xe2\x94\x80[ %" PRIu64 " ]"

struct box {
    size_t *widths; /* NULL: expanded */
    struct client_cell **held;
    size_t held_count;
    bool open; /* the header is written */
    size_t name_width;
};

/* ---- text ---- */

/* The width of one character; 0 also for what may not be shown: *ret_shown false. */
static size_t glyph(struct bytes b, size_t *ret_len, bool *ret_shown)
{
    uint32_t c = 0;
    size_t len = utf8_next(b, &c);
    int width = len == 0 ? -1 : c < ' ' || c == 0x7f ? -1 : c < 0x7f ? 1 : wcwidth((wchar_t)c);

    *ret_len = len == 0 ? 1 : len;
    *ret_shown = width >= 0;
    return width > 0 ? (size_t)width : 0;
}

/* The same text with escapes for what may not be shown, borrowed when there is nothing of it. */
static struct bytes showable(struct bytes b, struct arena *arena)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    size_t len;
    bool clean = true;
    bool shown;

    for (size_t i = 0; i < b.len && clean; i += len) {
        (void)glyph(bytes_slice(b, i, b.len - i), &len, &clean);
    }
    if (clean) {
        return b;
    }
    for (size_t i = 0; i < b.len; i += len) {
        struct bytes rest = bytes_slice(b, i, b.len - i);

        (void)glyph(rest, &len, &shown);
        if (shown) {
            buffer_bytes(&out, bytes_slice(rest, 0, len));
        } else if (rest.data[0] == '\n' || rest.data[0] == '\t' || rest.data[0] == '\r') {
            buffer_u8(&out, '\\');
            buffer_u8(&out, rest.data[0] == '\n' ? 'n' : rest.data[0] == '\t' ? 't' : 'r');
        } else {
            for (size_t k = 0; k < len; k++) {
                buffer_bytes(&out, bytes_str(arena_printf(arena, "\\x%02x", rest.data[k])));
            }
        }
    }
    return arena_copy(arena, buffer_view(&out));
}

static size_t width_of(struct bytes b)
{
    size_t width = 0;
    size_t len;
    bool shown;

    for (size_t i = 0; i < b.len; i += len) {
        width += glyph(bytes_slice(b, i, b.len - i), &len, &shown);
    }
    return width;
}

/* The start of the text that is at most so wide. */
static struct bytes prefix(struct bytes b, size_t width_max)
{
    size_t at = 0;
    size_t width = 0;
    size_t len;
    bool shown;

    while (at < b.len) {
        width += glyph(bytes_slice(b, at, b.len - at), &len, &shown);
        if (width > width_max) {
            break;
        }
        at += len;
    }
    return bytes_slice(b, 0, at);
}

/* Padded to the width; cut to it on a terminal. */
static void put_padded(struct output *o, struct bytes b, size_t width, bool right)
{
    size_t have = width_of(b);

    if (have > width && o->options->width > 0) {
        b = prefix(b, width - 1);
        sink_bytes(o->sink, b);
        sink_text(o->sink, ELLIPSIS);
        sink_repeat(o->sink, " ", width - 1 - width_of(b));
        return;
    }
    have = have < width ? width - have : 0;
    sink_repeat(o->sink, " ", right ? have : 0);
    sink_bytes(o->sink, b);
    sink_repeat(o->sink, " ", right ? 0 : have);
}

static struct bytes shown_cell(struct output *o, const struct client_cell *cell)
{
    return cell->null ? bytes_str("NULL") : showable(cell->text, &o->arena);
}

static struct bytes shown_name(struct output *o, size_t column)
{
    return showable(bytes_str(o->columns[column].name), &o->arena);
}

/* ---- one line per value ---- */

static void put_expanded(struct output *o, const struct client_cell *cells, uint64_t number)
{
    size_t width = o->options->width;
    size_t at = o->box->name_width + 3;

    sink_printf(o->sink, NUMBER_OF_ROW, number);
    sink_repeat(o->sink, LINE, 20);
    sink_text(o->sink, "\n");
    for (size_t i = 0; i < o->count; i++) {
        struct bytes value = shown_cell(o, &cells[i]);
        size_t room = width > at + COLUMN_MIN ? width - at : SIZE_MAX;

        put_padded(o, shown_name(o, i), o->box->name_width, false);
        sink_text(o->sink, " " BAR " ");
        if (width_of(value) > room) {
            put_padded(o, value, room, false);
        } else {
            sink_bytes(o->sink, value);
        }
        sink_text(o->sink, "\n");
    }
}

/* ---- boxes ---- */

static void put_rule(struct output *o, const char *left, const char *middle, const char *right)
{
    for (size_t i = 0; i < o->count; i++) {
        sink_text(o->sink, i == 0 ? left : middle);
        sink_repeat(o->sink, LINE, o->box->widths[i] + 2);
    }
    sink_text(o->sink, right);
    sink_text(o->sink, "\n");
}

static void put_line(struct output *o, const struct client_cell *cells)
{
    for (size_t i = 0; i < o->count; i++) {
        bool right = output_is_number(o->columns[i].type);
        struct bytes text = cells == NULL ? shown_name(o, i) : shown_cell(o, &cells[i]);

        sink_text(o->sink, i == 0 ? BAR " " : " " BAR " ");
        put_padded(o, text, o->box->widths[i], right);
    }
    sink_text(o->sink, " " BAR "\n");
}

/* Takes from the widest columns until all fit; false: they cannot. */
static bool fit(struct output *o, size_t *widths)
{
    size_t total = 1;

    for (size_t i = 0; i < o->count; i++) {
        total += widths[i] + 3;
    }
    while (o->options->width > 0 && total > o->options->width) {
        size_t widest = 0;
        size_t second = COLUMN_MIN;
        size_t less;

        for (size_t i = 0; i < o->count; i++) {
            widest = widths[i] > widths[widest] ? i : widest;
        }
        for (size_t i = 0; i < o->count; i++) {
            second = widths[i] < widths[widest] && widths[i] > second ? widths[i] : second;
        }
        if (widths[widest] <= COLUMN_MIN) {
            return false;
        }
        less = widths[widest] - second;
        less = total - o->options->width < less ? total - o->options->width : less;
        widths[widest] -= less;
        total -= less;
    }
    return true;
}

/* What has been held decides. */
static void open_box(struct output *o)
{
    struct box *box = o->box;
    size_t *widths = arena_array(&o->arena, o->count, sizeof *widths);

    box->open = true;
    for (size_t i = 0; i < o->count; i++) {
        widths[i] = width_of(shown_name(o, i));
        box->name_width = widths[i] > box->name_width ? widths[i] : box->name_width;
        for (size_t k = 0; k < box->held_count; k++) {
            size_t width = width_of(shown_cell(o, &box->held[k][i]));

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    if (!o->options->expanded && fit(o, widths)) {
        box->widths = widths;
        put_rule(o, "\xe2\x94\x8c", "\xe2\x94\xac", "\xe2\x94\x90");
        put_line(o, NULL);
        put_rule(o, "\xe2\x94\x9c", "\xe2\x94\xbc", "\xe2\x94\xa4");
    }
}

static void put_row(struct output *o, const struct client_cell *cells, uint64_t number)
{
    if (o->box->widths == NULL) {
        put_expanded(o, cells, number);
    } else {
        put_line(o, cells);
    }
}

static void put_held(struct output *o)
{
    open_box(o);
    for (size_t i = 0; i < o->box->held_count; i++) {
        put_row(o, o->box->held[i], i + 1);
    }
}

static void box_begin(struct output *o)
{
    o->box = arena_new(&o->arena, struct box);
    o->box->held = arena_array(&o->arena, BOX_SAMPLE, sizeof(struct client_cell *));
}

static void hold(struct output *o, const struct client_cell *cells)
{
    struct client_cell *copy = arena_array(&o->arena, o->count, sizeof *copy);

    for (size_t i = 0; i < o->count; i++) {
        copy[i].null = cells[i].null;
        copy[i].text = arena_copy(&o->arena, cells[i].text);
    }
    o->box->held[o->box->held_count++] = copy;
}

static void box_row(struct output *o, const struct client_cell *cells)
{
    if (!o->box->open && o->box->held_count < BOX_SAMPLE) {
        hold(o, cells);
        return;
    }
    if (!o->box->open) {
        put_held(o);
    }
    put_row(o, cells, o->rows + 1);
}

static void box_settle(struct output *o)
{
    if (!o->box->open) {
        put_held(o);
    }
}

static void box_end(struct output *o)
{
    box_settle(o);
    if (o->box->widths != NULL && o->count > 0) {
        put_rule(o, "\xe2\x94\x94", "\xe2\x94\xb4", "\xe2\x94\x98");
    }
    if (!o->options->bare) {
        sink_printf(o->sink, "(%" PRIu64 " row%s)\n", o->rows, o->rows == 1 ? "" : "s");
    }
}

const struct output_kind output_box = {box_begin, box_row, box_end, box_settle, NULL};
