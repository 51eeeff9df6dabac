/* Where remote storage is: snapshots of primary-key tables are below it.
 *
 * remote.data.dir is "file:///a/b", "file:/a/b" or "/a/b"; without it the directory "remote" in the
 * data directory is used, which no table's directory can be (they end in an id). Clients are always
 * told URIs with a scheme: one that has another default file system opens the right one.
 * Thread: any.
 */
#ifndef CMD_REMOTE_ROOT_H
#define CMD_REMOTE_ROOT_H

#include "base/arena.h"
#include "base/error.h"

struct remote_root {
    const char *dir; /* an absolute path of this machine */
    const char *uri; /* the same as clients are told it */
};

/* option: NULL or empty when it is not set. data_dir must exist. ERR_INVALID_ARGUMENT for what is not
 * on this machine or not absolute. In the arena. */
MUST_USE enum errcode remote_root_find(const char *option, const char *data_dir,
                                       struct arena *arena, struct remote_root *ret,
                                       struct error *e);

#endif
