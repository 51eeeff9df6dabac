/* The journal of a local store: transactions in the order they were acknowledged.
 *
 *   file    := header record*
 *   header  := magic "EIDRJRNL" | u32 format = 1 | u64 generation | u64 sequence | u32 crc
 *              sequence is that of the last transaction inside snapshot-<generation>
 *   record  := magic f5 4a 52 ff | u32 length | u32 crc | payload
 *              length counts the payload, crc is over length and payload
 *   payload := u64 sequence | u32 op count | op*
 *   op      := u8 kind | u8 recursive | i32 version | u16 path length | path
 *            | u32 data length | data
 * All numbers little endian, all checksums CRC-32C. Sequences rise by one from record to record;
 * kinds are CREATE 0, SET 1, DELETE 2. A record without operations marks an orderly close.
 *
 * A record is written and synced before the next one is begun, so a crash can damage the last
 * record only, and only one that nobody was told about. Damage in front of another valid record is
 * therefore never the trace of a crash: something acknowledged was lost, and the store refuses to
 * open. What a crash leaves in place of the last record may be anything that the device held before,
 * an earlier record as well: one whose sequence does not rise is no record. The record magic is not
 * valid UTF-8, so documents cannot contain it.
 * Thread: any; nothing here touches a file.
 */
#ifndef META_STORE_JOURNAL_H
#define META_STORE_JOURNAL_H

#include "store_tree.h"

#define JOURNAL_HEADER_SIZE 32
#define JOURNAL_RECORD_MIN  24 /* a record without operations */

struct journal_header {
    uint64_t generation;
    uint64_t sequence;
};

void journal_header_encode(const struct journal_header *h, uint8_t out[JOURNAL_HEADER_SIZE]);
MUST_USE enum errcode journal_header_decode(struct bytes file, struct journal_header *ret,
                                            struct error *e);

/* Size of the record of these operations; STORE_CHECK takes no part in a record. false: larger
 * than STORE_TRANSACTION_MAX. */
MUST_USE bool journal_record_size(const struct store_op *ops, size_t count, size_t *ret);
/* Writes exactly that many bytes. */
void journal_record_encode(uint64_t sequence, const struct store_op *ops, size_t count,
                           struct writer *w);

struct journal_cursor {
    struct bytes file;
    size_t position;   /* behind the header or the last valid record */
    uint64_t sequence; /* of that one, or the header's */
};

struct journal_record {
    uint64_t sequence;
    uint32_t op_count;
    struct bytes ops; /* journal_record_op takes them off one by one */
};

enum journal_status {
    JOURNAL_RECORD,
    JOURNAL_END,
    JOURNAL_DAMAGED, /* bytes at position are no valid record; the cursor stays */
};

enum journal_status journal_next(struct journal_cursor *c, struct journal_record *ret);
/* false: malformed, or none left. Path and data are borrowed from the record. */
MUST_USE bool journal_record_op(struct journal_record *r, struct tree_op *ret);
/* Whether a valid record with a sequence above `sequence` starts anywhere in the bytes. */
bool journal_has_record(struct bytes rest, uint64_t sequence);

#endif
