#include "../../support/evict.h"
#include "../../support/store_ops.h"
#include "../../support/vectors.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    s->config.log.segment_bytes_max = 4096;
    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

#define RECORDS 3
#define BODY    500

/* Appends so many batches; several segments' worth when there are more than a few. */
static struct bucket_id filled(struct store *s, const char *table, int batches)
{
    struct bucket_id id = bucket_of(store_create_table(s, table, STORE_PLAIN), 0);

    for (int i = 0; i < batches; i++) {
        (void)store_append(s, id, store_batch(s, RECORDS, BODY, (uint32_t)i));
    }
    return id;
}

/* Checks a run of batches: number `first` and the next ones, as store_batch made them; returns how
 * many there are. */
static int check_batches(struct store *s, struct bytes got, int first)
{
    struct batch_iterator it;
    struct batch b;
    bool found = true;
    int count = 0;

    for (batch_iterator_init(&it, got);; count++) {
        struct bytes made = store_batch(s, RECORDS, BODY, (uint32_t)(first + count));

        assert_int_equal(batch_next(&it, &b, &found, NULL), ERR_OK);
        if (!found) {
            break;
        }
        assert_int_equal(b.header.base_offset, (first + count) * RECORDS);
        assert_int_equal(batch_check_crc(&b.header, b.data, NULL), ERR_OK);
        assert_memory_equal(b.data.data + 21, made.data + 21, made.len - 21);
    }
    assert_int_equal(it.position, got.len);
    return count;
}

static void everything_over_segments(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 40);
    int at = 0;

    while (at < 40) {
        int n = check_batches(s, store_fetch(s, id, at * RECORDS, 1 << 20), at);

        assert_in_range(n, 1, 8); /* one segment at a time */
        at += n;
    }
    assert_int_equal(at, 40);
    assert_int_equal(store_fetch(s, id, at * RECORDS, 1 << 20).len, 0);
}

static void the_batch_that_contains_the_offset_comes_first(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 20);

    for (int offset = 0; offset < 20 * RECORDS; offset++) {
        assert_true(check_batches(s, store_fetch(s, id, offset, 1 << 20), offset / RECORDS) > 0);
    }
    assert_true(check_batches(s, store_fetch(s, id, -2, 1 << 20), 0) > 0);
}

static void sizes(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 5);
    size_t size = store_batch(s, RECORDS, BODY, 0).len;
    struct fetch_op f = {.op.id = id};

    assert_int_equal(store_fetch(s, id, 0, 0).len, size); /* one batch at least */
    assert_int_equal(store_fetch(s, id, 0, 1).len, size);
    assert_int_equal(store_fetch(s, id, 0, 2 * size - 1).len, size);
    assert_int_equal(store_fetch(s, id, 0, 2 * size).len, 2 * size);
    assert_int_equal(store_fetch(s, id, 0, SIZE_MAX).len, 5 * size);
    pieces_init(&f.pieces, &s->arena);
    f.max_bytes = size - 1; /* and min_one is not asked for */
    assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_OK);
    assert_int_equal(f.pieces.len, 0);
    assert_int_equal(f.high_watermark, 5 * RECORDS);
}

static void offsets_out_of_range(void **state)
{
    static const int64_t bad[] = {-1, -3, INT64_MIN, 2 * RECORDS + 1, INT64_MAX};
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 2);

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fetch_op f = {.op.id = id, .offset = bad[i], .max_bytes = 100, .min_one = true};

        pieces_init(&f.pieces, &s->arena);
        assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_LOG_OFFSET_OUT_OF_RANGE);
        assert_non_null(strstr(s->error.message, "is not in [0, 6]"));
    }
}

/* ---- bytes that are not in memory ---- */

static void cold_bytes_are_read_in_the_pool(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 40);

    for (int offset = 0; offset < 40 * RECORDS; offset += 17) {
        if (!store_evict(s, "t", id)) {
            skip();
        }
        assert_true(check_batches(s, store_fetch(s, id, offset, 1 << 20), offset / RECORDS) > 0);
    }
}

static void cold_last_rows_are_read_in_the_pool(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 40);
    struct fetch_op f = {.op.id = id, .max_bytes = 1 << 20, .limit = 60};

    if (!store_evict(s, "t", id)) {
        skip();
    }
    pieces_init(&f.pieces, &s->arena);
    assert_int_equal(store_op(s, &f.op, submit_last), ERR_OK);
    assert_int_equal(f.offset, 60);
    assert_int_equal(check_batches(s, pieces_read(&f.pieces, &s->arena), 20), 20);
    pieces_fini(&f.pieces);
}

/* The table goes while the read is in the pool. */
static void dropped_while_being_read(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 40);
    struct fetch_op fetches[16];
    struct gate *gate = gate_new(ARRAY_LEN(fetches));

    if (!store_evict(s, "t", id)) {
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(fetches); i++) {
        fetches[i] = (struct fetch_op){.op.id = id, .max_bytes = 1 << 20, .limit = 100};
        pieces_init(&fetches[i].pieces, &s->arena);
        store_op_start(s, &fetches[i].op, gate, i % 2 == 0 ? submit_fetch : submit_last);
    }
    store_drop_table(s, "t");
    gate_wait(gate);
    for (size_t i = 0; i < ARRAY_LEN(fetches); i++) {
        assert_true(fetches[i].op.code == ERR_OK ||
                    fetches[i].op.code == ERR_UNKNOWN_TABLE_OR_BUCKET);
        pieces_fini(&fetches[i].pieces);
    }
}

/* ---- the last rows ---- */

static void the_last_rows(void **state)
{
    static const struct {
        int32_t limit;
        int first; /* batch */
    } table[] = {{1, 29},   {RECORDS, 29},  {RECORDS + 1, 28}, {60, 10}, {89, 0},        {90, 0},
                 {1000, 0}, {INT32_MAX, 0}, {0, 30},           {-1, 30}, {INT32_MIN, 30}};
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 30);

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct fetch_op f = {.op.id = id, .max_bytes = 1 << 20, .limit = table[i].limit};

        pieces_init(&f.pieces, &s->arena);
        assert_int_equal(store_op(s, &f.op, submit_last), ERR_OK);
        assert_int_equal(check_batches(s, pieces_read(&f.pieces, &s->arena), table[i].first),
                         30 - table[i].first);
        pieces_fini(&f.pieces);
    }
}

static void too_many_last_rows(void **state)
{
    struct store *s = *state;
    struct bucket_id id = filled(s, "t", 30);
    struct fetch_op f = {.op.id = id, .max_bytes = 10000, .limit = 90};

    pieces_init(&f.pieces, &s->arena);
    assert_int_equal(store_op(s, &f.op, submit_last), ERR_INVALID_ARGUMENT);
    assert_string_equal(s->error.message, "the last 90 rows have more than 10000 bytes");
    assert_int_equal(f.pieces.count, 0);
}

/* ---- projection; scan_test.c has more ---- */

static void a_projection_is_that_of_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("projection.json");
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    int32_t bucket = 0;

    VECTORS_FOR_EACH(one, document)
    {
        uint32_t positions[8];
        const json_t *wanted = vectors_get(one, "projection");
        struct fetch_projection projection = {.positions = positions,
                                              .count = json_array_size(wanted)};
        struct fetch_op f = {.op.id = bucket_of(table, bucket++ % 4),
                             .max_bytes = 1 << 20,
                             .min_one = true,
                             .projection = &projection};
        struct bytes expected = vectors_hex(one, "output_hex", &s->arena);
        struct bytes got;

        if (strncmp(vectors_text(one, "name"), "simple/append_only", 18) != 0) {
            continue; /* the columns of the table are those of the simple cases */
        }
        for (size_t i = 0; i < projection.count; i++) {
            positions[i] = (uint32_t)vector_i64(json_array_get(wanted, i));
        }
        f.offset = store_append(s, f.op.id, vectors_hex(one, "input_hex", &s->arena));
        pieces_init(&f.pieces, &s->arena);
        assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_OK);
        got = pieces_read(&f.pieces, &s->arena);
        assert_int_equal(got.len, expected.len);
        assert_int_equal(get_i64le(got.data), f.offset);
        assert_memory_equal(got.data + 8, expected.data + 8, 5); /* then the time of the append */
        vectors_assert_equal(vectors_text(one, "name"), bytes_slice(got, 21, got.len - 21),
                             bytes_slice(expected, 21, expected.len - 21));
        pieces_fini(&f.pieces);
    }
}

/* Several cold reads at once, in the pool, for one answer. */
static void cold_projections_of_many_buckets(void **state)
{
    static const uint32_t first[] = {0};
    OWNED(vectors_freep) json_t *document = vectors_load("projection.json");
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_PLAIN);
    struct fetch_projection projection = {.positions = first, .count = 1};
    struct bytes batch = vectors_hex(vectors_case(document, 0), "input_hex", &s->arena);
    struct fetch_op fetches[4];
    struct gate *gate = gate_new(ARRAY_LEN(fetches));
    size_t len = 0;

    for (int32_t i = 0; i < 200; i++) {
        (void)store_append(s, bucket_of(table, i % 4), batch);
    }
    for (int32_t b = 0; b < 4; b++) {
        if (!store_evict(s, "t", bucket_of(table, b))) {
            skip();
        }
    }
    for (int32_t b = 0; b < 4; b++) {
        fetches[b] = (struct fetch_op){
            .op.id = bucket_of(table, b), .max_bytes = 1 << 20, .projection = &projection};
        pieces_init(&fetches[b].pieces, &s->arena);
        store_op_start(s, &fetches[b].op, gate, submit_fetch);
    }
    gate_wait(gate);
    for (size_t b = 0; b < ARRAY_LEN(fetches); b++) {
        assert_int_equal(fetches[b].op.code, ERR_OK);
        assert_true(fetches[b].pieces.len > 0);
        assert_true(b == 0 || fetches[b].pieces.len == len);
        len = fetches[b].pieces.len;
        pieces_fini(&fetches[b].pieces);
    }
}

static void impossible_projections(void **state)
{
    static const uint32_t ascending[] = {0, 1};
    static const uint32_t beyond[] = {0, UINT32_MAX};
    struct store *s = *state;
    struct fetch_projection none = {.positions = ascending};
    struct fetch_projection two = {.positions = ascending, .count = 2};
    struct fetch_projection bad = {.positions = beyond, .count = 2};
    struct fetch_op f = {.max_bytes = 100, .min_one = true, .projection = &two};
    OWNED(vectors_freep) json_t *document = vectors_load("projection.json");

    f.op.id = bucket_of(
        store_create_table(s, "rows", STORE_TABLE("", "1", "\"table.log.format\":\"INDEXED\"")), 0);
    pieces_init(&f.pieces, &s->arena);
    assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_INVALID_COLUMN_PROJECTION);
    assert_string_equal(s->error.message,
                        "table fluss.rows is not in ARROW format, columns cannot be projected");
    f.op.id = bucket_of(store_create_table(s, "arrow", STORE_PLAIN), 0);
    f.projection = &none;
    assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_INVALID_COLUMN_PROJECTION);
    f.projection = &bad;
    (void)store_append(s, f.op.id, vectors_hex(vectors_case(document, 0), "input_hex", &s->arena));
    assert_int_equal(store_op(s, &f.op, submit_fetch), ERR_INVALID_COLUMN_PROJECTION);
    assert_int_equal(f.pieces.count, 0);
}

#define TEST(f)      cmocka_unit_test_setup_teardown(f, setup, teardown)
#define COLD_TEST(f) cmocka_unit_test_setup_teardown(f, store_setup_on_disk, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_over_segments),
        TEST(the_batch_that_contains_the_offset_comes_first),
        TEST(sizes),
        TEST(offsets_out_of_range),
        COLD_TEST(cold_bytes_are_read_in_the_pool),
        COLD_TEST(cold_last_rows_are_read_in_the_pool),
        COLD_TEST(dropped_while_being_read),
        TEST(the_last_rows),
        TEST(too_many_last_rows),
        TEST(a_projection_is_that_of_the_reference),
        TEST(impossible_projections),
        cmocka_unit_test_setup_teardown(cold_projections_of_many_buckets, store_setup_on_disk,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
