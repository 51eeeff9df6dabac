/* Rows of a text into a table, by INSERT over the PostgreSQL protocol.
 *
 * Each batch of lines becomes one array of JSON, which the server takes apart and casts to the types of
 * the columns: so values are read as SQL reads them, and an INSERT is acknowledged when it is durable.
 * What does not fit ends it; batches before it stay. Thread: main.
 */
#ifndef CMD_PRODUCE_H
#define CMD_PRODUCE_H

#include "place.h"

#include "base/arena.h"
#include "format/text_map.h"

enum produce_format { PRODUCE_JSONL, PRODUCE_CSV };

struct produce_options {
    struct place sql;
    const char *database;
    const char *table;
    enum produce_format format;
};

/* Standard input up to its end. *ret_rows: what was acknowledged, also after an error.
 * ERR_NETWORK: no connection, or it was lost; ERR_INVALID_ARGUMENT: the input;
 * ERR_UNSUPPORTED_OPERATION: what the server says. */
MUST_USE enum errcode produce(const struct produce_options *options, uint64_t *ret_rows,
                              struct error *e);

/* The cells of a record of CSV without its line end; NULL: nothing between the commas, which is NULL.
 * In the arena. ERR_INVALID_ARGUMENT: quotes in the wrong place. */
MUST_USE enum errcode produce_cells(struct bytes record, struct arena *arena, struct text_list *ret,
                                    struct error *e);
/* Whether a record of CSV ends with this text: no quote is open. */
bool produce_record_ends(struct bytes text);
/* A line of JSON: an object with members of these names only. ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode produce_check_json(struct bytes line, struct text_list names,
                                         struct error *e);

#endif
