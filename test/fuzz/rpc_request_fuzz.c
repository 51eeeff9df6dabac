/* The body of any request, and of any response a client of ours may get: the first byte picks the
 * API (its high bit the response), the rest is the body. What decodes must encode, and decode and
 * encode again to the same bytes. */
#include "mutate.h"

#include "rpc/api.h"
#include "rpc/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes encoded(const struct msg_desc *desc, const void *message, struct arena *a)
{
    size_t size = rpc_encoded_size(desc, message);
    struct writer w = writer_of(arena_alloc(a, size), size);
    struct pieces out;

    pieces_init(&out, a);
    rpc_encode(desc, message, &out);
    ASSERT(out.len == size);
    for (size_t i = 0; i < out.count; i++) {
        writer_bytes(&w, bytes_of(out.items[i].data, out.items[i].len));
    }
    return bytes_of(w.data, w.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    const struct rpc_api *api;
    const struct msg_desc *desc;
    struct error e;
    void *message;
    struct bytes first;

    if (size == 0) {
        return 0;
    }
    api = rpc_api_at((data[0] & 0x7fu) % rpc_api_count());
    desc = (data[0] & 0x80) != 0 ? api->response : api->request;
    message = arena_alloc(&a, desc->size);
    if (rpc_decode(desc, bytes_of(data + 1, size - 1), &a, message, &e) != ERR_OK) {
        ASSERT(e.code == ERR_CORRUPT_MESSAGE);
        return 0;
    }
    first = encoded(desc, message, &a);
    ASSERT(rpc_decode(desc, first, &a, message, &e) == ERR_OK);
    ASSERT(bytes_equal(encoded(desc, message, &a), first));
    return 0;
}

/* The message as a message, and now and then another API. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    const struct rpc_api *api;

    if (size < 2 || seed % 16 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    api = rpc_api_at((data[0] & 0x7fu) % rpc_api_count());
    return 1 + mutate_message((data[0] & 0x80) != 0 ? api->response : api->request, data + 1,
                              size - 1, max - 1, seed);
}
