/* Decodes and encodes messages for test_codec.py, which has another protobuf as judge.
 *
 * stdin, until it ends:  u32 length, name of a request or response message
 *                        u32 length, body            (integers little-endian)
 * stdout, for each:      u8 0 and the encoded message, or 1 and the error text, as u32 length, bytes
 * The program stops (exit 1) at names it does not know and when its own sizes disagree.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/api.h"
#include "rpc/codec.h"

static struct bytes read_run(struct arena *a)
{
    uint8_t head[4];
    size_t len;
    uint8_t *data;

    if (fread(head, 1, sizeof head, stdin) != sizeof head) {
        return BYTES_EMPTY;
    }
    len = get_u32le(head);
    data = arena_alloc(a, len);
    if (fread(data, 1, len, stdin) != len) {
        fprintf(stderr, "input cut short\n");
        exit(1);
    }
    return bytes_of(data, len);
}

static const struct msg_desc *find(struct bytes name)
{
    if (bytes_equal_str(name, msg_error_response_desc.name)) {
        return &msg_error_response_desc;
    }
    for (size_t i = 0; i < rpc_api_count(); i++) {
        const struct rpc_api *api = rpc_api_at(i);

        if (bytes_equal_str(name, api->request->name)) {
            return api->request;
        }
        if (bytes_equal_str(name, api->response->name)) {
            return api->response;
        }
    }
    fprintf(stderr, "no message %.*s\n", (int)name.len, (const char *)name.data);
    exit(1);
}

static void write_head(uint8_t status, size_t len)
{
    uint8_t head[5] = {status};

    put_u32le(head + 1, (uint32_t)len);
    fwrite(head, 1, sizeof head, stdout);
}

static void encode(const struct msg_desc *desc, const void *message, struct arena *a)
{
    struct pieces out;

    pieces_init(&out, a);
    rpc_encode(desc, message, &out);
    if (out.len != rpc_encoded_size(desc, message)) {
        fprintf(stderr, "%s: size %zu, wrote %zu\n", desc->name, rpc_encoded_size(desc, message),
                out.len);
        exit(1);
    }
    write_head(0, out.len);
    for (size_t i = 0; i < out.count; i++) {
        fwrite(out.items[i].data, 1, out.items[i].len, stdout);
    }
}

static bool run_one(void)
{
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct bytes name = read_run(&a);
    const struct msg_desc *desc;
    struct bytes body;
    struct error e;
    void *message;

    if (name.len == 0) {
        return false;
    }
    desc = find(name);
    body = read_run(&a);
    message = arena_alloc(&a, desc->size);
    if (rpc_decode(desc, body, &a, message, &e) == ERR_OK) {
        encode(desc, message, &a);
    } else {
        write_head(1, strlen(e.message));
        fwrite(e.message, 1, strlen(e.message), stdout);
    }
    return true;
}

int main(void)
{
    while (run_one()) {
        fflush(stdout);
    }
    return 0;
}
