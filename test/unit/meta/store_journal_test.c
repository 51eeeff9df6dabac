#include "../../support/unit.h"
#include "meta/store_journal.h"

static const struct store_op sample[] = {
    {.kind = STORE_CREATE, .path = "/a/b", .data = {(const uint8_t *)"data", 4}},
    {.kind = STORE_CHECK, .path = "/never/written", .version = 3},
    {.kind = STORE_SET, .path = "/a", .version = STORE_VERSION_ANY},
    {.kind = STORE_DELETE, .path = "/c", .version = 7, .recursive = true},
};

/* A journal of two records in the arena. */
static struct bytes journal(struct arena *arena, size_t *ret_first)
{
    struct journal_header header = {.generation = 5, .sequence = 9};
    struct writer w;
    size_t size = 0;

    assert_true(journal_record_size(sample, ARRAY_LEN(sample), &size));
    w = writer_of(arena_alloc(arena, JOURNAL_HEADER_SIZE + size + JOURNAL_RECORD_MIN),
                  JOURNAL_HEADER_SIZE + size + JOURNAL_RECORD_MIN);
    journal_header_encode(&header, writer_room(&w, JOURNAL_HEADER_SIZE));
    journal_record_encode(10, sample, ARRAY_LEN(sample), &w);
    *ret_first = w.len;
    journal_record_encode(11, NULL, 0, &w);
    assert_int_equal(w.len, w.cap);
    return bytes_of(w.data, w.len);
}

static void reads_what_was_written(void **state)
{
    struct arena arena = ARENA_INIT;
    size_t first;
    struct bytes file = journal(&arena, &first);
    struct journal_cursor c = {.file = file, .position = JOURNAL_HEADER_SIZE};
    struct journal_header header;
    struct journal_record r;
    struct tree_op op;

    (void)state;
    assert_int_equal(journal_header_decode(file, &header, NULL), ERR_OK);
    assert_int_equal(header.generation, 5);
    assert_int_equal(header.sequence, 9);
    assert_int_equal(journal_next(&c, &r), JOURNAL_RECORD);
    assert_int_equal(r.sequence, 10);
    assert_int_equal(r.op_count, 3);
    assert_true(journal_record_op(&r, &op));
    assert_int_equal(op.kind, STORE_CREATE);
    assert_true(bytes_equal_str(op.path, "/a/b"));
    assert_true(bytes_equal_str(op.data, "data"));
    assert_true(journal_record_op(&r, &op));
    assert_int_equal(op.kind, STORE_SET);
    assert_int_equal(op.version, STORE_VERSION_ANY);
    assert_true(journal_record_op(&r, &op));
    assert_int_equal(op.kind, STORE_DELETE);
    assert_true(op.recursive);
    assert_int_equal(op.version, 7);
    assert_false(journal_record_op(&r, &op));
    assert_int_equal(journal_next(&c, &r), JOURNAL_RECORD);
    assert_int_equal(r.op_count, 0);
    assert_int_equal(journal_next(&c, &r), JOURNAL_END);
    arena_fini(&arena);
}

static void notices_every_flipped_bit(void **state)
{
    struct arena arena = ARENA_INIT;
    size_t first;
    struct bytes file = journal(&arena, &first);
    struct journal_header header;
    struct journal_record r;

    (void)state;
    for (size_t bit = 0; bit < first * 8; bit++) {
        struct bytes copy = arena_copy(&arena, file);
        struct journal_cursor c = {.file = copy, .position = JOURNAL_HEADER_SIZE};

        ((uint8_t *)(uintptr_t)copy.data)[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (bit / 8 < JOURNAL_HEADER_SIZE) {
            assert_int_equal(journal_header_decode(copy, &header, NULL), ERR_CORRUPT_FILE);
        } else {
            assert_int_equal(journal_next(&c, &r), JOURNAL_DAMAGED);
            assert_int_equal(c.position, JOURNAL_HEADER_SIZE);
        }
    }
    arena_fini(&arena);
}

static void finds_records_behind_damage(void **state)
{
    struct arena arena = ARENA_INIT;
    size_t first;
    struct bytes file = journal(&arena, &first);

    (void)state;
    assert_true(journal_has_record(file, 0));
    assert_true(journal_has_record(file, 10));
    assert_false(journal_has_record(file, 11));
    assert_true(journal_has_record(
        bytes_slice(file, JOURNAL_HEADER_SIZE + 1, file.len - JOURNAL_HEADER_SIZE - 1), 10));
    assert_false(journal_has_record(bytes_slice(file, 0, file.len - 1), 10));
    assert_false(journal_has_record(BYTES_EMPTY, 0));
    arena_fini(&arena);
}

static void refuses_oversized_transactions(void **state)
{
    struct store_op op = {.kind = STORE_CREATE, .path = "/a"};
    struct store_op many[5];
    size_t size;

    (void)state;
    op.data = (struct bytes){.data = (const uint8_t *)"", .len = STORE_DATA_MAX + 1};
    assert_false(journal_record_size(&op, 1, &size));
    op.data.len = STORE_DATA_MAX;
    assert_true(journal_record_size(&op, 1, &size));
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = op;
    }
    assert_false(journal_record_size(many, ARRAY_LEN(many), &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(notices_every_flipped_bit),
        cmocka_unit_test(finds_records_behind_damage),
        cmocka_unit_test(refuses_oversized_transactions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
