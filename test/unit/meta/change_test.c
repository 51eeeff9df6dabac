#include "world.h"

static void a_change_that_is_not_committed_is_nothing(void **state)
{
    struct world *w = *state;
    struct znode_database d = {.created_ms = 1, .modified_ms = 1};
    struct meta_view *before = meta_current(w->meta);
    struct change c;

    change_begin(w->meta, &c);
    assert_int_equal(change_table_id(&c), 0);
    assert_int_equal(change_table_id(&c), 1);
    view_put_database(c.view, load_database("d", &d));
    change_fini(&c);
    assert_ptr_equal(meta_current(w->meta), before);
    assert_int_equal(w->meta->table_id_next, 0);
    assert_int_equal(w->published, 0);
}

static void a_change_the_store_refuses_is_nothing(void **state)
{
    struct world *w = *state;
    struct meta_view *before = meta_current(w->meta);
    struct error e = {0};
    struct change c;

    change_begin(w->meta, &c);
    assert_int_equal(change_partition_id(&c), 0);
    store_batch_create(&c.batch, "/metadata/databases/fluss", BYTES_EMPTY);
    assert_int_equal(change_commit(&c, &e), ERR_OPERATION_NOT_ATTEMPTED);
    change_fini(&c);
    assert_ptr_equal(meta_current(w->meta), before);
    assert_int_equal(w->meta->partition_id_next, 0);
    assert_int_equal(w->published, 0);
}

static void takes_only_texts(void **state)
{
    struct world *w = *state;
    const char *text = NULL;

    assert_int_equal(
        text_take(bytes_str("gr\xc3\xbcn"), "it", ERR_INVALID_TABLE, &w->arena, &text, NULL),
        ERR_OK);
    assert_string_equal(text, "gr\xc3\xbcn");
    assert_int_equal(text_take(BYTES_EMPTY, "it", ERR_INVALID_TABLE, &w->arena, &text, NULL),
                     ERR_OK);
    assert_string_equal(text, "");
    assert_int_equal(
        text_take(bytes_of("a\0b", 3), "it", ERR_INVALID_TABLE, &w->arena, &text, NULL),
        ERR_INVALID_TABLE);
    assert_int_equal(text_take(bytes_str("\xc3"), "it", ERR_INVALID_CONFIG, &w->arena, &text, NULL),
                     ERR_INVALID_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_change_that_is_not_committed_is_nothing),
        WORLD_TEST(a_change_the_store_refuses_is_nothing),
        WORLD_TEST(takes_only_texts),
    };

    return RUN_TESTS(tests);
}
