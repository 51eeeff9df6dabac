#include "store_local.h"

#include "store_journal.h"
#include "store_reached.h"
#include "store_snapshot.h"
#include "store_tree.h"

#include <stdlib.h>

#include "base/diag.h"
#include "base/mutant.h"
#include "io/file.h"

#define COMPACT_BYTES_DEFAULT ((uint64_t)4 << 20)
#define TREE_BYTES_DEFAULT    ((size_t)512 << 20)
#define JOURNAL_BYTES_MAX     ((uint64_t)512 << 20) /* only reached when compaction keeps failing */
#define FILE_BYTES_MAX        ((size_t)1 << 30)

struct store_local {
    struct store base;
    char *dir;
    uint64_t compact_bytes;
    size_t tree_bytes_max;

    struct tree tree;
    struct file *journal;
    uint64_t journal_size;
    uint64_t compact_at; /* journal size */
    uint64_t generation;
    uint64_t sequence; /* of the last transaction */
    uint64_t reached;  /* of those, what the file of that name tells of */
    bool dirty;        /* the journal does not end with a closing record */
    bool failed;       /* no more changes; why: */
    struct error failure;
};

static struct store_local *self(struct store *s)
{
    return container_of(s, struct store_local, base);
}

static char *file_path(const struct store_local *s, const char *kind, uint64_t generation,
                       struct arena *arena)
{
    return arena_printf(arena, "%s/%s-%llu", s->dir, kind, (unsigned long long)generation);
}

/* Refuses every later change. */
static enum errcode poison(struct store_local *s, const struct error *cause, struct error *e)
{
    s->failed = true;
    (void)error_set(&s->failure, ERR_STORAGE,
                    "the metadata store takes no changes until the server is restarted: %s",
                    cause->message);
    diag_error("meta", "%s", s->failure.message);
    return error_set(e, ERR_STORAGE, "%s", s->failure.message);
}

/* ---- generations ---- */

static enum errcode journal_open(struct store_local *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    s->journal = file_unref(s->journal);
    return file_open(file_path(s, "journal", s->generation, &arena), FILE_WRITE, &s->journal, e);
}

/* A file nobody needs any more; dir_tidy tries again at the next start. */
static void remove_unneeded(const char *path)
{
    struct error e = {0};

    if (path_remove(path, &e) != ERR_OK) {
        diag_warn("meta", "%s", e.message);
    }
}

static void generation_remove(const struct store_local *s, uint64_t generation)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    remove_unneeded(file_path(s, "journal", generation, &arena));
    remove_unneeded(file_path(s, "snapshot", generation, &arena));
}

/* Writes the files of generation s->generation + 1. *ret_switched: the new snapshot may be in
 * place, so that the journal of the old generation must not grow any more. */
static enum errcode generation_write(const struct store_local *s, bool *ret_switched,
                                     struct error *e)
{
    struct journal_header journal = {.generation = s->generation + 1, .sequence = s->sequence};
    struct snapshot_header snapshot = {.generation = s->generation + 1, .sequence = s->sequence};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = file_path(s, "snapshot", snapshot.generation, &arena);
    uint8_t header[JOURNAL_HEADER_SIZE];
    struct bytes image;
    enum errcode code;

    journal_header_encode(&journal, header);
    TRY(file_replace(file_path(s, "journal", journal.generation, &arena),
                     bytes_of(header, sizeof header), e));
    image = snapshot_encode(&s->tree, &snapshot);
    code = file_replace(path, image, e);
    free((void *)(uintptr_t)image.data);
    *ret_switched = code == ERR_OK || path_exists(path);
    return code;
}

static enum errcode generation_begin(struct store_local *s, struct error *e)
{
    bool switched = false;
    struct error cause = {0};

    if (generation_write(s, &switched, &cause) != ERR_OK) {
        return switched ? poison(s, &cause, e) : error_set(e, cause.code, "%s", cause.message);
    }
    s->generation++;
    if (journal_open(s, &cause) != ERR_OK) {
        return poison(s, &cause, e);
    }
    s->journal_size = JOURNAL_HEADER_SIZE;
    s->dirty = false;
    if (s->generation > 1) {
        generation_remove(s, s->generation - 1);
    }
    return ERR_OK;
}

/* Compaction is upkeep: its failure is not the failure of the transaction before it. */
static void compact_maybe(struct store_local *s)
{
    struct error e = {0};

    if (s->journal_size < s->compact_at || s->failed) {
        return;
    }
    if (generation_begin(s, &e) != ERR_OK) {
        diag_warn("meta", "the metadata journal could not be compacted: %s", e.message);
        s->compact_at = s->journal_size + s->compact_bytes;
        return;
    }
    /* Rewriting the tree costs what the tree weighs: let the journal grow as much first. */
    s->compact_at = s->tree.bytes > s->compact_bytes ? s->tree.bytes : s->compact_bytes;
}

/* ---- changes ---- */

/* Puts one record behind the journal's end, durably. */
static enum errcode journal_append(struct store_local *s, const struct store_op *ops, size_t count,
                                   size_t size, struct error *e)
{
    OWNED(mem_freep) uint8_t *buffer = mem_alloc(size);
    struct writer w = writer_of(buffer, size);
    struct error cause = {0};
    struct error undo = {0};

    journal_record_encode(s->sequence + 1, ops, count, &w);
    ASSERT(w.len == size);
    if (file_write_at(s->journal, s->journal_size, bytes_of(buffer, size), &cause) != ERR_OK) {
        if (cause.code == ERR_DISK_FULL &&
            file_truncate(s->journal, s->journal_size, &undo) == ERR_OK) {
            return error_set(e, ERR_DISK_FULL, "%s", cause.message);
        }
        return poison(s, &cause, e);
    }
    if (!MUTANT(FORGET_JOURNAL_SYNC) && file_sync(s->journal, &cause) != ERR_OK) {
        return poison(s, &cause, e);
    }
    s->journal_size += size;
    s->sequence++;
    s->dirty = count > 0;
    return ERR_OK;
}

static enum errcode apply_all(struct store_local *s, const struct store_op *ops, size_t count,
                              struct tree_undo *undo, struct error *e)
{
    size_t before = s->tree.bytes;

    for (size_t i = 0; i < count; i++) {
        struct tree_op op = {.kind = ops[i].kind,
                             .recursive = ops[i].recursive,
                             .version = ops[i].version,
                             .path = bytes_str(ops[i].path),
                             .data = ops[i].data};

        TRY(tree_apply(&s->tree, &op, undo, e));
    }
    if (s->tree.bytes > s->tree_bytes_max && s->tree.bytes > before) {
        return error_set(e, ERR_OPERATION_NOT_ATTEMPTED,
                         "the metadata would need more than %zu bytes of memory",
                         s->tree_bytes_max);
    }
    return ERR_OK;
}

static enum errcode local_multi(struct store *store, const struct store_op *ops, size_t count,
                                struct error *e)
{
    struct store_local *s = self(store);
    struct tree_undo undo = {0};
    enum errcode code;
    size_t size = 0;

    if (s->failed) {
        return error_set(e, ERR_STORAGE, "%s", s->failure.message);
    }
    if (!journal_record_size(ops, count, &size) || s->journal_size + size > JOURNAL_BYTES_MAX) {
        return error_set(e, ERR_OPERATION_NOT_ATTEMPTED, "the change is too large to be stored");
    }
    code = apply_all(s, ops, count, &undo, e);
    if (code == ERR_OK && size > JOURNAL_RECORD_MIN) {
        code = journal_append(s, ops, count, size, e);
    }
    if (code != ERR_OK) {
        tree_rollback(&s->tree, &undo);
        return code;
    }
    tree_commit(&s->tree, &undo);
    compact_maybe(s);
    return ERR_OK;
}

static void local_note(struct store *store)
{
    struct store_local *s = self(store);
    struct error e = {0};

    if (s->reached >= s->sequence || s->failed) {
        return;
    }
    if (reached_write(s->dir, s->sequence, &e) != ERR_OK) {
        diag_warn("meta", "the loss of the journal's end would not be seen: %s", e.message);
        return;
    }
    s->reached = s->sequence;
}

/* ---- reads ---- */

static enum errcode local_get(struct store *store, const char *path, struct arena *arena,
                              struct store_node *ret, bool *ret_exists, struct error *e)
{
    const struct tree_node *n = tree_find(&self(store)->tree, bytes_str(path));

    (void)e;
    *ret_exists = n != NULL;
    if (n != NULL) {
        ret->data = arena_copy(arena, bytes_of(n->data, n->len));
        ret->version = n->version;
    }
    return ERR_OK;
}

static enum errcode local_children(struct store *store, const char *path, struct arena *arena,
                                   struct store_names *ret, struct error *e)
{
    const struct tree_node *n = tree_find(&self(store)->tree, bytes_str(path));
    size_t count = n == NULL ? 0 : n->child_count;
    const char **names = arena_array(arena, count, sizeof *names);

    (void)e;
    for (size_t i = 0; i < count; i++) {
        names[i] = arena_strndup(arena, n->children[i]->name, n->children[i]->name_len);
    }
    ret->names = names;
    ret->count = count;
    return ERR_OK;
}

/* ---- opening ---- */

uint64_t store_local_generation(const char *name, const char *kind)
{
    size_t len = strlen(kind);
    uint64_t n = 0;

    if (strncmp(name, kind, len) != 0 || name[len] != '-' || name[len + 1] == '0') {
        return 0;
    }
    for (const char *p = name + len + 1; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || n > UINT64_MAX / 100) {
            return 0;
        }
        n = n * 10 + (uint64_t)(*p - '0');
    }
    return n;
}

static enum errcode read_existing(const char *path, struct arena *arena, struct bytes *ret,
                                  struct error *e)
{
    bool exists = false;

    TRY(file_read_whole(path, FILE_BYTES_MAX, arena, ret, &exists, e));
    if (!exists) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "%s is missing; it holds acknowledged changes of the metadata", path);
    }
    return ERR_OK;
}

static enum errcode snapshot_load(struct store_local *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = file_path(s, "snapshot", s->generation, &arena);
    struct snapshot_header header = {0};
    struct bytes file = BYTES_EMPTY;

    TRY(read_existing(path, &arena, &file, e));
    if (snapshot_decode(file, &s->tree, &header, e) != ERR_OK) {
        error_wrap(e, "%s", path);
        return ERR_CORRUPT_FILE;
    }
    if (header.generation != s->generation) {
        return error_set(e, ERR_CORRUPT_FILE, "%s is of generation %llu", path,
                         (unsigned long long)header.generation);
    }
    s->sequence = header.sequence;
    return ERR_OK;
}

/* Applies one record, which was acknowledged: whatever does not fit is an error. */
static enum errcode record_replay(struct store_local *s, struct journal_record *record,
                                  struct error *e)
{
    struct tree_undo undo = {0};
    enum errcode code = ERR_OK;

    if (record->sequence != s->sequence + 1) {
        return error_set(e, ERR_CORRUPT_FILE, "transaction %llu follows %llu",
                         (unsigned long long)record->sequence, (unsigned long long)s->sequence);
    }
    for (uint32_t i = 0; i < record->op_count && code == ERR_OK; i++) {
        struct tree_op op;

        if (!journal_record_op(record, &op)) {
            code = error_set(e, ERR_CORRUPT_FILE, "operation %u of transaction %llu is malformed",
                             i, (unsigned long long)record->sequence);
        } else if (tree_apply(&s->tree, &op, &undo, e) != ERR_OK) {
            error_wrap(e, "transaction %llu", (unsigned long long)record->sequence);
            code = e->code = ERR_CORRUPT_FILE;
        }
    }
    tree_commit(&s->tree, &undo); /* kept even when it failed: the tree is dropped then */
    if (code == ERR_OK && record->ops.len != 0) {
        code = error_set(e, ERR_CORRUPT_FILE, "transaction %llu has bytes behind its end",
                         (unsigned long long)record->sequence);
    }
    s->sequence = record->sequence;
    s->dirty = record->op_count > 0;
    return code;
}

/* An end that was acknowledged is missing. */
static enum errcode reached_check(const struct store_local *s, size_t position, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    if (s->sequence >= s->reached) {
        return ERR_OK;
    }
    return error_set(
        e, ERR_CORRUPT_FILE,
        "acknowledged changes of the metadata, %llu to %llu, are lost from byte %zu on. "
        "Restore it from a backup, or remove %s to go on without them",
        (unsigned long long)s->sequence + 1, (unsigned long long)s->reached, position,
        reached_path(s->dir, &arena));
}

/* A name nobody has used yet, so that nothing set aside earlier is overwritten. */
static const char *aside_path(const char *journal, size_t position, struct arena *arena)
{
    const char *path = arena_printf(arena, "%s.at-%zu.aside", journal, position);

    for (unsigned k = 1; path_exists(path); k++) {
        path = arena_printf(arena, "%s.at-%zu.%u.aside", journal, position, k);
    }
    return path;
}

/* Takes the damaged end off the journal, or refuses when it is not the trace of a crash. */
static enum errcode tail_repair(struct store_local *s, const char *path,
                                const struct journal_cursor *c, struct error *e)
{
    struct bytes tail = bytes_slice(c->file, c->position, c->file.len - c->position);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *aside;

    if (journal_has_record(tail, s->sequence)) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "the record at byte %zu is damaged although later ones are whole: an "
                         "acknowledged change of the metadata is lost. Restore the file from a "
                         "backup",
                         c->position);
    }
    aside = aside_path(path, c->position, &arena);
    TRY(file_replace(aside, tail, e));
    TRY(file_truncate(s->journal, c->position, e));
    TRY(file_sync(s->journal, e));
    diag_warn("meta",
              "%s: %zu bytes at its end are no whole transaction (a crash during a write); "
              "moved to %s",
              path, tail.len, aside);
    return ERR_OK;
}

static enum errcode journal_replay(struct store_local *s, const char *path, struct bytes file,
                                   struct error *e)
{
    struct journal_cursor c = {.file = file, .position = JOURNAL_HEADER_SIZE};
    struct journal_header header = {0};
    struct journal_record record;
    enum journal_status status;

    TRY(journal_header_decode(file, &header, e));
    if (header.generation != s->generation || header.sequence != s->sequence) {
        return error_set(e, ERR_CORRUPT_FILE, "the journal does not belong to snapshot-%llu",
                         (unsigned long long)s->generation);
    }
    c.sequence = header.sequence;
    while ((status = journal_next(&c, &record)) == JOURNAL_RECORD) {
        TRY(record_replay(s, &record, e));
    }
    s->journal_size = c.position;
    TRY(reached_check(s, c.position, e));
    return status == JOURNAL_END ? ERR_OK : tail_repair(s, path, &c, e);
}

static enum errcode journal_load(struct store_local *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = file_path(s, "journal", s->generation, &arena);
    struct bytes file = BYTES_EMPTY;
    enum errcode code;

    TRY(read_existing(path, &arena, &file, e));
    TRY(journal_open(s, e));
    code = journal_replay(s, path, file, e);
    if (code == ERR_OK) {
        /* after a sync that failed, the page cache has what the device lacks, and no sync brings it
         * down: it is written once more, for the sync of the next record */
        code = file_write_at(s->journal, 0, bytes_slice(file, 0, s->journal_size), e);
    }
    if (code != ERR_OK) {
        error_wrap(e, "%s", path);
    }
    return code;
}

/* A journal ahead of the snapshots is what a crash during compaction leaves, and then empty. */
static enum errcode journal_check_unused(const struct store_local *s, const char *name,
                                         struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = arena_printf(&arena, "%s/%s", s->dir, name);
    struct bytes file = BYTES_EMPTY;

    TRY(read_existing(path, &arena, &file, e));
    if (journal_has_record(file, 0)) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "%s holds acknowledged changes of the metadata, but its snapshot is "
                         "missing. Restore it from a backup",
                         path);
    }
    return ERR_OK;
}

static enum errcode dir_check(struct store_local *s, const struct dir_list *list, struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        uint64_t generation = store_local_generation(list->entries[i].name, "snapshot");

        s->generation = generation > s->generation ? generation : s->generation;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (store_local_generation(list->entries[i].name, "journal") > s->generation) {
            TRY(journal_check_unused(s, list->entries[i].name, e));
        }
    }
    return ERR_OK;
}

/* What a crash left of an older generation or of an unfinished replacement. */
static void dir_tidy(const struct store_local *s, const struct dir_list *list)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->entries[i].name;
        const char *dot = strrchr(name, '.');
        uint64_t journal = store_local_generation(name, "journal");
        uint64_t snapshot = store_local_generation(name, "snapshot");

        if ((journal != 0 && journal != s->generation) ||
            (snapshot != 0 && snapshot < s->generation) ||
            (dot != NULL && strcmp(dot, ".tmp") == 0)) {
            remove_unneeded(arena_printf(&arena, "%s/%s", s->dir, name));
        }
    }
}

/* No data depends on it: a damaged one is as good as none. */
static void reached_load(struct store_local *s)
{
    struct error e = {0};

    if (reached_read(s->dir, &s->reached, &e) != ERR_OK) {
        diag_warn("meta", "the loss of the journal's end would not be seen: %s", e.message);
    }
}

static enum errcode local_recover(struct store_local *s, struct arena *arena, struct error *e)
{
    struct dir_list list = {0};

    TRY(dir_create(s->dir, e));
    TRY(dir_read(s->dir, arena, &list, e));
    TRY(dir_check(s, &list, e));
    reached_load(s);
    if (s->generation == 0) {
        TRY(reached_check(s, 0, e)); /* everything is missing */
        dir_tidy(s, &list);
        TRY(generation_begin(s, e));
    } else {
        TRY(snapshot_load(s, e));
        TRY(journal_load(s, e));
        dir_tidy(s, &list);
    }
    s->compact_at = s->tree.bytes > s->compact_bytes ? s->tree.bytes : s->compact_bytes;
    compact_maybe(s);
    return ERR_OK;
}

static void local_free(struct store_local *s)
{
    (void)file_unref(s->journal);
    tree_fini(&s->tree);
    free(s->dir);
    free(s);
}

static void local_close(struct store *store)
{
    struct store_local *s = self(store);
    struct error e = {0};

    /* A record behind the last change: should that be found damaged one day, it was not a crash. */
    if (s->dirty && !s->failed && journal_append(s, NULL, 0, JOURNAL_RECORD_MIN, &e) != ERR_OK) {
        diag_warn("meta", "the metadata journal has no closing record: %s", e.message);
    }
    local_note(store);
    local_free(s);
}

static const struct store_impl local_impl = {
    .get = local_get,
    .children = local_children,
    .multi = local_multi,
    .note = local_note,
    .close = local_close,
};

enum errcode store_local_open(const struct store_local_options *options, struct store **ret,
                              struct error *e)
{
    struct store_local *s = mem_new(struct store_local);
    struct arena arena = ARENA_INIT;
    enum errcode code;

    s->base.impl = &local_impl;
    s->dir = mem_strdup(options->dir);
    s->compact_bytes = options->compact_bytes == 0 ? COMPACT_BYTES_DEFAULT : options->compact_bytes;
    s->tree_bytes_max = options->tree_bytes_max == 0 ? TREE_BYTES_DEFAULT : options->tree_bytes_max;
    tree_init(&s->tree);
    code = local_recover(s, &arena, e);
    arena_fini(&arena);
    if (code != ERR_OK) {
        local_free(s);
        return code;
    }
    *ret = &s->base;
    return ERR_OK;
}
