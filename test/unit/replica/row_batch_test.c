#include "../../../src/replica/row_batch.h"
#include "../../support/store_ops.h"
#include "format/value_batch.h"

/* A store in memory with rows of keys 0 .. count - 1, two bytes each; a value has as many bytes as the
 * key says, and two. */
static struct kv_store *filled(struct kv_env *env, const char *dir, struct arena *arena,
                               uint16_t count)
{
    struct kv_open_params params = {.dir = dir};
    struct kv_change *changes = arena_array(arena, count, sizeof *changes);
    const struct kv_state state = {.offset = 1};
    struct kv_store *s = NULL;

    for (uint16_t i = 0; i < count; i++) {
        uint8_t *key = arena_alloc(arena, 2);

        key[0] = (uint8_t)(i >> 8);
        key[1] = (uint8_t)i;
        changes[i].key = bytes_of(key, 2);
        changes[i].value = bytes_of(arena_zalloc(arena, 2u + i), 2u + i);
    }
    assert_int_equal(kv_store_open(env, &params, &s, NULL), ERR_OK);
    assert_int_equal(kv_store_write(s, changes, count, &state, NULL), ERR_OK);
    return s;
}

/* Rows first .. first + count - 1 and nothing else. */
static void check(const struct pieces *pieces, struct arena *arena, size_t first, size_t count)
{
    struct value_batch_iterator it;

    assert_int_equal(value_batch_parse(pieces_read(pieces, arena), &it, NULL), ERR_OK);
    assert_int_equal(it.left, count);
    for (size_t i = 0; i < count; i++) {
        struct bytes value;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        assert_int_equal(value.len, 2 + first + i);
    }
}

/* Reads a batch; how many rows it has. */
static size_t read_batch(struct kv_cursor *c, size_t rows_max, size_t size_max, size_t first,
                         bool *ret_more)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_batch b = {.rows_max = rows_max, .size_max = size_max};
    struct pieces pieces;

    pieces_init(&pieces, &arena);
    assert_int_equal(row_batch_read(&b, &pieces, c, ret_more, NULL), ERR_OK);
    assert_int_equal(b.size, pieces.len);
    check(&pieces, &arena, first, b.count);
    return b.count;
}

static void rows_and_sizes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct kv_env_options options = {.in_memory = true};
    struct kv_env *env = kv_env_new(&options);
    struct kv_store *s = NULL;
    struct kv_cursor *c = NULL;
    char *dir = NULL;
    size_t at = 0;
    bool more = false;

    (void)state;
    assert_int_equal(dir_create_temporary("row-batch-test", &arena, &dir, NULL), ERR_OK);
    s = filled(env, dir, &arena, 6000);
    assert_int_equal(kv_cursor_open(s, &c, NULL), ERR_OK);
    assert_int_equal(read_batch(c, 0, SIZE_MAX, 0, &more), 0);
    assert_true(more);
    at += read_batch(c, 10, SIZE_MAX, at, &more);
    assert_int_equal(at, 10);
    assert_true(more);
    at += read_batch(c, SIZE_MAX, 100, at, &more);
    assert_in_range(at, 14, 20);
    assert_int_equal(read_batch(c, SIZE_MAX, 1, at++, &more), 1); /* even so */
    assert_true(more);
    at += read_batch(c, SIZE_MAX, SIZE_MAX, at, &more);
    assert_int_equal(at, 6000);
    assert_false(more);
    assert_int_equal(read_batch(c, SIZE_MAX, SIZE_MAX, at, &more), 0);
    assert_false(more);
    kv_cursor_close(c);
    assert_int_equal(kv_store_close(s, NULL), ERR_OK);
    kv_env_free(env);
    assert_int_equal(path_remove_tree(dir, NULL), ERR_OK);
}

static void rows_before_those_of_the_cursor(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct kv_env_options options = {.in_memory = true};
    struct kv_env *env = kv_env_new(&options);
    struct kv_store *s = NULL;
    struct kv_cursor *c = NULL;
    char *dir = NULL;

    (void)state;
    assert_int_equal(dir_create_temporary("row-batch-test", &arena, &dir, NULL), ERR_OK);
    s = filled(env, dir, &arena, 100);
    for (size_t rows_max = 9; rows_max <= 12; rows_max++) {
        struct row_batch b = {.rows_max = rows_max, .size_max = SIZE_MAX};
        struct kv_items before;
        struct pieces pieces;
        bool more = false;

        pieces_init(&pieces, &arena);
        assert_int_equal(kv_cursor_open(s, &c, NULL), ERR_OK);
        assert_int_equal(kv_cursor_next(c, 10, SIZE_MAX, &arena, &before, NULL), ERR_OK);
        b.before = &before;
        assert_int_equal(row_batch_read(&b, &pieces, c, &more, NULL), ERR_OK);
        assert_true(more);
        check(&pieces, &arena, 0, rows_max);
        kv_cursor_close(c);
    }
    assert_int_equal(kv_store_close(s, NULL), ERR_OK);
    kv_env_free(env);
    assert_int_equal(path_remove_tree(dir, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_sizes),
        cmocka_unit_test(rows_before_those_of_the_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
