#include "store_tree.h"

#include <limits.h>
#include <stdlib.h>

/* What the allocator and the parent's child array add to a node, roughly. */
#define TREE_NODE_OVERHEAD (sizeof(struct tree_node) + 48)

enum step_kind {
    STEP_ADDED,   /* node was attached: to undo, detach and free it */
    STEP_REMOVED, /* node was detached: to undo, attach it again */
    STEP_CHANGED, /* data and version as they were */
};

struct tree_step {
    enum step_kind kind;
    struct tree_node *node;
    uint8_t *data;
    size_t len;
    int32_t version;
};

static struct tree_node *node_new(struct bytes name, struct bytes data, int32_t version)
{
    struct tree_node *n = mem_zalloc(sizeof *n + name.len + 1);

    memcpy(n->name, name.data, name.len);
    n->name_len = (uint32_t)name.len;
    n->version = version;
    n->len = data.len;
    if (data.len > 0) {
        n->data = mem_alloc(data.len);
        memcpy(n->data, data.data, data.len);
    }
    return n;
}

static void node_free(struct tree_node *n)
{
    free(n->children);
    free(n->data);
    free(n);
}

static size_t node_bytes(const struct tree_node *n)
{
    return TREE_NODE_OVERHEAD + n->name_len + n->len;
}

static struct bytes node_name(const struct tree_node *n) { return bytes_of(n->name, n->name_len); }

/* Position of the first child whose name is not below `name`. */
static size_t child_position(const struct tree_node *parent, struct bytes name)
{
    size_t low = 0;
    size_t high = parent->child_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bytes_compare(node_name(parent->children[middle]), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct tree_node *child_find(const struct tree_node *parent, struct bytes name)
{
    size_t at = child_position(parent, name);

    if (at < parent->child_count && bytes_equal(node_name(parent->children[at]), name)) {
        return parent->children[at];
    }
    return NULL;
}

static void child_insert(struct tree_node *parent, struct tree_node *child)
{
    size_t at = child_position(parent, node_name(child));

    if (parent->child_count == parent->child_cap) {
        parent->child_cap = parent->child_cap == 0 ? 4 : parent->child_cap * 2;
        parent->children =
            mem_realloc(parent->children, parent->child_cap * sizeof *parent->children);
    }
    memmove(&parent->children[at + 1], &parent->children[at],
            (parent->child_count - at) * sizeof *parent->children);
    parent->children[at] = child;
    parent->child_count++;
    child->parent = parent;
}

static void child_remove(struct tree_node *child)
{
    struct tree_node *parent = child->parent;
    size_t at = child_position(parent, node_name(child));

    ASSERT(at < parent->child_count && parent->children[at] == child);
    parent->child_count--;
    memmove(&parent->children[at], &parent->children[at + 1],
            (parent->child_count - at) * sizeof *parent->children);
}

/* ---- whole subtrees ---- */

/* The node after `node` in depth-first order, staying below top. */
static struct tree_node *walk_next(const struct tree_node *top, const struct tree_node *node)
{
    if (node->child_count > 0) {
        return node->children[0];
    }
    while (node != top) {
        const struct tree_node *parent = node->parent;
        size_t at = child_position(parent, node_name(node)) + 1;

        if (at < parent->child_count) {
            return parent->children[at];
        }
        node = parent;
    }
    return NULL;
}

static void subtree_account(struct tree *t, const struct tree_node *top, bool add)
{
    for (const struct tree_node *n = top; n != NULL; n = walk_next(top, n)) {
        t->bytes = add ? t->bytes + node_bytes(n) : t->bytes - node_bytes(n);
        t->count = add ? t->count + 1 : t->count - 1;
    }
}

static void subtree_free(struct tree_node *top)
{
    struct tree_node *n = top;

    for (;;) {
        if (n->child_count > 0) {
            n = n->children[--n->child_count];
        } else if (n == top) {
            node_free(n);
            return;
        } else {
            struct tree_node *parent = n->parent;

            node_free(n);
            n = parent;
        }
    }
}

void tree_init(struct tree *t)
{
    *t = (struct tree){.root = node_new(bytes_of("", 0), BYTES_EMPTY, 0)};
}

void tree_fini(struct tree *t)
{
    if (t->root != NULL) {
        subtree_free(t->root);
    }
    *t = (struct tree){0};
}

struct tree_node *tree_next(const struct tree *t, const struct tree_node *node)
{
    return walk_next(t->root, node);
}

unsigned tree_depth(const struct tree_node *node)
{
    unsigned depth = 0;

    for (const struct tree_node *n = node; n->parent != NULL; n = n->parent) {
        depth++;
    }
    return depth;
}

/* ---- paths ---- */

static bool name_valid(struct bytes name)
{
    if (name.len == 0 || name.len > STORE_NAME_MAX || bytes_equal_str(name, ".") ||
        bytes_equal_str(name, "..")) {
        return false;
    }
    return memchr(name.data, '/', name.len) == NULL && memchr(name.data, '\0', name.len) == NULL;
}

/* The next component; false when there is none or the path is malformed (then rest is not empty). */
static bool path_component(struct bytes *rest, struct bytes *ret)
{
    const uint8_t *slash;
    size_t len;

    if (rest->len == 0 || rest->data[0] != '/') {
        return false;
    }
    slash = memchr(rest->data + 1, '/', rest->len - 1);
    len = slash == NULL ? rest->len - 1 : (size_t)(slash - rest->data) - 1;
    *ret = bytes_slice(*rest, 1, len);
    if (!name_valid(*ret)) {
        return false;
    }
    *rest = bytes_slice(*rest, len + 1, rest->len - len - 1);
    return true;
}

static bool path_valid(struct bytes path)
{
    struct bytes rest = path;
    struct bytes name;
    unsigned depth = 0;

    while (path_component(&rest, &name)) {
        depth++;
    }
    return rest.len == 0 && depth > 0 && depth <= STORE_DEPTH_MAX && path.len < STORE_PATH_MAX;
}

struct tree_node *tree_find(const struct tree *t, struct bytes path)
{
    struct tree_node *n = t->root;
    struct bytes name;

    while (n != NULL && path_component(&path, &name)) {
        n = child_find(n, name);
    }
    return path.len == 0 ? n : NULL;
}

/* ---- operations ---- */

static void undo_add(struct tree_undo *undo, struct tree_step step)
{
    if (undo->count == undo->cap) {
        undo->cap = undo->cap == 0 ? 16 : undo->cap * 2;
        undo->steps = mem_realloc(undo->steps, undo->cap * sizeof *undo->steps);
    }
    undo->steps[undo->count++] = step;
}

static enum errcode refuse(const struct tree_op *op, struct error *e, const char *why)
{
    int len = op->path.len > 200 ? 200 : (int)op->path.len;

    return error_set(e, ERR_OPERATION_NOT_ATTEMPTED, "metadata node %.*s %s", len,
                     (const char *)op->path.data, why);
}

static enum errcode apply_create(struct tree *t, const struct tree_op *op, struct tree_undo *undo,
                                 struct error *e)
{
    struct tree_node *n = t->root;
    struct bytes rest = op->path;
    struct bytes name;

    if (tree_find(t, op->path) != NULL) {
        return refuse(op, e, "exists already");
    }
    while (path_component(&rest, &name)) {
        struct tree_node *child = child_find(n, name);

        if (child == NULL) {
            child = node_new(name, rest.len == 0 ? op->data : BYTES_EMPTY, 0);
            child_insert(n, child);
            subtree_account(t, child, true);
            undo_add(undo, (struct tree_step){.kind = STEP_ADDED, .node = child});
        }
        n = child;
    }
    return ERR_OK;
}

static enum errcode apply_set(struct tree *t, const struct tree_op *op, struct tree_node *n,
                              struct tree_undo *undo, struct error *e)
{
    if (n->version == INT32_MAX) {
        return refuse(op, e, "has been changed too often");
    }
    undo_add(undo, (struct tree_step){.kind = STEP_CHANGED,
                                      .node = n,
                                      .data = n->data,
                                      .len = n->len,
                                      .version = n->version});
    t->bytes = t->bytes - n->len + op->data.len;
    n->data = NULL;
    n->len = op->data.len;
    n->version++;
    if (op->data.len > 0) {
        n->data = mem_alloc(op->data.len);
        memcpy(n->data, op->data.data, op->data.len);
    }
    return ERR_OK;
}

static enum errcode apply_delete(struct tree *t, const struct tree_op *op, struct tree_node *n,
                                 struct tree_undo *undo, struct error *e)
{
    if (n->child_count > 0 && !op->recursive) {
        return refuse(op, e, "has children");
    }
    child_remove(n);
    subtree_account(t, n, false);
    undo_add(undo, (struct tree_step){.kind = STEP_REMOVED, .node = n});
    return ERR_OK;
}

enum errcode tree_apply(struct tree *t, const struct tree_op *op, struct tree_undo *undo,
                        struct error *e)
{
    struct tree_node *n;

    if (!path_valid(op->path)) {
        return refuse(op, e, "has a malformed path");
    }
    if (op->data.len > STORE_DATA_MAX) {
        return refuse(op, e, "is given too much data");
    }
    if (op->kind == STORE_CREATE) {
        return apply_create(t, op, undo, e);
    }
    n = tree_find(t, op->path);
    if (n == NULL) {
        return refuse(op, e, "does not exist");
    }
    if (op->version != STORE_VERSION_ANY && op->version != n->version) {
        return refuse(op, e, "has been changed by someone else");
    }
    if (op->kind == STORE_SET) {
        return apply_set(t, op, n, undo, e);
    }
    return op->kind == STORE_DELETE ? apply_delete(t, op, n, undo, e) : ERR_OK;
}

static void undo_fini(struct tree_undo *undo)
{
    free(undo->steps);
    *undo = (struct tree_undo){0};
}

void tree_commit(struct tree *t, struct tree_undo *undo)
{
    (void)t;
    for (size_t i = 0; i < undo->count; i++) {
        struct tree_step *step = &undo->steps[i];

        if (step->kind == STEP_CHANGED) {
            free(step->data);
        }
    }
    /* Only now: a removed subtree may hold nodes that earlier steps refer to. */
    for (size_t i = 0; i < undo->count; i++) {
        if (undo->steps[i].kind == STEP_REMOVED) {
            subtree_free(undo->steps[i].node);
        }
    }
    undo_fini(undo);
}

void tree_rollback(struct tree *t, struct tree_undo *undo)
{
    while (undo->count > 0) {
        struct tree_step *step = &undo->steps[--undo->count];
        struct tree_node *n = step->node;

        switch (step->kind) {
        case STEP_ADDED:
            child_remove(n);
            subtree_account(t, n, false);
            subtree_free(n);
            break;
        case STEP_REMOVED:
            child_insert(n->parent, n);
            subtree_account(t, n, true);
            break;
        case STEP_CHANGED:
            t->bytes = t->bytes - n->len + step->len;
            free(n->data);
            n->data = step->data;
            n->len = step->len;
            n->version = step->version;
            break;
        }
    }
    undo_fini(undo);
}

struct tree_node *tree_append(struct tree *t, struct tree_node *parent, struct bytes name,
                              struct bytes data, int32_t version)
{
    struct tree_node *n;

    if (!name_valid(name) || tree_depth(parent) >= STORE_DEPTH_MAX ||
        child_position(parent, name) != parent->child_count) {
        return NULL;
    }
    n = node_new(name, data, version);
    child_insert(parent, n);
    subtree_account(t, n, true);
    return n;
}
