#include "../../../src/service/predicate.h"
#include "../../support/node.h"

/* A catalog with tables of columns a INT (id 0), b STRING (1), c BIGINT (2), and one of all types. */
struct rig {
    struct test_node *node;
    struct meta_view *view;
    int64_t table;
    int64_t typed;
    struct arena arena;
};

#define COLUMN(name, id, type) "{\"name\":\"" name "\",\"data_type\":{" type "},\"id\":" id "}"
#define TYPED_TABLE                                                                                                                                                                                                                          \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":[" COLUMN("x0", "0", "\"type\":\"BOOLEAN\"") "," COLUMN("x1", "1", "\"type\":\"TINYINT\"") "," COLUMN(                                                                             \
        "x2", "2",                                                                                                                                                                                                                           \
        "\"type\":\"FLOAT\"") "," COLUMN("x3", "3",                                                                                                                                                                                          \
                                         "\"type\":\"DOUBLE\"") "," COLUMN("x4", "4",                                                                                                                                                        \
                                                                           "\"type\":\"DECIMAL\","                                                                                                                                           \
                                                                           "\"precision\":25,"                                                                                                                                               \
                                                                           "\"scale\":"                                                                                                                                                      \
                                                                           "2") "," COLUMN("x5",                                                                                                                                             \
                                                                                           "5",                                                                                                                                              \
                                                                                           "\"typ"                                                                                                                                           \
                                                                                           "e\":"                                                                                                                                            \
                                                                                           "\"DAT"                                                                                                                                           \
                                                                                           "E\"") "," COLUMN("x"                                                                                                                             \
                                                                                                             "6",                                                                                                                            \
                                                                                                             "6",                                                                                                                            \
                                                                                                             "\"type"                                                                                                                        \
                                                                                                             "\":"                                                                                                                           \
                                                                                                             "\"TIME"                                                                                                                        \
                                                                                                             "STAMP_"                                                                                                                        \
                                                                                                             "WITHOU"                                                                                                                        \
                                                                                                             "T_"                                                                                                                            \
                                                                                                             "TIME_"                                                                                                                         \
                                                                                                             "ZONE\""                                                                                                                        \
                                                                                                             ",\"pre"                                                                                                                        \
                                                                                                             "cision"                                                                                                                        \
                                                                                                             "\":6") "," COLUMN("x7",                                                                                                        \
                                                                                                                                "7",                                                                                                         \
                                                                                                                                "\"type\":\"BYTES\"") "],\"highest_field_id\":7},\"partition_key\":[],\"bucket_count\":1,\"properties\":{}," \
                                                                                                                                                      "\"custom_properties\":{}}"

static int setup(void **state)
{
    struct rig *r = mem_new(struct rig);

    r->node = node_new(1);
    r->table = store_create_table(r->node->store, "t", STORE_PLAIN);
    r->typed = store_create_table(r->node->store, "typed", TYPED_TABLE);
    r->view = meta_view_ref(meta_current(r->node->store->meta));
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    r->view = meta_view_unref(r->view);
    node_free(r->node);
    arena_fini(&r->arena);
    free(r);
    return 0;
}

static const struct filter *build(struct rig *r, const struct msg_pb_predicate *p)
{
    return predicate_build(r->view, r->table, 1, p, &r->arena);
}

static void leaves_are_resolved_against_the_schema(void **state)
{
    struct rig *r = *state;
    struct msg_pb_literal_value literal = {
        .literal_type = 4, .has_bigint_value = true, .bigint_value = -7};
    struct msg_pb_leaf_predicate leaf = {
        .function = 3, .field_id = 2, .literals = &literal, .literals_count = 1};
    struct msg_pb_predicate p = {.leaf = &leaf};
    const struct filter *f = build(r, &p);

    assert_non_null(f);
    assert_int_equal(f->kind, FILTER_LEAF);
    assert_int_equal(f->function, FILTER_LESS_OR_EQUAL);
    assert_int_equal(f->column, 2);
    assert_int_equal(f->type->root, TYPE_BIGINT);
    assert_int_equal(f->literal_count, 1);
    assert_int_equal(f->literals[0].integer, -7);
    literal.is_null = true;
    assert_int_equal(build(r, &p)->literals[0].kind, VALUE_NULL);
}

static void what_makes_no_sense_is_no_filter(void **state)
{
    static const struct {
        struct msg_pb_leaf_predicate leaf;
        struct msg_pb_literal_value literal;
    } table[] = {
        {{.field_id = 9}, {.literal_type = 3, .has_int_value = true}},
        {{.field_id = -1}, {.literal_type = 3, .has_int_value = true}},
        {{.function = 13}, {.literal_type = 3, .has_int_value = true}},
        {{.function = -1}, {.literal_type = 3, .has_int_value = true}},
        {{.field_id = 0}, {.literal_type = 4, .has_bigint_value = true}}, /* another type */
        {{.field_id = 0}, {.literal_type = 3, .has_bigint_value = true}}, /* no value */
        {{.field_id = 0}, {.literal_type = 16, .has_int_value = true}},
        {{.field_id = 0}, {.literal_type = -1, .has_int_value = true}},
        {{.field_id = 0}, {.literal_type = INT32_MIN, .is_null = true}},
    };
    struct rig *r = *state;
    struct msg_pb_predicate p = {0};

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct msg_pb_literal_value literal = table[i].literal;
        struct msg_pb_leaf_predicate leaf = table[i].leaf;

        leaf.literals = &literal;
        leaf.literals_count = 1;
        p.leaf = &leaf;
        assert_null(build(r, &p));
    }
    p.leaf = NULL;
    assert_null(build(r, &p));
    p.type = 1;
    assert_null(build(r, &p));
    p.type = 2;
    assert_null(build(r, &p));
}

static void unknown_tables_and_schemas_have_no_filter(void **state)
{
    struct rig *r = *state;
    struct msg_pb_leaf_predicate leaf = {.function = 6};
    struct msg_pb_predicate p = {.leaf = &leaf};

    assert_non_null(predicate_build(r->view, r->table, 1, &p, &r->arena));
    assert_null(predicate_build(r->view, r->table, 2, &p, &r->arena));
    assert_null(predicate_build(r->view, r->table, INT32_MAX, &p, &r->arena));
    assert_null(predicate_build(r->view, 999, 1, &p, &r->arena));
}

static void compounds_nest_to_a_limit(void **state)
{
    struct rig *r = *state;
    struct msg_pb_leaf_predicate leaf = {.function = 7, .field_id = 1};
    struct msg_pb_predicate inner = {.leaf = &leaf};

    for (int depth = 1; depth <= FILTER_DEPTH_MAX + 1; depth++) {
        struct msg_pb_compound_predicate *c =
            arena_new(&r->arena, struct msg_pb_compound_predicate);
        struct msg_pb_predicate *children = arena_array(&r->arena, 2, sizeof *children);
        const struct filter *f;

        children[0] = inner;
        children[1] = (struct msg_pb_predicate){.leaf = &leaf};
        *c = (struct msg_pb_compound_predicate){
            .function = depth % 2, .children = children, .children_count = 2};
        inner = (struct msg_pb_predicate){.type = 1, .compound = c};
        f = build(r, &inner);
        assert_int_equal(f != NULL, depth <= FILTER_DEPTH_MAX);
        if (f != NULL) {
            assert_int_equal(f->kind, depth % 2 == 0 ? FILTER_AND : FILTER_OR);
            assert_int_equal(f->child_count, 2);
            assert_int_equal(f->children[1].column, 1);
        }
    }
    inner.compound->function = 2;
    assert_null(build(r, &inner));
}

static void literals_of_every_type(void **state)
{
    struct rig *r = *state;
    const struct {
        int32_t field;
        struct msg_pb_literal_value literal;
        struct value value;
    } table[] = {
        {0,
         {.literal_type = 0, .has_boolean_value = true, .boolean_value = true},
         {.kind = VALUE_INT, .integer = 1}},
        {1,
         {.literal_type = 1, .has_int_value = true, .int_value = -3},
         {.kind = VALUE_INT, .integer = -3}},
        {2,
         {.literal_type = 5, .has_float_value = true, .float_value = 1.5f},
         {.kind = VALUE_REAL, .real = 1.5}},
        {3,
         {.literal_type = 6, .has_double_value = true, .double_value = -2.5},
         {.kind = VALUE_REAL, .real = -2.5}},
        {4,
         {.literal_type = 9, .has_decimal_value = true, .decimal_value = 12},
         {.kind = VALUE_DECIMAL, .unscaled = 12}},
        {4,
         {.literal_type = 9, .has_decimal_bytes = true, .decimal_bytes = bytes_str("\xff\x38")},
         {.kind = VALUE_DECIMAL, .unscaled = -200}},
        {5,
         {.literal_type = 10, .has_bigint_value = true, .bigint_value = 20000},
         {.kind = VALUE_INT, .integer = 20000}},
        {6,
         {.literal_type = 12,
          .has_timestamp_millis_value = true,
          .timestamp_millis_value = 5,
          .timestamp_nano_of_millis_value = 7},
         {.kind = VALUE_TIMESTAMP, .timestamp = {.millis = 5, .nanos = 7}}},
        {7,
         {.literal_type = 14, .has_binary_value = true, .binary_value = bytes_str("ab")},
         {.kind = VALUE_BYTES, .bytes = bytes_str("ab")}},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct msg_pb_literal_value literal = table[i].literal;
        struct msg_pb_leaf_predicate leaf = {
            .field_id = table[i].field, .literals = &literal, .literals_count = 1};
        struct msg_pb_predicate p = {.leaf = &leaf};
        const struct filter *f = predicate_build(r->view, r->typed, 1, &p, &r->arena);

        assert_non_null(f);
        assert_int_equal(f->literals[0].kind, table[i].value.kind);
        assert_int_equal(value_compare(&f->literals[0], &table[i].value), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaves_are_resolved_against_the_schema),
        TEST(what_makes_no_sense_is_no_filter),
        TEST(unknown_tables_and_schemas_have_no_filter),
        TEST(compounds_nest_to_a_limit),
        TEST(literals_of_every_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
