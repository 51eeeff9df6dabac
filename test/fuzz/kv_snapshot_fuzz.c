/* Snapshot metadata: what is accepted is written again to the same text. */
#include "kv/kv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes format(const struct kv_snapshot *s, struct arena *arena)
{
    struct json_writer json;

    json_writer_init(&json, arena);
    kv_snapshot_format(s, &json);
    return json_writer_text(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_snapshot s;
    struct kv_snapshot again;
    struct bytes text;
    struct error e;

    if (kv_snapshot_parse(bytes_of(data, size), &arena, &s, &e) == ERR_OK) {
        text = format(&s, &arena);
        ASSERT(kv_snapshot_parse(text, &arena, &again, &e) == ERR_OK);
        ASSERT(bytes_equal(text, format(&again, &arena)));
    }
    return 0;
}
