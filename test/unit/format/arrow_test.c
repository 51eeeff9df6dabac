#include "../../support/arrow_vectors.h"
#include "../../support/unit.h"
#include "format/arrow.h"
#include "format/batch.h"

static const char *const files[] = {"log_batches_arrow.json", "log_batches_v1_v2_main.json"};

/* The Arrow message of a golden batch; empty for a batch without records. */
static struct bytes message_of(const json_t *one, struct arena *arena)
{
    struct bytes data = vectors_hex(one, "hex", arena);
    struct batch_header h;
    struct bytes body;
    size_t skip;

    assert_int_equal(batch_parse(data, &h, NULL), ERR_OK);
    body = batch_body(&h, data);
    skip = batch_append_only(&h) ? 0 : (size_t)h.record_count;
    return bytes_slice(body, skip, body.len - skip);
}

static struct arrow_message parsed(struct bytes message)
{
    struct arrow_message m = {0};
    struct error e;

    if (arrow_message_parse(message, &m, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return m;
}

static enum arrow_codec codec_of(const char *name)
{
    if (strstr(name, "LZ4_FRAME") != NULL) {
        return ARROW_CODEC_LZ4_FRAME;
    }
    return strstr(name, "ZSTD") != NULL ? ARROW_CODEC_ZSTD : ARROW_CODEC_NONE;
}

static void reads_golden_messages(void **state)
{
    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        OWNED(vectors_freep) json_t *document = vectors_load(files[f]);

        VECTORS_FOR_EACH(one, document)
        {
            OWNED(arena_fini) struct arena arena = ARENA_INIT;
            struct bytes message = message_of(one, &arena);
            struct arrow_layout layout = vector_layout(vectors_get(one, "schema"), &arena);
            struct arrow_message m;
            struct error e;

            if (message.len == 0) {
                continue;
            }
            m = parsed(message);
            assert_int_equal(m.row_count, json_array_size(vectors_get(one, "records")));
            assert_int_equal(m.codec, codec_of(vectors_text(one, "name")));
            assert_int_equal(m.body_at + m.body_size, message.len);
            if (arrow_message_check(&m, &layout, &e) != ERR_OK) {
                fail_msg("%s: %s", vectors_text(one, "name"), e.message);
            }
        }
    }
}

static const struct arrow_column two_columns[] = {{1, 2}, {1, 3}};
static const struct arrow_layout two = {.columns = two_columns, .count = 2};

static uint8_t *small_message(struct arena *arena, size_t *ret_len)
{
    struct bytes b = vector_message(&two, 5, 20, arena);

    *ret_len = b.len;
    return (uint8_t *)(uintptr_t)b.data;
}

/* Positions in the metadata without compression, from the start of the message. */
enum {
    BODY_SIZE_AT = 8 + 24,
    HEADER_TYPE_AT = 8 + 41,
    ROWS_AT = 8 + 64,
    BUFFERS_AT = 8 + 80,
    NODES_AT = BUFFERS_AT + 5 * 16 + 8,
};

struct bad {
    size_t at;
    int64_t value;
    const char *message;
};

static void refuses_what_does_not_fit(void **state)
{
    static const struct bad table[] = {
        {ROWS_AT, -1, "Arrow batch of -1 rows"},
        {ROWS_AT, 1LL << 40, "Arrow batch of 1099511627776 rows"},
        {ROWS_AT, 6, "Arrow column 0 has 5 values in a batch of 6"},
        {BODY_SIZE_AT, -8, "Arrow body of -8 bytes"},
        {BODY_SIZE_AT, 96,
         "Arrow buffer 4 at 96 of 20 bytes, the one before ends at 92, the body at 96"},
        {BUFFERS_AT, -1,
         "Arrow buffer 0 at -1 of 20 bytes, the one before ends at 0, the body at 120"},
        {BUFFERS_AT + 8, INT64_MAX,
         "Arrow buffer 0 at 0 of 9223372036854775807 bytes, the one before ends at 0, the body at "
         "120"},
        {BUFFERS_AT + 16, 19,
         "Arrow buffer 1 at 19 of 20 bytes, the one before ends at 20, the body at 120"},
        {NODES_AT + 16, 4, "Arrow column 1 has 4 values in a batch of 5"},
        {NODES_AT + 8, 6, "Arrow node 0 of 5 values with 6 nulls"},
        {NODES_AT + 24, -1, "Arrow node 1 of 5 values with -1 nulls"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        size_t len;
        uint8_t *data = small_message(&arena, &len);
        struct arrow_message m;
        struct error e = {0};
        enum errcode code;

        put_i64le(data + table[i].at, table[i].value);
        code = arrow_message_parse(bytes_of(data, len), &m, &e);
        if (code == ERR_OK) {
            code = arrow_message_check(&m, &two, &e);
        }
        assert_int_equal(code, ERR_CORRUPT_RECORD);
        assert_string_equal(e.message, table[i].message);
    }
}

static void refuses_other_messages(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t len;
    uint8_t *data = small_message(&arena, &len);
    struct arrow_message m;
    struct error e;

    (void)state;
    assert_int_equal(arrow_message_parse(bytes_of(data, 7), &m, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "Arrow message cut short: 7 bytes");
    assert_int_equal(arrow_message_parse(bytes_of(data, 60), &m, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "Arrow metadata ends at byte 208, given 60");
    data[HEADER_TYPE_AT] = 1;
    assert_int_equal(arrow_message_parse(bytes_of(data, len), &m, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "Arrow message of type 1, expected a RecordBatch");
    put_u32le(data + 4, 0);
    assert_int_equal(arrow_message_parse(bytes_of(data, len), &m, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "Arrow metadata of 0 bytes");
    put_u32le(data, 208);
    assert_int_equal(arrow_message_parse(bytes_of(data, len), &m, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "Arrow message starts with d0000000, expected ffffffff");
}

static void refuses_a_message_of_another_schema(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct arrow_layout one = {.columns = two_columns, .count = 1};
    struct arrow_message m = parsed(vector_message(&two, 5, 20, &arena));
    struct error e;

    (void)state;
    assert_int_equal(arrow_message_check(&m, &one, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "Arrow batch of 2 nodes and 5 buffers; its schema has 1 and 2");
}

/* Every byte of the metadata set to several values: an error or a message whose vectors can be read
 * (sanitizers watch). */
static void survives_damage_anywhere(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t len;
    uint8_t *data = small_message(&arena, &len);
    size_t accepted = 0;

    (void)state;
    for (size_t at = 0; at < NODES_AT + 32; at++) {
        for (size_t v = 0; v < ARRAY_LEN(values); v++) {
            uint8_t old = data[at];
            struct arrow_message m;

            data[at] = values[v];
            if (arrow_message_parse(bytes_of(data, len), &m, NULL) == ERR_OK &&
                arrow_message_check(&m, &two, NULL) == ERR_OK) {
                accepted++;
            }
            data[at] = old;
        }
    }
    assert_int_equal(parsed(bytes_of(data, len)).row_count, 5);
    assert_true(accepted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden_messages),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_other_messages),
        cmocka_unit_test(refuses_a_message_of_another_schema),
        cmocka_unit_test(survives_damage_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
