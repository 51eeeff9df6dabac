/* What a query says about rows: the syntax tree that DuckDB writes as JSON, as anything at all. What is
 * left out of a table for it is held against a few rows, each looked at on its own: a row that may
 * satisfy the predicates is in a partition, a bucket and a batch that are kept, and among the keys to
 * look up.
 *
 * Input: byte 0 bit 0: a primary-key table, bit 1: its changelog, bit 2: its binlog; then the JSON. */
#include "catalog_table.h"
#include "mutate.h"

#include <strings.h>

#include "format/key.h"
#include "sql/literal.h"
#include "sql/prune_tree.h"

#define RELATIONS_MAX 16
#define COLUMN(name, type, more)                                                                   \
    "{\"name\":\"" name "\",\"data_type\":{\"type\":\"" type "\"" more ",\"nullable\":false}}"
/* clang-format off */
#define TABLE(primary_key)                                                                         \
    "{\"schema\":{\"columns\":[" COLUMN("a", "INTEGER", "") "," COLUMN("b", "STRING", "")          \
    "," COLUMN("c", "BIGINT", "") "," COLUMN("d", "DATE", "")                                      \
    "," COLUMN("t", "TIMESTAMP_WITH_LOCAL_TIME_ZONE", ",\"precision\":6") "]" primary_key          \
    "},\"partition_key\":[\"b\"],\"bucket_key\":[\"a\"],\"bucket_count\":3,\"properties\":{}," \
    "\"custom_properties\":{}}"
/* clang-format on */

enum { A, B, C, D, T, COLUMNS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct row {
    int64_t a;
    const char *b; /* its partition, too */
    int64_t c;
    int64_t day;
    int64_t millis;
    int64_t offset;
    int64_t commit_ms;
};

#define ROWS 24

/* Row number i, of values that inputs have, too. */
static struct row row_at(size_t i)
{
    static const int64_t as[] = {5, 0, INT32_MAX, -1};
    static const char *const bs[] = {"x", "y"};
    static const int64_t cs[] = {7, 0, INT64_MIN};
    static const int64_t places[] = {0, 5, 6, 100, 86400000, INT64_C(1) << 40, 1};

    return (struct row){.a = as[i % 4],
                        .b = bs[i / 4 % 2],
                        .c = cs[i / 8],
                        .day = (int64_t)i * 1000 - 1000,
                        .millis = places[i % 5] - 1,
                        .offset = places[i % 6],
                        .commit_ms = places[i % 7]};
}

/* A relation of the query as it reads the table. */
struct view {
    const struct meta_table *table;
    struct prune_source source;
    bool current;
    int32_t bucket; /* of the row */
    const struct literal_parameters *parameters;
};

/* ---- what a row is like ---- */

static struct value number(int64_t n) { return (struct value){.kind = VALUE_INT, .integer = n}; }

static struct value moment(int64_t millis)
{
    return (struct value){.kind = VALUE_TIMESTAMP, .timestamp = {.millis = millis}};
}

static bool place_of(const struct view *v, const struct row *row, const char *name,
                     struct value *ret, struct type *type)
{
    bool log = v->source.changelog;

    if (v->current) {
        return false;
    }
    *type = (struct type){.root = TYPE_BIGINT};
    if (strcasecmp(name, "_bucket") == 0) {
        *ret = number(v->bucket);
    } else if (strcasecmp(name, log ? "_log_offset" : "_offset") == 0) {
        *ret = number(row->offset);
    } else if (strcasecmp(name, log ? "_commit_timestamp" : "_timestamp") == 0) {
        *ret = moment(row->commit_ms);
        *type = (struct type){.root = TYPE_TIMESTAMP_LTZ, .precision = 6};
    } else {
        return false;
    }
    return true;
}

static bool value_of(const struct view *v, const struct row *row, const char *name,
                     struct value *ret, struct type *type)
{
    const struct schema *schema = meta_table_latest(v->table)->schema;
    const struct value values[COLUMNS] = {number(row->a),
                                          {.kind = VALUE_BYTES, .bytes = bytes_str(row->b)},
                                          number(row->c),
                                          number(row->day),
                                          moment(row->millis)};

    for (uint32_t i = 0; i < COLUMNS && !v->source.binlog; i++) {
        if (strcasecmp(schema->columns[i].name, name) == 0) {
            *ret = values[i];
            *type = *schema->columns[i].type;
            return true;
        }
    }
    return place_of(v, row, name, ret, type);
}

static bool compares(enum filter_function function, int order)
{
    switch (function) {
    case FILTER_EQUAL:
    case FILTER_IN:
        return order == 0;
    case FILTER_NOT_EQUAL:
        return order != 0;
    case FILTER_LESS:
        return order < 0;
    case FILTER_LESS_OR_EQUAL:
        return order <= 0;
    case FILTER_GREATER:
        return order > 0;
    case FILTER_GREATER_OR_EQUAL:
        return order >= 0;
    case FILTER_IS_NULL:
    case FILTER_IS_NOT_NULL:
    case FILTER_STARTS_WITH:
    case FILTER_CONTAINS:
    case FILTER_ENDS_WITH:
    case FILTER_NOT_IN:
        break;
    }
    ASSERT(false);
    return false;
}

static bool may_satisfy_leaf(const struct view *v, const struct row *row, const struct predicate *p)
{
    struct value value;
    struct value operand;
    struct type type;
    bool any = false;

    if (!value_of(v, row, p->column, &value, &type)) {
        return true;
    }
    if (p->function == FILTER_IS_NULL || p->function == FILTER_IS_NOT_NULL) {
        return p->function == FILTER_IS_NOT_NULL;
    }
    for (size_t i = 0; i < p->operand_count; i++) {
        if (!literal_value(&p->operands[i], &type, v->parameters, &operand)) {
            return true;
        }
        ASSERT(operand.kind == value.kind);
        any = any || compares(p->function, value_compare(&value, &operand));
    }
    return any;
}

/* Recursion over the nested predicate. */
static bool may_satisfy(const struct view *v, const struct row *row, const struct predicate *p)
{
    if (p == NULL) {
        return true;
    }
    if (p->kind == FILTER_LEAF) {
        return may_satisfy_leaf(v, row, p);
    }
    for (size_t i = 0; i < p->child_count; i++) {
        if (may_satisfy(v, row, p->children[i]) != (p->kind == FILTER_AND)) {
            return p->kind == FILTER_OR;
        }
    }
    return p->kind == FILTER_AND;
}

/* ---- what is left out ---- */

static struct bytes key_of(const struct key_format *format, const struct row *row,
                           struct arena *arena)
{
    struct row_value values[COLUMNS] = {{.null = false}};
    struct bytes key;
    struct error e;

    for (uint32_t i = 0; i < format->columns->count; i++) {
        ASSERT(format->positions[i] == A || format->positions[i] == C);
        values[i].integer = format->positions[i] == A ? row->a : row->c;
    }
    ASSERT(key_encode(format, values, arena, &key, &e) == ERR_OK);
    return key;
}

static bool has_key(const struct prune_keys *keys, struct bytes key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (bytes_equal(keys->keys[i], key)) {
            return true;
        }
    }
    return false;
}

/* The row is among those to be looked up, or in a bucket to be read. */
static bool keys_keep(const struct prune *p, const struct row *row, const struct bucket_id *id,
                      struct arena *arena)
{
    const struct table_descriptor *d = p->table->descriptor;
    bool whole = p->lookup && !p->prefix;
    struct key_format format = whole ? key_format_primary(d, p->table->options, arena)
                                     : key_format_bucket(d, p->table->options, arena);

    if (!p->lookup && !p->by_bucket) {
        return true;
    }
    for (const struct prune_keys *k = p->keys; k != NULL; k = k->next) {
        if (k->id.partition_id == id->partition_id && k->id.bucket == id->bucket) {
            return has_key(k, key_of(&format, row, arena));
        }
    }
    return false;
}

static void check_row(struct view *v, const struct prune *p, const struct row *row,
                      struct arena *arena)
{
    const struct meta_partition *partition = meta_table_partition(v->table, bytes_str(row->b));
    struct key_format bucket = key_format_bucket(v->table->descriptor, v->table->options, arena);
    struct bucket_id id = {.table_id = v->table->id, .partition_id = partition->id};
    struct batch_header header = {.base_offset = row->offset, .commit_timestamp = row->commit_ms};
    struct error e;

    ASSERT(bucketing_bucket(key_bucketing(v->table->options), key_of(&bucket, row, arena),
                            FUZZ_BUCKETS, &id.bucket, &e) == ERR_OK);
    v->bucket = id.bucket;
    if (may_satisfy(v, row, v->source.where)) {
        ASSERT(prune_keeps_partition(p, partition));
        ASSERT(prune_keeps_bucket(p, id.bucket));
        ASSERT(v->current || prune_keeps_header(p, &header));
        ASSERT(keys_keep(p, row, &id, arena));
    }
}

/* A relation that reads the table, alone and together with all the others. */
static void check_relation(struct view *v, const struct prune_sources *all, struct arena *arena)
{
    const struct prune_sources one = {
        .items = &v->source, .count = 1, .parameters = all->parameters};
    const struct prune_sources *sources[] = {&one, all};

    for (size_t s = 0; s < ARRAY_LEN(sources); s++) {
        OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
        struct prune *p = prune_new(v->table, v->current, sources[s]);

        prune_find_keys(p, v->current && sources[s]->count == 1);
        for (size_t i = 0; i < ROWS; i++) {
            const struct row row = row_at(i);

            check_row(v, p, &row, arena);
        }
        (void)prune_is_one_key(p);
        prune_explain(p, &out);
        prune_free(p);
    }
}

static void check(const struct predicates *found, uint8_t mode, struct arena *arena)
{
    static const struct sql_parameter values[] = {
        {.text = {(const uint8_t *)"5", 1}}, {.text = {(const uint8_t *)"x", 1}}, {.null = true}};
    static const struct literal_parameters parameters = {.values = values,
                                                         .count = ARRAY_LEN(values)};
    static struct meta_table *tables[2];
    struct prune_source items[RELATIONS_MAX];
    struct prune_sources all = {.items = items, .parameters = &parameters};
    bool keyed = (mode & 1) != 0;

    if (tables[0] == NULL) {
        tables[0] = fuzz_catalog_table("l", 1, TABLE(""));
        tables[1] = fuzz_catalog_table("k", 2, TABLE(",\"primary_key\":[\"a\",\"b\",\"c\"]"));
    }
    for (const struct predicate_relation *r = found->relations;
         r != NULL && all.count < RELATIONS_MAX; r = r->next) {
        items[all.count++] = (struct prune_source){.where = r->where,
                                                   .changelog = keyed && (mode & 6) != 0,
                                                   .binlog = keyed && (mode & 4) != 0};
    }
    for (size_t i = 0; i < all.count; i++) {
        struct view v = {.table = tables[mode & 1],
                         .source = items[i],
                         .current = keyed && (mode & 6) == 0,
                         .parameters = &parameters};

        check_relation(&v, &all, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct predicates found;
    struct error e;

    if (size == 0 || predicates_parse(bytes_of(data + 1, size - 1), &arena, &found, &e) != ERR_OK) {
        return 0;
    }
    ASSERT(found.plain.relation == NULL || found.relations == found.plain.relation);
    check(&found, data[0], &arena);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size < 2 || seed % 16 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    return 1 + mutate_json(data + 1, size - 1, max - 1, seed);
}
