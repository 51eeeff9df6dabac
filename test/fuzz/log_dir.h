/* A directory for targets that need files. */
#ifndef FUZZ_LOG_DIR_H
#define FUZZ_LOG_DIR_H

#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"

static inline const char *log_dir_new(struct arena *arena)
{
    char *dir = NULL;
    struct error e;

    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    ASSERT(dir_create_temporary("eider-fuzz", arena, &dir, &e) == ERR_OK);
    return dir;
}

static inline void log_dir_free(const char *dir)
{
    struct error e;

    ASSERT(path_remove_tree(dir, &e) == ERR_OK);
}

static inline void log_dir_clear(const char *dir)
{
    struct error e;

    log_dir_free(dir);
    ASSERT(dir_create(dir, &e) == ERR_OK);
}

static inline void log_dir_put(const char *dir, const char *name, struct bytes contents,
                               struct arena *arena)
{
    OWNED(file_unrefp) struct file *f = NULL;
    struct error e;

    ASSERT(file_open(arena_printf(arena, "%s/%s", dir, name), FILE_CREATE, &f, &e) == ERR_OK);
    ASSERT(file_write_at(f, 0, contents, &e) == ERR_OK);
}

#endif
