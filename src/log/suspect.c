#include "suspect.h"

#include "names.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/hash.h"

#define MARK       "sync_failed"
#define UNDER_WAY  ".syncs_under_way"
#define SLOTS      512
#define WORD       sizeof(uint64_t)
#define COPY_BYTES ((size_t)64 << 10)

enum slot_state {
    SLOT_FREE,  /* its word may name the log of an earlier sync, which went well */
    SLOT_TAKEN, /* by a sync under way */
    SLOT_KEPT,  /* its log is a suspect */
};

struct suspects {
    char *data_dir;
    struct file *file; /* NULL: there is none */
    bool all;          /* what the last process left is not known */
    atomic_uchar states[SLOTS];
    atomic_uint_least64_t logs[SLOTS]; /* the words; changed by whoever has taken the slot */
};

/* ---- the mark of one log ---- */

static void mark_path(char ret[LOG_PATH_MAX], const char *dir)
{
    (void)snprintf(ret, LOG_PATH_MAX, "%s/" MARK, dir);
}

static bool has_mark(const char *dir)
{
    char path[LOG_PATH_MAX];

    mark_path(path, dir);
    return path_exists(path);
}

static enum errcode make_mark(const char *dir, struct error *e)
{
    OWNED(file_unrefp) struct file *f = NULL;
    char path[LOG_PATH_MAX];

    mark_path(path, dir);
    return file_open(path, FILE_CREATE, &f, e);
}

static enum errcode remove_mark(const char *dir, struct error *e)
{
    char path[LOG_PATH_MAX];

    mark_path(path, dir);
    return path_remove(path, e);
}

/* ---- the words ---- */

/* Never 0. Data directories may be moved, so only what is below counts. */
static uint64_t word_of(const struct suspects *s, const char *dir)
{
    size_t len = strlen(s->data_dir);
    uint64_t hash = hash_bytes(bytes_str(strncmp(dir, s->data_dir, len) == 0 ? dir + len : dir));

    return hash != 0 ? hash : 1;
}

static enum errcode write_words(struct suspects *s, size_t first, size_t count, struct error *e)
{
    uint8_t words[SLOTS * WORD];

    for (size_t i = 0; i < count; i++) {
        put_u64le(words + i * WORD, s->logs[first + i]);
    }
    return file_write_at(s->file, first * WORD, bytes_of(words, count * WORD), e);
}

static enum errcode load(struct suspects *s, const char *path, struct error *e)
{
    uint8_t words[SLOTS * WORD];
    size_t len = 0;

    TRY(file_open(path, FILE_CREATE, &s->file, e));
    TRY(file_read_some(s->file, 0, words, sizeof words, &len, e));
    for (size_t i = 0; i < len / WORD; i++) {
        s->logs[i] = get_u64le(words + i * WORD);
        s->states[i] = s->logs[i] != 0 ? SLOT_KEPT : SLOT_FREE;
    }
    /* what is missing at a full disk is missed by the syncs */
    return len < sizeof words && write_words(s, 0, SLOTS, e) == ERR_LOG_STORAGE ? ERR_LOG_STORAGE
                                                                                : ERR_OK;
}

struct suspects *suspects_new(const char *data_dir)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct suspects *ret = mem_new(struct suspects);
    const char *path = arena_printf(&arena, "%s/" UNDER_WAY, data_dir);
    struct error e;

    ret->data_dir = mem_strdup(data_dir);
    if (load(ret, path, &e) != ERR_OK) {
        ret->all = e.code != ERR_DISK_FULL;
        ret->file = file_unref(ret->file);
        diag_warn("log", "syncs are noted in the directories of their logs: %s", e.message);
    }
    return ret;
}

void suspects_free(struct suspects *s, bool clean)
{
    struct error e;

    if (s == NULL) {
        return;
    }
    if (clean && s->file != NULL) {
        for (size_t i = 0; i < SLOTS; i++) {
            s->logs[i] = 0;
        }
        IGNORE(write_words(s, 0, SLOTS, &e) != ERR_OK); /* then logs are suspected in vain */
    }
    s->file = file_unref(s->file);
    free(s->data_dir);
    free(s);
}

static int take_slot(struct suspects *s)
{
    for (int i = 0; i < SLOTS && s->file != NULL; i++) {
        unsigned char expected = SLOT_FREE;

        if (atomic_compare_exchange_strong(&s->states[i], &expected, SLOT_TAKEN)) {
            return i;
        }
    }
    return -1;
}

/* *ret_slot: -1 when it could not be noted. */
static void note(struct suspects *s, const char *dir, int *ret_slot)
{
    uint64_t word = word_of(s, dir);
    int slot = take_slot(s);
    struct error e;

    *ret_slot = slot;
    if (slot < 0 || s->logs[slot] == word) {
        return;
    }
    s->logs[slot] = word;
    if (write_words(s, (size_t)slot, 1, &e) != ERR_OK) {
        s->logs[slot] = 0; /* the file may say anything */
        s->states[slot] = SLOT_FREE;
        *ret_slot = -1;
    }
}

/* ---- syncs ---- */

enum errcode suspect_begin(struct suspects *all, const char *dir, struct suspect_sync *ret,
                           struct error *e)
{
    enum errcode code;

    *ret = (struct suspect_sync){.all = all, .dir = dir, .slot = -1};
    if (all == NULL) {
        return ERR_OK;
    }
    note(all, dir, &ret->slot);
    if (ret->slot >= 0 || has_mark(dir)) {
        return ERR_OK;
    }
    code = make_mark(dir, e);
    ret->marked = code == ERR_OK;
    /* a full disk must not keep what is in the page cache from the device */
    return code == ERR_DISK_FULL ? ERR_OK : code;
}

void suspect_end(struct suspect_sync *s, enum errcode code)
{
    bool noted = s->marked || code == ERR_OK;
    struct error e;

    if (code == ERR_OK && s->marked) {
        IGNORE(remove_mark(s->dir, &e) != ERR_OK); /* then it is suspected in vain */
    }
    if (!noted) {
        noted = make_mark(s->dir, &e) == ERR_OK;
    }
    if (s->slot >= 0) {
        s->all->states[s->slot] = noted ? SLOT_FREE : SLOT_KEPT;
    } else if (!noted) {
        diag_error("log",
                   "%s: restart the machine, not only the server: a sync has failed, and this "
                   "cannot be noted: %s",
                   s->dir, e.message);
    }
}

/* ---- suspects ---- */

static bool is_kept(const struct suspects *s, size_t slot, uint64_t word)
{
    return s->states[slot] == SLOT_KEPT && s->logs[slot] == word;
}

bool suspect_is_marked(const struct suspects *all, const char *dir)
{
    uint64_t word = all != NULL ? word_of(all, dir) : 0;

    if ((all != NULL && all->all) || has_mark(dir)) {
        return true;
    }
    for (size_t i = 0; i < SLOTS && all != NULL; i++) {
        if (is_kept(all, i, word)) {
            return true;
        }
    }
    return false;
}

enum errcode suspect_rewrite(const struct file *f, uint64_t from, struct error *e)
{
    OWNED(file_unrefp) struct file *out = NULL;
    OWNED(mem_freep) uint8_t *copy = mem_alloc(COPY_BYTES);
    uint64_t position = from;
    size_t len;

    TRY(file_open(f->path, FILE_WRITE, &out, e));
    do {
        TRY(file_read_some(out, position, copy, COPY_BYTES, &len, e));
        TRY(file_write_at(out, position, bytes_of(copy, len), e));
        position += len;
    } while (len > 0);
    return ERR_OK;
}

enum errcode suspect_clear(struct suspects *all, const char *dir, struct error *e)
{
    uint64_t word = all != NULL ? word_of(all, dir) : 0;

    TRY(remove_mark(dir, e));
    for (size_t i = 0; i < SLOTS && all != NULL; i++) {
        unsigned char expected = SLOT_KEPT;

        if (is_kept(all, i, word) &&
            atomic_compare_exchange_strong(&all->states[i], &expected, SLOT_TAKEN)) {
            all->logs[i] = 0;
            /* when that fails it is suspected in vain */
            IGNORE(all->file != NULL && write_words(all, i, 1, e) != ERR_OK);
            all->states[i] = SLOT_FREE;
        }
    }
    return ERR_OK;
}
