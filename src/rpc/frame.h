/* Frames: how requests and responses lie on a connection. All integers are big-endian.
 *
 *   request   offset 0  int32  length of what follows: 8 + body
 *                    4  int16  API key
 *                    6  int16  API version
 *                    8  int32  request id, chosen by the client
 *                   12         body: the request message
 *
 *   response  offset 0  int32  length of what follows: 5 + body, or 1 + body of type 2
 *                    4  int8   type: 0 success, 1 this request failed, 2 the connection failed
 *                    5  int32  request id; not in type 2
 *                    9         body: the response message, or ErrorResponse (types 1 and 2)
 *
 * Nothing follows the body. Frames of a connection come one after the other; responses are matched
 * by their id and may come in any order. Here all is pure: bytes in, bytes out. Thread: any.
 */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include "codec.h"

#define RPC_LENGTH_SIZE 4 /* the length field */

enum rpc_response_type { RPC_SUCCESS = 0, RPC_FAILURE = 1, RPC_FATAL = 2 };

struct rpc_request {
    int16_t api_key;
    int16_t api_version;
    int32_t id;
    struct bytes body; /* points into the frame */
};

struct rpc_response {
    enum rpc_response_type type;
    int32_t id; /* 0 for RPC_FATAL */
    struct bytes body;
};

/* Length of the rest of a response from its first RPC_LENGTH_SIZE bytes. ERR_CORRUPT_MESSAGE:
 * negative, too short for a response, or more than length_max; such a connection cannot be followed
 * any further. (Of requests: conn.h.) */
MUST_USE enum errcode rpc_response_length(const uint8_t *start, size_t length_max, size_t *ret,
                                          struct error *e);

/* frame: all that follows the length field. ERR_CORRUPT_MESSAGE when its header does not fit. */
MUST_USE enum errcode rpc_request_parse(struct bytes frame, struct rpc_request *ret,
                                        struct error *e);
MUST_USE enum errcode rpc_response_parse(struct bytes frame, struct rpc_response *ret,
                                         struct error *e);

/* Append one whole frame, length field included, to out. Pieces within the message are moved, see
 * rpc_encode. The body of `header` is not looked at. */
void rpc_frame_request(const struct rpc_request *header, const struct msg_desc *desc,
                       const void *message, struct pieces *out);
void rpc_frame_response(int32_t id, const struct msg_desc *desc, const void *message,
                        struct pieces *out);
void rpc_frame_failure(int32_t id, const struct error *error, struct pieces *out);
/* The Rust client cannot read type 2; closing the connection without it is safe for all. */
void rpc_frame_fatal(const struct error *error, struct pieces *out);

/* The body of a failed or fatal response as an error of ours; also when it cannot be decoded.
 * Always returns a code other than ERR_OK. */
MUST_USE enum errcode rpc_response_error(struct bytes body, struct error *e);

#endif
