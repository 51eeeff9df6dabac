/* The embedded store on a real directory: crashes are simulated by cutting, damaging and removing
 * its files between two openings. */
#include <errno.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "base/diag.h"
#include "io/file.h"
#include "meta/store_journal.h"
#include "meta/store_local.h"
#include "meta/store_reached.h"

static bool sync_fails;

/* Stand in for the C library's: a failing device can be played, and none is waited for. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    if (sync_fails) {
        errno = EIO;
        return -1;
    }
    return 0;
}

static void quiet(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

struct world {
    struct arena arena;
    char *dir;
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct diag_sink sink = {.level = DIAG_ERROR, .write = quiet};

    diag_configure(&sink);
    sync_fails = false;
    assert_int_equal(dir_create_temporary("store-test", &w->arena, &w->dir, NULL), ERR_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    assert_int_equal(path_remove_tree(w->dir, NULL), ERR_OK);
    arena_fini(&w->arena);
    mem_freep(state);
    return 0;
}

static enum errcode open_with(struct world *w, uint64_t compact_bytes, struct store **ret,
                              struct error *e)
{
    struct store_local_options options = {.dir = w->dir, .compact_bytes = compact_bytes};

    return store_local_open(&options, ret, e);
}

static struct store *open_store(struct world *w)
{
    struct store *s = NULL;
    struct error e = {0};

    if (open_with(w, 0, &s, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return s;
}

static enum errcode put(struct store *s, enum store_op_kind kind, const char *path,
                        const char *data, struct error *e)
{
    struct store_op op = {
        .kind = kind, .version = STORE_VERSION_ANY, .path = path, .data = bytes_str(data)};

    return store_multi(s, &op, 1, e);
}

static void assert_data(struct world *w, struct store *s, const char *path, const char *data)
{
    struct store_node node = {0};
    bool exists = false;

    assert_int_equal(store_get(s, path, &w->arena, &node, &exists, NULL), ERR_OK);
    assert_int_equal(exists, data != NULL);
    if (data != NULL) {
        assert_true(bytes_equal_str(node.data, data));
    }
}

static const char *in_dir(struct world *w, const char *name)
{
    return arena_printf(&w->arena, "%s/%s", w->dir, name);
}

static struct bytes read_file(struct world *w, const char *name)
{
    struct bytes b = BYTES_EMPTY;
    bool exists = false;

    assert_int_equal(file_read_whole(in_dir(w, name), 1 << 26, &w->arena, &b, &exists, NULL),
                     ERR_OK);
    assert_true(exists);
    return b;
}

static void write_file(struct world *w, const char *name, struct bytes b)
{
    assert_int_equal(file_replace(in_dir(w, name), b, NULL), ERR_OK);
}

/* Ends without the closing record, as a kill does. */
static void crash(struct store *s)
{
    sync_fails = true;
    (void)put(s, STORE_CREATE, "/never", "", NULL);
    store_close(s);
    sync_fails = false;
}

static void keeps_what_was_acknowledged(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    struct store_names names;

    assert_int_equal(put(s, STORE_CREATE, "/a/b", "1", NULL), ERR_OK);
    assert_int_equal(put(s, STORE_CREATE, "/a/a", "2", NULL), ERR_OK);
    assert_int_equal(put(s, STORE_SET, "/a/b", "3", NULL), ERR_OK);
    store_close(s);
    s = open_store(w);
    assert_data(w, s, "/a/b", "3");
    assert_data(w, s, "/a/a", "2");
    assert_data(w, s, "/a/c", NULL);
    assert_int_equal(store_children(s, "/a", &w->arena, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.names[0], "a");
    assert_int_equal(store_children(s, "/none", &w->arena, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 0);
    store_close(s);
}

static void a_refused_transaction_changes_nothing(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    const struct store_op ops[] = {
        {.kind = STORE_CREATE, .path = "/x", .data = bytes_str("1")},
        {.kind = STORE_CHECK, .path = "/missing", .version = STORE_VERSION_ANY},
    };

    assert_int_equal(store_multi(s, ops, 2, NULL), ERR_OPERATION_NOT_ATTEMPTED);
    assert_data(w, s, "/x", NULL);
    assert_int_equal(store_multi(s, ops, 1, NULL), ERR_OK);
    assert_int_equal(store_multi(s, NULL, 0, NULL), ERR_OK);
    store_close(s);
    s = open_store(w);
    assert_data(w, s, "/x", "1");
    store_close(s);
}

#define STEPS 40

/* A pseudo-random but repeatable history: after step n the node /last holds n. */
static void run_history(struct world *w, uint64_t sizes[STEPS + 1])
{
    struct store *s = open_store(w);
    uint32_t seed = 12345;

    assert_int_equal(put(s, STORE_CREATE, "/last", "", NULL), ERR_OK);
    sizes[0] = read_file(w, "journal-1").len;
    for (int i = 1; i <= STEPS; i++) {
        struct store_op ops[3] = {
            {.kind = STORE_SET, .version = STORE_VERSION_ANY, .path = "/last"},
            {.kind = STORE_CREATE},
            {.kind = STORE_DELETE, .version = 0, .recursive = true}};
        size_t count = i > 10 ? 3 : 2;

        seed = seed * 1664525u + 1013904223u;
        ops[0].data = bytes_str(arena_printf(&w->arena, "%d", i));
        ops[1].path = arena_printf(&w->arena, "/n/%d/x", i);
        ops[1].data = arena_copy(&w->arena, bytes_of(arena_zalloc(&w->arena, 64), seed >> 27));
        ops[2].path = arena_printf(&w->arena, "/n/%d", i - 10);
        assert_int_equal(store_multi(s, ops, count, NULL), ERR_OK);
        sizes[i] = read_file(w, "journal-1").len;
    }
    crash(s);
}

static void assert_step(struct world *w, struct store *s, int step)
{
    struct store_names names;

    assert_data(w, s, "/last", step == 0 ? "" : arena_printf(&w->arena, "%d", step));
    assert_int_equal(store_children(s, "/n", &w->arena, &names, NULL), ERR_OK);
    assert_int_equal(names.count, step < 10 ? step : 10);
}

/* The journal cut off at every byte: what was whole is there, what was begun is not. */
static void survives_a_tear_at_every_byte(void **state)
{
    struct world *w = *state;
    uint64_t sizes[STEPS + 1];
    struct bytes journal;
    struct bytes snapshot;
    int step = STEPS;

    run_history(w, sizes);
    journal = read_file(w, "journal-1");
    snapshot = read_file(w, "snapshot-1");
    for (size_t cut = (size_t)sizes[STEPS]; cut >= sizes[0]; cut--) {
        struct store *s;

        assert_int_equal(path_remove_tree(w->dir, NULL), ERR_OK);
        assert_int_equal(dir_create(w->dir, NULL), ERR_OK);
        write_file(w, "snapshot-1", snapshot);
        write_file(w, "journal-1", bytes_of(journal.data, cut));
        while (sizes[step] > cut) {
            step--;
        }
        s = open_store(w);
        assert_step(w, s, step);
        assert_int_equal(put(s, STORE_CREATE, "/after", "", NULL), ERR_OK);
        crash(s);
        if (cut != sizes[step]) {
            const char *aside =
                arena_printf(&w->arena, "journal-1.at-%zu.aside", (size_t)sizes[step]);

            assert_int_equal(read_file(w, aside).len, cut - sizes[step]);
        }
        s = open_store(w);
        assert_step(w, s, step);
        assert_data(w, s, "/after", "");
        store_close(s);
    }
    assert_int_equal(step, 0);
}

static void a_torn_end_may_be_garbage(void **state)
{
    struct world *w = *state;
    uint64_t sizes[STEPS + 1];
    struct bytes journal;
    struct store *s;
    uint8_t *raw;

    run_history(w, sizes);
    journal = read_file(w, "journal-1");
    raw = arena_zalloc(&w->arena, journal.len + 4096);
    memcpy(raw, journal.data, journal.len);
    write_file(w, "journal-1", bytes_of(raw, (size_t)sizes[STEPS] + 4096)); /* zeros follow */
    s = open_store(w);
    assert_step(w, s, STEPS);
    crash(s);
    memset(raw + sizes[STEPS - 1] + 20, 0, (size_t)(sizes[STEPS] - sizes[STEPS - 1]) - 20);
    write_file(w, "journal-1", bytes_of(raw, (size_t)sizes[STEPS]));
    s = open_store(w);
    assert_step(w, s, STEPS - 1);
    store_close(s);
}

/* Where the device had a record of the same journal before, in another file. */
static void a_torn_end_may_be_an_earlier_record(void **state)
{
    struct world *w = *state;
    uint64_t sizes[STEPS + 1];
    struct bytes journal;
    struct store *s;
    uint8_t *raw;

    run_history(w, sizes);
    journal = read_file(w, "journal-1");
    for (int step = 0; step < STEPS; step++) {
        size_t len = (size_t)(sizes[step + 1] - sizes[step]);

        raw = arena_zalloc(&w->arena, (size_t)sizes[STEPS] + len);
        memcpy(raw, journal.data, (size_t)sizes[STEPS]);
        memcpy(raw + sizes[STEPS], journal.data + sizes[step], len);
        write_file(w, "journal-1", bytes_of(raw, (size_t)sizes[STEPS] + len));
        s = open_store(w);
        assert_step(w, s, STEPS);
        assert_int_equal(put(s, STORE_CREATE, "/after", "", NULL), ERR_OK);
        crash(s);
        s = open_store(w);
        assert_step(w, s, STEPS);
        assert_data(w, s, "/after", "");
        crash(s);
    }
}

/* Damage in front of a whole record is no crash: something acknowledged is gone. */
static void refuses_damage_in_the_middle(void **state)
{
    struct world *w = *state;
    uint64_t sizes[STEPS + 1];
    struct bytes journal;
    struct store *s = NULL;
    struct error e = {0};

    run_history(w, sizes);
    journal = read_file(w, "journal-1");
    for (size_t at = 0; at < sizes[STEPS - 1]; at++) {
        uint8_t *raw = (uint8_t *)(uintptr_t)arena_copy(&w->arena, journal).data;

        raw[at] ^= 0x01;
        write_file(w, "journal-1", bytes_of(raw, journal.len));
        assert_int_equal(open_with(w, 0, &s, &e), ERR_CORRUPT_FILE);
        assert_true(bytes_equal(read_file(w, "journal-1"), bytes_of(raw, journal.len)));
    }
    assert_non_null(strstr(e.message, "an acknowledged change of the metadata is lost"));
}

/* After an orderly stop even the last change is in front of a whole record. */
static void a_closed_journal_has_no_torn_end(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    struct bytes journal;
    uint8_t *raw;

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    store_close(s);
    journal = read_file(w, "journal-1");
    raw = (uint8_t *)(uintptr_t)journal.data;
    raw[JOURNAL_HEADER_SIZE + 30] ^= 1;
    write_file(w, "journal-1", journal);
    assert_int_equal(open_with(w, 0, &s, NULL), ERR_CORRUPT_FILE);
}

static void cut(struct world *w, struct bytes journal, size_t len)
{
    write_file(w, "journal-1", bytes_of(journal.data, len));
}

static void zero(struct world *w, struct bytes journal, size_t from)
{
    uint8_t *raw = (uint8_t *)(uintptr_t)arena_copy(&w->arena, journal).data;

    memset(raw + from, 0, journal.len - from);
    write_file(w, "journal-1", bytes_of(raw, journal.len));
}

/* Nor has one whose end is gone without a trace, or zeros; and then nothing is touched. */
static void a_closed_journal_has_lost_its_end(void **state)
{
    static void (*const damage[])(struct world *, struct bytes, size_t) = {cut, zero};
    struct world *w = *state;
    struct store *s = open_store(w);
    struct bytes journal;
    struct error e = {0};

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    assert_int_equal(put(s, STORE_CREATE, "/b", "1", NULL), ERR_OK);
    store_close(s);
    journal = read_file(w, "journal-1");
    for (size_t at = JOURNAL_HEADER_SIZE; at <= journal.len - 12; at++) { /* then zeros */
        for (size_t i = 0; i < ARRAY_LEN(damage); i++) {
            struct bytes before;

            damage[i](w, journal, at);
            before = read_file(w, "journal-1");
            assert_int_equal(open_with(w, 0, &s, &e), ERR_CORRUPT_FILE);
            assert_true(bytes_equal(read_file(w, "journal-1"), before));
        }
    }
    assert_non_null(strstr(e.message, "acknowledged changes of the metadata, 3 to 3, are lost"));
    assert_int_equal(path_remove(in_dir(w, "journal-1"), NULL), ERR_OK);
    assert_int_equal(path_remove(in_dir(w, "snapshot-1"), NULL), ERR_OK);
    assert_int_equal(open_with(w, 0, &s, &e), ERR_CORRUPT_FILE);
}

/* A human may go on with what is left. */
static void a_lost_end_may_be_given_up(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    struct bytes journal;

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    store_close(s);
    journal = read_file(w, "journal-1");
    zero(w, journal, journal.len - JOURNAL_RECORD_MIN);
    assert_int_equal(open_with(w, 0, &s, NULL), ERR_CORRUPT_FILE);
    assert_int_equal(path_remove(reached_path(w->dir, &w->arena), NULL), ERR_OK);
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    store_close(s);
    store_close(open_store(w));
}

/* What was noted before a kill is as safe as after a stop; what came later may be a torn end. */
static void an_end_that_was_noted_is_missed(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    struct bytes noted;
    struct bytes all;

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    store_note(s);
    noted = read_file(w, "journal-1");
    assert_int_equal(put(s, STORE_CREATE, "/b", "1", NULL), ERR_OK);
    crash(s);
    all = read_file(w, "journal-1");
    zero(w, all, noted.len - 1);
    assert_int_equal(open_with(w, 0, &s, NULL), ERR_CORRUPT_FILE);
    zero(w, all, noted.len);
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    assert_data(w, s, "/b", NULL);
    store_close(s);
}

static void a_note_that_decays_does_no_harm(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    store_close(s);
    write_file(w, "reached", bytes_str("nothing"));
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    store_close(s);
}

static void compaction_keeps_everything(void **state)
{
    struct world *w = *state;
    struct store *s = NULL;

    assert_int_equal(open_with(w, 600, &s, NULL), ERR_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(put(s, STORE_CREATE, arena_printf(&w->arena, "/n/%d", i % 10), "x", NULL),
                         ERR_OK);
        assert_int_equal(put(s, STORE_SET, arena_printf(&w->arena, "/n/%d", i % 10),
                             arena_printf(&w->arena, "%d", i), NULL),
                         ERR_OK);
        if (i >= 5) {
            struct store_op op = {.kind = STORE_DELETE,
                                  .version = 1,
                                  .path = arena_printf(&w->arena, "/n/%d", (i - 5) % 10)};

            assert_int_equal(store_multi(s, &op, 1, NULL), ERR_OK);
        }
    }
    crash(s);
    assert_false(path_exists(in_dir(w, "journal-1")));
    assert_false(path_exists(in_dir(w, "snapshot-1")));
    s = open_store(w);
    assert_data(w, s, "/n/9", "99");
    assert_data(w, s, "/n/5", "95");
    assert_data(w, s, "/n/4", NULL);
    store_close(s);
}

/* Every state a crash during compaction can leave. */
static void survives_a_crash_in_compaction(void **state)
{
    struct world *w = *state;
    struct journal_header header = {.generation = 2, .sequence = 1};
    uint8_t raw[JOURNAL_HEADER_SIZE];
    struct store *s = open_store(w);
    struct bytes old_journal;
    struct bytes old_snapshot;

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    crash(s);
    old_journal = read_file(w, "journal-1");
    old_snapshot = read_file(w, "snapshot-1");
    journal_header_encode(&header, raw);
    write_file(w, "journal-2", bytes_of(raw, sizeof raw)); /* the next journal, no snapshot yet */
    write_file(w, "snapshot-2.tmp", bytes_str("half of it"));
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    assert_false(path_exists(in_dir(w, "journal-2")));
    assert_false(path_exists(in_dir(w, "snapshot-2.tmp")));
    store_close(s);

    assert_int_equal(open_with(w, 1, &s, NULL), ERR_OK);
    while (!path_exists(in_dir(w, "journal-2"))) {
        assert_int_equal(put(s, STORE_SET, "/a", "1", NULL), ERR_OK);
    }
    crash(s);
    write_file(w, "journal-1", old_journal); /* not yet removed */
    write_file(w, "snapshot-1", old_snapshot);
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    assert_false(path_exists(in_dir(w, "journal-1")));
    assert_false(path_exists(in_dir(w, "snapshot-1")));
    store_close(s);
}

#define MODEL_KEYS 12

/* What the store should hold, by node /m/<key>. */
struct model {
    bool exists[MODEL_KEYS];
    int value[MODEL_KEYS];
    int32_t version[MODEL_KEYS];
};

/* One operation that may or may not fit; returns whether it does, and then changes the model. */
static bool model_op(struct model *m, uint32_t dice, int step, struct world *w,
                     struct store_op *ret)
{
    unsigned key = dice % MODEL_KEYS;
    enum store_op_kind kind = (enum store_op_kind)(dice / MODEL_KEYS % 4);
    bool stale = dice / (MODEL_KEYS * 4) % 8 == 0;
    bool fits = kind == STORE_CREATE ? !m->exists[key] : m->exists[key] && !stale;

    *ret = (struct store_op){.kind = kind,
                             .version = m->version[key] + (stale ? 1 : 0),
                             .path = arena_printf(&w->arena, "/m/%u", key),
                             .data = bytes_str(arena_printf(&w->arena, "%d", step))};
    if (fits && kind != STORE_CHECK) {
        m->exists[key] = kind != STORE_DELETE;
        m->version[key] = kind == STORE_SET ? m->version[key] + 1 : 0;
        m->value[key] = step;
    }
    return fits;
}

static void assert_model(struct world *w, struct store *s, const struct model *m)
{
    for (int key = 0; key < MODEL_KEYS; key++) {
        struct store_node node = {0};
        bool exists = false;

        assert_int_equal(
            store_get(s, arena_printf(&w->arena, "/m/%d", key), &w->arena, &node, &exists, NULL),
            ERR_OK);
        assert_int_equal(exists, m->exists[key]);
        if (exists) {
            assert_int_equal(node.version, m->version[key]);
            assert_true(bytes_equal_str(node.data, arena_printf(&w->arena, "%d", m->value[key])));
        }
    }
}

/* Random transactions against a model, with compactions, restarts and kills in between. */
static void agrees_with_a_model(void **state)
{
    struct world *w = *state;
    struct model model = {0};
    struct store *s = NULL;
    uint64_t seed = 42;

    assert_int_equal(open_with(w, 2000, &s, NULL), ERR_OK);
    for (int step = 0; step < 4000; step++) {
        struct model next = model;
        struct store_op ops[4];
        size_t count;
        bool fits = true;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        count = 1 + (size_t)(seed >> 62);
        for (size_t i = 0; i < count && fits; i++) {
            fits = model_op(&next, (uint32_t)(seed >> (20 + 5 * i)), step, w, &ops[i]);
            count = fits ? count : i + 1;
        }
        assert_int_equal(store_multi(s, ops, count, NULL),
                         fits ? ERR_OK : ERR_OPERATION_NOT_ATTEMPTED);
        model = fits ? next : model;
        if ((seed >> 40) % 100 < 3) {
            if ((seed >> 50) % 2 == 0) {
                crash(s);
            } else {
                store_close(s);
            }
            assert_int_equal(open_with(w, 2000, &s, NULL), ERR_OK);
            (void)put(s, STORE_DELETE, "/never", "", NULL); /* the crash may have left it */
        }
        if (step % 50 == 0) {
            assert_model(w, s, &model);
        }
    }
    assert_model(w, s, &model);
    store_close(s);
}

static void refuses_missing_files(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    struct bytes snapshot;
    struct error e = {0};

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    store_close(s);
    snapshot = read_file(w, "snapshot-1");
    assert_int_equal(path_remove(in_dir(w, "snapshot-1"), NULL), ERR_OK);
    assert_int_equal(open_with(w, 0, &s, &e), ERR_CORRUPT_FILE);
    assert_non_null(strstr(e.message, "its snapshot is missing"));
    write_file(w, "snapshot-1", snapshot);
    assert_int_equal(path_rename(in_dir(w, "journal-1"), in_dir(w, "kept"), NULL), ERR_OK);
    assert_int_equal(open_with(w, 0, &s, &e), ERR_CORRUPT_FILE);
    assert_int_equal(path_rename(in_dir(w, "kept"), in_dir(w, "journal-1"), NULL), ERR_OK);
    write_file(w, "snapshot-1", bytes_of(snapshot.data, snapshot.len - 1));
    assert_int_equal(open_with(w, 0, &s, &e), ERR_CORRUPT_FILE);
    write_file(w, "snapshot-1", snapshot);
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    store_close(s);
}

static void a_failed_sync_ends_all_changes(void **state)
{
    struct world *w = *state;
    struct store *s = open_store(w);
    struct error e = {0};

    assert_int_equal(put(s, STORE_CREATE, "/a", "1", NULL), ERR_OK);
    sync_fails = true;
    assert_int_equal(put(s, STORE_CREATE, "/b", "1", &e), ERR_STORAGE);
    sync_fails = false;
    assert_int_equal(put(s, STORE_CREATE, "/c", "1", &e), ERR_STORAGE);
    assert_non_null(strstr(e.message, "takes no changes until the server is restarted"));
    assert_data(w, s, "/a", "1");
    assert_data(w, s, "/b", NULL);
    store_close(s);
    s = open_store(w);
    assert_data(w, s, "/a", "1");
    assert_data(w, s, "/c", NULL);
    store_close(s);
}

static void memory_is_bounded(void **state)
{
    struct world *w = *state;
    struct store_local_options options = {.dir = w->dir, .tree_bytes_max = 2000};
    struct store *s = NULL;
    struct error e = {0};
    char kilobyte[1001];

    memset(kilobyte, 'x', 1000);
    kilobyte[1000] = '\0';
    assert_int_equal(store_local_open(&options, &s, NULL), ERR_OK);
    assert_int_equal(put(s, STORE_CREATE, "/a", kilobyte, NULL), ERR_OK);
    assert_int_equal(put(s, STORE_CREATE, "/b", kilobyte, &e), ERR_OPERATION_NOT_ATTEMPTED);
    assert_data(w, s, "/b", NULL);
    assert_int_equal(put(s, STORE_SET, "/a", "small", NULL), ERR_OK);
    assert_int_equal(put(s, STORE_CREATE, "/b", kilobyte, NULL), ERR_OK);
    store_close(s);
}

int main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(keeps_what_was_acknowledged),
        STORE_TEST(a_refused_transaction_changes_nothing),
        STORE_TEST(survives_a_tear_at_every_byte),
        STORE_TEST(a_torn_end_may_be_garbage),
        STORE_TEST(a_torn_end_may_be_an_earlier_record),
        STORE_TEST(refuses_damage_in_the_middle),
        STORE_TEST(a_closed_journal_has_no_torn_end),
        STORE_TEST(a_closed_journal_has_lost_its_end),
        STORE_TEST(a_lost_end_may_be_given_up),
        STORE_TEST(an_end_that_was_noted_is_missed),
        STORE_TEST(a_note_that_decays_does_no_harm),
        STORE_TEST(compaction_keeps_everything),
        STORE_TEST(survives_a_crash_in_compaction),
        STORE_TEST(agrees_with_a_model),
        STORE_TEST(refuses_missing_files),
        STORE_TEST(a_failed_sync_ends_all_changes),
        STORE_TEST(memory_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
