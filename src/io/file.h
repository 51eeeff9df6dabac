/* Files and directories.
 *
 * All calls block until the kernel answers. A shard may call those that touch only the page cache
 * (file_write_at, file_read_at on resident bytes, open, rename); whatever waits for a device
 * (file_sync*, dir_sync, cold reads, scans) runs in a pool, see pool.h.
 * Errors: ERR_DISK_FULL, ERR_LOG_STORAGE for anything else the system reports, with the path and
 * the reason in the message. Nothing is retried here except EINTR and short transfers.
 * Thread: any; a struct file may be shared, its reference count is atomic.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <sys/types.h>

#include "base/chunk.h"
#include "base/error.h"

struct file {
    atomic_uint refs;
    int fd;
    char *path; /* as opened; for messages */
};

enum file_mode {
    FILE_READ,       /* must exist */
    FILE_WRITE,      /* read and write, must exist */
    FILE_CREATE,     /* read and write, created when missing */
    FILE_CREATE_NEW, /* read and write, an error when it exists */
};

MUST_USE enum errcode file_open(const char *path, enum file_mode mode, struct file **ret,
                                struct error *e);
/* One without a name, in memory, for libraries that write to a path: theirs is f->path, as long as
 * f lives. what: for people who look at the process. */
MUST_USE enum errcode file_open_memory(const char *what, struct file **ret, struct error *e);
/* The same on the device of the directory. */
MUST_USE enum errcode file_open_unnamed(const char *dir, struct file **ret, struct error *e);
struct file *file_ref(struct file *f);
/* Closes with the last reference. Returns NULL; accepts NULL. */
void *file_unref(struct file *f);
void file_unrefp(struct file **f); /* for OWNED */

MUST_USE enum errcode file_size(struct file *f, uint64_t *ret, struct error *e);
/* Reads exactly len bytes; fewer in the file is ERR_CORRUPT_FILE. */
MUST_USE enum errcode file_read_at(struct file *f, uint64_t offset, void *buffer, size_t len,
                                   struct error *e);
/* The same without waiting for the device: *ret_cached = false and the buffer undefined when the
 * bytes are not all in the page cache. Where the file system cannot tell, it reads. */
MUST_USE enum errcode file_read_cached(struct file *f, uint64_t offset, void *buffer, size_t len,
                                       bool *ret_cached, struct error *e);
/* Reads up to len bytes; fewer only at the end of the file. */
MUST_USE enum errcode file_read_some(struct file *f, uint64_t offset, void *buffer, size_t len,
                                     size_t *ret, struct error *e);
/* Writes all bytes or fails; after a failure the range's contents are unknown. */
MUST_USE enum errcode file_write_at(struct file *f, uint64_t offset, struct bytes b,
                                    struct error *e);
/* The same for several runs of bytes, one after the other. count <= FILE_RUNS_MAX. */
#define FILE_RUNS_MAX 64
MUST_USE enum errcode file_write_runs(struct file *f, uint64_t offset, const struct bytes *runs,
                                      size_t count, struct error *e);
MUST_USE enum errcode file_truncate(struct file *f, uint64_t size, struct error *e);
/* fdatasync: contents and size are on the device. */
MUST_USE enum errcode file_sync(struct file *f, struct error *e);
/* Starts writing a range back without waiting, so that a later file_sync is short. Best effort. */
void file_write_back(struct file *f, uint64_t offset, uint64_t len);
/* Whether a read of the range would not wait for the device. */
bool file_resident(struct file *f, uint64_t offset, size_t len);
/* Brings the range into the page cache; blocks. Best effort. */
void file_warm(struct file *f, uint64_t offset, size_t len);

/* ---- paths ---- */

/* Creates the directory and its missing parents; they, and one that was there without entries, are
 * durable before it returns: so a directory with entries always is. */
MUST_USE enum errcode dir_create(const char *path, struct error *e);
/* Makes creations, renames and removals inside the directory durable. */
MUST_USE enum errcode dir_sync(const char *path, struct error *e);

struct dir_entry {
    const char *name;
    bool is_dir;
};
struct dir_list {
    struct dir_entry *entries; /* in name order, without "." and ".." */
    size_t count;
};
/* Entries live in the arena. A missing directory is an empty list. */
MUST_USE enum errcode dir_read(const char *path, struct arena *arena, struct dir_list *ret,
                               struct error *e);

bool path_exists(const char *path);
/* The path from the root, links resolved; it must exist. In the arena. */
MUST_USE enum errcode path_absolute(const char *path, struct arena *arena, char **ret,
                                    struct error *e);
/* The path in "file:///a", "file:/a" or "/a", part of the text; NULL: it is none of this machine. */
const char *path_of_uri(const char *uri);
MUST_USE enum errcode path_rename(const char *from, const char *to, struct error *e);
/* A missing file is success. Not durable before dir_sync of the parent. */
MUST_USE enum errcode path_remove(const char *path, struct error *e);
/* Removes a directory with all its contents, or what else is there; links are not followed. A missing
 * one is success. */
MUST_USE enum errcode path_remove_tree(const char *path, struct error *e);

/* The whole file into the arena; larger than max_size is ERR_CORRUPT_FILE. A missing file gives
 * *ret_exists = false and success. */
MUST_USE enum errcode file_read_whole(const char *path, size_t max_size, struct arena *arena,
                                      struct bytes *ret, bool *ret_exists, struct error *e);
/* Replaces the file's contents atomically and durably: temporary file, sync, rename, directory
 * sync. After a crash the file holds either the old or the new bytes. */
MUST_USE enum errcode file_replace(const char *path, struct bytes contents, struct error *e);

/* An exclusive lock for this process; held until file_unref. Someone else's is
 * ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode file_lock(const char *path, struct file **ret, struct error *e);

struct disk_usage {
    uint64_t total_bytes;
    uint64_t free_bytes; /* for us, not for root */
};
MUST_USE enum errcode disk_usage(const char *path, struct disk_usage *ret, struct error *e);
/* A fresh private directory under $TMPDIR or /tmp; the name lives in the arena. */
MUST_USE enum errcode dir_create_temporary(const char *prefix, struct arena *arena, char **ret,
                                           struct error *e);

/* Releases the chunk and file references of a piece list (base/chunk.h). */
void pieces_fini(struct pieces *p);

#endif
