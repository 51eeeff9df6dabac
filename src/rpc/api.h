/* The APIs of the protocol: keys, names, which versions this server offers (protocol/served.tsv),
 * and the messages they carry. Thread: any, all of it is constant.
 */
#ifndef RPC_API_H
#define RPC_API_H

#include "messages.h"

enum rpc_api_key {
#define X(key, name, served, version_min, version_max, request, response) API_##name = (key),
#include "api.def"
#undef X
};

struct rpc_api {
    enum rpc_api_key key;
    bool served;         /* false: not advertised, and a request for it is refused */
    int16_t version_min; /* of ours, inclusive; empty range when not served */
    int16_t version_max;
    const char *name; /* "PRODUCE_LOG" */
    const struct msg_desc *request;
    const struct msg_desc *response;
};

/* In the order of their keys; served and not. */
size_t rpc_api_count(void);
const struct rpc_api *rpc_api_at(size_t index);

/* NULL: the protocol has no such API. */
const struct rpc_api *rpc_api_find(int16_t key);

/* What API_VERSIONS answers: every served API. The array lives in the arena. server_type is left
 * out, as one process plays both roles. */
void rpc_api_versions(struct arena *a, struct msg_api_versions_response *ret);

#endif
