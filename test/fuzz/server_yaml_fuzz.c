/* A server.yaml, first as settings, then as options: whatever is accepted is checked, listed and
 * turned into listeners. */
#include "cmd/listeners.h"
#include "cmd/server_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_options(struct bytes text)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct options *o = options_new(&arena);
    struct listener_list list;
    struct error e;
    size_t count;

    if (options_read_yaml(o, text, "fuzz", &e) == ERR_OK && options_check(o, &e) == ERR_OK) {
        ASSERT(options_int(o, "default.bucket.number") >= 1);
        (void)options_settings(o, &arena, &count);
        IGNORE(listeners_parse(o, &arena, &list, &e));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct yaml_settings settings;
    struct error e;

    if (server_yaml_parse(bytes_of(data, size), "fuzz", &arena, &settings, &e) != ERR_OK) {
        return 0;
    }
    for (size_t i = 0; i < settings.count; i++) {
        ASSERT(settings.items[i].key.len <= OPTION_KEY_MAX && settings.items[i].line >= 1);
        for (size_t j = 0; j < i && i < 100; j++) {
            ASSERT(!bytes_equal(settings.items[i].key, settings.items[j].key));
        }
    }
    read_options(bytes_of(data, size));
    return 0;
}
