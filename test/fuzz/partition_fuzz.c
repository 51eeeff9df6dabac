/* Names of partitions, and the values in them as clients write them: a name that is cut into values is
 * those values joined, and a value that is understood has a text with the same value.
 *
 * Input: byte 0: the type, byte 1: its length or precision; then the text. */
#include "format/partition.h"
#include "format/partition_value.h"

#define VALUES_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct type *type, const char *text, struct arena *arena)
{
    struct row_value value = {.null = true};
    struct row_value again = {.null = true};
    const char *written = NULL;
    struct error e;

    if (partition_value(type, text, arena, &value, &e) != ERR_OK) {
        ASSERT(e.code == ERR_PARTITION_SPEC_INVALID);
        return;
    }
    ASSERT(!value.null);
    if (partition_value_text(type, &value, arena, &written, &e) != ERR_OK) {
        ASSERT(e.code == ERR_UNSUPPORTED_OPERATION);
        ASSERT(type->root == TYPE_FLOAT || type->root == TYPE_DOUBLE);
        return;
    }
    ASSERT(partition_value(type, written, arena, &again, &e) == ERR_OK);
    ASSERT(row_value_equal(type, &value, &again));
}

static void check_name(const char *name, size_t count, struct arena *arena)
{
    static const char *const keys[VALUES_MAX] = {"a", "b", "c"};
    struct text_pair pairs[VALUES_MAX];
    struct text_list values;
    struct text_list resolved;
    bool valid = true;

    if (partition_split_name(name, count, arena, &values, NULL) != ERR_OK) {
        return;
    }
    ASSERT(values.count == count && strcmp(partition_name(values, arena), name) == 0);
    for (size_t i = 0; i < count; i++) { /* in any order */
        pairs[count - 1 - i] = (struct text_pair){.key = keys[i], .value = values.items[i]};
        valid =
            valid && name_check(NAME_PARTITION_VALUE, bytes_str(values.items[i]), NULL) == ERR_OK;
    }
    if (partition_resolve((struct text_list){.items = keys, .count = count},
                          (struct text_map){.items = pairs, .count = count}, false, arena,
                          &resolved, NULL) == ERR_OK) {
        ASSERT(valid && strcmp(partition_name(resolved, arena), name) == 0);
        return;
    }
    ASSERT(!valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct type type;
    const char *text;

    if (size < 2) {
        return 0;
    }
    type =
        (struct type){.root = (enum type_root)(data[0] % TYPE_ARRAY), /* those without elements */
                      .length = 1 + data[1] % 32,
                      .precision = data[1] % 10};
    text = arena_strndup(&arena, data + 2, size - 2);
    check_value(&type, text, &arena);
    for (size_t count = 1; count <= VALUES_MAX; count++) {
        check_name(text, count, &arena);
    }
    return 0;
}
