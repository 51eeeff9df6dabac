/* Results as people and programs want them.
 *
 *   box       a table of box-drawing characters, as wide as the terminal: wide values are cut there,
 *             never elsewhere; when even that does not help, one line per value
 *   markdown  a table
 *   csv       RFC 4180 with a header; NULL is nothing, the empty text is ""
 *   json      one array of objects
 *   jsonl     an object per line
 *   arrow     an Arrow IPC stream, one for each result
 *
 * In JSON, numbers, booleans, arrays and JSON keep their kind; everything else is text. Control
 * characters never reach a terminal. Memory: a box keeps BOX_SAMPLE rows to find its widths, the
 * rest streams. Thread: main.
 */
#ifndef SHELL_OUTPUT_H
#define SHELL_OUTPUT_H

#include "client.h"
#include "sink.h"

enum output_format {
    OUTPUT_BOX,
    OUTPUT_MARKDOWN,
    OUTPUT_CSV,
    OUTPUT_JSON,
    OUTPUT_JSONL,
    OUTPUT_ARROW
};

struct output_options {
    enum output_format format;
    bool expanded;  /* a line per value; box only */
    unsigned width; /* of the terminal; 0: as wide as it gets */
    bool bare;      /* no header, where there is one, and no count */
};

struct output {
    const struct output_options *options;
    const struct output_kind *kind;
    struct sink *sink;
    const struct client_column *columns;
    size_t count;
    uint64_t rows;
    struct arena arena; /* of one result */
    struct box *box;
    struct arrow_result *arrow;
};

bool output_format_parse(const char *text, enum output_format *ret);
extern const char output_format_names[]; /* for messages */

/* One result: begin, its rows, and end, or drop where it breaks off. columns live until then. */
void output_begin(struct output *o, const struct client_column *columns, size_t count);
/* As many cells as columns. */
void output_row(struct output *o, const struct client_cell *cells);
void output_end(struct output *o);
void output_drop(struct output *o); /* nothing happens when there is no result */
/* What has been held is written: a result that goes on. */
void output_settle(struct output *o);

/* Whether numbers of that type are shown at the right. */
bool output_is_number(uint32_t type);

#endif
