/* Inside shell/: what a format of output.h is made of. */
#ifndef SHELL_OUTPUT_KINDS_H
#define SHELL_OUTPUT_KINDS_H

#include "output.h"

struct output_kind {
    void (*begin)(struct output *o);
    void (*row)(struct output *o, const struct client_cell *cells);
    void (*end)(struct output *o);
    void (*settle)(struct output *o); /* NULL: nothing is held */
};

extern const struct output_kind output_box;
extern const struct output_kind output_json;
extern const struct output_kind output_jsonl;

#endif
