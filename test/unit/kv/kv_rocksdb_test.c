/* What only the engine on disk has: crashes, checkpoints, directories of others. */
#include "rows.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/wait.h>

#include "io/clock.h"
#include "kv/engine.h"

#define KEYS       2000
#define ROUNDS     12
#define LONG_VALUE 1500

static const struct kv_env_options small = {.memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1};

static struct kv_store *open_store(struct kv_env *env, const char *dir, int64_t offset)
{
    struct kv_open_params params = {.dir = dir, .state = {.offset = offset}};
    struct kv_store *s = NULL;
    struct error e;

    OK(kv_rocksdb_open(env, &params, &s, &e));
    return s;
}

/* The log: its n-th change is the same for whoever asks. Long values come together, so that some
 * writes are large. */
static struct kv_change log_change(struct arena *arena, int64_t offset)
{
    struct rows_random r = {.state = (uint64_t)offset * 77};
    uint32_t key = rows_below(&r, KEYS);
    bool removed = rows_below(&r, 5) == 0;
    struct kv_change change = rows_change(arena, key, removed ? 0 : (uint32_t)offset);

    if (!removed && offset / 1000 % 4 == 0) {
        change.value = bytes_str(arena_printf(arena, "%0*lld", LONG_VALUE, (long long)offset));
    }
    return change;
}

/* Writes what the log has, in writes of random sizes, for ever; flushes now and then. */
static void write_for_ever(const char *dir, uint64_t seed)
{
    struct kv_env *env = kv_env_new(&small);
    struct rows_random r = {.state = seed};
    struct kv_store *s = open_store(env, dir, 0);
    struct kv_state state = kv_store_state(s);

    for (;;) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        uint32_t end = 1 + rows_below(&r, 300);
        static uint32_t last_of_key[KEYS]; /* position + 1 in this write */
        struct kv_change changes[300];
        size_t count = 0;

        memset(last_of_key, 0, sizeof last_of_key);
        for (uint32_t i = 0; i < end; i++) {
            struct kv_change change = log_change(&arena, state.offset + i);
            uint32_t *at = &last_of_key[rows_key_number(change.key)];

            if (*at == 0) {
                *at = (uint32_t)++count;
            }
            changes[*at - 1] = change;
        }
        state.offset += end;
        state.row_count = state.offset * 3;
        if (kv_store_write(s, changes, count, &state, NULL) != ERR_OK ||
            (rows_below(&r, 20) == 0 && kv_store_flush(s, NULL) != ERR_OK)) {
            _exit(1);
        }
    }
}

/* Whether the store is what the log says below its offset, which is returned; -1: it is not. */
static int64_t compare_with_log(const char *dir)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(arena_fini) struct arena scratch = ARENA_INIT;
    static int64_t newest[KEYS]; /* change of a key + 1 */
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, dir, 0);
    struct kv_state state = kv_store_state(s);
    struct bytes *keys = arena_array(&arena, KEYS, sizeof *keys);
    struct bytes *values = arena_array(&arena, KEYS, sizeof *values);
    struct bytes *expected = arena_array(&arena, KEYS, sizeof *expected);
    bool equal = state.row_count == state.offset * 3;

    for (int64_t offset = 0; offset < state.offset; offset++) {
        arena_reset(&scratch);
        newest[rows_key_number(log_change(&scratch, offset).key)] = offset + 1;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = rows_key(&arena, i);
        expected[i] = newest[i] == 0 ? BYTES_EMPTY : log_change(&arena, newest[i] - 1).value;
    }
    equal = equal && kv_store_multi_get(s, keys, KEYS, &arena, values, NULL) == ERR_OK;
    for (uint32_t i = 0; i < KEYS; i++) {
        equal = equal && bytes_equal(values[i], expected[i]);
    }
    equal = equal && kv_store_close(s, NULL) == ERR_OK;
    return equal ? state.offset : -1;
}

/* In a process of its own: a child of one that has used RocksDB has its locks, not its threads. */
static int64_t compare_in_child(const char *dir)
{
    int64_t offset = -1;
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        offset = compare_with_log(dir);
        _exit(write(ends[1], &offset, sizeof offset) == (ssize_t)sizeof offset ? 0 : 1);
    }
    (void)close(ends[1]);
    IGNORE(read(ends[0], &offset, sizeof offset) == 0);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return offset;
}

static void a_killed_store_is_the_log_up_to_its_offset(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    char *db = arena_printf(&arena, "%s/db", dir);
    uint64_t seed = random_u64();
    struct rows_random r = {.state = seed};
    int64_t offset = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < ROUNDS || (offset == 0 && round < 5 * ROUNDS); round++) {
        pid_t child = fork();
        int64_t now;

        if (child == 0) {
            write_for_ever(db, seed + (uint64_t)round);
        }
        /* the longer, the longer nothing was kept: the machine may be slow */
        (void)usleep(30000 + rows_below(&r, 200000) + (offset == 0 ? 50000u * (uint32_t)round : 0));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        now = compare_in_child(db);
        assert_true(now >= offset);
        offset = now;
    }
    assert_true(offset > 0);
    rows_dir_remove(dir);
}

/* ---- checkpoints ---- */

static void write_rows(struct kv_store *s, uint32_t from, uint32_t end, int64_t offset)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_change *changes = arena_array(&arena, end - from, sizeof *changes);
    struct kv_state state = {.offset = offset, .row_count = offset};
    struct error e;

    for (uint32_t i = from; i < end; i++) {
        changes[i - from] = rows_change(&arena, i, i + 1);
    }
    OK(kv_store_write(s, changes, end - from, &state, &e));
}

static void expect_rows(struct kv_store *s, uint32_t count)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_cursor *c = NULL;
    struct kv_items items;
    uint32_t n = 0;
    struct error e;

    OK(kv_cursor_open(s, &c, &e));
    for (;;) {
        OK(kv_cursor_next(c, 100, SIZE_MAX, &arena, &items, &e));
        if (items.count == 0) {
            break;
        }
        for (size_t i = 0; i < items.count; i++, n++) {
            assert_true(bytes_equal(items.items[i].key, rows_key(&arena, n)));
            assert_true(bytes_equal(items.items[i].value, rows_value(&arena, n + 1)));
        }
    }
    assert_int_equal(n, count);
    kv_cursor_close(c);
}

static size_t count_tables(const char *dir, bool *ret_clean)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct dir_list list;
    size_t tables = 0;
    struct error e;

    *ret_clean = true;
    OK(dir_read(dir, &arena, &list, &e));
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name;

        tables += strstr(name, ".sst") != NULL;
        *ret_clean = *ret_clean && strncmp(name, "LOG", 3) != 0 && strcmp(name, "LOCK") != 0 &&
                     strstr(name, ".log") == NULL;
    }
    return tables;
}

static struct kv_checkpoint checkpoint_of(struct kv_store *s, const char *dir)
{
    struct kv_checkpoint made;
    struct error e;

    OK(kv_store_checkpoint(s, dir, &made, &e));
    OK(path_remove_tree(dir, &e));
    return made;
}

static void a_checkpoint_is_a_database_of_rows_alone(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    char *db = arena_printf(&arena, "%s/db", dir);
    char *copy = arena_printf(&arena, "%s/snap", dir);
    struct kv_open_params params = {.dir = copy, .state = {.offset = 0}};
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, db, 0);
    struct kv_store *other = NULL;
    struct kv_checkpoint at;
    struct kv_checkpoint again;
    struct error e;
    bool clean;

    (void)state;
    write_rows(s, 0, 1000, 10);
    OK(kv_store_flush(s, &e));
    write_rows(s, 1000, 1500, 20);
    OK(kv_store_checkpoint(s, copy, &at, &e));
    assert_int_equal(at.state.offset, 20);
    assert_int_equal(at.state.row_count, 20);
    assert_true(count_tables(copy, &clean) >= 2);
    assert_true(at.table_max > 0);
    assert_true(clean);
    assert_int_equal(kv_store_checkpoint(s, copy, &again, &e), ERR_KV_STORAGE); /* it exists */
    write_rows(s, 1500, 1600, 30);

    /* it does not say of what offset it is: whoever restores it must */
    assert_int_equal(kv_rocksdb_open(env, &params, &other, &e), ERR_CORRUPT_FILE);
    params.state = at.state;
    OK(kv_rocksdb_open(env, &params, &other, &e));
    assert_int_equal(kv_store_state(other).offset, 20);
    assert_int_equal(kv_store_durable_offset(other), 20);
    again = checkpoint_of(other, arena_printf(&arena, "%s/again", dir));
    assert_int_not_equal(again.lineage, at.lineage);
    expect_rows(other, 1500);
    OK(kv_store_close(other, &e));
    params.state = (struct kv_state){.offset = 5}; /* it knows better from now on */
    OK(kv_rocksdb_open(env, &params, &other, &e));
    assert_int_equal(kv_store_state(other).offset, 20);
    OK(kv_store_close(other, &e));

    expect_rows(s, 1600);
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

static void lineage_survives_a_restart(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    char *db = arena_printf(&arena, "%s/db", dir);
    char *copy = arena_printf(&arena, "%s/snap", dir);
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, db, 0);
    struct kv_checkpoint first = checkpoint_of(s, copy);
    struct kv_checkpoint second;
    struct error e;

    (void)state;
    OK(kv_store_close(s, &e));
    s = open_store(env, db, 0);
    write_rows(s, 0, 10, 1);
    second = checkpoint_of(s, copy);
    assert_int_equal(first.lineage, second.lineage);
    assert_true(first.table_max < second.table_max);
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

static void memory_is_given_back_by_flushes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    struct kv_env *env = kv_env_new(&small);
    size_t limit = kv_env_budgets(env).spill_bytes;
    struct kv_store *s = open_store(env, dir, 0);
    struct error e;

    (void)state;
    for (uint32_t i = 1; i < 200; i++) {
        write_rows(s, 0, 1000, i);
        assert_true(kv_store_stats(s).memory_bytes < limit + ((size_t)1 << 20));
        assert_int_equal(kv_env_stats(env).unflushed_bytes, kv_store_stats(s).memory_bytes);
    }
    assert_true(kv_store_durable_offset(s) > 100);
    assert_true(kv_store_stats(s).disk_bytes > 0);
    OK(kv_store_close(s, &e));
    assert_int_equal(kv_env_stats(env).unflushed_bytes, 0);
    kv_env_free(env);
    rows_dir_remove(dir);
}

/* Whether the rows from .. from + 99, each LOOKUP_EVERY numbers, are found. */
#define LOOKUP_EVERY 7u

static void look_up(struct kv_store *s, uint32_t from)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes keys[100];
    struct bytes values[100];
    struct error e;

    for (uint32_t i = 0; i < 100; i++) {
        keys[i] = rows_key(&arena, from + i * LOOKUP_EVERY);
    }
    OK(kv_store_multi_get(s, keys, 100, &arena, values, &e));
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(bytes_equal(values[i], rows_value(&arena, from + i * LOOKUP_EVERY + 1)));
    }
}

static void lookups_of_more_than_the_block_cache_holds(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, dir, 0);
    struct error e;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        write_rows(s, i * 1000, (i + 1) * 1000, i + 1);
    }
    OK(kv_store_flush(s, &e));
    for (int round = 0; round < 2; round++) {
        for (uint32_t from = 0; from + 100 * LOOKUP_EVERY <= 100000; from += 100 * LOOKUP_EVERY) {
            look_up(s, from);
        }
        assert_in_range(kv_env_stats(env).block_cache_bytes, 1,
                        kv_env_stats(env).block_cache_capacity);
    }
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

/* ---- large writes ---- */

#define MANY 7900u /* rows of a large write */

static void expect_row(struct kv_store *s, uint32_t row, uint32_t number)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct bytes key = rows_key(&arena, row);
    struct bytes value;
    struct error e;

    OK(kv_store_multi_get(s, &key, 1, &arena, &value, &e));
    assert_true(bytes_equal(value, rows_value(&arena, number)));
}

/* Row 1 removed, all others of the value, and two keys beside ours, which is left out. */
static void write_many(struct kv_store *s, uint32_t number, int64_t offset)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_change *changes = arena_array(&arena, MANY + 3, sizeof *changes);
    struct kv_state state = {.offset = offset, .row_count = offset};
    struct error e;

    for (uint32_t i = 0; i < MANY; i++) {
        changes[i] = rows_change(&arena, i, i == 1 ? 0 : number);
    }
    for (uint8_t i = 0; i < 3; i++) { /* before it, the key itself, behind it */
        uint8_t *key = arena_alloc(&arena, kv_state_key.len);

        memcpy(key, kv_state_key.data, kv_state_key.len);
        key[kv_state_key.len - 1] = (uint8_t)(key[kv_state_key.len - 1] + i - 1);
        changes[MANY + i] = (struct kv_change){.key = bytes_of(key, kv_state_key.len),
                                               .value = bytes_str("beside ours")};
    }
    OK(kv_store_write(s, changes, MANY + 3, &state, &e));
}

static uint32_t count_rows(struct kv_cursor *c)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_items items;
    struct error e;

    OK(kv_cursor_next(c, UINT32_MAX, SIZE_MAX, &arena, &items, &e));
    return (uint32_t)items.count;
}

static void a_large_write_is_durable_at_once(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    char *spill = arena_printf(&arena, "%s/spill", dir);
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, dir, 0);
    struct kv_cursor *before = NULL;
    struct kv_cursor *after = NULL;
    struct error e;

    (void)state;
    write_rows(s, 0, 10, 1);
    assert_int_equal(kv_store_durable_offset(s), 0);
    OK(kv_cursor_open(s, &before, &e));
    write_many(s, 49, 2);
    assert_int_equal(kv_store_durable_offset(s), 2); /* the small one before it, too */
    assert_int_equal(kv_store_stats(s).memory_bytes, 0);
    assert_int_equal(kv_env_stats(env).unflushed_bytes, 0);
    assert_false(path_exists(spill));
    write_rows(s, 2, 3, 3);
    write_many(s, 48, 4);
    write_rows(s, 3, 4, 5);
    OK(kv_cursor_open(s, &after, &e));
    assert_int_equal(kv_cursor_state(before).offset, 1);
    assert_int_equal(count_rows(before), 10);
    assert_int_equal(kv_cursor_state(after).offset, 5);
    assert_int_equal(count_rows(after), MANY - 1 + 2);
    kv_cursor_close(before);
    kv_cursor_close(after);

    OK(kv_store_close(s, &e));
    OK(file_replace(spill, bytes_str("half a table"), &e)); /* as a crash leaves it */
    s = open_store(env, dir, 0);
    assert_false(path_exists(spill));
    assert_int_equal(kv_store_state(s).offset, 5);
    expect_row(s, 0, 48);
    expect_row(s, 1, 0);
    expect_row(s, 2, 48);
    expect_row(s, 3, 4);
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

/* Equal names, equal contents: what is taken over is never written to afterwards. */
static void checkpoints_share_large_writes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, arena_printf(&arena, "%s/db", dir), 0);
    struct kv_checkpoint first;
    struct kv_checkpoint second;
    struct dir_list list;
    size_t shared = 0;
    struct error e;

    (void)state;
    write_many(s, 49, 1);
    OK(kv_store_checkpoint(s, arena_printf(&arena, "%s/1", dir), &first, &e));
    write_many(s, 48, 2);
    OK(kv_store_checkpoint(s, arena_printf(&arena, "%s/2", dir), &second, &e));
    assert_int_equal(first.lineage, second.lineage);
    assert_int_equal(second.state.offset, 2);
    OK(dir_read(arena_printf(&arena, "%s/1", dir), &arena, &list, &e));
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name;
        uint64_t number = kv_table_number(name);
        struct bytes one;
        struct bytes two;
        bool there = false;

        OK(file_read_whole(arena_printf(&arena, "%s/1/%s", dir, name), SIZE_MAX, &arena, &one,
                           &there, &e));
        OK(file_read_whole(arena_printf(&arena, "%s/2/%s", dir, name), SIZE_MAX, &arena, &two,
                           &there, &e));
        if (number > 0 && number <= first.table_max && there) {
            assert_true(bytes_equal(one, two));
            shared++;
        }
    }
    assert_true(shared > 0);
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

static void a_large_write_that_fails_leaves_nothing(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    char *spill = arena_printf(&arena, "%s/spill", dir);
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, dir, 0);
    struct kv_change *changes = arena_array(&arena, MANY, sizeof *changes);
    const struct kv_state reached = {.offset = 2};
    struct error e;

    (void)state;
    write_rows(s, 0, 10, 1);
    for (uint32_t i = 0; i < MANY; i++) {
        changes[i] = rows_change(&arena, i, 49);
    }
    OK(dir_create(arena_printf(&arena, "%s/in the way", spill), &e));
    assert_int_equal(kv_store_write(s, changes, MANY, &reached, &e), ERR_KV_STORAGE);
    assert_false(kv_store_damaged(s));
    assert_int_equal(kv_store_state(s).offset, 1);
    expect_row(s, 0, 1);
    OK(path_remove_tree(spill, &e));
    OK(kv_store_close(s, &e));
    s = open_store(env, dir, 0);
    assert_int_equal(kv_store_state(s).offset, 1);
    OK(kv_store_write(s, changes, MANY, &reached, &e));
    expect_row(s, 0, 49);
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

static void damage_is_an_error(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    struct kv_open_params params = {.dir = dir};
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, dir, 0);
    struct error e;

    (void)state;
    write_rows(s, 0, 10, 1);
    OK(kv_store_close(s, &e));
    OK(file_replace(arena_printf(&arena, "%s/CURRENT", dir), bytes_str("MANIFEST-9\n"), &e));
    s = NULL;
    assert_int_equal(kv_rocksdb_open(env, &params, &s, &e), ERR_CORRUPT_FILE);
    assert_null(s);
    assert_non_null(strstr(e.message, dir));
    kv_env_free(env);
    rows_dir_remove(dir);
}

static void flip_a_byte(const char *pattern)
{
    glob_t found;
    uint8_t byte;
    int fd;

    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    fd = open(found.gl_pathv[0], O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, 100), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 100), 1);
    assert_int_equal(close(fd), 0);
    globfree(&found);
}

static void damage_found_later_is_remembered(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    struct kv_env *env = kv_env_new(&small);
    struct kv_store *s = open_store(env, dir, 0);
    const struct bytes key = rows_key(&arena, 0);
    struct bytes value;
    struct error e;

    (void)state;
    write_rows(s, 0, 5000, 1); /* several blocks: the state is not in the first */
    OK(kv_store_close(s, &e));
    flip_a_byte(arena_printf(&arena, "%s/*.sst", dir));
    s = open_store(env, dir, 0);
    assert_false(kv_store_damaged(s));
    assert_int_equal(kv_store_multi_get(s, &key, 1, &arena, &value, &e), ERR_CORRUPT_FILE);
    assert_true(kv_store_damaged(s));
    IGNORE(kv_store_close(s, &e) != ERR_OK);
    kv_env_free(env);
    rows_dir_remove(dir);
}

/* As ICEBERG encodes an empty text. */
static void a_key_without_bytes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_env *env = kv_env_new(&small);
    char *dir = rows_dir(&arena);
    struct kv_store *s = open_store(env, dir, 0);
    struct kv_change change = {.value = bytes_str("value")};
    const struct kv_state reached = {.offset = 1};
    const struct bytes key = BYTES_EMPTY;
    struct kv_items items;
    struct bytes value;
    struct error e;

    (void)state;
    OK(kv_store_multi_get(s, &key, 1, &arena, &value, &e));
    assert_int_equal(value.len, 0);
    OK(kv_store_write(s, &change, 1, &reached, &e));
    OK(kv_store_multi_get(s, &key, 1, &arena, &value, &e));
    assert_true(bytes_equal_str(value, "value"));
    OK(kv_store_prefix(s, BYTES_EMPTY, 100, &arena, &items, &e));
    assert_int_equal(items.count, 1);
    OK(kv_store_close(s, &e));
    kv_env_free(env);
    rows_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_store_is_the_log_up_to_its_offset), /* first: it forks */
        cmocka_unit_test(a_checkpoint_is_a_database_of_rows_alone),
        cmocka_unit_test(lineage_survives_a_restart),
        cmocka_unit_test(memory_is_given_back_by_flushes),
        cmocka_unit_test(lookups_of_more_than_the_block_cache_holds),
        cmocka_unit_test(a_large_write_is_durable_at_once),
        cmocka_unit_test(checkpoints_share_large_writes),
        cmocka_unit_test(a_large_write_that_fails_leaves_nothing),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(damage_found_later_is_remembered),
        cmocka_unit_test(a_key_without_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
