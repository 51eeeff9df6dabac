#include "../../../src/replica/row_batch.h"
#include "../../support/store_ops.h"
#include "format/value_batch.h"

/* A store in memory with rows of keys 0 .. count - 1, two bytes each; a value has as many bytes as the
 * key says, and two. */
static struct kv_store *filled(struct kv_memory *memory, struct arena *arena, uint16_t count)
{
    struct kv_open_params params = {.dir = "here"};
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
    assert_int_equal(kv_memory_open(memory, &params, &s, NULL), ERR_OK);
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

static void rows_and_sizes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_memory *memory = kv_memory_new();
    struct kv_store *s = filled(memory, &arena, 6000);
    struct kv_cursor *c = NULL;
    struct pieces pieces;
    struct row_batch b;
    bool end = true;

    (void)state;
    assert_int_equal(kv_cursor_open(s, &c, NULL), ERR_OK);
    pieces_init(&pieces, &arena);
    row_batch_begin(&b, &pieces);
    assert_int_equal(row_batch_fill(&b, c, 10, SIZE_MAX, &end, NULL), ERR_OK);
    assert_int_equal(b.count, 10);
    assert_false(end);
    row_batch_add(&b, bytes_of(arena_zalloc(&arena, 12), 12)); /* as if it were the next */
    row_batch_end(&b);
    assert_int_equal(b.size, pieces.len);
    check(&pieces, &arena, 0, 11);

    pieces_init(&pieces, &arena);
    row_batch_begin(&b, &pieces);
    assert_int_equal(row_batch_fill(&b, c, SIZE_MAX, 100, &end, NULL), ERR_OK);
    row_batch_end(&b);
    check(&pieces, &arena, 10, b.count);
    assert_in_range(b.size, 80, 150);

    pieces_init(&pieces, &arena);
    row_batch_begin(&b, &pieces);
    assert_int_equal(row_batch_fill(&b, c, SIZE_MAX, SIZE_MAX, &end, NULL), ERR_OK);
    row_batch_end(&b);
    assert_true(end);
    assert_in_range(b.count, 5900, 5990);
    check(&pieces, &arena, 6000 - b.count, b.count);
    kv_cursor_close(c);
    assert_int_equal(kv_store_close(s, NULL), ERR_OK);
    kv_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
