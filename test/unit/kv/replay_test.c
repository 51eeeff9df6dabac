/* Random writes against a plain model of each merge engine: the state, the changelog, and the state
 * that the changelog gives when it is replayed. A failure prints its configuration and seed. */
#include "../../support/kv_tables.h"
#include "../../support/unit.h"
#include "base/hash.h"
#include "format/arrow_read.h"
#include "format/value_batch.h"
#include "kv/changelog.h"
#include "kv/prepare.h"
#include "kv/replay.h"

#define KEYS        8
#define COLUMNS     5 /* of the second schema; the first has not got the last */
#define BATCHES     60
#define RECORDS_MAX 12
#define SEEDS       6

enum { K, A, B, C, D };

static const struct test_column plain[COLUMNS] = {{"k", "INT NOT NULL", NULL, NULL},
                                                  {"a", "BIGINT", NULL, NULL},
                                                  {"b", "STRING", NULL, NULL},
                                                  {"c", "INT", NULL, NULL},
                                                  {"d", "ARRAY<STRING>", NULL, NULL}};
static const struct test_column aggregated[COLUMNS] = {{"k", "INT NOT NULL", NULL, NULL},
                                                       {"a", "BIGINT", "sum", NULL},
                                                       {"b", "STRING", "listagg", "; "},
                                                       {"c", "INT", "max", NULL},
                                                       {"d", "ARRAY<STRING>", NULL, NULL}};

struct config {
    enum merge_engine engine;
    bool allow_deletes; /* else what the engine does */
    bool wal;
    const char *kv_format;
    const char *log_format;
    const char *compression;
};

struct model_row {
    bool present;
    struct row_value values[COLUMNS];
};

struct world {
    const struct config *config;
    uint64_t random;
    struct schema *schemas[2];
    struct kv_table *table;
    struct kv_prepare *prepare;
    struct kv_replay *replay;
    struct key_format key;
    uint32_t key_position;
    struct test_store store;
    struct test_store replayed;
    int64_t replayed_rows;
    struct model_row model[KEYS];
    struct model_row shadow[KEYS]; /* what the changelog has said so far */
    struct arena arena;
    struct kv_batch_writer writer;
};

static uint32_t random_below(struct world *w, uint32_t n)
{
    w->random = hash_u64(w->random + 0x9e3779b97f4a7c15u);
    return (uint32_t)(w->random >> 33) % n;
}

/* ---- the model ---- */

struct write {
    bool overwrite;
    uint32_t targets; /* a bit per column; 0: all */
};

static bool has(uint32_t set, int column) { return (set >> column & 1) != 0; }

static struct row_value null_value(void) { return (struct row_value){.null = true}; }

static int64_t version_of(const struct row_value *v) { return v->null ? INT32_MIN : v->integer; }

static struct row_value joined(struct world *w, const struct row_value *a,
                               const struct row_value *b)
{
    const char *text =
        arena_printf(&w->arena, "%.*s; %.*s", (int)a->bytes.len, (const char *)a->bytes.data,
                     (int)b->bytes.len, (const char *)b->bytes.data);

    return (struct row_value){.bytes = bytes_str(text)};
}

static struct row_value model_aggregate(struct world *w, int column, const struct row_value *old,
                                        const struct row_value *new)
{
    if (old->null || new->null) {
        return old->null ? *new : *old;
    }
    if (column == A) {
        return (struct row_value){.integer = old->integer + new->integer};
    }
    if (column == B) {
        return joined(w, old, new);
    }
    return column == C && old->integer >= new->integer ? *old : *new;
}

static void model_upsert(struct world *w, struct write write, const struct row_value *in)
{
    struct model_row *row = &w->model[in[K].integer];
    struct model_row before = *row;
    enum merge_engine engine = write.overwrite ? MERGE_NONE : w->config->engine;
    bool all = write.targets == 0 || (write.targets == (1 << COLUMNS) - 1 && engine == MERGE_NONE);

    if (before.present &&
        (engine == MERGE_FIRST_ROW ||
         (engine == MERGE_VERSIONED && version_of(&in[C]) < version_of(&before.values[C])))) {
        return;
    }
    row->present = true;
    for (int i = 0; i < COLUMNS; i++) {
        struct row_value old = before.present ? before.values[i] : null_value();
        bool target = all || has(write.targets, i);

        if (engine == MERGE_AGGREGATION && before.present) {
            row->values[i] = target ? model_aggregate(w, i, &old, &in[i]) : old;
        } else if (engine == MERGE_AGGREGATION) {
            row->values[i] = in[i];
        } else {
            row->values[i] = target ? in[i] : old;
        }
    }
}

static void model_delete(struct world *w, struct write write, int64_t key)
{
    struct model_row *row = &w->model[key];
    bool allowed = write.overwrite || w->config->allow_deletes || w->config->engine == MERGE_NONE;
    bool more = false;

    if (!allowed || !row->present) {
        return;
    }
    for (int i = A; i < COLUMNS && write.targets != 0 &&
                    !(write.targets == (1 << COLUMNS) - 1 && w->config->engine == MERGE_NONE);
         i++) {
        more = more || (!has(write.targets, i) && !row->values[i].null);
    }
    for (int i = A; i < COLUMNS && more; i++) {
        row->values[i] = has(write.targets, i) ? null_value() : row->values[i];
    }
    row->present = more;
}

/* ---- random writes ---- */

static struct row_value random_value(struct world *w, int column)
{
    struct row_value *items;

    if (random_below(w, 4) == 0) {
        return null_value();
    }
    if (column == B) {
        return (struct row_value){
            .bytes = bytes_str(arena_printf(&w->arena, "t%u", random_below(w, 1000)))};
    }
    if (column == D) {
        items = arena_array(&w->arena, 2, sizeof *items);
        items[0].bytes = bytes_str(arena_printf(&w->arena, "a text of %u", random_below(w, 1000)));
        items[1].null = true;
        return (struct row_value){.count = 1 + random_below(w, 2), .items = items};
    }
    return (struct row_value){.integer = (int64_t)random_below(w, 20) - 10};
}

static struct bytes encoded_row(struct world *w, uint32_t schema, const struct row_value *values)
{
    struct row_format format = {.layout = w->table->layout, .row = w->schemas[schema]->row};
    struct bytes row = BYTES_EMPTY;

    assert_int_equal(row_encode(format, values, &w->arena, &row, NULL), ERR_OK);
    return row;
}

static struct bytes encoded_key(struct world *w, const struct row_value *key)
{
    struct bytes bytes = BYTES_EMPTY;

    assert_int_equal(key_encode(&w->key, key, &w->arena, &bytes, NULL), ERR_OK);
    return bytes;
}

static void add_record(struct world *w, struct write write, uint32_t schema)
{
    struct row_value values[COLUMNS] = {{.integer = random_below(w, KEYS)}};
    bool is_delete = random_below(w, 4) == 0;

    for (int i = A; i < COLUMNS; i++) {
        bool sent = (write.targets == 0 || has(write.targets, i)) && (i != D || schema == 1);

        values[i] = sent ? random_value(w, i) : null_value();
    }
    if (is_delete) {
        kv_batch_writer_add(&w->writer, encoded_key(w, values), BYTES_EMPTY);
        model_delete(w, write, values[K].integer);
    } else {
        kv_batch_writer_add(&w->writer, encoded_key(w, values), encoded_row(w, schema, values));
        model_upsert(w, write, values);
    }
}

static struct write random_write(struct world *w)
{
    struct write write = {.overwrite = random_below(w, 10) == 0};
    bool partial = write.overwrite || w->config->engine == MERGE_NONE ||
                   w->config->engine == MERGE_AGGREGATION;

    if (partial && random_below(w, 2) == 0) {
        write.targets = 1u | random_below(w, 1 << COLUMNS);
    }
    return write;
}

/* ---- what the changelog says ---- */

/* The rows of a changelog batch and their change types. */
struct changes {
    const uint8_t *types;
    const struct row_value **rows;
    size_t count;
};

static void read_compacted(struct world *w, struct bytes body, struct changes *ret)
{
    struct row_format format = {.layout = ROW_COMPACTED, .row = w->schemas[1]->row};
    uint8_t *types = arena_alloc(&w->arena, ret->count);
    struct reader in = reader_of(body);

    for (size_t i = 0; i < ret->count; i++) {
        struct reader record = reader_of(reader_bytes(&in, reader_u32le(&in)));

        types[i] = reader_u8(&record);
        assert_int_equal(row_decode(format, record.rest, &w->arena, &ret->rows[i], NULL), ERR_OK);
    }
    ret->types = types;
}

static void read_arrow(struct world *w, struct bytes body, struct changes *ret)
{
    OWNED(codec_freep) struct codec *codec = codec_new();
    struct bytes message = bytes_slice(body, ret->count, body.len - ret->count);
    struct arrow_reader reader;

    assert_int_equal(
        arrow_reader_open(w->schemas[1]->row, message, codec, &w->arena, &reader, NULL), ERR_OK);
    for (size_t i = 0; i < ret->count; i++) {
        struct row_value *row = arena_array(&w->arena, COLUMNS, sizeof *row);

        arrow_reader_row(&reader, i, &w->arena, row);
        ret->rows[i] = row;
    }
    ret->types = body.data;
}

static struct changes read_changes(struct world *w, const struct batch_header *header,
                                   struct bytes batch)
{
    struct changes c = {.count = (size_t)header->record_count};

    c.rows = arena_array(&w->arena, c.count, sizeof(struct row_value *));
    if (c.count > 0 && w->table->log_format == LOG_FORMAT_ARROW) {
        read_arrow(w, batch_body(header, batch), &c);
    } else if (c.count > 0) {
        read_compacted(w, batch_body(header, batch), &c);
    }
    return c;
}

static void assert_rows_equal(struct world *w, const struct row_value *a, const struct row_value *b)
{
    for (int i = 0; i < COLUMNS; i++) {
        if (!row_value_equal(w->schemas[1]->columns[i].type, &a[i], &b[i])) {
            fail_msg("column %d of key %d differs", i, (int)a[K].integer);
        }
    }
}

/* Each change fits what was said before: no -U without its +I or +U, and so on. */
static void follow_changes(struct world *w, const struct changes *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct model_row *row = &w->shadow[c->rows[i][K].integer];
        enum change_type type = (enum change_type)c->types[i];

        if (type == CHANGE_DELETE || type == CHANGE_UPDATE_BEFORE) {
            assert_true(row->present);
            assert_rows_equal(w, c->rows[i], row->values);
        } else if (type == CHANGE_UPDATE_AFTER && !w->config->wal) {
            assert_true(row->present && c->types[i - 1] == CHANGE_UPDATE_BEFORE);
            assert_int_equal(c->rows[i - 1][K].integer, c->rows[i][K].integer);
        } else if (type == CHANGE_INSERT) {
            assert_false(row->present);
        }
        row->present = type != CHANGE_DELETE;
        memcpy(row->values, c->rows[i], sizeof row->values);
    }
}

/* ---- checks ---- */

static void check_store(struct world *w, const struct test_store *store)
{
    size_t present = 0;

    for (int64_t k = 0; k < KEYS; k++) {
        const struct row_value key = {.integer = k};
        struct bytes value = test_store_get(store, encoded_key(w, &key));
        struct row_value values[COLUMNS] = {{0}};
        const struct row_value *read = NULL;
        uint32_t schema;

        assert_int_equal(value.len > 0, w->model[k].present);
        present += w->model[k].present;
        if (value.len > 0) {
            schema = (uint32_t)value_schema_id(value) - 1;
            assert_int_equal(
                row_decode((struct row_format){w->table->layout, w->schemas[schema]->row},
                           value_row(value), &w->arena, &read, NULL),
                ERR_OK);
            memcpy(values, read, w->schemas[schema]->count * sizeof *read);
            values[D].null = schema == 0 || values[D].null;
            assert_rows_equal(w, values, w->model[k].values);
        }
    }
    assert_int_equal(test_store_count(store), present);
}

static void replay_batch(struct world *w, const struct batch_header *header, struct bytes batch)
{
    struct kv_replayed replayed;

    assert_int_equal(kv_replay_batch(w->replay, header, batch, &w->arena, &replayed, NULL), ERR_OK);
    for (size_t i = 0; i < replayed.change_count; i++) {
        assert_true(replayed.changes[i].hash == hash_bytes(replayed.changes[i].key));
        test_store_put(&w->replayed, replayed.changes[i].key, replayed.changes[i].value);
    }
    w->replayed_rows += replayed.row_delta;
}

static void write_batch(struct world *w)
{
    struct write write = random_write(w);
    uint32_t schema = random_below(w, 2);
    uint32_t records = random_below(w, RECORDS_MAX);
    int32_t targets[COLUMNS];
    struct kv_request request = {
        .merge = {.mode = write.overwrite ? KV_MERGE_OVERWRITE : KV_MERGE_DEFAULT,
                  .target_columns = targets}};
    struct kv_prepared prepared = {0};
    struct batch_header header;
    struct kv_key *keys = NULL;
    size_t count = 0;
    struct changes changes;

    for (int i = 0; i < COLUMNS; i++) {
        if (has(write.targets, i)) {
            targets[request.merge.target_count++] = i;
        }
    }
    kv_batch_writer_begin(&w->writer, (int16_t)(schema + 1));
    for (uint32_t i = 0; i < records; i++) {
        add_record(w, write, schema);
    }
    assert_int_equal(kv_prepare_begin(w->prepare, kv_batch_writer_finish(&w->writer, -1, -1),
                                      &request, &keys, &count, NULL),
                     ERR_OK);
    for (size_t i = 0; i < count; i++) {
        keys[i].old = test_store_get(&w->store, keys[i].key);
    }
    assert_int_equal(kv_prepare_finish(w->prepare, &w->arena, &prepared, NULL), ERR_OK);
    for (size_t i = 0; i < prepared.change_count; i++) {
        test_store_put(&w->store, prepared.changes[i].key, prepared.changes[i].value);
    }
    assert_int_equal(batch_parse(prepared.batch, &header, NULL), ERR_OK);
    assert_int_equal(batch_check_crc(&header, prepared.batch, NULL), ERR_OK);
    assert_int_equal(header.record_count, prepared.record_count);
    changes = read_changes(w, &header, prepared.batch);
    follow_changes(w, &changes);
    replay_batch(w, &header, prepared.batch);
}

/* ---- runs ---- */

static void world_open(struct world *w, const struct config *config, uint64_t seed)
{
    static const char *const engines[] = {[MERGE_FIRST_ROW] = "first_row",
                                          [MERGE_VERSIONED] = "versioned",
                                          [MERGE_AGGREGATION] = "aggregation"};
    const struct test_column *columns = config->engine == MERGE_AGGREGATION ? aggregated : plain;
    const char *properties[8];
    size_t count = 0;
    struct table_options options;
    struct type_field *field;
    struct type *key;
    struct error e = {0};

    *w = (struct world){.config = config, .random = seed};
    for (size_t i = 0; i < 2; i++) {
        w->schemas[i] = test_schema(columns, COLUMNS - 1 + i, 1, NULL);
    }
    properties[count++] = arena_printf(&w->arena, "table.kv.format=%s", config->kv_format);
    properties[count++] = arena_printf(&w->arena, "table.log.format=%s", config->log_format);
    properties[count++] =
        arena_printf(&w->arena, "table.log.arrow.compression.type=%s", config->compression);
    properties[count++] = config->wal ? "table.changelog.image=WAL" : "table.changelog.image=FULL";
    properties[count++] = "table.merge-engine.versioned.ver-column=c";
    if (config->engine != MERGE_NONE) {
        properties[count++] =
            arena_printf(&w->arena, "table.merge-engine=%s", engines[config->engine]);
    }
    if (config->allow_deletes) {
        properties[count++] = "table.delete.behavior=ALLOW";
    }
    options = test_options(&w->arena, properties, count);
    if (kv_table_new(&options, (const struct kv_schema[]){{1, w->schemas[0]}, {2, w->schemas[1]}},
                     2, &w->table, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    field = arena_new(&w->arena, struct type_field);
    key = arena_new(&w->arena, struct type);
    *field = w->schemas[1]->row->fields[K];
    *key = (struct type){.root = TYPE_ROW, .count = 1, .fields = field};
    w->key = (struct key_format){
        .encoding = KEY_COMPACTED, .columns = key, .positions = &w->key_position};
    w->prepare = kv_prepare_new(w->table);
    w->replay = kv_replay_new(w->table, &w->key);
}

static void world_close(struct world *w)
{
    kv_prepare_free(w->prepare);
    kv_replay_free(w->replay);
    kv_table_unref(w->table);
    schema_unref(w->schemas[0]);
    schema_unref(w->schemas[1]);
    test_store_fini(&w->store);
    test_store_fini(&w->replayed);
    kv_batch_writer_fini(&w->writer);
    arena_fini(&w->arena);
}

static void run(const struct config *config, uint64_t seed)
{
    struct world w;

    world_open(&w, config, seed);
    print_message("engine %d, deletes %d, wal %d, %s to %s, seed %d\n", (int)config->engine,
                  config->allow_deletes, config->wal, config->kv_format, config->log_format,
                  (int)seed);
    for (int i = 0; i < BATCHES; i++) {
        write_batch(&w);
        check_store(&w, &w.store);
        check_store(&w, &w.replayed);
        if (!config->wal) {
            assert_int_equal(w.replayed_rows, test_store_count(&w.store));
        }
    }
    world_close(&w);
}

static void random_writes_of_every_engine(void **state)
{
    static const struct config configs[] = {
        {MERGE_NONE, false, false, "COMPACTED", "ARROW", "NONE"},
        {MERGE_NONE, false, true, "COMPACTED", "ARROW", "ZSTD"},
        {MERGE_NONE, false, false, "INDEXED", "ARROW", "LZ4_FRAME"},
        {MERGE_NONE, false, false, "COMPACTED", "COMPACTED", "NONE"},
        {MERGE_NONE, false, true, "INDEXED", "COMPACTED", "NONE"},
        {MERGE_FIRST_ROW, false, false, "COMPACTED", "ARROW", "ZSTD"},
        {MERGE_FIRST_ROW, false, true, "INDEXED", "COMPACTED", "NONE"},
        {MERGE_VERSIONED, false, false, "COMPACTED", "ARROW", "NONE"},
        {MERGE_VERSIONED, false, true, "INDEXED", "ARROW", "NONE"},
        {MERGE_AGGREGATION, false, false, "COMPACTED", "ARROW", "NONE"},
        {MERGE_AGGREGATION, true, false, "INDEXED", "ARROW", "ZSTD"},
        {MERGE_AGGREGATION, true, false, "COMPACTED", "COMPACTED", "NONE"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            run(&configs[i], seed);
        }
    }
}

/* ---- what no changelog holds ---- */

/* The code for a batch of `count` changes with this body; what is wrong is in e. */
static enum errcode replay_body(struct world *w, struct batch_spec spec, struct error *e)
{
    struct bytes batch = batch_build(&spec, &w->arena);
    struct kv_replayed replayed;
    struct batch_header header;

    assert_int_equal(batch_parse(batch, &header, NULL), ERR_OK);
    return kv_replay_batch(w->replay, &header, batch, &w->arena, &replayed, e);
}

/* The changes of three new rows, as the table writes them. */
static struct bytes whole_body(struct world *w)
{
    struct kv_request request = {.merge = {.mode = KV_MERGE_DEFAULT}};
    struct kv_prepared prepared = {0};
    struct batch_header header;
    struct kv_key *keys;
    size_t count;

    kv_batch_writer_begin(&w->writer, 2);
    for (int64_t k = 0; k < 3; k++) {
        struct row_value values[COLUMNS] = {
            {.integer = k}, null_value(), null_value(), null_value(), null_value()};

        kv_batch_writer_add(&w->writer, encoded_key(w, values), encoded_row(w, 1, values));
    }
    assert_int_equal(kv_prepare_begin(w->prepare, kv_batch_writer_finish(&w->writer, -1, -1),
                                      &request, &keys, &count, NULL),
                     ERR_OK);
    assert_int_equal(kv_prepare_finish(w->prepare, &w->arena, &prepared, NULL), ERR_OK);
    assert_int_equal(batch_parse(prepared.batch, &header, NULL), ERR_OK);
    assert_int_equal(header.record_count, 3);
    return batch_body(&header, prepared.batch);
}

static void check_refused(struct world *w, struct batch_spec spec, enum errcode code,
                          const char *why)
{
    struct error e = {0};

    assert_int_equal(replay_body(w, spec, &e), code);
    assert_non_null(strstr(e.message, why));
}

/* body: of a changelog of three changes, in either format */
static void refuses_what_both_formats_refuse(struct world *w, struct batch_spec whole)
{
    struct batch_spec spec = whole;

    assert_int_equal(replay_body(w, whole, NULL), ERR_OK);
    spec.schema_id = 3;
    check_refused(w, spec, ERR_SCHEMA_NOT_EXIST, "changes of schema 3, the latest is 2");
    spec = whole;
    spec.append_only = true;
    check_refused(w, spec, ERR_CORRUPT_RECORD, "append-only");
    spec = whole;
    spec.record_count = (int32_t)whole.body.len + 1;
    check_refused(w, spec, ERR_CORRUPT_RECORD, "more records than bytes");
    spec.record_count = 0;
    check_refused(w, spec, ERR_CORRUPT_RECORD, "more records than bytes");
    spec.body = BYTES_EMPTY;
    assert_int_equal(replay_body(w, spec, NULL), ERR_OK);
}

static void an_arrow_changelog_that_is_none(void **state)
{
    static const struct config config = {MERGE_NONE, false, false, "COMPACTED", "ARROW", "NONE"};
    static const uint8_t types[] = {CHANGE_APPEND, CHANGE_TYPE_MAX + 1, 0xff};
    struct batch_spec whole = {.schema_id = 2, .record_count = 3};
    struct batch_spec spec;
    struct world w;
    uint8_t *body;

    (void)state;
    world_open(&w, &config, 1);
    whole.body = whole_body(&w);
    refuses_what_both_formats_refuse(&w, whole);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        spec = whole;
        spec.body = arena_copy(&w.arena, whole.body);
        body = (uint8_t *)(uintptr_t)spec.body.data;
        body[1] = types[i];
        check_refused(&w, spec, ERR_CORRUPT_RECORD, "unknown change type");
    }
    /* one type fewer: the message is read from the right place and has another number of rows */
    spec = whole;
    spec.record_count = 2;
    spec.body = bytes_slice(whole.body, 1, whole.body.len - 1);
    check_refused(&w, spec, ERR_CORRUPT_RECORD, "another number of rows");
    spec = whole;
    spec.body = bytes_slice(whole.body, 0, whole.body.len / 2);
    assert_int_not_equal(replay_body(&w, spec, NULL), ERR_OK);
    world_close(&w);
}

static void a_compacted_changelog_that_is_none(void **state)
{
    static const struct config config = {MERGE_NONE,  false,       false,
                                         "COMPACTED", "COMPACTED", "NONE"};
    struct batch_spec whole = {.schema_id = 2, .record_count = 3};
    struct batch_spec spec;
    struct world w;
    uint8_t *body;

    (void)state;
    world_open(&w, &config, 1);
    whole.body = whole_body(&w);
    refuses_what_both_formats_refuse(&w, whole);
    for (size_t len = 0; len < whole.body.len; len++) {
        spec = whole;
        spec.body = bytes_slice(whole.body, 0, len);
        assert_int_equal(replay_body(&w, spec, NULL), ERR_CORRUPT_RECORD);
    }
    spec = whole;
    spec.record_count = 2;
    check_refused(&w, spec, ERR_CORRUPT_RECORD, "bytes behind the last record");
    spec = whole;
    spec.body = arena_copy(&w.arena, whole.body);
    body = (uint8_t *)(uintptr_t)spec.body.data;
    body[4] = CHANGE_APPEND; /* behind the length of the first record */
    check_refused(&w, spec, ERR_CORRUPT_RECORD, "unknown change type");
    put_u32le(body, 0);
    check_refused(&w, spec, ERR_CORRUPT_RECORD, "a record cut short");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_writes_of_every_engine),
        cmocka_unit_test(an_arrow_changelog_that_is_none),
        cmocka_unit_test(a_compacted_changelog_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
