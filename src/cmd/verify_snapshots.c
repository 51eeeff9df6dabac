#include "verify_snapshots.h"

#include "kv/kv.h"

static void check_files(const struct kv_snapshot *s, const struct kv_snapshot_files *files,
                        const char *remote_dir, struct verify_report *report)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct kv_snapshot_file *file = &files->items[i];
        struct error e;

        report->bytes += (uint64_t)file->size;
        if (kv_snapshot_check_file(s, file, remote_dir, &e) != ERR_OK) {
            verify_report_add(report, &(struct verify_finding){.kind = VERIFY_SNAPSHOTS,
                                                               .path = remote_dir,
                                                               .position = -1,
                                                               .what = e.message});
        }
    }
}

enum errcode verify_snapshots(const char *remote_dir, struct verify_report *report, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t *ids = NULL;
    size_t count = 0;

    TRY(kv_snapshot_list(remote_dir, &arena, &ids, &count, e));
    for (size_t i = 0; i < count; i++) {
        struct kv_snapshot s;
        struct error why;

        if (kv_snapshot_read(remote_dir, ids[i], &arena, &s, &why) != ERR_OK) {
            verify_report_add(report, &(struct verify_finding){.kind = VERIFY_SNAPSHOTS,
                                                               .path = remote_dir,
                                                               .position = -1,
                                                               .what = why.message});
            continue;
        }
        check_files(&s, &s.shared, remote_dir, report);
        check_files(&s, &s.own, remote_dir, report);
    }
    return ERR_OK;
}
