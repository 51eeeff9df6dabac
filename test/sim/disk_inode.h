/* Inside of the disk: inodes, directories, handles (disk.c, disk_names.c, disk_crash.c). */
#ifndef SIM_DISK_INODE_H
#define SIM_DISK_INODE_H

#include "disk.h"

#include "base/list.h"

#define DISK_SECTOR  512u
#define DISK_PAGE    4096u
#define DISK_NAME    200 /* longest name, with its end */
#define DISK_HANDLES 4096

/* A view of a file's contents. Bytes behind the size, up to cap, are zero. */
struct contents {
    uint8_t *data;
    uint64_t size;
    uint64_t cap; /* whole pages */
};

struct entry {
    char name[DISK_NAME];
    struct inode *inode;
};

/* Names of a directory in order. */
struct names {
    struct entry *entries;
    size_t count;
    size_t cap;
};

/* A change of a directory that is not on the device yet. */
struct change {
    struct list link;
    char removed[DISK_NAME]; /* empty: none */
    char added[DISK_NAME];   /* empty: none */
    struct inode *inode;     /* of `added` */
};

struct inode {
    struct list link; /* disk.inodes */
    uint64_t number;
    bool is_dir;
    bool marked; /* by the sweep */
    unsigned handles;
    bool locked;
    bool bad_read; /* fails for ever */
    bool bad_write;
    uint64_t cold_end; /* what is below is not in the page cache */

    struct contents cache;
    struct contents device;
    bool apart;     /* the device has something else, although nothing is dirty */
    uint8_t *dirty; /* per sector of cache.cap */
    uint64_t dirty_from;
    uint64_t dirty_end; /* sectors; all dirty ones are in between */

    struct names cached;
    struct names durable;
    struct list changes; /* struct change: from durable to cached */
};

struct handle {
    struct inode *inode; /* NULL: free */
    bool locks;
};

struct disk {
    struct prng random;
    struct trace *trace;
    struct disk_faults faults;
    int64_t now_us;
    int64_t full_until_us;
    uint64_t next_number;
    uint64_t used;
    unsigned gone; /* names removed since the last sweep */
    struct inode *root;
    struct list inodes;
    struct handle handles[DISK_HANDLES];
    int handle_next; /* where the search for a free one begins */
};

struct inode *inode_new(struct disk *d, bool is_dir);
/* Frees what no name, change or handle leads to. */
void disk_sweep(struct disk *d);

void contents_resize(struct contents *c, uint64_t size);

/* NULL: there is none. */
struct inode *names_get(const struct names *n, const char *name);
void names_put(struct names *n, const char *name, struct inode *inode);
void names_remove(struct names *n, const char *name);
void names_copy(struct names *to, const struct names *from);
void names_fini(struct names *n);
void change_apply(struct names *n, const struct change *c);

/* EEXIST, ENOENT: of the parent, ENOSPC, EIO. */
int disk_create(struct disk *d, const char *path, bool is_dir);
/* The inode at the path in the page cache's view; NULL: none. */
struct inode *disk_find(struct disk *d, const char *path);

/* Whether the disk is full now; may begin to be. */
bool disk_full(struct disk *d);
bool disk_fault(struct disk *d, uint32_t chance);

#endif
