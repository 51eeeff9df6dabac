#include "../../../src/replica/bucket.h"
#include "../../support/store_ops.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

static void assert_dir(struct store *s, struct bucket_id id, const char *expected)
{
    OWNED(mem_freep) char *dir = place_dir(meta_current(s->meta), "data", &id);

    if (expected == NULL) {
        assert_null(dir);
    } else {
        assert_string_equal(dir, expected);
    }
}

static void plain_tables(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "orders", STORE_PLAIN);
    const struct meta_view *v = meta_current(s->meta);

    for (int32_t i = -1; i <= 4; i++) {
        struct bucket_id id = bucket_of(table, i);

        assert_true((place_table(v, &id) != NULL) == (i >= 0 && i < 4));
    }
    assert_dir(s, bucket_of(table, 3),
               arena_printf(&s->arena, "data/fluss/orders-%lld/log-3", (long long)table));
    assert_dir(s, bucket_of(table + 1, 0), NULL);
    assert_dir(s, (struct bucket_id){.table_id = table, .partition_id = 0}, NULL);
}

static void partitioned_tables(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "days", STORE_TABLE("\"b\"", "2", ""));
    int64_t partition = store_create_partition(s, "days", "monday");
    struct bucket_id id = {.table_id = table, .partition_id = partition, .bucket = 1};
    struct bucket_id outside = {.table_id = table, .partition_id = partition, .bucket = 2};

    assert_string_equal(place_table(meta_current(s->meta), &id)->name, "days");
    assert_null(place_table(meta_current(s->meta), &outside));
    assert_dir(s, id,
               arena_printf(&s->arena, "data/fluss/days-%lld/monday-p%lld/log-1", (long long)table,
                            (long long)partition));
    id.partition_id++;
    assert_dir(s, id, NULL);
    assert_dir(s, bucket_of(table, 0), NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_tables),
        TEST(partitioned_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
