/* The metadata journal: whatever the bytes are, walking them ends, and operations that decode can
 * be tried on a tree and taken back. */
#include "mutate.h"

#include "meta/store_journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_record(struct tree *t, struct journal_record *r)
{
    struct tree_undo undo = {0};
    struct tree_op op;
    bool fits = true;
    size_t count = t->count;
    size_t bytes = t->bytes;

    while (fits && journal_record_op(r, &op)) {
        fits = tree_apply(t, &op, &undo, NULL) == ERR_OK;
    }
    if (fits) {
        tree_commit(t, &undo);
    } else {
        tree_rollback(t, &undo);
        ASSERT(t->count == count && t->bytes == bytes);
    }
}

/* The bytes as a journal behind its header, and as the operations of one record, which a checksum
 * would otherwise keep the fuzzer from. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct journal_cursor c = {.file = in, .position = 0};
    struct journal_record record = {.sequence = 1, .op_count = UINT32_MAX, .ops = in};
    struct journal_header header;
    struct tree t;

    tree_init(&t);
    try_record(&t, &record);
    if (journal_header_decode(in, &header, NULL) == ERR_OK) {
        ASSERT(size >= JOURNAL_HEADER_SIZE);
    }
    while (journal_next(&c, &record) == JOURNAL_RECORD) {
        try_record(&t, &record);
        c.sequence = size % 2 == 0 ? c.sequence : 0; /* or all of them */
    }
    ASSERT(c.position <= size);
    if (size < 4096) {
        (void)journal_has_record(in, 0);
    }
    tree_fini(&t);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_units(MUTATE_JOURNAL, data, size, max, seed);
}
