#include "../../support/unit.h"
#include "meta/view_edit.h"

static struct meta_table *table(int64_t id, const char *database, const char *name)
{
    struct meta_table *t = view_table_new();

    t->id = id;
    t->database = database;
    t->name = name;
    return t;
}

static struct meta_database *database(const char *name, int64_t modified_ms)
{
    struct meta_database *d = view_database_new();

    d->name = name;
    d->modified_ms = modified_ms;
    return d;
}

static struct meta_partition *partition(int64_t id, const char *name)
{
    struct meta_partition *p = view_partition_new();

    p->id = id;
    p->name = name;
    return p;
}

static const struct meta_table *get(const struct meta_view *v, const char *db, const char *name)
{
    return meta_view_table(v, bytes_str(db), bytes_str(name));
}

static void finds_tables_by_path_and_id(void **state)
{
    OWNED(meta_view_unrefp) struct meta_view *v = view_edit(NULL);
    struct meta_tables tables;

    (void)state;
    view_put_table(v, table(7, "b", "x"));
    view_put_table(v, table(3, "a", "y"));
    view_put_table(v, table(9, "a", "x"));
    view_put_table(v, table(1, "ab", "x"));
    assert_int_equal(get(v, "a", "x")->id, 9);
    assert_int_equal(get(v, "ab", "x")->id, 1);
    assert_null(get(v, "a", "z"));
    assert_null(get(v, "c", "x"));
    assert_string_equal(meta_view_table_by_id(v, 3)->name, "y");
    assert_null(meta_view_table_by_id(v, 4));
    tables = meta_view_tables_of(v, bytes_str("a"));
    assert_int_equal(tables.count, 2);
    assert_string_equal(tables.items[0]->name, "x");
    assert_string_equal(tables.items[1]->name, "y");
    assert_int_equal(meta_view_tables_of(v, bytes_str("zz")).count, 0);
}

static void an_edited_copy_leaves_the_view_alone(void **state)
{
    OWNED(meta_view_unrefp) struct meta_view *old = view_edit(NULL);
    OWNED(meta_view_unrefp) struct meta_view *next = NULL;
    const struct meta_table *kept;

    (void)state;
    view_put_database(old, database("d", 1));
    view_put_database(old, database("c", 1));
    view_put_table(old, table(1, "d", "t"));
    view_put_table(old, table(2, "d", "u"));
    next = view_edit(old);
    assert_int_equal(next->version, old->version + 1);
    view_put_database(next, database("d", 2));
    view_remove_database(next, bytes_str("c"));
    view_remove_table(next, 1);
    view_put_table(next, table(5, "d", "t"));
    assert_int_equal(old->database_count, 2);
    assert_int_equal(meta_view_database(old, bytes_str("d"))->modified_ms, 1);
    assert_int_equal(meta_view_database(next, bytes_str("d"))->modified_ms, 2);
    assert_null(meta_view_database(next, bytes_str("c")));
    assert_int_equal(get(old, "d", "t")->id, 1);
    assert_int_equal(get(next, "d", "t")->id, 5);
    assert_ptr_equal(get(old, "d", "u"), get(next, "d", "u"));
    kept = meta_table_ref(get(old, "d", "t"));
    old = meta_view_unref(old);
    assert_string_equal(kept->name, "t");
    assert_null(meta_table_unref(kept));
}

static void shares_partitions_between_tables(void **state)
{
    OWNED(meta_view_unrefp) struct meta_view *v = view_edit(NULL);
    struct meta_partition *first[] = {partition(4, "b"), partition(2, "c"), partition(3, "a")};
    struct meta_partition *second[] = {partition(9, "ab")};
    const int64_t removed[] = {2};
    struct partitions_edit edit = {.added = first, .added_count = 3};
    struct meta_table *t = table(1, "d", "t");
    const struct meta_table *found = NULL;

    (void)state;
    t->partitions = view_partitions_new(NULL, &edit);
    view_put_table(v, t);
    assert_int_equal(meta_table_partition(t, bytes_str("b"))->id, 4);
    assert_string_equal(meta_table_partition_by_id(t, 3)->name, "a");
    edit = (struct partitions_edit){
        .removed = removed, .removed_count = 1, .added = second, .added_count = 1};
    view_put_table(v, view_table_with_partitions(t, view_partitions_new(t->partitions, &edit)));
    view_put_table(v, table(2, "d", "u"));
    assert_int_equal(get(v, "d", "t")->partitions->count, 3);
    assert_string_equal(get(v, "d", "t")->partitions->by_name[1]->name, "ab");
    assert_int_equal(get(v, "d", "t")->partitions->by_id[2]->id, 9);
    assert_null(meta_table_partition(get(v, "d", "t"), bytes_str("c")));
    assert_int_equal(meta_view_partition(v, 9, &found)->id, 9);
    assert_ptr_equal(found, get(v, "d", "t"));
    assert_null(meta_view_partition(v, 2, NULL));
    assert_null(meta_table_partition(get(v, "d", "u"), bytes_str("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_tables_by_path_and_id),
        cmocka_unit_test(an_edited_copy_leaves_the_view_alone),
        cmocka_unit_test(shares_partitions_between_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
