/* Offset checkpoint files: what is accepted is written again to the same entries. */
#include "log/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct checkpoint c = {0};
    struct checkpoint again = {0};
    struct error e;

    if (checkpoint_parse(bytes_of(data, size), &arena, &c, &e) != ERR_OK) {
        return 0;
    }
    ASSERT(checkpoint_parse(checkpoint_format(&c, &arena), &arena, &again, &e) == ERR_OK);
    ASSERT(again.count == c.count);
    for (size_t i = 0; i < c.count; i++) {
        const struct checkpoint_entry *one = &c.entries[i];
        const struct checkpoint_entry *found =
            checkpoint_find(&again, one->table_id, one->partition_id, one->bucket);

        ASSERT(found != NULL && found->offset == one->offset);
    }
    return 0;
}
