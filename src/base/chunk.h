/* Shared memory that outlives a request and may cross shards: reference-counted chunks, the
 * budgets that bound them, and the piece lists that responses are made of.
 *
 * A chunk is immutable after its fill. Its reference count is the only atomic on the data path: a
 * chunk filled by one shard may be sent, and so released, by another.
 * A budget belongs to one shard and counts bytes; whoever is refused waits or answers with an
 * error, nothing aborts.
 */
#ifndef BASE_CHUNK_H
#define BASE_CHUNK_H

#include "arena.h"

#include <stdatomic.h>

/* Bytes a shard may hold for peers (frames being received, responses being sent). */
struct budget {
    size_t limit;
    atomic_size_t used; /* chunks may be released by another shard */
};

/* false: over the limit, nothing is taken. The first taker always gets its bytes, however many,
 * so that one request as large as the frame limit can always make progress. */
MUST_USE bool budget_take(struct budget *b, size_t size);
/* Takes even what is not there. */
void budget_overdraw(struct budget *b, size_t size);
void budget_give(struct budget *b, size_t size);
bool budget_full(struct budget *b);

struct chunk {
    atomic_uint refs;
    struct budget *budget; /* where `charged` is given back; NULL: not counted */
    size_t charged;
    size_t len;
    _Alignas(16) uint8_t data[];
};

/* One reference, contents undefined. Aborts on memory exhaustion: ask the budget first. */
struct chunk *chunk_new(size_t len);
/* Charges more bytes of the chunk to b (always the same one for a chunk); given back with the last
 * reference. false: refused, nothing changed. */
MUST_USE bool chunk_charge(struct chunk *c, struct budget *b, size_t size);
/* The same, overdrawing b rather than refuse. */
void chunk_overdraw(struct chunk *c, struct budget *b, size_t size);
struct chunk *chunk_ref(struct chunk *c);
/* Returns NULL, so that `p = chunk_unref(p)` reads well; accepts NULL. */
void *chunk_unref(struct chunk *c);
void chunk_unrefp(struct chunk **c); /* for OWNED */

/* One run of bytes of a response: memory, or a range of a file that is sent without passing
 * through user space. */
struct file;

struct piece {
    const uint8_t *data; /* NULL: a range of `file` */
    size_t len;
    struct chunk *owner; /* a reference that keeps data alive; NULL: the request's arena does */
    struct file *file;   /* a reference (io/file.h) */
    uint64_t file_offset;
};

/* A list of pieces, in sending order. Items live in the arena; chunk and file references are
 * owned and released by pieces_fini (io/file.h gives the release for files). */
struct pieces {
    struct piece *items;
    size_t count;
    size_t cap;
    size_t len; /* sum */
    struct arena *arena;
};

void pieces_init(struct pieces *p, struct arena *arena);
/* Borrowed bytes that live as long as the arena (or for ever). */
void pieces_add_bytes(struct pieces *p, struct bytes b);
/* Takes over the caller's reference to owner. */
void pieces_add_chunk(struct pieces *p, struct chunk *owner, struct bytes b);
/* Takes over the caller's reference to file. */
void pieces_add_file(struct pieces *p, struct file *file, uint64_t offset, size_t len);
/* Moves all items (and their references) of `from` to the end of p; `from` is then empty. */
void pieces_move(struct pieces *p, struct pieces *from);

#endif
