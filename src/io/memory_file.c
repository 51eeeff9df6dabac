/* Files without a name, see file.h: they are gone with their last descriptor, whatever ends us. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATH_BYTES 64

static void of_descriptor(int fd, struct file **ret)
{
    char path[PATH_BYTES];
    struct file *f = mem_new(struct file);

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    atomic_init(&f->refs, 1);
    f->fd = fd;
    f->path = mem_strdup(path);
    *ret = f;
}

enum errcode file_open_memory(const char *what, struct file **ret, struct error *e)
{
    int fd = memfd_create(what, MFD_CLOEXEC);

    if (fd < 0) {
        return error_os(e, errno, "memory for %s", what);
    }
    of_descriptor(fd, ret);
    return ERR_OK;
}

/* Where files cannot be made without a name it is taken away at once. */
static int make_and_remove(const char *dir, struct arena *arena)
{
    char *path = arena_printf(arena, "%s/.unnamed-XXXXXX", dir);
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd >= 0) {
        (void)unlink(path);
    }
    return fd;
}

enum errcode file_open_unnamed(const char *dir, struct file **ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        fd = make_and_remove(dir, &arena);
    }
    if (fd < 0) {
        return error_os(e, errno, "a file in %s", dir);
    }
    of_descriptor(fd, ret);
    return ERR_OK;
}
