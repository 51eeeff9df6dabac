/* Merge engines, see merge.h. */
#include "merge.h"

#include "aggregate.h"

static enum errcode set_targets(struct merger *m, const struct merge_request *request,
                                struct arena *arena, struct error *e);
static enum errcode check_targets(const struct merger *m, struct error *e);

enum errcode merger_init(struct merger *m, const struct kv_table *table,
                         const struct merge_request *request, struct arena *arena, struct error *e)
{
    *m = (struct merger){.table = table,
                         .engine = table->engine,
                         .delete_behavior = table->delete_behavior,
                         .arena = arena};
    if (request->mode == KV_MERGE_OVERWRITE) {
        m->engine = MERGE_NONE;
        m->delete_behavior = DELETE_ALLOW;
    }
    m->cells = arena_array(arena, table->plan->count, sizeof *m->cells);
    if (request->target_count == 0) {
        return ERR_OK;
    }
    if (m->engine == MERGE_FIRST_ROW || m->engine == MERGE_VERSIONED) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION,
                         "the merge engine of the table has no partial update");
    }
    return set_targets(m, request, arena, e);
}

static enum errcode set_targets(struct merger *m, const struct merge_request *request,
                                struct arena *arena, struct error *e)
{
    uint32_t count = m->table->plan->count;
    bool *targets = arena_array(arena, count, sizeof *targets);
    bool all = true;

    for (size_t i = 0; i < request->target_count; i++) {
        int32_t target = request->target_columns[i];

        if (target < 0 || (uint32_t)target >= count) {
            return error_set(e, ERR_INVALID_TARGET_COLUMN,
                             "target column %d of a table with %u columns", target, count);
        }
        targets[target] = true;
    }
    m->keys_only = true;
    for (uint32_t i = 0; i < count; i++) {
        all = all && targets[i];
        m->keys_only = m->keys_only && targets[i] == m->table->is_key[i];
    }
    if (all && m->engine == MERGE_NONE) {
        m->keys_only = false; /* a full write, also of tables that have nothing but a key */
        return ERR_OK;
    }
    m->targets = targets;
    return check_targets(m, e);
}

static enum errcode check_targets(const struct merger *m, struct error *e)
{
    const struct schema *schema = m->table->schema;

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct schema_column *column = &schema->columns[i];

        if (m->table->is_key[i] && !m->targets[i]) {
            return error_set(e, ERR_INVALID_TARGET_COLUMN,
                             "primary key column '%.80s' is not among the target columns",
                             column->name);
        }
        if (!m->table->is_key[i] && !column->type->nullable) {
            return error_set(e, ERR_INVALID_TARGET_COLUMN,
                             "partial update of a table whose column '%.80s' is NOT NULL",
                             column->name);
        }
    }
    return ERR_OK;
}

bool merger_needs_old(const struct merger *m)
{
    return m->engine != MERGE_NONE || m->targets != NULL;
}

/* ---- upserts ---- */

/* Cells of columns that a row of an older schema has not got are null. */
static struct row_cell cell_of(const struct kv_row *row, uint32_t column)
{
    return row == NULL || column >= row->plan->count ? ROW_CELL_NULL : row->cells[column];
}

static void build_partial(struct merger *m, const struct kv_row *old, const struct kv_row *new)
{
    for (uint32_t i = 0; i < m->table->plan->count; i++) {
        m->cells[i] = cell_of(m->targets[i] ? new : old, i);
    }
}

/* The version of a row; null is the smallest value of the type. */
static struct value version_of(const struct merger *m, const struct kv_row *row)
{
    const struct row_plan_column *c = &m->table->plan->columns[m->table->version_column];
    struct row_cell cell = cell_of(row, m->table->version_column);
    struct value smallest = {.kind = VALUE_INT};

    if (cell.data != NULL) {
        return row_cell_value(c, cell);
    }
    if (c->type->root == TYPE_INTEGER || c->type->root == TYPE_BIGINT) {
        smallest.integer = c->type->root == TYPE_INTEGER ? INT32_MIN : INT64_MIN;
    } else {
        smallest.kind = VALUE_TIMESTAMP;
        smallest.timestamp.millis = INT64_MIN;
        smallest.timestamp.nanos = 0;
    }
    return smallest;
}

static bool version_is_older(const struct merger *m, const struct kv_row *old,
                             const struct kv_row *new)
{
    struct value before = version_of(m, old);
    struct value after = version_of(m, new);

    return value_compare(&after, &before) < 0;
}

static enum errcode aggregate_columns(struct merger *m, const struct kv_row *old,
                                      const struct kv_row *new, struct error *e)
{
    const struct kv_table *table = m->table;

    for (uint32_t i = 0; i < table->plan->count; i++) {
        m->cells[i] = cell_of(old, i);
        if (m->targets == NULL || m->targets[i]) {
            TRY(aggregate(&table->aggregations[i], &table->plan->columns[i], cell_of(new, i),
                          m->arena, &m->cells[i], e));
        }
    }
    return ERR_OK;
}

enum errcode merger_upsert(struct merger *m, const struct kv_row *old, const struct kv_row *new,
                           enum merge_outcome *ret, struct error *e)
{
    *ret = MERGE_TAKE;
    switch (m->engine) {
    case MERGE_NONE:
        if (m->keys_only && old != NULL) {
            *ret = MERGE_KEEP;
        } else if (m->targets != NULL) {
            build_partial(m, old, new);
            *ret = MERGE_BUILD;
        }
        break;
    case MERGE_FIRST_ROW:
        *ret = old != NULL ? MERGE_KEEP : MERGE_TAKE;
        break;
    case MERGE_VERSIONED:
        *ret = old != NULL && version_is_older(m, old, new) ? MERGE_KEEP : MERGE_TAKE;
        break;
    case MERGE_AGGREGATION:
        if (old != NULL) {
            TRY(aggregate_columns(m, old, new, e));
            *ret = MERGE_BUILD;
        }
        break;
    }
    return ERR_OK;
}

/* ---- deletes ---- */

enum merge_outcome merger_delete(struct merger *m, const struct kv_row *old)
{
    bool more = false;

    ASSERT(m->delete_behavior == DELETE_ALLOW);
    if (m->targets == NULL) {
        return MERGE_REMOVE;
    }
    for (uint32_t i = 0; i < m->table->plan->count; i++) {
        bool clear = m->targets[i] && !m->table->is_key[i];

        m->cells[i] = clear ? ROW_CELL_NULL : cell_of(old, i);
        more = more || (!m->targets[i] && m->cells[i].data != NULL);
    }
    return more ? MERGE_BUILD : MERGE_REMOVE;
}
