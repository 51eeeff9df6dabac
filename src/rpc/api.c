#include "api.h"

static const struct rpc_api apis[] = {
#define X(api_key, api_name, is_served, min, max, request_message, response_message)               \
    {.key = API_##api_name,                                                                        \
     .served = (is_served),                                                                        \
     .version_min = (min),                                                                         \
     .version_max = (max),                                                                         \
     .name = #api_name,                                                                            \
     .request = &msg_##request_message##_desc,                                                     \
     .response = &msg_##response_message##_desc},
#include "api.def"
#undef X
};

size_t rpc_api_count(void) { return ARRAY_LEN(apis); }

const struct rpc_api *rpc_api_at(size_t index)
{
    ASSERT(index < ARRAY_LEN(apis));
    return &apis[index];
}

const struct rpc_api *rpc_api_find(int16_t key)
{
    /* the protocol numbers its APIs without gaps; the unit test checks that */
    int index = key - (int)apis[0].key;

    if (index < 0 || (size_t)index >= ARRAY_LEN(apis)) {
        return NULL;
    }
    return &apis[index];
}

void rpc_api_versions(struct arena *a, struct msg_api_versions_response *ret)
{
    struct msg_pb_api_version *versions = arena_array(a, ARRAY_LEN(apis), sizeof *versions);
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(apis); i++) {
        if (apis[i].served) {
            versions[count++] = (struct msg_pb_api_version){
                .api_key = (int32_t)apis[i].key,
                .min_version = apis[i].version_min,
                .max_version = apis[i].version_max,
            };
        }
    }
    *ret = (struct msg_api_versions_response){
        .api_versions = versions,
        .api_versions_count = count,
    };
}
