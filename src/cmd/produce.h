/* Rows of a file into a table, over the PostgreSQL protocol: of a text by INSERT, of Parquet by COPY, which
 * takes the file as it is (produce_file.c).
 *
 * Each batch of lines becomes one array of JSON, which the server takes apart and casts to the types of
 * the columns: so values are read as SQL reads them, and an INSERT is acknowledged when it is durable.
 * What does not fit ends it; batches before it stay. Thread: main.
 */
#ifndef CMD_PRODUCE_H
#define CMD_PRODUCE_H

#include "place.h"

#include <stdio.h>

#include "base/arena.h"
#include "format/text_map.h"

enum produce_format { PRODUCE_GUESSED, PRODUCE_JSONL, PRODUCE_CSV, PRODUCE_PARQUET };

struct produce_options {
    struct place sql;
    const char *database;
    const char *table;
    enum produce_format format; /* PRODUCE_GUESSED: JSON lines, or Parquet by its first bytes */
};

/* Standard input up to its end. *ret_rows: what was acknowledged, also after an error.
 * ERR_NETWORK: no connection, or it was lost; ERR_INVALID_ARGUMENT: the input;
 * ERR_UNSUPPORTED_OPERATION: what the server says. */
MUST_USE enum errcode produce(const struct produce_options *options, uint64_t *ret_rows,
                              struct error *e);

/* The statement is a COPY ... FROM STDIN, the data are those of *in after `begin`. *ret_rows, errors: as
 * above. */
struct client;
struct produce_file {
    struct client *client;
    struct bytes statement;
    struct bytes begin;
};
MUST_USE enum errcode produce_file(const struct produce_file *file, FILE *in, uint64_t *ret_rows,
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
