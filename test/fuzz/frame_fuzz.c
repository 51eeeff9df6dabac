/* What follows the length field of a frame, read as a request and as a response; an error body is
 * decoded as well. */
#include "rpc/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    return 0;
}
