/* The metadata snapshot: what decodes is encoded to the same bytes again. */
#include <stdlib.h>

#include "base/crc32c.h"
#include "meta/store_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last four bytes are replaced by the right checksum: the fuzzer cannot guess it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snapshot_header header = {0};
    struct bytes file;
    struct bytes again;
    uint8_t *copy;
    struct tree t;

    if (size < 4) {
        return 0;
    }
    copy = mem_alloc(size);
    memcpy(copy, data, size);
    file = bytes_of(copy, size);
    put_u32le(copy + size - 4, crc32c(bytes_slice(file, 0, size - 4)));
    tree_init(&t);
    if (snapshot_decode(file, &t, &header, NULL) == ERR_OK) {
        again = snapshot_encode(&t, &header);
        ASSERT(bytes_equal(file, again));
        free((void *)(uintptr_t)again.data);
    }
    tree_fini(&t);
    free(copy);
    return 0;
}
