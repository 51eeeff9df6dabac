#include "frame.h"

#include "messages.h"

#define LENGTH_MAX ((size_t)INT32_MAX)

/* length_min: header bytes after the length field. */
static enum errcode frame_size(const uint8_t *start, size_t length_min, size_t size_max,
                               size_t *ret, struct error *e)
{
    int32_t length = get_i32be(start);

    if (length < 0 || (size_t)length < length_min) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "frame of %d bytes: at least %zu are needed",
                         length, length_min);
    }
    if ((size_t)length + RPC_LENGTH_SIZE > size_max) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "frame of %zu bytes exceeds the limit of %zu",
                         (size_t)length + RPC_LENGTH_SIZE, size_max);
    }
    *ret = (size_t)length + RPC_LENGTH_SIZE;
    return ERR_OK;
}

enum errcode rpc_request_size(const uint8_t *start, size_t size_max, size_t *ret, struct error *e)
{
    return frame_size(start, RPC_REQUEST_HEADER_SIZE - RPC_LENGTH_SIZE, size_max, ret, e);
}

enum errcode rpc_response_size(const uint8_t *start, size_t size_max, size_t *ret, struct error *e)
{
    return frame_size(start, RPC_FATAL_HEADER_SIZE - RPC_LENGTH_SIZE, size_max, ret, e);
}

/* Steps over the length field, which must say what the frame's size is. */
static enum errcode frame_open(struct bytes frame, struct reader *ret, struct error *e)
{
    struct reader r = reader_of(frame);
    int32_t length = reader_i32be(&r);

    if (r.failed || length < 0 || (size_t)length != r.rest.len) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "frame of %zu bytes says its length is %d",
                         frame.len, length);
    }
    *ret = r;
    return ERR_OK;
}

enum errcode rpc_request_parse(struct bytes frame, struct rpc_request *ret, struct error *e)
{
    struct reader r;
    struct rpc_request request;

    TRY(frame_open(frame, &r, e));
    request.api_key = reader_i16be(&r);
    request.api_version = reader_i16be(&r);
    request.id = reader_i32be(&r);
    request.body = r.rest;
    if (r.failed) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "request frame of %zu bytes is too short",
                         frame.len);
    }
    *ret = request;
    return ERR_OK;
}

enum errcode rpc_response_parse(struct bytes frame, struct rpc_response *ret, struct error *e)
{
    struct reader r;
    uint8_t type;
    int32_t id = 0;

    TRY(frame_open(frame, &r, e));
    type = reader_u8(&r);
    if (type == RPC_SUCCESS || type == RPC_FAILURE) {
        id = reader_i32be(&r);
    }
    if (r.failed || type > RPC_FATAL) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "response frame of %zu bytes and type %u",
                         frame.len, type);
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

    ASSERT(length <= LENGTH_MAX);
    put_i32be(start, (int32_t)length);
    return start + RPC_LENGTH_SIZE;
}

void rpc_frame_request(const struct rpc_request *header, const struct msg_desc *desc,
                       const void *message, struct pieces *out)
{
    uint8_t *p = frame_append(RPC_REQUEST_HEADER_SIZE, desc, message, out);

    put_i16be(p, header->api_key);
    put_i16be(p + 2, header->api_version);
    put_i32be(p + 4, header->id);
}

static void append_response(enum rpc_response_type type, int32_t id, const struct msg_desc *desc,
                            const void *message, struct pieces *out)
{
    uint8_t *p = frame_append(RPC_RESPONSE_HEADER_SIZE, desc, message, out);

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
    uint8_t *p = frame_append(RPC_FATAL_HEADER_SIZE, &msg_error_response_desc, &body, out);

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
