/* Value batches: one that reads to its end is the one that its values make. */
#include "format/value_batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct value_batch_iterator it;
    struct bytes value;
    struct error e;

    if (value_batch_parse(bytes_of(data, size), &it, &e) != ERR_OK) {
        return 0;
    }
    value_batch_begin(&out);
    while (it.left > 0) {
        if (value_batch_next(&it, &value, &e) != ERR_OK) {
            return 0;
        }
        ASSERT(value_row(value).len + VALUE_HEADER_SIZE == value.len);
        value_batch_add(&out, value);
    }
    value_batch_finish(&out);
    ASSERT(bytes_equal(buffer_view(&out), bytes_of(data, size)));
    return 0;
}
