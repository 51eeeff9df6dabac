#include <dlfcn.h>
#include <stdlib.h>

#include "../../support/sql_store.h"
#include "sql/fill.h"

#define NESTED                                                                                     \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"t\",\"data_type\":{\"type\":\"TIMESTAMP_WITHOUT_TIME_ZONE\",\"precision\":0},"    \
    "\"id\":0},"                                                                                   \
    "{\"name\":\"r\",\"data_type\":{\"type\":\"ROW\",\"fields\":[{\"name\":\"x\",\"field_type\":"  \
    "{\"type\":\"ARRAY\",\"element_type\":{\"type\":\"DECIMAL\",\"precision\":4,\"scale\":1}},"    \
    "\"field_id\":3}]},\"id\":1},"                                                                 \
    "{\"name\":\"s\",\"data_type\":{\"type\":\"STRING\"},\"id\":2}],\"highest_field_id\":3},"      \
    "\"partition_key\":[],\"bucket_count\":1,\"properties\":{},\"custom_properties\":{}}"

static void append_rows(struct sql_store *q, struct bucket_id id, const struct row_value *values,
                        int32_t count)
{
    struct store *s = q->store;
    const struct meta_table *t = meta_view_table_by_id(meta_current(s->meta), id.table_id);
    OWNED(arrow_rows_freep)
    struct arrow_rows *rows = arrow_rows_new(meta_table_latest(t)->schema->row);
    const struct arrow_build_codec plain = {.kind = ARROW_CODEC_NONE};
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = count,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID};

    for (int32_t i = 0; i < count; i++) {
        assert_int_equal(arrow_rows_append_values(rows, values + i * 3, NULL), ERR_OK);
    }
    assert_int_equal(arrow_rows_finish(rows, &plain, &s->arena, &spec.body, NULL), ERR_OK);
    (void)store_append(s, id, batch_build(&spec, &s->arena));
}

static void append_values(struct sql_store *q, struct bucket_id id, const struct row_value *values)
{
    append_rows(q, id, values, 1);
}

static void nested_values_and_nulls(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", NESTED), 0);
    const struct row_value numbers[] = {{.integer = -15}, {.null = true}};
    const struct row_value list = {.count = 2, .items = numbers};
    const struct row_value first[] = {
        {.timestamp = {.millis = 1000}}, {.count = 1, .items = &list}, {.bytes = bytes_str("x")}};
    const struct row_value second[] = {{.null = true}, {.null = true}, {.null = true}};

    append_values(q, id, first);
    append_values(q, id, second);
    sql_expect(q, "select t, r, r.x, len(r.x), s from t",
               "1970-01-01 00:00:01|{\"x\":[-1.5,null]}|{-1.5,NULL}|2|x;null|null|null|null|null");
}

static void values_that_sql_cannot_hold(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", NESTED), 0);
    const struct row_value late[] = {
        {.timestamp = {.millis = INT64_MAX / 2}}, {.null = true}, {.null = true}};
    const struct row_value bad[] = {{.null = true}, {.null = true}, {.bytes = bytes_str("\xff")}};

    append_values(q, id, late);
    assert_null(sql_ask(q, "select t from t"));
    assert_non_null(strstr(q->error.message, "out of the range"));
    sql_expect(q, "select s from t", "null");
    append_values(q, id, bad);
    assert_null(sql_ask(q, "select s from t"));
    assert_non_null(strstr(q->error.message, "not UTF-8"));
}

/* Each for itself, whatever they are together. */
static void characters_in_two_values(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", NESTED), 0);
    const struct row_value cut[] = {{.null = true}, {.null = true}, {.bytes = bytes_str("x\xc3")},
                                    {.null = true}, {.null = true}, {.bytes = bytes_str("\xa9")}};

    append_rows(q, id, cut, 2);
    assert_null(sql_ask(q, "select s from t"));
    assert_non_null(strstr(q->error.message, "not UTF-8"));
}

/* Texts of any length, of batches that are referred to and of such as are copied. */
static void texts_of_many_rows(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", NESTED), 0);
    struct arena *arena = &q->store->arena;
    struct row_value *values = arena_array(arena, 3000 * 3, sizeof *values);

    for (size_t i = 0; i < 3000; i++) {
        char *text = arena_alloc(arena, 41);

        memset(text, 'a' + (int)(i % 26), i % 41);
        values[i * 3].null = true;
        values[i * 3 + 1].null = true;
        values[i * 3 + 2].bytes = bytes_of(text, i % 41);
        values[i * 3 + 2].null = i % 7 == 0;
    }
    append_rows(q, id, values, 3000);
    append_rows(q, id, values, 100);
    append_rows(q, id, values, 3000);
    sql_expect(q,
               "select count(s), sum(len(s)), count(distinct s), min(s), bool_and(s = "
               "repeat(s[1], len(s))) from t",
               sql_ask(q, "select count(x), sum(len(x)), count(distinct x), min(x), true from ("
                          "select case when i % 7 <> 0 then repeat(chr((97 + i % 26)::int), "
                          "(i % 41)::int) end x from (select * from range(3000) r(i) union all "
                          "select * from range(3000) union all select * from range(100)))"));
}

/* A vector of the type, filled with the values; the last of them may be null. */
static enum errcode fill_decimals_of(int precision, const __int128 *values, size_t count,
                                     bool last_null, void *ret)
{
    const struct duckdb *d = duckdb();
    const struct type type = {.root = TYPE_DECIMAL, .precision = precision};
    uint8_t validity = (uint8_t)((1u << (count - last_null)) - 1);
    struct arrow_read_node node = {.kind = ARROW_BUILD_FIXED,
                                   .width = 16,
                                   .span = 1,
                                   .length = count,
                                   .null_count = last_null,
                                   .validity = bytes_of(&validity, 1),
                                   .data = bytes_of(values, count * 16)};
    void *logical = fill_type(d, &type);
    void *chunk = d->create_data_chunk(&logical, 1);
    struct fill f = {.duckdb = d, .count = count};
    struct error e;
    enum errcode code;

    f.vector = d->data_chunk_get_vector(chunk, 0);
    code = fill_values(&f, &type, &node, 0, &e);
    memcpy(ret, d->vector_get_data(f.vector), count * 16);
    d->destroy_data_chunk(&chunk);
    d->destroy_logical_type(&logical);
    return code;
}

static void decimals_of_every_width(void **state)
{
    static const int precisions[] = {4, 9, 18, 38};
    static const size_t widths[] = {2, 4, 8, 16};

    (void)sql_ready(state);
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        __int128 top = (__int128)((~(unsigned __int128)0 >> 1) >> (128 - 8 * widths[i]));
        const __int128 values[] = {0, -1, top, -top - 1};
        const __int128 beyond[] = {5, (__int128)((unsigned __int128)top + 1)};
        uint8_t got[64];

        assert_int_equal(fill_decimals_of(precisions[i], values, 4, false, got), ERR_OK);
        for (size_t k = 0; k < ARRAY_LEN(values); k++) {
            assert_memory_equal(got + k * widths[i], &values[k], widths[i]); /* little endian */
        }
        if (widths[i] < sizeof top) {
            assert_int_equal(fill_decimals_of(precisions[i], beyond, 2, false, got),
                             ERR_INVALID_ARGUMENT);
            assert_int_equal(fill_decimals_of(precisions[i], beyond, 2, true, got), ERR_OK);
            assert_memory_equal(got, &beyond[0], widths[i]);
        }
    }
}

/* As they come out of the cache (column_cache.h). */
static void decimals_of_64_bits(void **state)
{
    const struct type type = {.root = TYPE_DECIMAL, .precision = 18, .scale = 2};
    const int64_t values[] = {INT64_MIN, -1, 0, INT64_MAX};
    struct arrow_read_node node = {.kind = ARROW_BUILD_FIXED,
                                   .width = 8,
                                   .span = 1,
                                   .length = 4,
                                   .data = bytes_of(values, sizeof values)};
    struct fill f = {.at = 1, .count = 2};
    const int64_t *filled;
    void *logical;
    void *chunk;

    (void)sql_ready(state);
    f.duckdb = duckdb();
    logical = fill_type(f.duckdb, &type);
    chunk = f.duckdb->create_data_chunk(&logical, 1);
    f.vector = f.duckdb->data_chunk_get_vector(chunk, 0);
    assert_int_equal(fill_values(&f, &type, &node, 2, NULL), ERR_OK);
    f = (struct fill){.duckdb = f.duckdb, .vector = f.vector, .count = 1};
    assert_int_equal(fill_values(&f, &type, &node, 0, NULL), ERR_OK);
    filled = f.duckdb->vector_get_data(f.vector);
    assert_true(filled[0] == INT64_MIN && filled[1] == 0 && filled[2] == INT64_MAX);
    f.duckdb->destroy_data_chunk(&chunk);
    f.duckdb->destroy_logical_type(&logical);
}

/* ---- texts of few values ---- */

#define CODED_ROWS 600u

/* "", "few", null, and a text that lies outside of the vector. */
static const uint8_t coded_offsets[] = {0, 0, 0, 0, 0, 0, 0,  0, 3, 0,
                                        0, 0, 3, 0, 0, 0, 32, 0, 0, 0};
static const uint8_t coded_validity[] = {0x0b};
static const struct arrow_read_node coded_values = {
    .kind = ARROW_BUILD_BYTES,
    .span = 1,
    .length = 4,
    .null_count = 1,
    .validity = {coded_validity, sizeof coded_validity},
    .offsets = {coded_offsets, sizeof coded_offsets},
    .data = {(const uint8_t *)"fewlonger than what fits into it", 32},
};

/* Of the vector, whatever kind it is, as a flat one. */
static void flatten(const struct duckdb *d, void *vector, void *flat, size_t count)
{
    void (*copy)(void *, void *, void *, uint64_t, uint64_t, uint64_t);
    void *all = d->create_selection_vector(count);

    *(void **)&copy = dlsym(d->handle, "duckdb_vector_copy_sel");
    assert_non_null(copy);
    for (uint32_t i = 0; i < count; i++) {
        d->selection_vector_get_data_ptr(all)[i] = i;
    }
    copy(vector, flat, all, count, 0, 0);
    d->destroy_selection_vector(all);
}

static void expect_coded(const struct duckdb *d, void *flat, size_t at, const uint8_t *codes)
{
    const struct duck_string *found = (const struct duck_string *)d->vector_get_data(flat) + at;
    const uint64_t *validity = d->vector_get_validity(flat);

    for (size_t i = 0; i < CODED_ROWS; i++) {
        size_t begin = get_u32le(coded_offsets + codes[i] * 4);
        size_t len = get_u32le(coded_offsets + codes[i] * 4 + 4) - begin;
        bool valid = validity == NULL || (validity[(at + i) / 64] >> (at + i) % 64 & 1) != 0;

        assert_int_equal(valid, codes[i] != 2);
        assert_true(!valid || bytes_equal(duck_string_bytes(&found[i]),
                                          bytes_of(coded_values.data.data + begin, len)));
    }
}

static unsigned dictionaries_made;
static void (*make_dictionary)(void *vector, uint64_t size, const void *selection, uint64_t count);

static void count_dictionary(void *vector, uint64_t size, const void *selection, uint64_t count)
{
    dictionaries_made++;
    assert_int_equal(size, 4);
    make_dictionary(vector, size, selection, count);
}

/* Fills from row 5 of the column on; returns how often a dictionary was made. */
static unsigned fill_coded(const struct duckdb *d, size_t at, bool whole, bool borrow)
{
    const struct type type = {.root = TYPE_STRING};
    uint8_t codes[CODED_ROWS + 5];
    const struct fill_column column = {.node = &coded_values, .codes = codes};
    void *logical = fill_type(d, &type);
    void *chunks[] = {d->create_data_chunk(&logical, 1), d->create_data_chunk(&logical, 1)};
    void *flat = d->data_chunk_get_vector(chunks[1], 0);
    struct fill f = {.duckdb = d, .at = at, .count = CODED_ROWS, .borrow = borrow, .whole = whole};

    dictionaries_made = 0;
    for (size_t i = 0; i < sizeof codes; i++) {
        codes[i] = (uint8_t)(i * i % 7 % 4);
    }
    f.vector = d->data_chunk_get_vector(chunks[0], 0);
    assert_int_equal(fill_from(&f, &type, &column, 5, NULL), ERR_OK);
    flatten(d, f.vector, flat, at + CODED_ROWS);
    expect_coded(d, flat, at, codes + 5);
    d->destroy_data_chunk(&chunks[0]);
    d->destroy_data_chunk(&chunks[1]);
    d->destroy_logical_type(&logical);
    return dictionaries_made;
}

static void texts_of_few_values(void **state)
{
    struct duckdb d;

    (void)sql_ready(state);
    d = *duckdb();
    make_dictionary = d.vector_dictionary;
    d.vector_dictionary = make_dictionary == NULL ? NULL : count_dictionary;
    for (int borrow = 0; borrow < 2; borrow++) {
        assert_int_equal(fill_coded(&d, 0, true, borrow != 0), make_dictionary != NULL);
        assert_int_equal(fill_coded(&d, 0, false, borrow != 0), 0);
        assert_int_equal(fill_coded(&d, 77, false, borrow != 0), 0);
    }
    d.vector_dictionary = NULL; /* as with a library that does not have it */
    assert_int_equal(fill_coded(&d, 0, true, true), 0);
    assert_int_equal(fill_coded(&d, 0, true, false), 0);
}

static void columns_that_are_not_there(void **state)
{
    const struct type type = {.root = TYPE_BIGINT};
    const struct fill_column none = {0};
    struct fill f = {.at = 1, .count = 2};
    void *logical;
    void *chunk;

    (void)sql_ready(state);
    f.duckdb = duckdb();
    logical = fill_type(f.duckdb, &type);
    chunk = f.duckdb->create_data_chunk(&logical, 1);
    f.vector = f.duckdb->data_chunk_get_vector(chunk, 0);
    assert_int_equal(fill_from(&f, &type, &none, 7, NULL), ERR_OK);
    assert_int_equal(f.duckdb->vector_get_validity(f.vector)[0] & 15, 9);
    f.duckdb->destroy_data_chunk(&chunk);
    f.duckdb->destroy_logical_type(&logical);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(nested_values_and_nulls),  SQL_TEST(values_that_sql_cannot_hold),
        SQL_TEST(characters_in_two_values), SQL_TEST(texts_of_many_rows),
        SQL_TEST(decimals_of_every_width),  SQL_TEST(decimals_of_64_bits),
        SQL_TEST(texts_of_few_values),      SQL_TEST(columns_that_are_not_there),
    };

    return cmocka_run_group_tests_name("sql/fill", tests, NULL, NULL);
}
