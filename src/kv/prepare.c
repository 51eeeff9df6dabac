/* Preparing writes, see prepare.h. */
#include "prepare.h"

#include "changelog.h"
#include "key_index.h"
#include "store.h"

#include <stdlib.h>

#include "base/mutant.h"
#include "format/value_batch.h"

/* What is under a key while the batch is walked. */
struct key_state {
    struct bytes row; /* empty: nothing */
    int16_t schema_id;
    bool known; /* false: the old value has not been looked at */
    bool changed;
    int32_t record; /* the last changelog record */
};

struct prepare_record {
    uint32_t key;
    struct bytes row; /* empty: delete */
};

struct kv_prepare {
    struct kv_table *table;
    struct changelog *changelog;
    struct arena arena;   /* lives as long as a batch */
    struct buffer encode; /* a row being built */
    struct row_cell *old_cells;
    struct row_cell *new_cells;

    /* the batch */
    struct kv_batch batch;
    struct kv_request request;
    struct merger merger;
    bool blind; /* upserts do not look at the old row */
    struct prepare_record *records;
    struct kv_key *keys;
    struct key_state *states;
    size_t key_count;
    int64_t row_delta;
};

static enum errcode begin_request(struct kv_prepare *p, struct error *e);
static enum errcode read_records(struct kv_prepare *p, bool *ret_deletes, struct error *e);
static enum errcode apply_record(struct kv_prepare *p, const struct prepare_record *record,
                                 struct error *e);
static void collect_changes(const struct kv_prepare *p, struct arena *arena,
                            struct kv_prepared *ret);

struct kv_prepare *kv_prepare_new(struct kv_table *table)
{
    struct kv_prepare *p = mem_new(struct kv_prepare);
    size_t cells = table->plan->count * sizeof *p->old_cells;

    p->table = kv_table_ref(table);
    p->changelog = changelog_new(table);
    p->old_cells = mem_zalloc(cells);
    p->new_cells = mem_zalloc(cells);
    return p;
}

void kv_prepare_free(struct kv_prepare *p)
{
    if (p != NULL) {
        changelog_free(p->changelog);
        arena_fini(&p->arena);
        buffer_fini(&p->encode);
        free(p->old_cells);
        free(p->new_cells);
        (void)kv_table_unref(p->table);
        free(p);
    }
}

void kv_prepare_freep(struct kv_prepare **p) { kv_prepare_free(*p); }

enum errcode kv_prepare_begin(struct kv_prepare *p, struct bytes batch,
                              const struct kv_request *request, struct kv_key **ret_keys,
                              size_t *ret_count, struct error *e)
{
    bool deletes = false;

    arena_reset(&p->arena);
    changelog_clear(p->changelog);
    p->key_count = 0;
    p->row_delta = 0;
    p->request = *request;
    TRY(kv_batch_parse(batch, &p->batch, e));
    if (kv_table_plan(p->table, p->batch.schema_id) == NULL) {
        return error_set(e, ERR_SCHEMA_NOT_EXIST, "rows of schema %d, the latest is %d",
                         p->batch.schema_id, p->table->schema_id);
    }
    TRY(begin_request(p, e));
    TRY(read_records(p, &deletes, e));
    *ret_keys = p->keys;
    *ret_count = p->blind && !deletes ? 0 : p->key_count;
    return ERR_OK;
}

static enum errcode begin_request(struct kv_prepare *p, struct error *e)
{
    int32_t auto_increment = p->table->schema->auto_increment;
    const struct merge_request *merge = &p->request.merge;
    bool excluded = merge->target_count > 0;

    for (size_t i = 0; i < merge->target_count; i++) {
        excluded = excluded && merge->target_columns[i] != auto_increment;
    }
    if (auto_increment >= 0 && !excluded) {
        return error_set(e, ERR_INVALID_TARGET_COLUMN,
                         "writes must have target columns without the auto-increment column "
                         "'%.80s'",
                         p->table->schema->columns[auto_increment].name);
    }
    ASSERT(auto_increment < 0 || p->request.next_id != NULL);
    TRY(merger_init(&p->merger, p->table, merge, &p->arena, e));
    p->blind =
        p->table->image == CHANGELOG_WAL && auto_increment < 0 && !merger_needs_old(&p->merger);
    return ERR_OK;
}

/* ---- the keys ---- */

static enum errcode read_records(struct kv_prepare *p, bool *ret_deletes, struct error *e)
{
    size_t count = (size_t)p->batch.record_count;
    struct key_index index = key_index_new(count, &p->arena);
    struct kv_batch_iterator it;

    p->records = arena_array(&p->arena, count, sizeof *p->records);
    kv_batch_iterator_init(&it, &p->batch);
    for (size_t i = 0; i < count; i++) {
        struct kv_record record;

        TRY(kv_batch_next(&it, &record, e));
        if (!kv_key_allowed(record.key)) {
            return error_set(e, ERR_CORRUPT_RECORD, "record %zu has a key that no table has", i);
        }
        p->records[i].key = key_index_add(&index, record.key);
        p->records[i].row = record.row;
        *ret_deletes = *ret_deletes || record.row.len == 0;
    }
    p->key_count = index.count;
    p->keys = arena_array(&p->arena, index.count, sizeof *p->keys);
    for (size_t i = 0; i < index.count; i++) {
        p->keys[i].key = index.keys[i].key;
        p->keys[i].hash = index.keys[i].hash;
    }
    p->states = arena_array(&p->arena, index.count, sizeof *p->states);
    return ERR_OK;
}

int32_t kv_prepare_record_count(const struct kv_prepare *p) { return p->batch.record_count; }

/* ---- the records ---- */

enum errcode kv_prepare_finish(struct kv_prepare *p, struct arena *arena, struct kv_prepared *ret,
                               struct error *e)
{
    for (int32_t i = 0; i < p->batch.record_count; i++) {
        TRY(apply_record(p, &p->records[i], e));
    }
    ret->record_count = changelog_count(p->changelog);
    ret->row_delta = p->row_delta;
    TRY(changelog_finish(p->changelog, p->batch.writer_id, p->batch.batch_sequence, arena,
                         &ret->batch, e));
    collect_changes(p, arena, ret);
    return ERR_OK;
}

/* The state under a key; the first time from the old value. */
static enum errcode state_of(struct kv_prepare *p, uint32_t key, struct key_state **ret,
                             struct error *e)
{
    struct key_state *state = &p->states[key];
    struct bytes old = p->keys[key].old;

    if (!state->known && old.len > 0) {
        if (old.len <= VALUE_HEADER_SIZE || kv_table_plan(p->table, value_schema_id(old)) == NULL) {
            return error_set(e, ERR_KV_STORAGE, "a stored value of %zu bytes is damaged", old.len);
        }
        state->schema_id = value_schema_id(old);
        state->row = value_row(old);
    }
    state->known = true;
    *ret = state;
    return ERR_OK;
}

/* The row of a state with its cells. */
static enum errcode old_row(struct kv_prepare *p, const struct key_state *state, struct kv_row *ret,
                            struct error *e)
{
    *ret = (struct kv_row){.plan = kv_table_plan(p->table, state->schema_id),
                           .bytes = state->row,
                           .cells = p->old_cells,
                           .schema_id = state->schema_id};
    if (row_cells_read(ret->plan, ret->bytes, ret->cells, e) != ERR_OK) {
        return error_set(e, ERR_KV_STORAGE, "a stored row of %zu bytes is damaged", state->row.len);
    }
    return ERR_OK;
}

/* The row that the cells of the merger make. */
static struct kv_row built_row(struct kv_prepare *p)
{
    buffer_clear(&p->encode);
    row_cells_write(p->table->plan, p->merger.cells, &p->encode);
    return (struct kv_row){.plan = p->table->plan,
                           .bytes = arena_copy(&p->arena, buffer_view(&p->encode)),
                           .cells = p->merger.cells,
                           .schema_id = p->table->schema_id};
}

static enum errcode emit(struct kv_prepare *p, enum change_type type, const struct kv_row *row,
                         struct error *e)
{
    return changelog_append(p->changelog, type, row, e);
}

static void set_state(struct kv_prepare *p, struct key_state *state, const struct kv_row *row)
{
    state->known = true;
    state->changed = true;
    state->record = changelog_count(p->changelog) - 1;
    state->row = row != NULL ? row->bytes : BYTES_EMPTY;
    state->schema_id = row != NULL ? row->schema_id : 0;
}

static enum errcode emit_update(struct kv_prepare *p, const struct kv_row *old,
                                const struct kv_row *new, struct error *e)
{
    if (p->table->image == CHANGELOG_FULL) {
        TRY(emit(p, CHANGE_UPDATE_BEFORE, MUTANT(FORGET_OLD_ROW) ? new : old, e));
    }
    return emit(p, CHANGE_UPDATE_AFTER, new, e);
}

/* Number of the auto-increment column of a row that is inserted, all other columns as in `row`. */
static enum errcode fill_auto_increment(struct kv_prepare *p, const struct kv_row *row,
                                        struct error *e)
{
    uint32_t column = (uint32_t)p->table->schema->auto_increment;
    const struct row_plan_column *c = &p->table->plan->columns[column];
    struct value id = {.kind = VALUE_INT};

    TRY(p->request.next_id(p->request.next_id_context, &id.integer, e));
    if (c->type->root == TYPE_INTEGER && id.integer > INT32_MAX) {
        return error_set(e, ERR_UNKNOWN_SERVER_ERROR,
                         "the numbers of the auto-increment column '%.80s' are exhausted",
                         p->table->schema->columns[column].name);
    }
    for (uint32_t i = 0; i < p->table->plan->count; i++) {
        p->merger.cells[i] = i < row->plan->count ? row->cells[i] : ROW_CELL_NULL;
    }
    p->merger.cells[column] = row_cell_of(c, &id, &p->arena);
    return ERR_OK;
}

static enum errcode insert(struct kv_prepare *p, struct key_state *state, const struct kv_row *new,
                           struct error *e)
{
    enum merge_outcome outcome = MERGE_TAKE;
    struct kv_row row = *new;

    TRY(merger_upsert(&p->merger, NULL, new, &outcome, e));
    ASSERT(outcome == MERGE_TAKE || outcome == MERGE_BUILD);
    if (p->table->schema->auto_increment >= 0) {
        row.cells = outcome == MERGE_BUILD ? p->merger.cells : row.cells;
        row.plan = outcome == MERGE_BUILD ? p->table->plan : row.plan;
        TRY(fill_auto_increment(p, &row, e));
        outcome = MERGE_BUILD;
    }
    if (outcome == MERGE_BUILD) {
        row = built_row(p);
    }
    TRY(emit(p, CHANGE_INSERT, &row, e));
    set_state(p, state, &row);
    p->row_delta++;
    return ERR_OK;
}

static enum errcode update(struct kv_prepare *p, struct key_state *state, const struct kv_row *new,
                           struct error *e)
{
    enum merge_outcome outcome = MERGE_KEEP;
    struct kv_row row = *new;
    struct kv_row old;

    TRY(old_row(p, state, &old, e));
    TRY(merger_upsert(&p->merger, &old, new, &outcome, e));
    if (outcome == MERGE_KEEP) {
        return ERR_OK;
    }
    if (outcome == MERGE_BUILD) {
        row = built_row(p);
    }
    TRY(emit_update(p, &old, &row, e));
    set_state(p, state, &row);
    return ERR_OK;
}

static enum errcode apply_upsert(struct kv_prepare *p, const struct prepare_record *record,
                                 struct error *e)
{
    struct kv_row new = {.plan = kv_table_plan(p->table, p->batch.schema_id),
                         .bytes = record->row,
                         .cells = p->new_cells,
                         .schema_id = p->batch.schema_id};
    struct key_state *state = &p->states[record->key];

    TRY(row_cells_read(new.plan, new.bytes, new.cells, e));
    if (p->blind) {
        TRY(emit(p, CHANGE_UPDATE_AFTER, &new, e));
        set_state(p, state, &new);
        return ERR_OK;
    }
    TRY(state_of(p, record->key, &state, e));
    return state->row.len == 0 ? insert(p, state, &new, e) : update(p, state, &new, e);
}

static enum errcode apply_delete(struct kv_prepare *p, const struct prepare_record *record,
                                 struct error *e)
{
    struct key_state *state = NULL;
    struct kv_row old;
    struct kv_row row;

    if (p->merger.delete_behavior == DELETE_IGNORE) {
        return ERR_OK;
    }
    if (p->merger.delete_behavior == DELETE_DISABLE) {
        return error_set(e, ERR_DELETION_DISABLED, "the table does not allow deletes");
    }
    TRY(state_of(p, record->key, &state, e));
    if (state->row.len == 0) {
        return ERR_OK;
    }
    TRY(old_row(p, state, &old, e));
    if (merger_delete(&p->merger, &old) == MERGE_BUILD) {
        row = built_row(p);
        TRY(emit_update(p, &old, &row, e));
        set_state(p, state, &row);
        return ERR_OK;
    }
    TRY(emit(p, CHANGE_DELETE, &old, e));
    set_state(p, state, NULL);
    p->row_delta--;
    return ERR_OK;
}

static enum errcode apply_record(struct kv_prepare *p, const struct prepare_record *record,
                                 struct error *e)
{
    return record->row.len == 0 ? apply_delete(p, record, e) : apply_upsert(p, record, e);
}

/* ---- the outcome ---- */

static size_t change_size(const struct kv_prepare *p, size_t key)
{
    const struct key_state *state = &p->states[key];

    return p->keys[key].key.len + (state->row.len > 0 ? VALUE_HEADER_SIZE + state->row.len : 0);
}

/* Keys and values in one piece of memory, so that they can outlive the request together. */
static void collect_changes(const struct kv_prepare *p, struct arena *arena,
                            struct kv_prepared *ret)
{
    struct kv_change *changes = arena_alloc(arena, p->key_count * sizeof *changes);
    size_t count = 0;
    size_t size = 0;
    struct writer w;

    for (size_t i = 0; i < p->key_count; i++) {
        size += p->states[i].changed ? change_size(p, i) : 0;
    }
    w = writer_of(arena_alloc(arena, size), size);
    for (size_t i = 0; i < p->key_count; i++) {
        const struct key_state *state = &p->states[i];
        struct kv_change *change = &changes[count];
        size_t value_at;

        if (!state->changed) {
            continue;
        }
        count++;
        *change = (struct kv_change){.hash = p->keys[i].hash, .record = state->record};
        change->key = bytes_of(w.data + w.len, p->keys[i].key.len);
        writer_bytes(&w, p->keys[i].key);
        value_at = w.len;
        if (state->row.len > 0) {
            writer_i16le(&w, state->schema_id);
            writer_bytes(&w, state->row);
        }
        change->value = bytes_of(w.data + value_at, w.len - value_at);
    }
    ASSERT(w.len == size);
    ret->changes = changes;
    ret->change_count = count;
}
