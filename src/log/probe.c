#include "probe.h"

enum errcode probe_read(struct probe *probe, struct file *file, uint64_t position,
                        struct writer *to, struct error *e)
{
    size_t want = to->cap - to->len;
    size_t got = 0;

    if (probe != NULL && probe->nowait && !file_resident(file, position, want)) {
        (void)file_unref(probe->file);
        probe->file = file_ref(file);
        probe->position = position;
        probe->len = want;
        return PROBE_COLD;
    }
    TRY(file_read_some(file, position, to->data + to->len, want, &got, e));
    to->len += got;
    return ERR_OK;
}
