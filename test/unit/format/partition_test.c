#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/partition.h"

static const char *const key_items[] = {"region", "day"};
static const struct text_list keys = {.items = key_items, .count = 2};

#define SPEC(...)                                                                                  \
    ((struct text_map){.items = (const struct text_pair[]){__VA_ARGS__},                           \
                       .count = sizeof((const struct text_pair[]){__VA_ARGS__}) /                  \
                                sizeof(struct text_pair)})

static void specs_resolve_in_key_order(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list values = {0};

    (void)state;
    assert_int_equal(partition_resolve(keys, SPEC({"day", "20260822"}, {"region", "eu"}), true,
                                       &arena, &values, NULL),
                     ERR_OK);
    assert_string_equal(partition_name(values, &arena), "eu$20260822");
    assert_string_equal(partition_qualified_name(keys, values, &arena), "region=eu/day=20260822");
    assert_true(partition_matches(keys, values, SPEC({"day", "20260822"})));
    assert_false(partition_matches(keys, values, SPEC({"day", "20260823"})));
    assert_true(partition_matches(keys, values, (struct text_map){0}));
}

static void refuses_specs_of_other_keys(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list values = {0};
    struct error e;

    (void)state;
    assert_int_equal(partition_resolve(keys, SPEC({"day", "1"}), true, &arena, &values, &e),
                     ERR_PARTITION_SPEC_INVALID);
    assert_string_equal(e.message, "the partition spec has 1 keys, the table has the 2 partition "
                                   "keys [region, day]");
    assert_int_equal(
        partition_resolve(keys, SPEC({"day", "1"}, {"x", "2"}), true, &arena, &values, &e),
        ERR_PARTITION_SPEC_INVALID);
    assert_string_equal(e.message, "the partition spec has no value for the key 'region'");
    assert_int_equal(
        partition_resolve(keys, SPEC({"day", "a/b"}, {"region", "eu"}), true, &arena, &values, &e),
        ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(
        partition_resolve(keys, SPEC({"day", "__1"}, {"region", "eu"}), true, &arena, &values, &e),
        ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(
        partition_resolve(keys, SPEC({"day", "__1"}, {"region", "eu"}), false, &arena, &values, &e),
        ERR_OK);
    assert_int_equal(partition_check_partial(keys, SPEC({"day", "1"}), &e), ERR_OK);
    assert_int_equal(partition_check_partial(keys, SPEC({"x", "1"}), &e),
                     ERR_PARTITION_SPEC_INVALID);
}

static void names_split_again(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list values = {0};

    (void)state;
    assert_int_equal(partition_split_name("eu$1$x", 3, &arena, &values, NULL), ERR_OK);
    assert_string_equal(values.items[0], "eu");
    assert_string_equal(values.items[2], "x");
    assert_int_equal(partition_split_name("eu", 1, &arena, &values, NULL), ERR_OK);
    assert_int_equal(partition_split_name("eu$1", 1, &arena, &values, NULL),
                     ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(partition_split_name("eu", 2, &arena, &values, NULL),
                     ERR_PARTITION_SPEC_INVALID);
}

static struct text_list texts_of(const json_t *array, struct arena *arena)
{
    const char **items = arena_array(arena, json_array_size(array), sizeof *items);

    for (size_t i = 0; i < json_array_size(array); i++) {
        items[i] = json_string_value(json_array_get(array, i));
    }
    return (struct text_list){.items = items, .count = json_array_size(array)};
}

static void agrees_with_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("partition_names.json");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t seen = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        const char *value = json_string_value(json_object_get(one, "partition_value"));

        if (value != NULL) { /* the text of a typed value must be a legal one */
            assert_int_equal(name_check(NAME_NEW_PARTITION_VALUE, bytes_str(value), NULL), ERR_OK);
        }
        if (json_object_get(one, "partition_name") != NULL) {
            struct text_list values = texts_of(vectors_get(one, "values"), &arena);

            assert_string_equal(partition_name(values, &arena),
                                vectors_text(one, "partition_name"));
            seen++;
        }
    }
    assert_int_equal(seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_resolve_in_key_order),
        cmocka_unit_test(refuses_specs_of_other_keys),
        cmocka_unit_test(names_split_again),
        cmocka_unit_test(agrees_with_the_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
