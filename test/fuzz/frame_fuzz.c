/* Frames. The input as what follows a length field, read as a request and as a response; an error body is
 * decoded as well. And as what a connection receives: frame after frame of requests, whose messages are
 * decoded, and framed and read again. */
#include "mutate.h"

#include "rpc/api.h"
#include "rpc/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes joined(const struct pieces *pieces, struct arena *a)
{
    struct writer w = writer_of(arena_alloc(a, pieces->len), pieces->len);

    for (size_t i = 0; i < pieces->count; i++) {
        writer_bytes(&w, bytes_of(pieces->items[i].data, pieces->items[i].len));
    }
    return bytes_of(w.data, w.len);
}

/* A request whose message decodes is framed again, and is then the same request. */
static void check_request(const struct rpc_request *request)
{
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    const struct rpc_api *api = rpc_api_find(request->api_key);
    struct rpc_request again;
    struct pieces out;
    struct bytes frame;
    struct error e;
    void *message;

    if (api == NULL) {
        return;
    }
    message = arena_alloc(&a, api->request->size);
    if (rpc_decode(api->request, request->body, &a, message, &e) != ERR_OK) {
        ASSERT(e.code == ERR_CORRUPT_MESSAGE);
        return;
    }
    pieces_init(&out, &a);
    rpc_frame_request(request, api->request, message, &out);
    frame = joined(&out, &a);
    ASSERT(frame.len >= RPC_LENGTH_SIZE && get_u32be(frame.data) == frame.len - RPC_LENGTH_SIZE);
    frame = bytes_slice(frame, RPC_LENGTH_SIZE, frame.len - RPC_LENGTH_SIZE);
    ASSERT(rpc_request_parse(frame, &again, &e) == ERR_OK);
    ASSERT(again.api_key == request->api_key && again.api_version == request->api_version);
    ASSERT(again.id == request->id);
    ASSERT(rpc_decode(api->request, again.body, &a, message, &e) == ERR_OK);
}

static void follow(struct bytes in)
{
    struct rpc_request request;
    struct error e;

    while (in.len >= RPC_LENGTH_SIZE && get_u32be(in.data) <= in.len - RPC_LENGTH_SIZE) {
        size_t length = get_u32be(in.data);

        if (rpc_request_parse(bytes_slice(in, RPC_LENGTH_SIZE, length), &request, &e) == ERR_OK) {
            check_request(&request);
        }
        in = bytes_slice(in, RPC_LENGTH_SIZE + length, in.len - RPC_LENGTH_SIZE - length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes frame = bytes_of(data, size);
    struct rpc_request request;
    struct rpc_response response;
    struct error e;
    size_t length;

    if (rpc_request_parse(frame, &request, &e) == ERR_OK) {
        ASSERT(request.body.len == size - 8);
    }
    if (rpc_response_parse(frame, &response, &e) == ERR_OK) {
        ASSERT(response.body.len == size - (response.type == RPC_FATAL ? 1 : 5));
        ASSERT(rpc_response_error(response.body, &e) != ERR_OK);
    }
    if (size >= RPC_LENGTH_SIZE && rpc_response_length(data, 1000, &length, &e) == ERR_OK) {
        ASSERT(length >= 1 && length <= 1000);
    }
    follow(frame);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_units(MUTATE_FRAMES, data, size, max, seed);
}
