/* Scans of files of golden batches: what a scan collects is what the format's own functions make of
 * each batch, however the file is cut. */
#include <fcntl.h>

#include "../../../src/replica/scan.h"
#include "../../support/arrow_vectors.h"
#include "../../support/store_ops.h"
#include "format/arrow_project.h"
#include "format/schema.h"

#define COPIES     40
#define COLD_TRIES 100

struct rig {
    struct store *store;
    const struct meta_table *table;
    struct file *file;
    struct arena arena;
    size_t size; /* of the file */
    int64_t rows;
};

static int setup(void **state)
{
    struct rig *r = mem_new(struct rig);
    struct store *s = store_new(1);

    r->store = s;
    store_open_sets(s);
    (void)store_create_table(s, "t", STORE_PLAIN);
    r->table = meta_view_table(meta_current(s->meta), bytes_str("fluss"), bytes_str("t"));
    assert_int_equal(
        file_open(arena_printf(&s->arena, "%s/scanned", s->dir), FILE_CREATE, &r->file, NULL),
        ERR_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    (void)file_unref(r->file);
    store_free(r->store);
    arena_fini(&r->arena);
    free(r);
    return 0;
}

/* Appends batches to the file, with the next offsets. */
static void add(struct rig *r, struct bytes batches)
{
    struct batch_iterator it;
    struct batch b;
    bool found;

    for (batch_iterator_init(&it, batches);;) {
        assert_int_equal(batch_next(&it, &b, &found, NULL), ERR_OK);
        if (!found) {
            return;
        }
        batch_assign((uint8_t *)(uintptr_t)b.data.data, r->rows, 1234);
        r->rows += b.header.last_offset_delta + 1;
        assert_int_equal(file_write_at(r->file, r->size, b.data, NULL), ERR_OK);
        r->size += b.data.len;
    }
}

/* Batches with columns a INT, b STRING, c BIGINT of all codecs, also changelogs with empty ones. */
static void add_golden(struct rig *r, int copies)
{
    OWNED(vectors_freep) json_t *document = vectors_load("projection.json");

    for (int i = 0; i < copies; i++) {
        VECTORS_FOR_EACH(one, document)
        {
            if (strncmp(vectors_text(one, "name"), "simple/", 7) == 0) {
                add(r, vectors_hex(one, "input_hex", &r->arena));
            }
        }
    }
}

/* A batch of magic 1 whose rows all have a = value, with statistics that say so. */
static struct bytes batch_about(struct rig *r, int32_t value)
{
    uint8_t statistics[1 + 2 + 2 + 4 + 2 * (4 + 16)];
    struct writer w = writer_of(statistics, sizeof statistics);
    struct batch_spec spec = {.magic = 1,
                              .append_only = true,
                              .schema_id = 1,
                              .record_count = 1,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID,
                              .body = bytes_str("rows")};

    writer_u8(&w, 1);
    writer_i16le(&w, 1); /* one column, the first, without nulls */
    writer_i16le(&w, 0);
    writer_i32le(&w, 0);
    for (int i = 0; i < 2; i++) { /* an aligned row: null bits, then 8 bytes */
        writer_i32le(&w, 16);
        writer_u64le(&w, 0);
        writer_i64le(&w, value);
    }
    spec.statistics = bytes_of(statistics, w.len);
    return batch_build(&spec, &r->arena);
}

/* ---- what is expected ---- */

/* The projection of one batch by the functions of the format. */
static struct bytes project_one(struct rig *r, const struct fetch_projection *projection,
                                struct bytes batch)
{
    struct arrow_layout layout = arrow_layout_of(r->table->schemas[0].schema, &r->arena);
    struct arrow_projector p;
    struct arrow_projection plan;
    struct batch_header h;
    struct writer w;

    assert_int_equal(batch_parse(batch, &h, NULL), ERR_OK);
    if (batch_header_only(&h)) {
        return batch;
    }
    assert_int_equal(arrow_projector_init(&p, &layout, projection->positions, projection->count,
                                          &r->arena, NULL),
                     ERR_OK);
    assert_int_equal(arrow_project_plan(&p, batch, &h, &r->arena, &plan, NULL), ERR_OK);
    w = writer_of(arena_alloc(&r->arena, plan.size), plan.size);
    writer_bytes(&w, plan.head);
    for (size_t i = 0; i < plan.range_count; i++) {
        writer_bytes(&w, bytes_slice(batch, plan.ranges[i].offset, plan.ranges[i].len));
    }
    return bytes_of(w.data, w.len);
}

/* All batches of the file as the scan should give them, until max_bytes. */
static struct bytes expect(struct rig *r, const struct fetch_projection *projection,
                           size_t max_bytes)
{
    uint8_t *all = arena_alloc(&r->arena, r->size);
    struct writer w = writer_of(arena_alloc(&r->arena, 2 * r->size), 2 * r->size);
    struct batch_iterator it;
    struct batch b;
    bool found;

    assert_int_equal(file_read_at(r->file, 0, all, r->size, NULL), ERR_OK);
    for (batch_iterator_init(&it, bytes_of(all, r->size));;) {
        struct bytes one;

        assert_int_equal(batch_next(&it, &b, &found, NULL), ERR_OK);
        if (!found) {
            break;
        }
        one = projection != NULL ? project_one(r, projection, b.data) : b.data;
        if (w.len > 0 && w.len + one.len > max_bytes) {
            break;
        }
        writer_bytes(&w, one);
    }
    return bytes_of(w.data, w.len);
}

static struct scan_request request_of(struct rig *r, const struct fetch_projection *projection)
{
    return (struct scan_request){.file = r->file,
                                 .len = r->size,
                                 .max_bytes = SIZE_MAX / 2,
                                 .min_one = true,
                                 .projection = projection,
                                 .table = r->table};
}

static struct scan_result scan(struct rig *r, const struct scan_request *q, struct pieces *pieces)
{
    struct scan_result result = {.pieces = pieces, .filtered_end_offset = -1};
    bool blocked = true;
    struct error e;

    pieces_init(pieces, &r->arena);
    if (scan_run(q, &result, &blocked, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    assert_false(blocked);
    return result;
}

static void assert_scan(struct rig *r, const struct scan_request *q, struct bytes expected)
{
    struct pieces pieces;
    struct scan_result result = scan(r, q, &pieces);

    vectors_assert_equal("scan", pieces_read(&pieces, &r->arena), expected);
    assert_false(result.all_dropped);
    assert_int_equal(result.filtered_end_offset, -1);
    pieces_fini(&pieces);
}

/* ---- projection ---- */

static const uint32_t positions[] = {0, 1, 2};
static const struct fetch_projection projections[] = {
    {.positions = positions, .count = 1},     {.positions = positions + 1, .count = 1},
    {.positions = positions + 2, .count = 1}, {.positions = positions, .count = 2},
    {.positions = positions, .count = 3},
};

static void projects_every_batch(void **state)
{
    struct rig *r = *state;

    add_golden(r, COPIES);
    for (size_t i = 0; i < ARRAY_LEN(projections); i++) {
        struct scan_request q = request_of(r, &projections[i]);
        struct bytes expected = expect(r, &projections[i], q.max_bytes);

        assert_scan(r, &q, expected);
        q.may_block = true;
        assert_scan(r, &q, expected);
    }
}

static void stops_at_the_limit_but_gives_one(void **state)
{
    struct rig *r = *state;

    add_golden(r, 2);
    for (size_t max = 0; max < 6000; max += 97) {
        struct scan_request q = request_of(r, &projections[0]);

        q.max_bytes = max;
        assert_scan(r, &q, expect(r, &projections[0], max));
        if (max < 150) {
            struct pieces pieces;

            q.min_one = false;
            assert_int_equal(scan(r, &q, &pieces).pieces->len, 0);
        }
    }
}

/* The end of the range need not be the end of a batch. */
static void a_cut_batch_at_the_end_is_left_out(void **state)
{
    struct rig *r = *state;
    struct scan_request q;
    struct bytes expected;

    add_golden(r, 1);
    q = request_of(r, &projections[1]);
    expected = expect(r, &projections[1], q.max_bytes);
    add_golden(r, 1);
    for (size_t more = 0; more < 100; more++) {
        struct scan_request cut = q;

        cut.len += more;
        assert_scan(r, &cut, expected);
    }
}

/* Small parts are gathered in memory, large ones stay ranges of the file. */
static void large_columns_are_sent_from_the_file(void **state)
{
    struct rig *r = *state;
    struct arrow_layout layout = arrow_layout_of(r->table->schemas[0].schema, &r->arena);
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = 1,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID,
                              .body = vector_message(&layout, 1, 200000, &r->arena)};
    struct scan_request q;
    struct pieces pieces;
    size_t in_file = 0;
    struct bytes expected;

    for (int i = 0; i < 3; i++) {
        add(r, batch_build(&spec, &r->arena));
    }
    add_golden(r, 1);
    q = request_of(r, &projections[0]);
    expected = expect(r, &projections[0], q.max_bytes);
    (void)scan(r, &q, &pieces);
    for (size_t i = 0; i < pieces.count; i++) {
        in_file += pieces.items[i].file != NULL ? pieces.items[i].len : 0;
    }
    assert_true(in_file >= (size_t)3 * 2 * 200000);
    vectors_assert_equal("large", pieces_read(&pieces, &r->arena), expected);
    pieces_fini(&pieces);
}

static int setup_on_disk(void **state)
{
    int rc;

    setenv("TMPDIR", "/var/tmp", 1); /* usually on a device */
    rc = setup(state);
    unsetenv("TMPDIR");
    return rc;
}

/* Drops the file from memory; false where its file system has no other place for it. */
static bool evict(struct rig *r)
{
    assert_int_equal(file_sync(r->file, NULL), ERR_OK);
    (void)posix_fadvise(r->file->fd, 0, 0, POSIX_FADV_DONTNEED);
    return !file_resident(r->file, 0, r->size);
}

/* A read that does not wait makes the kernel fetch the bytes. Whoever is interrupted in between may find
 * them there after all, so not every scan has to tell that it would wait; those that do not are whole. */
static void cold_bytes_are_not_waited_for_on_a_shard(void **state)
{
    struct rig *r = *state;
    struct scan_request q;
    struct pieces pieces;
    bool blocked = false;

    add_golden(r, 10);
    q = request_of(r, &projections[1]);
    for (int i = 0; i < COLD_TRIES && !blocked; i++) {
        struct scan_result result = {.pieces = &pieces};

        if (!evict(r)) {
            skip();
        }
        pieces_init(&pieces, &r->arena);
        assert_int_equal(scan_run(&q, &result, &blocked, NULL), ERR_OK);
        assert_true(blocked == (pieces.count == 0));
        if (!blocked) {
            vectors_assert_equal("cold", pieces_read(&pieces, &r->arena),
                                 expect(r, &projections[1], q.max_bytes));
        }
        pieces_fini(&pieces);
    }
    if (!blocked) {
        skip(); /* the device is as fast as memory */
    }
    q.may_block = true;
    assert_scan(r, &q, expect(r, &projections[1], q.max_bytes));
}

static void damage_is_told(void **state)
{
    struct rig *r = *state;
    struct scan_request q;
    struct scan_result result;
    struct pieces pieces;
    uint8_t byte = 0xff;
    bool blocked = true;
    struct error e;

    add_golden(r, 1);
    assert_int_equal(file_write_at(r->file, 12, bytes_of(&byte, 1), NULL), ERR_OK); /* magic */
    q = request_of(r, &projections[0]);
    result = (struct scan_result){.pieces = &pieces};
    pieces_init(&pieces, &r->arena);
    assert_int_equal(scan_run(&q, &result, &blocked, &e), ERR_CORRUPT_RECORD);
    assert_false(blocked);
    assert_int_equal(pieces.count, 0);
}

/* The code of a scan; of one that works, the batches are whole. */
static enum errcode scan_damaged(const struct scan_request *q, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct scan_result result = {.filtered_end_offset = -1};
    struct batch_iterator it;
    struct batch b;
    struct pieces pieces;
    bool blocked = true;
    bool found = true;
    enum errcode code;

    pieces_init(&pieces, &arena);
    result.pieces = &pieces;
    code = scan_run(q, &result, &blocked, e);
    assert_false(blocked);
    if (code != ERR_OK) {
        assert_int_equal(pieces.count, 0);
        return code;
    }
    batch_iterator_init(&it, pieces_read(&pieces, &arena));
    while (found) {
        assert_int_equal(batch_next(&it, &b, &found, NULL), ERR_OK);
    }
    assert_int_equal(it.rest.len, 0);
    pieces_fini(&pieces);
    return ERR_OK;
}

/* Every byte of the heads of a few batches is wrong once: an error of its own, or whole batches. */
static void no_damaged_byte_does_more_than_fail(void **state)
{
    struct rig *r = *state;
    struct scan_request q;
    unsigned refused = 0;
    struct error e;
    uint8_t right;

    add_golden(r, 1);
    q = request_of(r, &projections[2]);
    q.max_bytes = 4000;
    for (uint64_t at = 0; at < r->size && at < 4000; at++) {
        enum errcode code;
        uint8_t wrong;

        assert_int_equal(file_read_at(r->file, at, &right, 1, NULL), ERR_OK);
        wrong = (uint8_t)(right ^ 0x81);
        assert_int_equal(file_write_at(r->file, at, bytes_of(&wrong, 1), NULL), ERR_OK);
        code = scan_damaged(&q, &e);
        assert_true(code == ERR_OK || code == ERR_CORRUPT_RECORD || code == ERR_SCHEMA_NOT_EXIST ||
                    code == ERR_CORRUPT_MESSAGE);
        refused += code != ERR_OK;
        assert_int_equal(file_write_at(r->file, at, bytes_of(&right, 1), NULL), ERR_OK);
    }
    assert_in_range(refused, 100, 4000);
    assert_int_equal(scan_damaged(&q, &e), ERR_OK);
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    struct rig *r = *state;
    struct scan_request q;
    struct error e;
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

    add_golden(r, 1);
    q = request_of(r, &projections[0]);
    q.may_block = true;
    q.len += 100000; /* more than there is */
    assert_int_equal(scan_damaged(&q, &e), ERR_CORRUPT_FILE);
    q.len = r->size;
    assert_int_equal(dup2(nothing, r->file->fd), r->file->fd);
    assert_int_equal(scan_damaged(&q, &e), ERR_LOG_STORAGE);
    assert_non_null(strstr(e.message, "scanned"));
    q.may_block = false;
    assert_int_equal(scan_damaged(&q, &e), ERR_LOG_STORAGE);
    assert_int_equal(close(nothing), 0);
}

static void an_unknown_schema_is_told(void **state)
{
    struct rig *r = *state;
    struct bytes batch = store_batch(r->store, 1, 100, 1);
    struct scan_request q;
    struct scan_result result;
    struct pieces pieces;
    bool blocked;
    struct error e;

    put_i16le((uint8_t *)(uintptr_t)batch.data + 25, 9);
    add(r, batch);
    q = request_of(r, &projections[0]);
    result = (struct scan_result){.pieces = &pieces};
    pieces_init(&pieces, &r->arena);
    assert_int_equal(scan_run(&q, &result, &blocked, &e), ERR_SCHEMA_NOT_EXIST);
    assert_string_equal(e.message, "a stored batch has schema id 9, unknown here");
}

/* ---- filter ---- */

static struct value value_of(int32_t v) { return (struct value){.kind = VALUE_INT, .integer = v}; }

struct filtering {
    struct value literal;
    struct filter filter;
};

static void filter_a(struct rig *r, struct filtering *f, enum filter_function function, int32_t v)
{
    f->literal = value_of(v);
    f->filter = (struct filter){.kind = FILTER_LEAF,
                                .function = function,
                                .type = r->table->schemas[0].schema->columns[0].type,
                                .literals = &f->literal,
                                .literal_count = 1};
}

/* Batches about 0, 1, 2, ... 19; offsets are those numbers. */
static void add_twenty(struct rig *r)
{
    for (int32_t i = 0; i < 20; i++) {
        add(r, batch_about(r, i));
    }
}

struct kept {
    int first; /* -1: none */
    int count;
};

static struct kept kept_of(struct rig *r, struct pieces *pieces)
{
    struct kept k = {.first = -1};
    struct batch_iterator it;
    struct batch b;
    bool found;

    for (batch_iterator_init(&it, pieces_read(pieces, &r->arena));; k.count++) {
        assert_int_equal(batch_next(&it, &b, &found, NULL), ERR_OK);
        if (!found) {
            pieces_fini(pieces);
            return k;
        }
        k.first = k.first < 0 ? (int)b.header.base_offset : k.first;
    }
}

static void batches_that_cannot_match_are_dropped(void **state)
{
    struct rig *r = *state;
    struct filtering f;
    struct scan_request q;
    struct pieces pieces;
    struct scan_result result;
    struct kept k;

    add_twenty(r);
    q = request_of(r, NULL);
    q.filter = &f.filter;
    filter_a(r, &f, FILTER_EQUAL, 7);
    result = scan(r, &q, &pieces);
    k = kept_of(r, &pieces);
    assert_int_equal(k.first, 7);
    assert_int_equal(k.count, 1);
    assert_int_equal(result.filtered_end_offset, 20);
    assert_int_equal(result.end_offset, 20);
    filter_a(r, &f, FILTER_GREATER_OR_EQUAL, 15);
    result = scan(r, &q, &pieces);
    k = kept_of(r, &pieces);
    assert_int_equal(k.first, 15);
    assert_int_equal(k.count, 5);
    assert_int_equal(result.filtered_end_offset, -1); /* nothing dropped behind the kept ones */
    assert_false(result.all_dropped);
    filter_a(r, &f, FILTER_GREATER, 19);
    result = scan(r, &q, &pieces);
    assert_int_equal(kept_of(r, &pieces).count, 0);
    assert_true(result.all_dropped);
    assert_int_equal(result.filtered_end_offset, 20);
}

/* The answer is full before the match: the reader must still get on. */
static void a_full_answer_reports_what_was_dropped_before(void **state)
{
    struct rig *r = *state;
    struct filtering f;
    struct scan_request q;
    struct pieces pieces;
    struct scan_result result;

    add_twenty(r);
    q = request_of(r, NULL);
    q.filter = &f.filter;
    q.max_bytes = 10;
    q.min_one = false;
    filter_a(r, &f, FILTER_EQUAL, 7);
    result = scan(r, &q, &pieces);
    assert_int_equal(kept_of(r, &pieces).count, 0);
    assert_false(result.all_dropped);
    assert_int_equal(result.filtered_end_offset, 7);
}

static void batches_without_statistics_stay(void **state)
{
    struct rig *r = *state;
    struct filtering f;
    struct scan_request q;

    add_golden(r, 2);
    q = request_of(r, NULL);
    q.filter = &f.filter;
    filter_a(r, &f, FILTER_EQUAL, 1 << 30);
    assert_scan(r, &q, expect(r, NULL, q.max_bytes));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(projects_every_batch),
        TEST(stops_at_the_limit_but_gives_one),
        TEST(a_cut_batch_at_the_end_is_left_out),
        TEST(large_columns_are_sent_from_the_file),
        cmocka_unit_test_setup_teardown(cold_bytes_are_not_waited_for_on_a_shard, setup_on_disk,
                                        teardown),
        TEST(damage_is_told),
        TEST(no_damaged_byte_does_more_than_fail),
        TEST(a_file_that_cannot_be_read_is_told),
        TEST(an_unknown_schema_is_told),
        TEST(batches_that_cannot_match_are_dropped),
        TEST(a_full_answer_reports_what_was_dropped_before),
        TEST(batches_without_statistics_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
