#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/arrow_nodes.h"

static void check(const struct arrow_build_node *node, enum arrow_build_kind kind, uint32_t width,
                  uint32_t span)
{
    assert_int_equal(node->kind, kind);
    assert_int_equal(node->width, width);
    assert_int_equal(node->span, span);
}

static void nodes_are_depth_first(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_type(
        "ROW<`a` INT, `b` MAP<STRING NOT NULL, ARRAY<BOOLEAN>>, `c` ROW<`x` DATE, `y` BINARY(5)>>",
        &arena);
    struct arrow_nodes nodes = arrow_nodes_of(row, &arena);

    (void)state;
    assert_int_equal(nodes.count, 9);
    assert_int_equal(nodes.buffers, 2 + (2 + 1 + 3 + 2 + 2) + (1 + 2 + 2));
    check(&nodes.items[0], ARROW_BUILD_FIXED, 4, 1);
    check(&nodes.items[1], ARROW_BUILD_LIST, 0, 5);
    check(&nodes.items[2], ARROW_BUILD_STRUCT, 0, 4);
    check(&nodes.items[3], ARROW_BUILD_BYTES, 0, 1);
    check(&nodes.items[4], ARROW_BUILD_LIST, 0, 2);
    check(&nodes.items[5], ARROW_BUILD_BOOL, 0, 1);
    check(&nodes.items[6], ARROW_BUILD_STRUCT, 0, 3);
    check(&nodes.items[7], ARROW_BUILD_FIXED, 4, 1);
    check(&nodes.items[8], ARROW_BUILD_FIXED, 5, 1);
}

static void times_have_the_unit_of_their_precision(void **state)
{
    static const int32_t multiply[] = {1, 1, 1, 1, 1000, 1000, 1000, 1000000, 1000000, 1000000};

    (void)state;
    for (int32_t precision = 0; precision <= 9; precision++) {
        struct type type = {.root = TYPE_TIME, .precision = precision};

        assert_int_equal(arrow_unit(&type).multiply, multiply[precision]);
        assert_int_equal(arrow_unit(&type).divide, precision == 0 ? 1000 : 1);
        assert_int_equal(arrow_width(&type), precision <= 3 ? 4 : 8);
        type.root = TYPE_TIMESTAMP_LTZ;
        assert_int_equal(arrow_unit(&type).multiply, multiply[precision]);
        assert_int_equal(arrow_width(&type), 8);
        type.root = TYPE_DECIMAL;
        assert_int_equal(arrow_unit(&type).multiply, 1);
        assert_int_equal(arrow_unit(&type).divide, 1);
        assert_int_equal(arrow_width(&type), 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_depth_first),
        cmocka_unit_test(times_have_the_unit_of_their_precision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
