#include "verify_state.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "format/row.h"
#include "format/value_batch.h"
#include "io/file.h"

#define DIGEST_NONE 0u /* of a row that is taken on trust */

/* What the changelog says of a key. */
struct mark {
    uint64_t digest;
    bool live; /* it has a row */
    bool seen; /* and the state has it */
};

struct verify_state {
    struct kv_inspect *store;
    char *dir;
    struct kv_table *table;
    struct key_format key;
    struct kv_replay *replay;
    struct arena arena;   /* of the key format and all marks */
    struct arena scratch; /* of one batch */
    struct arena row;     /* of one row */
    struct map marks;     /* by the hash of the key */

    int64_t rows; /* of the state, as they are read */
    uint64_t differing;
    uint64_t unknown; /* that the changelog does not have */
};

void verify_state_free(struct verify_state *s)
{
    if (s == NULL) {
        return;
    }
    kv_replay_free(s->replay);
    kv_inspect_close(s->store);
    (void)kv_table_unref(s->table);
    map_fini(&s->marks);
    arena_fini(&s->arena);
    arena_fini(&s->scratch);
    arena_fini(&s->row);
    free(s->dir);
    free(s);
}

static void verify_state_freep(struct verify_state **s) { verify_state_free(*s); }

/* ---- opening ---- */

static void report(struct verify_report *r, const char *dir, const char *what)
{
    struct verify_finding finding = {
        .kind = VERIFY_STATE, .path = dir, .position = -1, .what = what};

    verify_report_add(r, &finding);
}

static enum errcode make_table(const struct meta_table *meta, struct kv_table **ret,
                               struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_schema *schemas = arena_array(&arena, meta->schema_count, sizeof *schemas);

    for (size_t i = 0; i < meta->schema_count; i++) {
        schemas[i] = (struct kv_schema){
            .id = (int16_t)meta->schemas[i].id,
            .schema = (struct schema *)(uintptr_t)meta->schemas[i].schema, /* counts references */
        };
    }
    return kv_table_new(meta->options, schemas, meta->schema_count, ret, e);
}

enum errcode verify_state_open(struct kv_env *env, const struct meta_table *table, const char *dir,
                               struct verify_report *report_to, struct verify_state **ret,
                               struct error *e)
{
    OWNED(verify_state_freep) struct verify_state *s = mem_new(struct verify_state);
    enum errcode code;

    *ret = NULL;
    s->dir = mem_strdup(dir);
    if (!path_exists(dir)) {
        return ERR_OK;
    }
    code = kv_inspect_open(env, dir, &s->store, e);
    if (code == ERR_CORRUPT_FILE) {
        report(report_to, dir, e->message);
        return ERR_OK;
    }
    TRY(code);
    TRY(make_table(table, &s->table, e));
    s->key = key_format_primary(table->descriptor, table->options, &s->arena);
    s->replay = kv_replay_new(s->table, &s->key);
    *ret = TAKE(s);
    return ERR_OK;
}

/* ---- rows ---- */

/* A value that a changelog has as it was put; false: the Arrow format rounds it, pads it, or writes it
 * in its own way. */
static bool value_digest(const struct type *type, const struct row_value *value, uint64_t *ret)
{
    uint64_t bits = 0;

    switch (type->root) {
    case TYPE_STRING:
    case TYPE_BYTES:
        *ret = hash_bytes(value->bytes);
        return true;
    case TYPE_BOOLEAN:
        *ret = value->boolean;
        return true;
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_DATE:
        *ret = (uint64_t)value->integer;
        return true;
    case TYPE_DOUBLE:
        memcpy(&bits, &value->real64, sizeof value->real64);
        *ret = bits;
        return true;
    case TYPE_FLOAT:
        memcpy(&bits, &value->real32, sizeof value->real32);
        *ret = bits;
        return true;
    case TYPE_CHAR:
    case TYPE_BINARY:
    case TYPE_DECIMAL:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
        break;
    }
    return false;
}

static uint64_t digest_of(struct verify_state *s, struct bytes value)
{
    const struct row_format format = {.layout = s->table->layout, .row = s->table->schema->row};
    const struct row_value *values = NULL;
    uint64_t digest = 1;

    arena_reset(&s->row);
    if (value.len < VALUE_HEADER_SIZE || value_schema_id(value) != s->table->schema_id ||
        row_decode(format, value_row(value), &s->row, &values, NULL) != ERR_OK) {
        return DIGEST_NONE;
    }
    for (uint32_t i = 0; i < format.row->count; i++) {
        uint64_t one = 0;

        if (values[i].null || value_digest(format.row->fields[i].type, &values[i], &one)) {
            digest = hash_u64(digest * 31 + (values[i].null ? 7 : one));
        }
    }
    return digest == DIGEST_NONE ? 1 : digest;
}

/* ---- the changelog ---- */

static void note_change(struct verify_state *s, const struct kv_change *change)
{
    uint64_t hash = hash_bytes(change->key);
    struct mark *mark = map_get(&s->marks, hash);

    if (mark == NULL) {
        mark = arena_new(&s->arena, struct mark);
        (void)map_put(&s->marks, hash, mark);
    }
    mark->live = change->value.len > 0;
    mark->digest = mark->live ? digest_of(s, change->value) : DIGEST_NONE;
}

enum errcode verify_state_batch(struct verify_state *s, const struct batch_header *header,
                                struct bytes data, struct error *e)
{
    struct kv_replayed replayed;
    enum errcode code;

    if (batch_next_offset(header) > kv_inspect_state(s->store).offset ||
        s->table->log_format == LOG_FORMAT_INDEXED) {
        return ERR_OK;
    }
    arena_reset(&s->scratch);
    code = kv_replay_batch(s->replay, header, data, &s->scratch, &replayed, e);
    if (code != ERR_OK) {
        e->code = ERR_CORRUPT_RECORD;
        return ERR_CORRUPT_RECORD;
    }
    for (size_t i = 0; i < replayed.change_count; i++) {
        note_change(s, &replayed.changes[i]);
    }
    return ERR_OK;
}

/* ---- the state ---- */

static bool see_row(void *context, struct bytes key, struct bytes value)
{
    struct verify_state *s = context;
    struct mark *mark = map_get(&s->marks, hash_bytes(key));
    uint64_t digest;

    s->rows++;
    if (mark == NULL) {
        s->unknown++;
        return true;
    }
    mark->seen = true;
    digest = mark->live ? digest_of(s, value) : DIGEST_NONE;
    if (!mark->live ||
        (digest != mark->digest && digest != DIGEST_NONE && mark->digest != DIGEST_NONE)) {
        s->differing++;
    }
    return true;
}

static uint64_t count_missing(const struct verify_state *s)
{
    uint64_t missing = 0;

    MAP_FOR_EACH(slot, &s->marks)
    {
        const struct mark *mark = slot->value;

        missing += mark->live && !mark->seen ? 1 : 0;
    }
    return missing;
}

/* What the numbers say, if all of the changelog was there to compare with. */
static void compare(struct verify_state *s, const struct verify_state_log *log,
                    struct verify_report *r)
{
    struct kv_state state = kv_inspect_state(s->store);
    uint64_t missing = count_missing(s);

    if (!log->whole || s->table->log_format == LOG_FORMAT_INDEXED) {
        return;
    }
    if (log->start_offset > 0) {
        s->unknown = 0; /* rows that have not changed since */
    }
    if (missing + s->differing + s->unknown > 0) {
        report(r, s->dir,
               arena_printf(&s->row,
                            "against the changelog up to offset %" PRId64 ": %" PRIu64
                            " rows are missing, %" PRIu64 " differ, %" PRIu64 " are too many",
                            state.offset, missing, s->differing, s->unknown));
    }
}

enum errcode verify_state_end(struct verify_state *s, const struct verify_state_log *log,
                              struct verify_report *report_to, struct error *e)
{
    struct kv_state state = kv_inspect_state(s->store);
    enum errcode code;

    if (state.offset > log->end_offset || state.offset < log->start_offset) {
        report(report_to, s->dir,
               arena_printf(&s->row,
                            "the state is of offset %" PRId64 ", the log has %" PRId64
                            " to %" PRId64,
                            state.offset, log->start_offset, log->end_offset));
        return ERR_OK;
    }
    code = kv_inspect_visit(s->store, see_row, s, e);
    if (code == ERR_CORRUPT_FILE) {
        report(report_to, s->dir, e->message);
        return ERR_OK;
    }
    TRY(code);
    compare(s, log, report_to);
    if (state.row_count >= 0 && state.row_count != s->rows) {
        report(
            report_to, s->dir,
            arena_printf(&s->row, "%" PRId64 " rows, expected %" PRId64, s->rows, state.row_count));
    }
    return ERR_OK;
}
