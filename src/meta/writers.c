/* Writer ids: a counter in the store, taken in blocks so that not every new writer costs a sync.
 * An id is handed out only below what the store has recorded; a crash skips the rest of a block. */
#include "catalog.h"

#define WRITER_ID_BLOCK 1000

enum errcode writer_id_take(struct meta *m, int64_t *ret, struct error *e)
{
    if (m->writer_id_next == m->writer_id_end) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        int64_t end = m->writer_id_end + WRITER_ID_BLOCK;
        struct store_batch batch;

        store_batch_init(&batch, &arena);
        store_batch_set(&batch, ZNODE_WRITER_COUNTER, znode_counter_encode(end, &arena));
        TRY(store_batch_commit(m->store, &batch, e));
        m->writer_id_end = end;
    }
    *ret = m->writer_id_next++;
    ASSERT(m->writer_id_next <= m->writer_id_end);
    return ERR_OK;
}
