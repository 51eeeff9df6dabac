/* Inside shell/: what a format of output.h is made of. */
#ifndef SHELL_OUTPUT_KINDS_H
#define SHELL_OUTPUT_KINDS_H

#include "output.h"

struct output_kind {
    void (*begin)(struct output *o);
    void (*row)(struct output *o, const struct client_cell *cells);
    void (*end)(struct output *o);
    void (*settle)(struct output *o); /* NULL: nothing is held */
    void (*drop)(struct output *o);   /* NULL: nothing but the arena; also after the end */
};

/* Arrays as PostgreSQL writes them: {1,NULL,"a \"b\""}, also nested. output_array.c */
/* The element of an array type; 0: it is none. */
uint32_t output_element_of(uint32_t type);
/* The element that begins here, without quotes and backslashes; returns its length in the text. */
size_t output_take_element(struct bytes b, struct buffer *ret, bool *ret_quoted);

extern const struct output_kind output_arrow;
extern const struct output_kind output_box;
extern const struct output_kind output_json;
extern const struct output_kind output_jsonl;

#endif
