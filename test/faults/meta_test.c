/* One call of the system fails, each in turn, anywhere in the life of the catalog's store: when it opens,
 * writes its journal, compacts it into a snapshot, notes how far it has come. The next start, on a disk
 * that works, has what was acknowledged, and nothing that was never asked for. */
#include "fail_nth.h"

#include <stdlib.h>

#include "../support/unit.h"
#include "base/diag.h"
#include "io/file.h"
#include "meta/store_local.h"

#define STEPS     12 /* transactions of a life */
#define LIVES_MAX 2000

struct fixture {
    struct arena arena;
    char *dir;
};

static void say_nothing(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int set_up(void **state)
{
    static const struct diag_sink quiet = {.level = DIAG_ERROR, .write = say_nothing};
    struct fixture *f = mem_new(struct fixture);

    diag_configure(&quiet);
    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    assert_int_equal(dir_create_temporary("eider-faults", &f->arena, &f->dir, NULL), ERR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(path_remove_tree(f->dir, NULL), ERR_OK);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static enum errcode open_store(const char *dir, struct store **ret)
{
    struct store_local_options options = {.dir = dir, .compact_bytes = 700};
    struct error e = {0};
    enum errcode code = store_local_open(&options, ret, &e);

    assert_true(code == ERR_OK || e.message[0] != '\0');
    return code;
}

/* The number that is stored; 0: none is. */
static int stored(struct store *s)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_node node = {0};
    bool exists = false;

    assert_int_equal(store_get(s, "/number", &arena, &node, &exists, NULL), ERR_OK);
    return exists ? (int)get_i32le(node.data.data) : 0;
}

/* One transaction: the number, and a node that goes with it. */
static bool put(struct store *s, int number)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t data[100] = {0};
    struct store_op ops[] = {
        {.kind = number == 1 ? STORE_CREATE : STORE_SET,
         .version = STORE_VERSION_ANY,
         .path = "/number",
         .data = bytes_of(data, sizeof data)},
        {.kind = STORE_CREATE, .path = arena_printf(&arena, "/with/%d", number)},
    };

    put_i32le(data, number);
    return store_multi(s, ops, ARRAY_LEN(ops), NULL) == ERR_OK;
}

/* Numbers on from `first` until one is refused; returns the last that was acknowledged. */
static int live(const char *dir, int first)
{
    struct store *s = NULL;
    int last = first - 1;

    if (open_store(dir, &s) != ERR_OK) {
        return last;
    }
    assert_int_equal(stored(s), last);
    for (int number = first; number < first + STEPS && put(s, number); number++) {
        assert_int_equal(stored(s), number);
        last = number;
        if (number % 4 == 0) {
            store_note(s);
        }
    }
    store_close(s);
    return last;
}

static void judge(const char *dir, int acknowledged)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_names names;
    struct store *s = NULL;
    int number;

    assert_int_equal(open_store(dir, &s), ERR_OK);
    number = stored(s);
    /* the one that was refused may have reached the journal */
    assert_in_range(number, acknowledged, acknowledged + 1);
    assert_int_equal(store_children(s, "/with", &arena, &names, NULL), ERR_OK);
    assert_int_equal(names.count, number);
    assert_true(put(s, number + 1));
    assert_int_equal(stored(s), number + 1);
    store_close(s);
}

static void run(struct fixture *f, int code)
{
    unsigned rounds = 0;

    for (unsigned n = 0; fail_nth(n, code); n++) {
        int acknowledged;

        assert_int_equal(path_remove_tree(f->dir, NULL), ERR_OK);
        assert_int_equal(dir_create(f->dir, NULL), ERR_OK);
        assert_int_equal(live(f->dir, 1), STEPS);
        fail_begin();
        acknowledged = live(f->dir, STEPS + 1);
        fail_end();
        judge(f->dir, acknowledged);
        rounds++;
    }
    assert_in_range(rounds, 30, LIVES_MAX);
}

static void a_disk_that_fails(void **state) { run(*state, EIO); }

static void a_disk_that_is_full(void **state) { run(*state, ENOSPC); }

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disk_that_fails),
        TEST(a_disk_that_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
