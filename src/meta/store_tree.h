/* The tree of a local store, in memory: nodes, and transactions that can be undone.
 *
 * tree_apply changes the tree and notes in a tree_undo how to go back; the caller then either
 * keeps the changes (tree_commit) or takes all of them back (tree_rollback). Neither can fail.
 * Memory: every node counts with its name, data and bookkeeping in tree.bytes; refusing a
 * transaction that grows beyond a limit is the caller's part.
 * Thread: coordinator.
 */
#ifndef META_STORE_TREE_H
#define META_STORE_TREE_H

#include "store.h"

struct tree_node {
    struct tree_node *parent;
    struct tree_node **children; /* in byte order of their names */
    size_t child_count;
    size_t child_cap;
    uint8_t *data;
    size_t len;
    int32_t version;
    uint32_t name_len;
    char name[]; /* NUL-terminated */
};

struct tree {
    struct tree_node *root;
    size_t bytes; /* memory used by all nodes */
    size_t count; /* nodes below the root */
};

struct tree_step;

struct tree_undo {
    struct tree_step *steps; /* heap */
    size_t count;
    size_t cap;
};

void tree_init(struct tree *t);
void tree_fini(struct tree *t);
/* NULL when there is none; also for a malformed path. */
struct tree_node *tree_find(const struct tree *t, struct bytes path);

/* An operation whose path need not end in NUL. */
struct tree_op {
    enum store_op_kind kind;
    bool recursive;
    int32_t version;
    struct bytes path;
    struct bytes data;
};
/* ERR_OPERATION_NOT_ATTEMPTED: the operation does not fit; it has changed nothing, but those
 * applied before it are still to be rolled back. */
MUST_USE enum errcode tree_apply(struct tree *t, const struct tree_op *op, struct tree_undo *undo,
                                 struct error *e);
/* Both leave undo empty. */
void tree_commit(struct tree *t, struct tree_undo *undo);
void tree_rollback(struct tree *t, struct tree_undo *undo);

/* For loading: adds a node below parent; NULL when the name is malformed, taken, or not behind
 * the last child in byte order. */
struct tree_node *tree_append(struct tree *t, struct tree_node *parent, struct bytes name,
                              struct bytes data, int32_t version);
/* Walk in depth-first order, parents first: the node after `node` below the root, NULL at the end.
 * Starts with tree_next(t, t->root). */
struct tree_node *tree_next(const struct tree *t, const struct tree_node *node);
/* Distance from the root, which has 0. */
unsigned tree_depth(const struct tree_node *node);

#endif
