/* Writer snapshots: what is accepted is written again to the same text. */
#include "log/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes format(const struct writers *w, struct arena *arena)
{
    struct json_writer json;

    json_writer_init(&json, arena);
    snapshot_format(w, &json);
    return json_writer_text(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(writers_fini) struct writers w;
    OWNED(writers_fini) struct writers again;
    struct bytes text;
    struct error e;

    writers_init(&w);
    writers_init(&again);
    if (snapshot_parse(bytes_of(data, size), 1000, &w, &e) == ERR_OK) {
        text = format(&w, &arena);
        ASSERT(snapshot_parse(text, 1000, &again, &e) == ERR_OK);
        ASSERT(bytes_equal(text, format(&again, &arena)));
    }
    return 0;
}
