#include <stdlib.h>

#include "../../support/dies.h"
#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/arrow_build.h"
#include "format/batch.h"

static const struct arrow_build_codec none = {.kind = ARROW_CODEC_NONE};

/* ---- against the Java writer: every case whose columns are INT, BIGINT and STRING ---- */

static bool node_of(const char *type, struct arrow_build_node *ret)
{
    if (strncmp(type, "INT", 3) == 0) {
        *ret = (struct arrow_build_node){.kind = ARROW_BUILD_FIXED, .width = 4, .span = 1};
    } else if (strncmp(type, "BIGINT", 6) == 0) {
        *ret = (struct arrow_build_node){.kind = ARROW_BUILD_FIXED, .width = 8, .span = 1};
    } else if (strncmp(type, "STRING", 6) == 0) {
        *ret = (struct arrow_build_node){.kind = ARROW_BUILD_BYTES, .span = 1};
    } else {
        return false;
    }
    return true;
}

static void append(struct arrow_builder *b, size_t node, const struct arrow_build_node *spec,
                   const json_t *value)
{
    if (json_is_null(value)) {
        arrow_builder_null(b, node);
    } else if (spec->kind == ARROW_BUILD_BYTES) {
        arrow_builder_bytes(b, node, bytes_str(json_string_value(value)));
    } else if (spec->width == 4) {
        arrow_builder_i32(b, node, (int32_t)json_integer_value(value));
    } else {
        arrow_builder_i64(b, node, json_integer_value(value));
    }
}

static struct arrow_build_codec codec_of(const json_t *one, struct codec *codec)
{
    const char *name = vectors_text(one, "compression");

    return (struct arrow_build_codec){.codec = codec,
                                      .kind = strcmp(name, "NONE") == 0     ? ARROW_CODEC_NONE
                                              : strcmp(name, "ZSTD-3") == 0 ? ARROW_CODEC_ZSTD
                                                                            : ARROW_CODEC_LZ4_FRAME,
                                      .level = 3};
}

/* false: the case has other types, no rows, or another level of compression. */
static bool check_case(const json_t *one, struct codec *codec, struct arena *arena)
{
    json_t *schema = vectors_get(one, "schema");
    json_t *records = vectors_get(one, "records");
    struct bytes expected = vectors_hex(one, "hex", arena);
    struct arrow_build_codec build = codec_of(one, codec);
    struct arrow_build_node nodes[16];
    struct batch_header header;
    struct bytes message;
    struct arrow_builder *b;
    size_t skip;

    for (size_t i = 0; i < json_array_size(schema); i++) {
        if (i == 16 || !node_of(vectors_text(json_array_get(schema, i), "type"), &nodes[i])) {
            return false;
        }
    }
    if (json_array_size(records) == 0) {
        return false;
    }
    b = arrow_builder_new(nodes, json_array_size(schema));
    for (size_t r = 0; r < json_array_size(records); r++) {
        json_t *row = vectors_get(json_array_get(records, r), "row");

        for (size_t i = 0; i < json_array_size(schema); i++) {
            append(b, i, &nodes[i], json_array_get(row, i));
        }
    }
    assert_int_equal(arrow_builder_finish(b, &build, arena, &message, NULL), ERR_OK);
    assert_int_equal(batch_parse(expected, &header, NULL), ERR_OK);
    expected = batch_body(&header, expected);
    skip = batch_append_only(&header) ? 0 : (size_t)header.record_count; /* change types */
    vectors_assert_equal(vectors_text(one, "name"), message,
                         bytes_slice(expected, skip, expected.len - skip));
    arrow_builder_free(b);
    return true;
}

static void test_same_bytes_as_java(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_arrow.json");
    OWNED(codec_freep) struct codec *codec = codec_new();
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int checked = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document) { checked += check_case(one, codec, &arena) ? 1 : 0; }
    assert_true(checked >= 20);
}

/* ---- every kind, nested ---- */

/* flag BOOL, tags LIST<BYTES>, place STRUCT<name BYTES, spots LIST<FIXED 2>> */
enum { FLAG, TAGS, TAG, PLACE, NAME, SPOTS, SPOT, NODES };

static const struct arrow_build_node nested[NODES] = {
    [FLAG] = {.kind = ARROW_BUILD_BOOL, .span = 1},
    [TAGS] = {.kind = ARROW_BUILD_LIST, .span = 2},
    [TAG] = {.kind = ARROW_BUILD_BYTES, .span = 1},
    [PLACE] = {.kind = ARROW_BUILD_STRUCT, .span = 4},
    [NAME] = {.kind = ARROW_BUILD_BYTES, .span = 1},
    [SPOTS] = {.kind = ARROW_BUILD_LIST, .span = 2},
    [SPOT] = {.kind = ARROW_BUILD_FIXED, .width = 2, .span = 1},
};

/* (true, ["a", null], {"x", [1, 2]}), (null, [], null), (false, null, {null, []}) */
static void append_nested_rows(struct arrow_builder *b)
{
    arrow_builder_bool(b, FLAG, true);
    arrow_builder_bytes(b, TAG, bytes_str("a"));
    arrow_builder_null(b, TAG);
    arrow_builder_list(b, TAGS);
    arrow_builder_struct(b, PLACE);
    arrow_builder_bytes(b, NAME, bytes_str("x"));
    arrow_builder_fixed(b, SPOT, "\1\0");
    arrow_builder_fixed(b, SPOT, "\2\0");
    arrow_builder_list(b, SPOTS);

    arrow_builder_null(b, FLAG);
    arrow_builder_list(b, TAGS);
    arrow_builder_null(b, PLACE);

    arrow_builder_bool(b, FLAG, false);
    arrow_builder_null(b, TAGS);
    arrow_builder_struct(b, PLACE);
    arrow_builder_null(b, NAME);
    arrow_builder_list(b, SPOTS);
}

static struct bytes buffer_at(const struct arrow_message *m, struct bytes message, size_t index)
{
    struct arrow_buffer buffer = arrow_buffer(m, index);

    return bytes_slice(message, m->body_at + (size_t)buffer.offset, (size_t)buffer.length);
}

static void assert_node(const struct arrow_message *m, size_t index, int64_t length, int64_t nulls)
{
    assert_int_equal(arrow_node(m, index).length, length);
    assert_int_equal(arrow_node(m, index).null_count, nulls);
}

static const struct arrow_column nested_columns[] = {{1, 2}, {2, 5}, {4, 8}};
static const struct arrow_layout nested_layout = {nested_columns, 3};

static void test_nested(void **state)
{
    /* depth first: validity and the rest of each node */
    static const struct {
        const char *data;
        size_t len;
    } buffers[] = {
        {"\x05", 1}, {"\x01", 1},                              /* FLAG */
        {"\x03", 1}, {"\0\0\0\0\2\0\0\0\2\0\0\0\2\0\0\0", 16}, /* TAGS */
        {"\x01", 1}, {"\0\0\0\0\1\0\0\0\1\0\0\0", 12},
        {"a", 1},    /* TAG */
        {"\x05", 1}, /* PLACE */
        {"\x01", 1}, {"\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0", 16},
        {"x", 1},                                              /* NAME */
        {"\x05", 1}, {"\0\0\0\0\2\0\0\0\2\0\0\0\2\0\0\0", 16}, /* SPOTS */
        {"\x03", 1}, {"\1\0\2\0", 4},                          /* SPOT */
    };
    OWNED(arrow_builder_freep) struct arrow_builder *b = arrow_builder_new(nested, NODES);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct arrow_message m;
    struct bytes message;

    (void)state;
    append_nested_rows(b);
    assert_int_equal(arrow_builder_count(b, FLAG), 3);
    assert_int_equal(arrow_builder_count(b, SPOT), 2);
    assert_int_equal(arrow_builder_finish(b, &none, &arena, &message, NULL), ERR_OK);
    assert_int_equal(arrow_message_parse(message, &m, NULL), ERR_OK);
    assert_int_equal(arrow_message_check(&m, &nested_layout, NULL), ERR_OK);
    assert_int_equal(message.len % 8, 0);
    assert_int_equal(message.len, m.body_at + m.body_size);
    assert_int_equal(m.row_count, 3);
    assert_int_equal(m.buffer_count, ARRAY_LEN(buffers));
    for (size_t i = 0; i < ARRAY_LEN(buffers); i++) {
        vectors_assert_equal("buffer", buffer_at(&m, message, i),
                             bytes_of(buffers[i].data, buffers[i].len));
    }
    assert_node(&m, FLAG, 3, 1);
    assert_node(&m, TAGS, 3, 1);
    assert_node(&m, TAG, 2, 1);
    assert_node(&m, PLACE, 3, 1);
    assert_node(&m, NAME, 3, 2);
    assert_node(&m, SPOTS, 3, 1);
    assert_node(&m, SPOT, 2, 0);
}

/* A builder that was cleared makes the same bytes as a new one. */
static void test_reuse(void **state)
{
    OWNED(arrow_builder_freep) struct arrow_builder *b = arrow_builder_new(nested, NODES);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes first, second;
    size_t size;

    (void)state;
    append_nested_rows(b);
    size = arrow_builder_size(b);
    assert_int_equal(arrow_builder_finish(b, &none, &arena, &first, NULL), ERR_OK);
    append_nested_rows(b);
    assert_true(arrow_builder_size(b) > size);
    arrow_builder_clear(b);
    assert_int_equal(arrow_builder_count(b, FLAG), 0);
    append_nested_rows(b);
    assert_int_equal(arrow_builder_size(b), size);
    assert_int_equal(arrow_builder_finish(b, &none, &arena, &second, NULL), ERR_OK);
    vectors_assert_equal("second message", second, first);
}

/* Runs of any length, from any bit on, make the same bytes as single values. */
static void test_runs(void **state)
{
    enum { FLAGS, TEXTS, WORDS };
    static const struct arrow_build_node nodes[] = {
        [FLAGS] = {.kind = ARROW_BUILD_BOOL, .span = 1},
        [TEXTS] = {.kind = ARROW_BUILD_BYTES, .span = 1},
        [WORDS] = {.kind = ARROW_BUILD_FIXED, .width = 2, .span = 1},
    };
    OWNED(arrow_builder_freep) struct arrow_builder *one = arrow_builder_new(nodes, 3);
    OWNED(arrow_builder_freep) struct arrow_builder *many = arrow_builder_new(nodes, 3);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes messages[2];

    (void)state;
    for (uint32_t count = 1; count <= ARROW_RUN_MAX; count++) {
        uint64_t mask = UINT64_MAX >> (ARROW_RUN_MAX - count);
        struct arrow_run run = {.count = count, .valid = 0xd3a5f1905e7bc286 * count & mask};
        uint64_t flags = run.valid & 0x9e3779b97f4a7c15;
        struct bytes texts[ARROW_RUN_MAX];
        uint8_t *words = arrow_builder_fixed_run(many, WORDS, run);

        memset(words, 0, 2 * (size_t)count);
        for (uint32_t i = 0; i < count; i++) {
            bool valid = (run.valid >> i & 1) != 0;

            texts[i] = valid ? bytes_of("abcdefghi", i % 10) : BYTES_EMPTY;
            if (valid) {
                put_u16le(words + 2 * (size_t)i, (uint16_t)(count + i));
                arrow_builder_bool(one, FLAGS, (flags >> i & 1) != 0);
                arrow_builder_bytes(one, TEXTS, texts[i]);
                arrow_builder_fixed(one, WORDS, words + 2 * (size_t)i);
            } else {
                arrow_builder_null(one, FLAGS);
                arrow_builder_null(one, TEXTS);
                arrow_builder_null(one, WORDS);
            }
        }
        arrow_builder_bool_run(many, FLAGS, run, flags);
        arrow_builder_bytes_run(many, TEXTS, run, texts);
    }
    assert_int_equal(arrow_builder_finish(one, &none, &arena, &messages[0], NULL), ERR_OK);
    assert_int_equal(arrow_builder_finish(many, &none, &arena, &messages[1], NULL), ERR_OK);
    vectors_assert_equal("runs", messages[1], messages[0]);
}

static void test_compressed_buffers_come_back(void **state)
{
    static const struct arrow_build_node node = {.kind = ARROW_BUILD_FIXED, .width = 8, .span = 1};
    OWNED(codec_freep) struct codec *codec = codec_new();
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(arrow_builder_freep) struct arrow_builder *b = arrow_builder_new(&node, 1);

    (void)state;
    for (int64_t i = 0; i < 1000; i++) {
        arrow_builder_i64(b, 0, i / 10);
    }
    for (enum arrow_codec kind = ARROW_CODEC_LZ4_FRAME; kind <= ARROW_CODEC_ZSTD; kind++) {
        struct arrow_build_codec build = {.codec = codec, .kind = kind, .level = 1};
        uint8_t plain[8000];
        struct arrow_message m;
        struct bytes message;

        assert_int_equal(arrow_builder_finish(b, &build, &arena, &message, NULL), ERR_OK);
        assert_true(message.len < 4000);
        assert_int_equal(arrow_message_parse(message, &m, NULL), ERR_OK);
        assert_int_equal(m.codec, kind);
        assert_int_equal(
            codec_decompress(codec, kind, buffer_at(&m, message, 1), plain, sizeof plain, NULL),
            ERR_OK);
        assert_int_equal(get_i64le(plain + 7992), 99);
    }
}

static void test_uneven_columns_are_our_mistake(void **state)
{
    OWNED(arrow_builder_freep) struct arrow_builder *b = arrow_builder_new(nested, NODES);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes message;

    (void)state;
    append_nested_rows(b);
    arrow_builder_bool(b, FLAG, true);
    assert_aborts(IGNORE(arrow_builder_finish(b, &none, &arena, &message, NULL)));
    assert_aborts(arrow_builder_bool(b, TAG, true));
    assert_aborts(arrow_builder_bool(b, NODES, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_as_java),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_compressed_buffers_come_back),
        cmocka_unit_test(test_uneven_columns_are_our_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
