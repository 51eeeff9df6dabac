#include <stdlib.h>

#include "../../support/unit.h"
#include "meta/store_snapshot.h"

static void fill(struct tree *t)
{
    struct tree_node *a;

    tree_init(t);
    a = tree_append(t, t->root, bytes_str("a"), bytes_str("one"), 4);
    (void)tree_append(t, tree_append(t, a, bytes_str("x"), BYTES_EMPTY, 0), bytes_str("y"),
                      bytes_str("deep"), 1);
    (void)tree_append(t, t->root, bytes_str("b"), BYTES_EMPTY, 0);
}

static struct bytes encode(void)
{
    struct snapshot_header header = {.generation = 3, .sequence = 77};
    struct tree t;
    struct bytes file;

    fill(&t);
    file = snapshot_encode(&t, &header);
    tree_fini(&t);
    return file;
}

static void loads_what_was_saved(void **state)
{
    struct snapshot_header header;
    struct bytes file = encode();
    struct bytes again;
    struct tree t;

    (void)state;
    tree_init(&t);
    assert_int_equal(snapshot_decode(file, &t, &header, NULL), ERR_OK);
    assert_int_equal(header.generation, 3);
    assert_int_equal(header.sequence, 77);
    assert_int_equal(t.count, 4);
    assert_int_equal(tree_find(&t, bytes_str("/a"))->version, 4);
    assert_memory_equal(tree_find(&t, bytes_str("/a/x/y"))->data, "deep", 4);
    again = snapshot_encode(&t, &header);
    assert_true(bytes_equal(file, again));
    tree_fini(&t);
    free((void *)(uintptr_t)file.data);
    free((void *)(uintptr_t)again.data);
}

static void refuses_every_damage(void **state)
{
    struct snapshot_header header;
    struct bytes file = encode();
    uint8_t *raw = (uint8_t *)(uintptr_t)file.data;
    struct tree t;

    (void)state;
    for (size_t i = 0; i < file.len; i++) {
        raw[i] ^= 0x10;
        tree_init(&t);
        assert_int_equal(snapshot_decode(file, &t, &header, NULL), ERR_CORRUPT_FILE);
        tree_fini(&t);
        raw[i] ^= 0x10;
        tree_init(&t);
        assert_int_equal(snapshot_decode(bytes_of(raw, i), &t, &header, NULL), ERR_CORRUPT_FILE);
        tree_fini(&t);
    }
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_was_saved),
        cmocka_unit_test(refuses_every_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
