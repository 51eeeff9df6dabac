/* Inside io/: the calls on paths that compose.c needs besides those of file.h. Thread: any. */
#ifndef IO_PATH_H
#define IO_PATH_H

#include "base/error.h"

#define PATH_LEN_MAX 4096

/* One directory; what is there already is an error with os_errno EEXIST. */
MUST_USE enum errcode dir_make(const char *path, struct error *e);
/* An empty directory; a missing one is success. */
MUST_USE enum errcode dir_remove(const char *path, struct error *e);
/* A directory without entries; false for anything else. */
bool dir_is_empty(const char *path);
/* follow: a link counts as what it points to. */
bool path_is_dir(const char *path, bool follow);

#endif
