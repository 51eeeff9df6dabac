/* Stored bytes that are not in memory. */
#ifndef TEST_SUPPORT_EVICT_H
#define TEST_SUPPORT_EVICT_H

#include "store.h"

#include <fcntl.h>

/* A store of one shard with small segments, usually on a device. */
static inline int store_setup_on_disk(void **state)
{
    struct store *s;

    setenv("TMPDIR", "/var/tmp", 1);
    s = store_new(1);
    unsetenv("TMPDIR");
    s->config.log.segment_bytes_max = 4096;
    store_open_sets(s);
    *state = s;
    return 0;
}

/* Drops the files of the bucket from the page cache; false where the file system has no other place
 * for them. */
static inline bool store_evict(struct store *s, const char *table, struct bucket_id id)
{
    char *dir = arena_printf(&s->arena, "%s/fluss/%s-%lld/log-%d", s->dir, table,
                             (long long)id.table_id, id.bucket);
    struct dir_list list;
    bool gone = true;

    assert_int_equal(dir_read(dir, &s->arena, &list, NULL), ERR_OK);
    for (size_t i = 0; i < list.count; i++) {
        OWNED(file_unrefp) struct file *f = NULL;
        uint64_t size = 0;
        char *path = arena_printf(&s->arena, "%s/%s", dir, list.entries[i].name);

        assert_int_equal(file_open(path, FILE_READ, &f, NULL), ERR_OK);
        assert_int_equal(file_size(f, &size, NULL), ERR_OK);
        assert_int_equal(file_sync(f, NULL), ERR_OK);
        (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
        gone &= size == 0 || !file_resident(f, 0, (size_t)size);
    }
    return gone;
}

#endif
