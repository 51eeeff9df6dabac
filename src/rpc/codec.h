/* Messages to bytes and back: the protobuf subset of the protocol (proto2, no groups, maps or
 * enums), driven by the tables of messages.c.
 *
 * Decoding copies no bytes: strings and bytes point into the body, arrays and nested messages live
 * in the arena, so the message lives as long as both. Unknown fields are skipped; repeated numbers
 * are read packed and unpacked; of a singular field that occurs twice the last occurrence counts
 * (nested messages are not merged); booleans are true only when the varint is exactly 1, as in the
 * reference. Refused, with ERR_CORRUPT_MESSAGE and a text that names message and field: bytes cut
 * short, a known field of another wire type, a missing required field, strings that are not UTF-8,
 * groups, nesting deeper than RPC_DEPTH_MAX, and bodies that would need more arena memory than
 * RPC_MEMORY_FACTOR times their length + RPC_MEMORY_BASE, or than RPC_MEMORY_MAX.
 *
 * Encoding never fails: fields in declaration order, required ones always, empty packed ones never.
 * Runs of RPC_INLINE_MAX bytes and more are not copied but referred to, so they must live as long
 * as the pieces. Strings must be UTF-8 (rpc_error_text makes one of an error).
 * Thread: any.
 */
#ifndef RPC_CODEC_H
#define RPC_CODEC_H

#include "base/chunk.h"
#include "base/error.h"

struct msg_desc; /* messages.h: msg_<message>_desc */

#define RPC_DEPTH_MAX     128
#define RPC_MEMORY_FACTOR 16
#define RPC_MEMORY_BASE   ((size_t)64 << 10)
#define RPC_MEMORY_MAX    ((size_t)128 << 20)
#define RPC_INLINE_MAX    ((size_t)4 << 10)

/* ret_message: the struct of desc. After an error its contents are undefined. */
MUST_USE enum errcode rpc_decode(const struct msg_desc *desc, struct bytes body, struct arena *a,
                                 void *ret_message, struct error *e);

size_t rpc_encoded_size(const struct msg_desc *desc, const void *message);

/* Appends the encoded message to out, whose arena holds what is copied. Pieces given as x_pieces
 * are moved with their references: afterwards out owns them and those lists are empty. */
void rpc_encode(const struct msg_desc *desc, const void *message, struct pieces *out);

/* The same with `head` bytes in front, in one run of memory with the start of the message; the
 * caller fills them through the result. */
uint8_t *rpc_encode_after(size_t head, const struct msg_desc *desc, const void *message,
                          struct pieces *out);

/* What error_message fields should carry: the message of e, or nothing (false) when it adds
 * nothing to the code. Invalid UTF-8 is replaced; *ret lives in the arena. */
bool rpc_error_text(const struct error *e, struct arena *a, struct bytes *ret);

#endif
