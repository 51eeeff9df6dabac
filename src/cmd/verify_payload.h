/* Whether what is inside a batch can be read: the records against the schema of their table.
 *
 * Arrow messages are checked by their metadata (counts, buffers inside of the body), without
 * decompressing; rows of the other formats are decoded. Thread: the owner.
 */
#ifndef CMD_VERIFY_PAYLOAD_H
#define CMD_VERIFY_PAYLOAD_H

#include "format/arrow.h"
#include "format/batch.h"
#include "meta/meta.h"

struct verify_payload {
    const struct meta_table *table; /* borrowed */
    int32_t schema_id;              /* that layout and schema are of; 0: none yet */
    const struct schema *schema;
    struct arrow_layout layout;
    struct arena arena;   /* of the layout */
    struct arena scratch; /* of one row */
};

void verify_payload_init(struct verify_payload *p, const struct meta_table *table);
void verify_payload_fini(struct verify_payload *p); /* for OWNED */
/* data: the whole batch, its checksum is right. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode verify_payload_check(struct verify_payload *p,
                                           const struct batch_header *header, struct bytes data,
                                           struct error *e);

#endif
