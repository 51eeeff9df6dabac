/* The snapshot of a local store: the whole tree as one checksummed file.
 *
 *   file := magic "EIDRSNAP" | u32 format = 1 | u64 generation | u64 sequence | u64 node count
 *         | node* | u32 crc
 *   node := u8 depth | u16 name length | name | i32 version | u32 data length | data
 * Nodes in depth-first order, parents first, children in byte order of their names; the root is
 * left out and its children have depth 1. Little endian, CRC-32C over everything before it.
 *
 * The file is replaced atomically, so a crash leaves either none or a whole one: any damage is an
 * error. Thread: any; nothing here touches a file.
 */
#ifndef META_STORE_SNAPSHOT_H
#define META_STORE_SNAPSHOT_H

#include "store_tree.h"

struct snapshot_header {
    uint64_t generation;
    uint64_t sequence; /* of the last transaction inside */
};

/* The file's bytes on the heap, for free(). */
struct bytes snapshot_encode(const struct tree *t, const struct snapshot_header *h);
/* Fills an empty tree; on failure it holds a part and is still to be tree_fini'ed. */
MUST_USE enum errcode snapshot_decode(struct bytes file, struct tree *t,
                                      struct snapshot_header *ret, struct error *e);

#endif
