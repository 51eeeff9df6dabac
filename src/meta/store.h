/* The store of the catalog: one tree of small documents, changed by atomic transactions.
 *
 * Paths, documents and counters are those of the reference's ZooKeeper tree (paths.h, znode.h), so
 * that a catalog can move between an embedded store and ZooKeeper. A node has data (possibly none),
 * a version (0 when created, +1 per set) and children. Parents are created with empty data.
 *
 * A path is "/a/b": components of 1..STORE_NAME_MAX bytes without '/', '.' and '..', at most
 * STORE_DEPTH_MAX of them.
 * Errors: ERR_OPERATION_NOT_ATTEMPTED when a transaction does not fit the tree (node exists, is
 * missing, has children, another version) or a limit: nothing has changed. ERR_DISK_FULL: nothing
 * has changed, later changes may succeed. ERR_STORAGE: the outcome is unknown, or an earlier one
 * was; the store refuses every later change until it is opened again.
 * Thread: coordinator; every call may block.
 */
#ifndef META_STORE_H
#define META_STORE_H

#include "base/arena.h"
#include "base/error.h"

#define STORE_NAME_MAX        1024
#define STORE_DEPTH_MAX       16
#define STORE_PATH_MAX        4096
#define STORE_DATA_MAX        ((size_t)16 << 20) /* of one node */
#define STORE_TRANSACTION_MAX ((size_t)64 << 20) /* encoded */
#define STORE_VERSION_ANY     (-1)

enum store_op_kind {
    STORE_CREATE, /* fails when the node exists; missing parents are created empty */
    STORE_SET,    /* fails when the node is missing or has another version */
    STORE_DELETE, /* the same; and when it has children, unless `recursive` */
    STORE_CHECK,  /* fails when the node is missing or has another version */
};

struct store_op {
    enum store_op_kind kind;
    bool recursive;    /* STORE_DELETE */
    int32_t version;   /* SET, DELETE, CHECK: expected, or STORE_VERSION_ANY */
    const char *path;  /* borrowed */
    struct bytes data; /* CREATE, SET; borrowed */
};

struct store_node {
    struct bytes data;
    int32_t version;
};

struct store_names {
    const char **names; /* in byte order */
    size_t count;
};

struct store;

/* What an implementation provides; called through the functions below. */
struct store_impl {
    enum errcode (*get)(struct store *s, const char *path, struct arena *arena,
                        struct store_node *ret, bool *ret_exists, struct error *e);
    enum errcode (*children)(struct store *s, const char *path, struct arena *arena,
                             struct store_names *ret, struct error *e);
    enum errcode (*multi)(struct store *s, const struct store_op *ops, size_t count,
                          struct error *e);
    void (*note)(struct store *s); /* NULL: there is nothing to do */
    void (*close)(struct store *s);
};

/* Embedded first in an implementation's struct. */
struct store {
    const struct store_impl *impl;
};

/* Copies the node into the arena. A missing node is *ret_exists = false and success. */
MUST_USE static inline enum errcode store_get(struct store *s, const char *path,
                                              struct arena *arena, struct store_node *ret,
                                              bool *ret_exists, struct error *e)
{
    return s->impl->get(s, path, arena, ret, ret_exists, e);
}

/* The names of a node's children, copied into the arena. A missing node has none. */
MUST_USE static inline enum errcode store_children(struct store *s, const char *path,
                                                   struct arena *arena, struct store_names *ret,
                                                   struct error *e)
{
    return s->impl->children(s, path, arena, ret, e);
}

MUST_USE static inline enum errcode store_exists(struct store *s, const char *path, bool *ret,
                                                 struct error *e)
{
    struct arena arena = ARENA_INIT;
    struct store_node node;
    enum errcode code = s->impl->get(s, path, &arena, &node, ret, e);

    arena_fini(&arena);
    return code;
}

/* All of the operations in order, or none; durable on success. */
MUST_USE static inline enum errcode store_multi(struct store *s, const struct store_op *ops,
                                                size_t count, struct error *e)
{
    return s->impl->multi(s, ops, count, e);
}

/* Upkeep, now and then: notes how far the store has come, so that the loss of its end is seen at the
 * next opening. Reports its own failure. */
static inline void store_note(struct store *s)
{
    if (s->impl->note != NULL) {
        s->impl->note(s);
    }
}

/* Accepts NULL. */
static inline void store_close(struct store *s)
{
    if (s != NULL) {
        s->impl->close(s);
    }
}

/* ---- building transactions ---- */

/* Operations collected in an arena, which also holds paths and data. */
struct store_batch {
    struct arena *arena;
    struct store_op *ops;
    size_t count;
    size_t cap;
};

void store_batch_init(struct store_batch *b, struct arena *arena);
/* path and data must live as long as the arena (paths.h formats into it). */
void store_batch_create(struct store_batch *b, const char *path, struct bytes data);
void store_batch_set(struct store_batch *b, const char *path, struct bytes data);
void store_batch_delete_tree(struct store_batch *b, const char *path);
MUST_USE enum errcode store_batch_commit(struct store *s, const struct store_batch *b,
                                         struct error *e);

#endif
