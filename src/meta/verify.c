#include "verify.h"

#include "catalog.h"
#include "store_journal.h"
#include "store_local.h"
#include "store_reached.h"
#include "store_snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/file.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)

/* The tree as a store that takes no changes. */
struct still {
    struct store base;
    struct tree tree;
};

struct checking {
    const struct meta_verify_params *params;
    struct meta_verified *ret;
    struct arena arena;
    const char *dir;
    struct still store;
    uint64_t sequence;
    uint64_t reached; /* this much has been acknowledged, says the store */
    bool damaged;     /* the tree is not what it was */
};

static enum errcode check_files(struct checking *c, struct error *e);
static enum errcode check_documents(struct checking *c, struct error *e);

static void checking_fini(struct checking *c)
{
    tree_fini(&c->store.tree);
    arena_fini(&c->arena);
}

static void found(struct checking *c, const char *path, uint64_t position, const struct error *what)
{
    struct meta_finding finding = {.path = path, .position = position, .what = *what};

    c->damaged = true;
    c->params->found(c->params->context, &finding);
}

enum errcode meta_verify(const struct meta_verify_params *params, struct meta_verified *ret,
                         struct error *e)
{
    struct meta_verified verified = {0};
    OWNED(checking_fini) struct checking c = {.params = params, .ret = &verified};

    tree_init(&c.store.tree);
    c.dir = arena_printf(&c.arena, "%s/meta", params->data_dir);
    TRY(check_files(&c, e));
    if (!c.damaged) {
        TRY(check_documents(&c, e));
    }
    *ret = verified;
    return ERR_OK;
}

/* ---- files ---- */

/* *ret_good false: there is no such file, which is reported. */
static enum errcode read_file(struct checking *c, const char *path, struct bytes *ret,
                              bool *ret_good, struct error *e)
{
    struct error what;

    TRY(file_read_whole(path, FILE_BYTES_MAX, &c->arena, ret, ret_good, e));
    if (!*ret_good) {
        (void)error_set(&what, ERR_CORRUPT_FILE, "the file is missing");
        found(c, path, 0, &what);
    }
    c->ret->bytes += ret->len;
    return ERR_OK;
}

static enum errcode check_snapshot(struct checking *c, bool *ret_good, struct error *e)
{
    const char *path = arena_printf(&c->arena, "%s/snapshot-%" PRIu64, c->dir, c->ret->generation);
    struct snapshot_header header = {0};
    struct bytes file = BYTES_EMPTY;
    struct error what = {0};

    TRY(read_file(c, path, &file, ret_good, e));
    if (!*ret_good) {
        return ERR_OK;
    }
    if (snapshot_decode(file, &c->store.tree, &header, &what) == ERR_OK &&
        header.generation != c->ret->generation) {
        (void)error_set(&what, ERR_CORRUPT_FILE, "the file is of generation %" PRIu64,
                        header.generation);
    }
    *ret_good = what.code == ERR_OK;
    c->sequence = header.sequence;
    if (!*ret_good) {
        found(c, path, 0, &what);
    }
    return ERR_OK;
}

/* ---- the journal ---- */

static enum errcode apply_record(struct checking *c, struct journal_record *record, struct error *e)
{
    struct tree_undo undo = {0};
    enum errcode code = ERR_OK;

    if (record->sequence != c->sequence + 1) {
        return error_set(e, ERR_CORRUPT_FILE, "transaction %" PRIu64 " follows %" PRIu64,
                         record->sequence, c->sequence);
    }
    for (uint32_t i = 0; i < record->op_count && code == ERR_OK; i++) {
        struct tree_op op;

        code = journal_record_op(record, &op)
                   ? tree_apply(&c->store.tree, &op, &undo, e)
                   : error_set(e, ERR_CORRUPT_FILE, "operation %" PRIu32 " is malformed", i);
    }
    tree_commit(&c->store.tree, &undo);
    c->sequence = record->sequence;
    return code;
}

/* Bytes at the end that are no record: what follows, or is known to have been there, tells a crash
 * from decay. */
static void report_rest(struct checking *c, const char *path, const struct journal_cursor *cursor)
{
    struct bytes rest =
        bytes_slice(cursor->file, cursor->position, cursor->file.len - cursor->position);
    bool lost = journal_has_record(rest, c->sequence) || c->sequence < c->reached;
    struct meta_finding finding = {.path = path, .position = cursor->position, .tail = !lost};

    (void)error_set(&finding.what, ERR_CORRUPT_FILE,
                    lost ? "no whole transactions, although some were acknowledged: they are lost "
                           "(%zu bytes)"
                         : "%zu bytes at the end are no whole transaction",
                    rest.len);
    c->damaged = c->damaged || lost;
    c->params->found(c->params->context, &finding);
}

static void report_short(struct checking *c, const char *path, uint64_t position)
{
    struct error what;

    (void)error_set(&what, ERR_CORRUPT_FILE,
                    "the file ends before transactions %" PRIu64 " to %" PRIu64
                    ", which were acknowledged",
                    c->sequence + 1, c->reached);
    found(c, path, position, &what);
}

static enum errcode check_journal(struct checking *c, struct error *e)
{
    const char *path = arena_printf(&c->arena, "%s/journal-%" PRIu64, c->dir, c->ret->generation);
    struct journal_cursor cursor = {.position = JOURNAL_HEADER_SIZE};
    struct journal_header header = {0};
    struct journal_record record;
    enum journal_status status;
    struct error what = {0};
    bool good = false;

    TRY(read_file(c, path, &cursor.file, &good, e));
    if (!good) {
        return ERR_OK;
    }
    if (journal_header_decode(cursor.file, &header, &what) == ERR_OK &&
        (header.generation != c->ret->generation || header.sequence != c->sequence)) {
        (void)error_set(&what, ERR_CORRUPT_FILE, "the journal does not belong to its snapshot");
    }
    if (what.code != ERR_OK) {
        found(c, path, 0, &what);
        return ERR_OK;
    }
    cursor.sequence = header.sequence;
    for (;;) {
        uint64_t position = cursor.position;

        status = journal_next(&cursor, &record);
        if (status != JOURNAL_RECORD) {
            break;
        }
        if (apply_record(c, &record, &what) != ERR_OK) {
            found(c, path, position, &what);
            return ERR_OK;
        }
        c->ret->transactions++;
    }
    if (status == JOURNAL_DAMAGED) {
        report_rest(c, path, &cursor);
    } else if (c->sequence < c->reached) {
        report_short(c, path, cursor.position);
    }
    return ERR_OK;
}

/* A journal ahead of the snapshots is what a crash during compaction leaves, and then empty. */
static enum errcode check_unused(struct checking *c, const char *name, struct error *e)
{
    const char *path = arena_printf(&c->arena, "%s/%s", c->dir, name);
    struct bytes file = BYTES_EMPTY;
    struct error what;
    bool good = false;

    TRY(read_file(c, path, &file, &good, e));
    if (good && journal_has_record(file, 0)) {
        (void)error_set(&what, ERR_CORRUPT_FILE,
                        "the journal holds transactions, but its snapshot is missing");
        found(c, path, 0, &what);
    }
    return ERR_OK;
}

/* How far the store has come, as far as that is known. */
static enum errcode read_reached(struct checking *c, struct error *e)
{
    struct meta_finding finding = {.path = reached_path(c->dir, &c->arena)};
    enum errcode code = reached_read(c->dir, &c->reached, &finding.what);

    if (code == ERR_CORRUPT_FILE) {
        c->params->found(c->params->context, &finding);
        return ERR_OK;
    }
    return code == ERR_OK ? ERR_OK : error_set(e, code, "%s", finding.what.message);
}

static void report_aside(struct checking *c, const char *name)
{
    struct meta_finding finding = {.path = arena_printf(&c->arena, "%s/%s", c->dir, name),
                                   .aside = true};

    (void)error_set(&finding.what, ERR_CORRUPT_FILE,
                    "an earlier start found that these bytes are no transactions and kept them");
    c->params->found(c->params->context, &finding);
}

static enum errcode check_files(struct checking *c, struct error *e)
{
    struct dir_list list = {0};
    bool good = false;

    TRY(dir_read(c->dir, &c->arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        uint64_t generation = store_local_generation(list.entries[i].name, "snapshot");

        c->ret->generation = generation > c->ret->generation ? generation : c->ret->generation;
    }
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name;
        const char *dot = strrchr(name, '.');

        if (store_local_generation(name, "journal") > c->ret->generation) {
            TRY(check_unused(c, name, e));
        } else if (dot != NULL && strcmp(dot, ".aside") == 0) {
            report_aside(c, name);
        }
    }
    if (list.count == 0) {
        return ERR_OK; /* a server has never run here */
    }
    TRY(read_reached(c, e));
    TRY(check_snapshot(c, &good, e));
    return good ? check_journal(c, e) : ERR_OK;
}

/* ---- documents ---- */

static const struct tree_node *find(struct store *store, const char *path)
{
    return tree_find(&container_of(store, struct still, base)->tree, bytes_str(path));
}

static enum errcode still_get(struct store *store, const char *path, struct arena *arena,
                              struct store_node *ret, bool *ret_exists, struct error *e)
{
    const struct tree_node *n = find(store, path);

    (void)e;
    *ret_exists = n != NULL;
    if (n != NULL) {
        ret->data = arena_copy(arena, bytes_of(n->data, n->len));
        ret->version = n->version;
    }
    return ERR_OK;
}

static enum errcode still_children(struct store *store, const char *path, struct arena *arena,
                                   struct store_names *ret, struct error *e)
{
    const struct tree_node *n = find(store, path);
    size_t count = n == NULL ? 0 : n->child_count;
    const char **names = arena_array(arena, count, sizeof *names);

    (void)e;
    for (size_t i = 0; i < count; i++) {
        names[i] = arena_strndup(arena, n->children[i]->name, n->children[i]->name_len);
    }
    *ret = (struct store_names){.names = names, .count = count};
    return ERR_OK;
}

static const struct store_impl still_impl = {.get = still_get, .children = still_children};

static enum errcode check_documents(struct checking *c, struct error *e)
{
    struct meta *m = mem_new(struct meta);
    struct error what = {0};
    enum errcode code;

    c->store.base.impl = &still_impl;
    c->ret->nodes = c->store.tree.count;
    m->store = &c->store.base;
    code = load_view(m, 1, &c->ret->view, &what);
    free(m);
    if (code == ERR_CORRUPT_FILE) {
        found(c, c->dir, 0, &what);
        return ERR_OK;
    }
    return code == ERR_OK ? ERR_OK : error_set(e, code, "%s", what.message);
}
