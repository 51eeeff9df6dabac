#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define PATH_BYTES 64

enum errcode file_open_memory(const char *what, struct file **ret, struct error *e)
{
    char path[PATH_BYTES];
    int fd = memfd_create(what, MFD_CLOEXEC);
    struct file *f;

    if (fd < 0) {
        return error_os(e, errno, "memory for %s", what);
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    f = mem_new(struct file);
    atomic_init(&f->refs, 1);
    f->fd = fd;
    f->path = mem_strdup(path);
    *ret = f;
    return ERR_OK;
}
