/* A list of listeners; what is accepted is accepted again in its plainest spelling. */
#include "cmd/listeners.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct listener_list list;
    struct listener_list again;
    const char *text = arena_strndup(&arena, data, size);
    const char *plain = "";
    struct error e;

    if (listeners_parse_text(text, "fuzz", &arena, &list, &e) != ERR_OK) {
        return 0;
    }
    ASSERT(list.count >= 1 && list.count <= LISTENERS_MAX);
    for (size_t i = 0; i < list.count; i++) {
        plain = arena_printf(&arena, "%s%s%s://[%s]:%u", plain, i == 0 ? "" : ",",
                             list.bind[i].name, list.bind[i].host, list.bind[i].port);
    }
    ASSERT(listeners_parse_text(plain, "fuzz", &arena, &again, &e) == ERR_OK);
    ASSERT(again.count == list.count);
    for (size_t i = 0; i < list.count; i++) {
        ASSERT(strcmp(again.bind[i].host, list.bind[i].host) == 0);
        ASSERT(again.bind[i].port == list.bind[i].port);
    }
    return 0;
}
