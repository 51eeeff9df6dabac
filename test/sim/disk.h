/* The disk of a simulated machine: files and directories in memory, each with two views: what was
 * written (the page cache: what the program reads) and what is on the device (what a crash leaves).
 *
 *   contents and size of a file   reach the device by disk_sync of the file, else perhaps: a crash
 *                                 keeps, loses or tears each 4 KiB page by itself, in any order, and
 *                                 within a page each 512-byte sector; a size that grew may be there
 *                                 without its bytes (zeroes), and the other way round the bytes are
 *                                 lost with the size
 *   names (create, rename,        reach the device by disk_sync_dir of their directory, else each
 *   unlink, mkdir, rmdir)         change of a directory perhaps, in order: a crash keeps some first
 *                                 changes of it. A rename is one change: never none or both names
 *                                 of a file when both are in one directory
 *   a failed sync                 the pages count as clean and never reach the device: what was
 *                                 read back so far is lost at the crash, the next sync succeeds
 *
 * Paths are absolute or relative to the root alike; there are no links. Functions that fail return an
 * errno, 0 is success. Nothing here takes time: latency is the caller's (io/).
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "prng.h"
#include "trace.h"

#include "base/arena.h"
#include "base/bytes.h"

/* How often things go wrong, per million operations of the kind; 0: never. */
struct disk_faults {
    uint32_t read_error;     /* EIO once */
    uint32_t write_error;    /* EIO once; a part may have been written */
    uint32_t sync_error;     /* EIO, and the dirty pages are lost as above */
    uint32_t no_space;       /* ENOSPC for a while, of everything that needs space */
    uint32_t name_error;     /* EIO of create, rename, unlink, mkdir, sync of a directory */
    uint32_t stall;          /* an operation that takes seconds */
    int64_t no_space_us_max; /* how long a disk stays full */
    int64_t stall_us_max;    /* how long a stalled operation takes */
    uint32_t cold;           /* a range that was not used lately is not in the page cache */
    uint32_t bad_forever;    /* one of the errors above stays until the file is gone */
    uint64_t capacity_bytes; /* 0: endless */
};

struct disk;
struct inode;

struct disk *disk_new(struct prng random, struct trace *trace);
void disk_free(struct disk *d);
/* From now on; may be called at any time. */
void disk_set_faults(struct disk *d, const struct disk_faults *faults);
/* Virtual time, for faults that last. */
void disk_at(struct disk *d, int64_t now_us);

/* The machine is cut off: what is not on the device is kept, lost or torn, and all open handles are
 * gone. calm: everything written is kept, as after a kill of the process alone. */
void disk_crash(struct disk *d, bool calm);

/* ---- decay ---- */

/* Paths of the files that a power cut would leave, in the arena. */
size_t disk_files(struct disk *d, struct arena *arena, const char ***ret);
/* What is on the device of such a file; borrowed until it changes. Empty: there is no such file. */
struct bytes disk_device(struct disk *d, const char *path);

struct disk_rot {
    uint64_t from;
    uint64_t len;
    uint8_t flip; /* these bits of every byte; 0: they become zero */
    bool hidden;  /* the page cache hides it, until a power cut */
};
/* Changes what is on the device; false: not all of that was synced, and nothing happens. */
bool disk_rot(struct disk *d, const char *path, const struct disk_rot *rot);

/* ---- files; a handle stays valid when the name goes ---- */

enum disk_open { DISK_MUST_EXIST, DISK_CREATE, DISK_CREATE_NEW };

int disk_open(struct disk *d, const char *path, enum disk_open mode, int *ret_handle);
void disk_close(struct disk *d, int handle);
int disk_size(struct disk *d, int handle, uint64_t *ret);
/* Up to *len bytes, fewer only at the end; *len: how many. */
int disk_read(struct disk *d, int handle, uint64_t offset, void *buffer, size_t *len);
int disk_write(struct disk *d, int handle, uint64_t offset, struct bytes b);
int disk_truncate(struct disk *d, int handle, uint64_t size);
int disk_sync(struct disk *d, int handle);
bool disk_resident(struct disk *d, int handle, uint64_t offset, size_t len);
void disk_warm(struct disk *d, int handle);
/* EWOULDBLOCK: another handle of the file has the lock. */
int disk_lock(struct disk *d, int handle);

/* ---- names ---- */

int disk_mkdir(struct disk *d, const char *path);
int disk_rmdir(struct disk *d, const char *path);
int disk_unlink(struct disk *d, const char *path);
int disk_rename(struct disk *d, const char *from, const char *to);
int disk_sync_dir(struct disk *d, const char *path);

enum disk_kind { DISK_NOTHING, DISK_FILE, DISK_DIR };
enum disk_kind disk_kind(struct disk *d, const char *path);
/* The directory at the path, until something changes; NULL: there is none. */
const struct inode *disk_dir(struct disk *d, const char *path);
/* Name number `index` of it, in name order; NULL: there are no more. */
const char *disk_entry(const struct inode *dir, size_t index, bool *ret_dir);

/* Bytes of all files as written. */
uint64_t disk_used(const struct disk *d);

#endif
