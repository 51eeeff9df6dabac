/* How far a local store is known to have come: a witness beside the journal.
 *
 *   <dir>/reached := magic "EIDRSEQN" | u32 format = 1 | u64 sequence | u32 crc
 *   Little endian, CRC-32C of what is before it.
 *
 * The transaction with this sequence was acknowledged, and so were all before it. A journal that ends
 * earlier has lost its end: that is never the trace of a crash, however much it looks like one. The
 * file is written at a stop and from time to time in between, always after the transactions it tells
 * of; it may be behind, never ahead. It is no data: whoever removes it goes on with what there is.
 * Thread: coordinator, or any while nobody has the store open; blocks.
 */
#ifndef META_STORE_REACHED_H
#define META_STORE_REACHED_H

#include "base/arena.h"
#include "base/error.h"

char *reached_path(const char *dir, struct arena *arena);
/* Replaces the file, durably. */
MUST_USE enum errcode reached_write(const char *dir, uint64_t sequence, struct error *e);
/* 0: there is none. ERR_CORRUPT_FILE: there is one that says nothing. */
MUST_USE enum errcode reached_read(const char *dir, uint64_t *ret, struct error *e);

#endif
