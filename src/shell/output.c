#include "output_kinds.h"

#include <strings.h>

static const struct output_kind output_csv;
static const struct output_kind output_markdown;

const char output_format_names[] = "box, markdown, csv, json, jsonl or arrow";

static const struct {
    const char *name;
    const struct output_kind *kind;
} formats[] = {
    [OUTPUT_BOX] = {"box", &output_box},       [OUTPUT_MARKDOWN] = {"markdown", &output_markdown},
    [OUTPUT_CSV] = {"csv", &output_csv},       [OUTPUT_JSON] = {"json", &output_json},
    [OUTPUT_JSONL] = {"jsonl", &output_jsonl}, [OUTPUT_ARROW] = {"arrow", &output_arrow},
};

bool output_format_parse(const char *text, enum output_format *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcasecmp(formats[i].name, text) == 0) {
            *ret = (enum output_format)i;
            return true;
        }
    }
    return false;
}

bool output_is_number(uint32_t type)
{
    static const uint32_t numbers[] = {20, 21, 23, 26, 700, 701, 1700};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (numbers[i] == type) {
            return true;
        }
    }
    return false;
}

void output_begin(struct output *o, const struct client_column *columns, size_t count)
{
    output_drop(o);
    o->kind = formats[o->options->format].kind;
    o->columns = columns;
    o->count = count;
    o->rows = 0;
    arena_reset(&o->arena);
    o->kind->begin(o);
}

void output_row(struct output *o, const struct client_cell *cells)
{
    o->kind->row(o, cells);
    o->rows++;
}

void output_drop(struct output *o)
{
    if (o->kind != NULL && o->kind->drop != NULL) {
        o->kind->drop(o);
    }
    o->columns = NULL;
}

void output_end(struct output *o)
{
    o->kind->end(o);
    o->columns = NULL;
}

void output_settle(struct output *o)
{
    if (o->kind->settle != NULL) {
        o->kind->settle(o);
    }
    sink_flush(o->sink);
}

static void nothing(struct output *o) { (void)o; }

/* ---- CSV ---- */

static bool needs_quotes(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.data[i] == ',' || b.data[i] == '"' || b.data[i] == '\n' || b.data[i] == '\r') {
            return true;
        }
    }
    return b.len == 0 || b.data[0] == ' ' || b.data[b.len - 1] == ' ';
}

static void put_csv(struct sink *s, struct bytes b)
{
    if (!needs_quotes(b)) {
        sink_bytes(s, b);
        return;
    }
    sink_text(s, "\"");
    while (b.len > 0) {
        const uint8_t *quote = memchr(b.data, '"', b.len);
        size_t len = quote == NULL ? b.len : (size_t)(quote - b.data) + 1;

        sink_bytes(s, bytes_slice(b, 0, len));
        sink_text(s, quote == NULL ? "" : "\"");
        b = bytes_slice(b, len, b.len - len);
    }
    sink_text(s, "\"");
}

static void csv_begin(struct output *o)
{
    for (size_t i = 0; i < o->count && !o->options->bare; i++) {
        sink_text(o->sink, i == 0 ? "" : ",");
        put_csv(o->sink, bytes_str(o->columns[i].name));
    }
    sink_text(o->sink, o->options->bare ? "" : "\n");
}

static void csv_row(struct output *o, const struct client_cell *cells)
{
    for (size_t i = 0; i < o->count; i++) {
        sink_text(o->sink, i == 0 ? "" : ",");
        if (!cells[i].null) {
            put_csv(o->sink, cells[i].text);
        }
    }
    sink_text(o->sink, "\n");
}

static const struct output_kind output_csv = {csv_begin, csv_row, nothing, NULL, NULL};

/* ---- Markdown ---- */

static void put_markdown(struct sink *s, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.data[i] == '|' || b.data[i] == '\\') {
            sink_text(s, "\\");
        }
        if (b.data[i] == '\n') {
            sink_text(s, "<br>");
        } else if (b.data[i] >= ' ') {
            sink_bytes(s, bytes_slice(b, i, 1));
        }
    }
}

static void markdown_begin(struct output *o)
{
    for (size_t i = 0; i < o->count; i++) {
        sink_text(o->sink, i == 0 ? "| " : " | ");
        put_markdown(o->sink, bytes_str(o->columns[i].name));
    }
    sink_text(o->sink, o->count > 0 ? " |\n" : "");
    for (size_t i = 0; i < o->count; i++) {
        sink_text(o->sink, output_is_number(o->columns[i].type) ? "|---:" : "|---");
    }
    sink_text(o->sink, o->count > 0 ? "|\n" : "");
}

static void markdown_row(struct output *o, const struct client_cell *cells)
{
    for (size_t i = 0; i < o->count; i++) {
        sink_text(o->sink, i == 0 ? "| " : " | ");
        put_markdown(o->sink, cells[i].null ? bytes_str("NULL") : cells[i].text);
    }
    sink_text(o->sink, o->count > 0 ? " |\n" : "");
}

static const struct output_kind output_markdown = {markdown_begin, markdown_row, nothing, NULL,
                                                   NULL};
