#include "../../support/unit.h"
#include "meta/store_tree.h"

static struct tree_op create(const char *path, const char *data)
{
    return (struct tree_op){.kind = STORE_CREATE, .path = bytes_str(path), .data = bytes_str(data)};
}

static struct tree_op change(enum store_op_kind kind, const char *path, const char *data)
{
    return (struct tree_op){.kind = kind,
                            .version = STORE_VERSION_ANY,
                            .path = bytes_str(path),
                            .data = bytes_str(data)};
}

static enum errcode apply(struct tree *t, struct tree_op op)
{
    struct tree_undo undo = {0};
    enum errcode code = tree_apply(t, &op, &undo, NULL);

    if (code == ERR_OK) {
        tree_commit(t, &undo);
    } else {
        tree_rollback(t, &undo);
    }
    return code;
}

static void creates_missing_parents_empty(void **state)
{
    struct tree t;

    (void)state;
    tree_init(&t);
    assert_int_equal(apply(&t, create("/a/b/c", "x")), ERR_OK);
    assert_int_equal(t.count, 3);
    assert_int_equal(tree_find(&t, bytes_str("/a/b"))->len, 0);
    assert_int_equal(tree_find(&t, bytes_str("/a/b/c"))->len, 1);
    assert_int_equal(tree_depth(tree_find(&t, bytes_str("/a/b/c"))), 3);
    assert_int_equal(apply(&t, create("/a/b", "")), ERR_OPERATION_NOT_ATTEMPTED);
    assert_null(tree_find(&t, bytes_str("/a/x")));
    tree_fini(&t);
}

static void counts_versions(void **state)
{
    struct tree t;
    struct tree_op op = change(STORE_SET, "/n", "v");

    (void)state;
    tree_init(&t);
    assert_int_equal(apply(&t, op), ERR_OPERATION_NOT_ATTEMPTED);
    assert_int_equal(apply(&t, create("/n", "")), ERR_OK);
    op.version = 1;
    assert_int_equal(apply(&t, op), ERR_OPERATION_NOT_ATTEMPTED);
    op.version = 0;
    assert_int_equal(apply(&t, op), ERR_OK);
    assert_int_equal(tree_find(&t, bytes_str("/n"))->version, 1);
    op.kind = STORE_CHECK;
    assert_int_equal(apply(&t, op), ERR_OPERATION_NOT_ATTEMPTED);
    op.version = 1;
    assert_int_equal(apply(&t, op), ERR_OK);
    op.kind = STORE_DELETE;
    assert_int_equal(apply(&t, op), ERR_OK);
    assert_int_equal(t.count, 0);
    tree_fini(&t);
}

static void deletes_children_only_when_asked(void **state)
{
    struct tree t;
    struct tree_op op = change(STORE_DELETE, "/a", "");
    size_t empty;

    (void)state;
    tree_init(&t);
    empty = t.bytes;
    assert_int_equal(apply(&t, create("/a/b/c", "x")), ERR_OK);
    assert_int_equal(apply(&t, create("/a/d", "x")), ERR_OK);
    assert_int_equal(apply(&t, op), ERR_OPERATION_NOT_ATTEMPTED);
    op.recursive = true;
    assert_int_equal(apply(&t, op), ERR_OK);
    assert_int_equal(t.count, 0);
    assert_int_equal(t.bytes, empty);
    tree_fini(&t);
}

static void refuses_malformed_paths(void **state)
{
    static const char *const bad[] = {
        "", "/", "a", "/a/", "//a", "/a//b", "/./a", "/a/..", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7"};
    struct tree t;

    (void)state;
    tree_init(&t);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(apply(&t, create(bad[i], "")), ERR_OPERATION_NOT_ATTEMPTED);
    }
    assert_int_equal(t.count, 0);
    tree_fini(&t);
}

/* Everything that can happen to a node, in one transaction that is taken back. */
static void rolls_back_in_reverse(void **state)
{
    struct tree t;
    struct tree_undo undo = {0};
    struct tree_op ops[7];
    const struct tree_node *n;
    size_t bytes;

    (void)state;
    tree_init(&t);
    assert_int_equal(apply(&t, create("/a/b", "old")), ERR_OK);
    assert_int_equal(apply(&t, create("/a/c", "keep")), ERR_OK);
    bytes = t.bytes;
    ops[0] = change(STORE_SET, "/a/b", "new");
    ops[1] = change(STORE_SET, "/a/b", "newer");
    ops[2] = create("/a/b/child/deep", "1");
    ops[3] = change(STORE_DELETE, "/a", "");
    ops[3].recursive = true;
    ops[4] = create("/a/b", "again");
    ops[5] = change(STORE_DELETE, "/a/b", "");
    ops[6] = create("/z", "");
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        assert_int_equal(tree_apply(&t, &ops[i], &undo, NULL), ERR_OK);
    }
    tree_rollback(&t, &undo);
    n = tree_find(&t, bytes_str("/a/b"));
    assert_non_null(n);
    assert_int_equal(n->version, 0);
    assert_memory_equal(n->data, "old", 3);
    assert_non_null(tree_find(&t, bytes_str("/a/c")));
    assert_null(tree_find(&t, bytes_str("/z")));
    assert_int_equal(t.count, 3);
    assert_int_equal(t.bytes, bytes);

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        assert_int_equal(tree_apply(&t, &ops[i], &undo, NULL), ERR_OK);
    }
    tree_commit(&t, &undo);
    assert_int_equal(t.count, 2); /* "/a", "/z" */
    tree_fini(&t);
}

static void walks_in_name_order(void **state)
{
    static const char *const order[] = {"a", "b", "x", "y", "c"};
    struct tree t;
    size_t i = 0;

    (void)state;
    tree_init(&t);
    assert_int_equal(apply(&t, create("/c", "")), ERR_OK);
    assert_int_equal(apply(&t, create("/b/y", "")), ERR_OK);
    assert_int_equal(apply(&t, create("/a", "")), ERR_OK);
    assert_int_equal(apply(&t, create("/b/x", "")), ERR_OK);
    for (struct tree_node *n = tree_next(&t, t.root); n != NULL; n = tree_next(&t, n)) {
        assert_string_equal(n->name, order[i++]);
    }
    assert_int_equal(i, ARRAY_LEN(order));
    tree_fini(&t);
}

static void appends_only_in_order(void **state)
{
    struct tree t;

    (void)state;
    tree_init(&t);
    assert_non_null(tree_append(&t, t.root, bytes_str("b"), BYTES_EMPTY, 3));
    assert_null(tree_append(&t, t.root, bytes_str("b"), BYTES_EMPTY, 0));
    assert_null(tree_append(&t, t.root, bytes_str("a"), BYTES_EMPTY, 0));
    assert_null(tree_append(&t, t.root, bytes_str("c/d"), BYTES_EMPTY, 0));
    assert_non_null(tree_append(&t, t.root, bytes_str("c"), BYTES_EMPTY, 0));
    assert_int_equal(tree_find(&t, bytes_str("/b"))->version, 3);
    tree_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_missing_parents_empty),
        cmocka_unit_test(counts_versions),
        cmocka_unit_test(deletes_children_only_when_asked),
        cmocka_unit_test(refuses_malformed_paths),
        cmocka_unit_test(rolls_back_in_reverse),
        cmocka_unit_test(walks_in_name_order),
        cmocka_unit_test(appends_only_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
