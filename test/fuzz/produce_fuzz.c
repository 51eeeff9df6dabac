/* Rows that `eider produce` reads: a record of CSV, and a line of JSON. */
#include "cmd/produce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const items[] = {"a", "b"};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes text = bytes_of(data, size);
    struct text_list names = {.items = items, .count = 2};
    struct text_list cells;
    struct error e;

    (void)produce_record_ends(text);
    if (produce_cells(text, &arena, &cells, &e) == ERR_OK) {
        ASSERT(cells.count > 0 && cells.count <= size + 1);
    }
    IGNORE(produce_check_json(text, names, &e));
    return 0;
}
