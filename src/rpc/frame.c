#include "frame.h"

#include "messages.h"

/* Sizes with the length field. */
#define REQUEST_HEADER  12
#define RESPONSE_HEADER 9 /* types 0 and 1 */
#define FATAL_HEADER    5 /* type 2 */

enum errcode rpc_response_length(const uint8_t *start, size_t length_max, size_t *ret,
                                 struct error *e)
{
    int32_t length = get_i32be(start);

    if (length < FATAL_HEADER - RPC_LENGTH_SIZE || (size_t)length > length_max) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "response of %d bytes: the limit is %zu", length,
                         length_max);
    }
    *ret = (size_t)length;
    return ERR_OK;
}

enum errcode rpc_request_parse(struct bytes frame, struct rpc_request *ret, struct error *e)
{
    struct reader r = reader_of(frame);
    struct rpc_request request;

    request.api_key = reader_i16be(&r);
    request.api_version = reader_i16be(&r);
    request.id = reader_i32be(&r);
    request.body = r.rest;
    if (r.failed) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "request of %zu bytes has no whole header",
                         frame.len);
    }
    *ret = request;
    return ERR_OK;
}

enum errcode rpc_response_parse(struct bytes frame, struct rpc_response *ret, struct error *e)
{
    struct reader r = reader_of(frame);
    uint8_t type = reader_u8(&r);
    int32_t id = 0;

    if (type == RPC_SUCCESS || type == RPC_FAILURE) {
        id = reader_i32be(&r);
    }
    if (r.failed || type > RPC_FATAL) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "response of %zu bytes and type %u", frame.len,
                         type);
    }
    *ret = (struct rpc_response){
        .type = (enum rpc_response_type)type,
        .id = id,
        .body = r.rest,
    };
    return ERR_OK;
}

/* One whole frame is appended; the header of `head` bytes is for the caller to fill, but for the
 * length. */
static uint8_t *frame_append(size_t head, const struct msg_desc *desc, const void *message,
                             struct pieces *out)
{
    size_t before = out->len;
    uint8_t *start = rpc_encode_after(head, desc, message, out);
    size_t length = out->len - before - RPC_LENGTH_SIZE;

    ASSERT(length <= INT32_MAX); /* whoever gathers a response bounds it */
    put_i32be(start, (int32_t)length);
    return start + RPC_LENGTH_SIZE;
}

void rpc_frame_request(const struct rpc_request *header, const struct msg_desc *desc,
                       const void *message, struct pieces *out)
{
    uint8_t *p = frame_append(REQUEST_HEADER, desc, message, out);

    put_i16be(p, header->api_key);
    put_i16be(p + 2, header->api_version);
    put_i32be(p + 4, header->id);
}

static void append_response(enum rpc_response_type type, int32_t id, const struct msg_desc *desc,
                            const void *message, struct pieces *out)
{
    uint8_t *p = frame_append(RESPONSE_HEADER, desc, message, out);

    p[0] = (uint8_t)type;
    put_i32be(p + 1, id);
}

void rpc_frame_response(int32_t id, const struct msg_desc *desc, const void *message,
                        struct pieces *out)
{
    append_response(RPC_SUCCESS, id, desc, message, out);
}

static struct msg_error_response error_body(const struct error *error, struct arena *a)
{
    struct msg_error_response body = {.error_code = error_fluss_code(error->code)};

    body.has_error_message = rpc_error_text(error, a, &body.error_message);
    return body;
}

void rpc_frame_failure(int32_t id, const struct error *error, struct pieces *out)
{
    struct msg_error_response body = error_body(error, out->arena);

    append_response(RPC_FAILURE, id, &msg_error_response_desc, &body, out);
}

void rpc_frame_fatal(const struct error *error, struct pieces *out)
{
    struct msg_error_response body = error_body(error, out->arena);
    uint8_t *p = frame_append(FATAL_HEADER, &msg_error_response_desc, &body, out);

    p[0] = RPC_FATAL;
}

enum errcode rpc_response_error(struct bytes body, struct error *e)
{
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct msg_error_response response;
    enum errcode code;
    struct bytes text;

    TRY(rpc_decode(&msg_error_response_desc, body, &a, &response, e));
    code = error_from_fluss(response.error_code);
    if (code == ERR_OK) {
        code = ERR_UNKNOWN_SERVER_ERROR;
    }
    text = response.has_error_message ? response.error_message : bytes_str(error_text(code));
    return error_set(e, code, "%.*s", (int)(text.len < INT32_MAX ? text.len : INT32_MAX),
                     (const char *)text.data);
}
