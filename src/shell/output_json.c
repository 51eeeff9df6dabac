/* JSON and JSON lines. */
#include "output_kinds.h"

#include <ctype.h>

#include "base/utf8.h"

enum json_kind { JSON_TEXT, JSON_NUMBER, JSON_BOOL, JSON_RAW };

static enum json_kind kind_of(uint32_t type)
{
    return output_is_number(type)        ? JSON_NUMBER
           : type == 16                  ? JSON_BOOL
           : type == 114 || type == 3802 ? JSON_RAW
                                         : JSON_TEXT;
}

static void put_escaped(struct sink *s, uint8_t c)
{
    switch (c) {
    case '"':
        sink_text(s, "\\\"");
        break;
    case '\\':
        sink_text(s, "\\\\");
        break;
    case '\n':
        sink_text(s, "\\n");
        break;
    case '\r':
        sink_text(s, "\\r");
        break;
    case '\t':
        sink_text(s, "\\t");
        break;
    default:
        sink_printf(s, "\\u%04x", c);
    }
}

static void put_string(struct sink *s, struct bytes b)
{
    size_t from = 0;
    size_t i = 0;

    sink_text(s, "\"");
    while (i < b.len) {
        size_t len = utf8_next(bytes_slice(b, i, b.len - i), NULL);
        bool plain = len > 0 && b.data[i] >= ' ' && b.data[i] != '"' && b.data[i] != '\\' &&
                     b.data[i] != 0x7f;

        if (!plain) {
            sink_bytes(s, bytes_slice(b, from, i - from));
            if (len > 0) {
                put_escaped(s, b.data[i]);
            } else {
                sink_text(s, UTF8_REPLACEMENT);
            }
            from = i + 1;
        }
        i += plain ? len : 1;
    }
    sink_bytes(s, bytes_slice(b, from, b.len - from));
    sink_text(s, "\"");
}

/* What PostgreSQL writes for a number and JSON has: not NaN or Infinity. */
static bool is_json_number(struct bytes b)
{
    size_t at = b.len > 0 && b.data[0] == '-' ? 1 : 0;

    return at < b.len && isdigit(b.data[at]);
}

static void put_value(struct sink *s, enum json_kind kind, struct bytes b)
{
    if (kind == JSON_BOOL) {
        sink_text(s, b.len > 0 && b.data[0] == 't' ? "true" : "false");
    } else if (kind == JSON_NUMBER && is_json_number(b)) {
        sink_bytes(s, b);
    } else if (kind == JSON_RAW && b.len > 0) {
        for (size_t i = 0; i < b.len; i++) { /* a line break is space there, and ends a line here */
            sink_bytes(s, b.data[i] < ' ' ? bytes_str(" ") : bytes_slice(b, i, 1));
        }
    } else {
        put_string(s, b);
    }
}

/* ---- arrays: {1,NULL,"a \"b\""}, also nested ---- */

static void put_array(struct sink *s, enum json_kind kind, struct bytes b)
{
    OWNED(buffer_fini) struct buffer element = BUFFER_INIT;

    while (b.len > 0) {
        size_t len = 1;
        bool quoted;

        if (b.data[0] == '{' || b.data[0] == '}') {
            sink_text(s, b.data[0] == '{' ? "[" : "]");
        } else if (b.data[0] == ',') {
            sink_text(s, ",");
        } else {
            len = output_take_element(b, &element, &quoted);
            if (!quoted && bytes_equal_str(buffer_view(&element), "NULL")) {
                sink_text(s, "null");
            } else {
                put_value(s, kind, buffer_view(&element));
            }
        }
        b = bytes_slice(b, len, b.len - len);
    }
}

/* ---- rows ---- */

static void put_object(struct output *o, const struct client_cell *cells)
{
    sink_text(o->sink, "{");
    for (size_t i = 0; i < o->count; i++) {
        uint32_t type = o->columns[i].type;
        uint32_t element = output_element_of(type);

        sink_text(o->sink, i == 0 ? "" : ",");
        put_string(o->sink, bytes_str(o->columns[i].name));
        sink_text(o->sink, ":");
        if (cells[i].null) {
            sink_text(o->sink, "null");
        } else if (element != 0 && cells[i].text.len > 0 && cells[i].text.data[0] == '{') {
            put_array(o->sink, kind_of(element), cells[i].text);
        } else {
            put_value(o->sink, kind_of(type), cells[i].text);
        }
    }
    sink_text(o->sink, "}");
}

static void json_begin(struct output *o) { sink_text(o->sink, "["); }

static void json_row(struct output *o, const struct client_cell *cells)
{
    sink_text(o->sink, o->rows == 0 ? "" : ",\n");
    put_object(o, cells);
}

static void json_end(struct output *o) { sink_text(o->sink, "]\n"); }

static void lines_begin(struct output *o) { (void)o; }

static void lines_row(struct output *o, const struct client_cell *cells)
{
    put_object(o, cells);
    sink_text(o->sink, "\n");
}

const struct output_kind output_json = {json_begin, json_row, json_end, NULL, NULL};
const struct output_kind output_jsonl = {lines_begin, lines_row, lines_begin, NULL, NULL};
