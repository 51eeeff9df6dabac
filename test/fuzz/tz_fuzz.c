/* Files of the zone database: a zone that is read has a sane offset at any instant. */
#include "format/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t instants[] = {INT64_MIN,  -1,         0,        1709247906,
                                       1720000000, 4102444800, INT64_MAX};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct tz *tz = NULL;
    struct error e;
    char name[64] = "";

    memcpy(name, data, size < sizeof name ? size : sizeof name - 1);
    (void)tz_name_is_file(name);
    (void)tz_fixed(name, &arena);
    if (tz_parse(bytes_of(data, size), &arena, &tz, &e) != ERR_OK) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
        int32_t offset = tz_offset_at(tz, instants[i]);

        ASSERT(offset >= -200 * 3600 && offset <= 200 * 3600);
    }
    return 0;
}
