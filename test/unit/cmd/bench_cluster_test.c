#include "toy.h"

#include "cmd/bench_cluster.h"
#include "cmd/bench_rows.h"

static void test_table_comes_and_goes(void **state)
{
    char line[] = "produce --buckets 3 --connections 2";
    struct toy *t = *state;
    struct bench_options options = toy_options(t, line);
    OWNED(cluster_close) struct bench_cluster c = {0};
    OWNED(links_close) struct bench_links links = {0};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes descriptor;
    int64_t writer_id = 0;

    assert_int_equal(bench_descriptor(&options, &arena, &descriptor, NULL), ERR_OK);
    assert_int_equal(cluster_open(&c, &options, NULL), ERR_OK);
    assert_int_equal(c.tablet_count, 1);
    assert_int_equal(c.tablets[0].id, 5);
    assert_int_equal(cluster_create_table(&c, descriptor, NULL), ERR_OK);
    assert_int_equal(c.table_id, TOY_TABLE_ID);
    assert_int_equal(c.bucket_count, 3);
    assert_int_equal(links_open(&links, &c, NULL), ERR_OK);
    assert_int_equal(links.count, 2);
    assert_int_equal(links_of(&links, &c, 0, 0), 0);
    assert_int_equal(links_of(&links, &c, 2, 1), 1);
    assert_int_equal(links_of(&links, &c, 2, 2), 0);
    assert_int_equal(cluster_new_writer(&c, links.clients[0], &writer_id, NULL), ERR_OK);
    assert_int_equal(writer_id, TOY_WRITER_ID);
    assert_int_equal(cluster_drop_table(&c, NULL), ERR_OK);
    assert_int_equal(t->bucket_count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_table_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
