/* Requests about names, tables and partitions, each as an operation of the history. What they tell
 * of tables with rows (ids, schemas) is kept in the table. */
#ifndef SIM_LOAD_NAMES_H
#define SIM_LOAD_NAMES_H

#include "client.h"

struct name_ref {
    struct table *table; /* NULL: one of those that come and go */
    int partition;       /* index, -1: the table itself */
    unsigned churn;      /* its number, without a table */
};

struct name_call {
    struct client *client;
    struct call call;
    struct name_ref ref;
    struct op *op;
    bool by_metadata; /* DESCRIBE by GET_METADATA */
    /* The operation has ended. */
    void (*done)(struct name_call *n, const struct op *op);
};

/* One request at a time per name_call. `column` is new in ALTER. */
void name_send(struct name_call *n, enum op_kind kind, struct name_ref ref, const char *column);

#endif
