#include <stdlib.h>

#include "../../support/unit.h"
#include "base/crc32c.h"
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

/* ---- damage with a right checksum: written by a program with a mistake ---- */

struct node {
    uint8_t depth;
    const char *name;
    int32_t version;
};

/* A snapshot that announces `count` nodes, of which two follow, and `behind` more bytes. */
static struct bytes forge(uint32_t format, uint64_t count, const struct node nodes[2],
                          size_t behind)
{
    uint8_t *raw = mem_alloc(256);
    struct writer w = writer_of(raw, 256);

    writer_bytes(&w, bytes_str("EIDRSNAP"));
    writer_u32le(&w, format);
    writer_u64le(&w, 3);
    writer_u64le(&w, 77);
    writer_u64le(&w, count);
    for (size_t i = 0; i < 2; i++) {
        writer_u8(&w, nodes[i].depth);
        writer_u16le(&w, (uint16_t)strlen(nodes[i].name));
        writer_bytes(&w, bytes_str(nodes[i].name));
        writer_i32le(&w, nodes[i].version);
        writer_u32le(&w, 1);
        writer_u8(&w, 'd');
    }
    writer_zeros(&w, behind);
    writer_u32le(&w, crc32c(bytes_of(raw, w.len)));
    return bytes_of(raw, w.len);
}

static enum errcode decode(struct bytes file, struct error *e)
{
    struct snapshot_header header = {0};
    struct tree t;
    enum errcode code;

    tree_init(&t);
    code = snapshot_decode(file, &t, &header, e);
    assert_true(code == ERR_OK ? t.count == 2 && header.sequence == 77 : header.sequence == 0);
    tree_fini(&t);
    free((void *)(uintptr_t)file.data);
    return code;
}

static void refuses_nodes_that_no_tree_has(void **state)
{
    static const struct {
        struct node nodes[2];
        uint32_t format;
        uint64_t count;
        size_t behind;
        const char *why; /* NULL: right */
    } cases[] = {
        {{{1, "a", 0}, {2, "b", 4}}, 1, 2, 0, NULL},
        {{{1, "a", 0}, {1, "b", 4}}, 1, 2, 0, NULL},
        {{{1, "a", 0}, {2, "b", 4}}, 2, 2, 0, "snapshot format 2 is not known to this version"},
        {{{0, "a", 0}, {1, "b", 4}}, 1, 2, 0, "node 0 of the snapshot is malformed"},
        {{{2, "a", 0}, {1, "b", 4}}, 1, 2, 0, "node 0 of the snapshot is malformed"},
        {{{1, "a", 0}, {3, "b", 4}}, 1, 2, 0, "node 1 of the snapshot is malformed"},
        {{{1, "a", 0}, {STORE_DEPTH_MAX + 1, "b", 4}},
         1,
         2,
         0,
         "node 1 of the snapshot is malformed"},
        {{{1, "a", -1}, {2, "b", 4}}, 1, 2, 0, "node 0 of the snapshot is malformed"},
        {{{1, "b", 0}, {1, "a", 4}}, 1, 2, 0, "node 1 of the snapshot is malformed"},
        {{{1, "a", 0}, {1, "a", 4}}, 1, 2, 0, "node 1 of the snapshot is malformed"},
        {{{1, "a", 0}, {2, "b", 4}}, 1, 3, 0, "node 2 of the snapshot is malformed"},
        {{{1, "a", 0}, {2, "b", 4}}, 1, UINT64_MAX, 0, "node 2 of the snapshot is malformed"},
        {{{1, "a", 0}, {2, "b", 4}}, 1, 2, 5, "5 bytes behind the snapshot's last node"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error e = {0};
        enum errcode code =
            decode(forge(cases[i].format, cases[i].count, cases[i].nodes, cases[i].behind), &e);

        assert_int_equal(code, cases[i].why == NULL ? ERR_OK : ERR_CORRUPT_FILE);
        if (cases[i].why != NULL) {
            assert_string_equal(e.message, cases[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_was_saved),
        cmocka_unit_test(refuses_every_damage),
        cmocka_unit_test(refuses_nodes_that_no_tree_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
