/* Reads of the state of primary-key tables, and the operations that stand for them in the history:
 * one per key, answered together. Used by those who look up at random and by the last reader. */
#ifndef SIM_LOAD_GET_H
#define SIM_LOAD_GET_H

#include "client.h"

#define GETS_MAX 128 /* above TABLE_SUBS and the keys of a table */

struct gets {
    struct op *ops[GETS_MAX];
    size_t count;
    bool last;
};

/* Begins one more. */
void gets_add(struct gets *g, struct client *c, const struct target *target, int64_t key);
/* All end so. */
void gets_end(struct gets *g, struct client *c, enum op_status status, enum errcode error);

/* Sends the keys of the operations as a LOOKUP. */
void gets_send_lookup(struct gets *g, struct client *c, struct table *table, struct call *call);
/* Takes the answer: values in the order of the keys. */
void gets_take_lookup(struct gets *g, struct client *c, struct table *table,
                      const struct msg_lookup_response *m);
/* Takes rows in no order; what is not among them does not exist. */
void gets_take_rows(struct gets *g, struct client *c, struct table *table,
                    const struct bytes *values, size_t count);

#endif
