/* ALTER TABLE: properties, or new columns at the end (catalog.h). */
#include "catalog.h"

#include "format/table_rules.h"

/* ---- the request ---- */

/* What can be refused without looking at the table. */
static enum errcode check_request(const struct meta_alter_table *job, struct error *e)
{
    if (job->change_count > 0 && (job->column_count > 0 || job->unsupported)) {
        return error_set(e, ERR_INVALID_ALTER_TABLE,
                         "properties and columns cannot be altered in one request");
    }
    TRY(changes_check(job->changes, job->change_count, e));
    if (job->unsupported) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "columns cannot be dropped, renamed or modified, only added");
    }
    for (size_t i = 0; i < job->column_count; i++) {
        if (job->columns[i].position != 0) {
            return error_set(e, ERR_INVALID_ARGUMENT, "a column can only be added at the end");
        }
    }
    return ERR_OK;
}

static enum errcode take_changes(const struct meta_alter_table *job, struct arena *arena,
                                 struct table_changes *ret, struct error *e)
{
    struct text_pair *items = arena_array(arena, job->change_count, sizeof *items);

    for (size_t i = 0; i < job->change_count; i++) {
        const struct meta_change *change = &job->changes[i];

        TRY(text_take(change->key, "a property key", ERR_INVALID_CONFIG, arena, &items[i].key, e));
        if (change->op == META_SET) {
            TRY(text_take(change->value, "a property value", ERR_INVALID_CONFIG, arena,
                          &items[i].value, e));
        }
    }
    *ret = (struct table_changes){.items = items, .count = job->change_count};
    return ERR_OK;
}

static enum errcode take_agg(const struct meta_add_column *from, const char *column,
                             struct arena *arena, const struct agg_function **ret, struct error *e)
{
    struct json_options options = {.name = "aggregation function", .code = ERR_INVALID_CONFIG};
    const struct json *root = NULL;

    TRY(json_parse(from->agg_function_json, &options, arena, &root, e));
    TRY(agg_from_json(root, arena, ret, e));
    if (*ret == NULL) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "the aggregation function of column '%.80s' is unknown", column);
    }
    return ERR_OK;
}

static enum errcode take_column(const struct meta_add_column *from, struct arena *arena,
                                struct schema_column *ret, struct error *e)
{
    struct json_options options = {.name = "data type", .code = ERR_INVALID_ARGUMENT};
    struct schema_column column = {.id = -1};
    const struct json *root = NULL;

    TRY(text_take(from->name, "a column name", ERR_INVALID_TABLE, arena, &column.name, e));
    TRY(json_parse(from->type_json, &options, arena, &root, e));
    TRY(type_from_json(root, arena, &column.type, e));
    if (from->has_comment) {
        TRY(text_take(from->comment, "a comment", ERR_INVALID_TABLE, arena, &column.comment, e));
    }
    if (from->has_agg_function) {
        TRY(take_agg(from, column.name, arena, &column.agg, e));
    }
    *ret = column;
    return ERR_OK;
}

/* ---- the change ---- */

/* Puts the altered table in force: its documents say what is new, everything else is shared. */
static enum errcode commit_altered(struct change *c, const struct meta_table *before,
                                   struct table_source *source, struct error *e)
{
    struct meta_table *t = NULL;

    source->database = before->database;
    source->name = before->name;
    if (!meta_table_partitioned(before)) {
        source->leader_epochs = before->buckets.leader_epochs;
        source->bucket_count = before->buckets.count;
    }
    TRY(load_table(source, &t, e));
    if (meta_table_partitioned(before)) {
        view_table_share_partitions(t, before);
    }
    view_put_table(c->view, t);
    return change_commit(c, e);
}

static struct znode_table registration_before(const struct meta_table *t)
{
    struct znode_table r = table_registration(t->descriptor, t->id);

    r.remote_data_dir = t->remote_data_dir;
    r.created_ms = t->created_ms;
    r.modified_ms = t->modified_ms;
    return r;
}

static struct bytes *schema_documents(const struct meta_table *t, size_t room, struct arena *arena)
{
    struct bytes *documents = arena_array(arena, t->schema_count + room, sizeof *documents);

    for (size_t i = 0; i < t->schema_count; i++) {
        documents[i] = t->schemas[i].json;
    }
    return documents;
}

static enum errcode alter_properties(struct change *c, const struct meta_table *t,
                                     const struct meta_alter_table *job, struct error *e)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *d = NULL;
    struct table_policy policy = table_policy_of(c->meta);
    struct table_changes changes = {0};
    struct table_source source = {.schema_count = t->schema_count};
    struct znode_table r;

    TRY(take_changes(job, &c->arena, &changes, e));
    TRY(table_alter_properties(t->descriptor, changes, &policy, &d, e));
    if (d == NULL) {
        return ERR_OK;
    }
    r = registration_before(t);
    r.properties = d->def.properties;
    r.custom_properties = d->def.custom_properties;
    r.modified_ms = c->meta->now_ms;
    store_batch_set(&c->batch, znode_table_path(&c->arena, t->database, t->name),
                    znode_table_encode(&r, &c->arena));
    source.registration = &r;
    source.schemas = schema_documents(t, 0, &c->arena);
    return commit_altered(c, t, &source, e);
}

static enum errcode add_columns(struct change *c, const struct meta_table *t,
                                const struct meta_alter_table *job, struct error *e)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *d = NULL;
    struct schema_column *columns =
        arena_array(&c->arena, job->column_count, sizeof(struct schema_column));
    struct znode_table r = registration_before(t);
    struct table_source source = {.registration = &r, .schema_count = t->schema_count + 1};
    int32_t id = meta_table_latest(t)->id + 1;
    struct bytes *documents = schema_documents(t, 1, &c->arena);

    if (id > INT16_MAX) { /* rows and batches have room for that much */
        return error_set(e, ERR_INVALID_ALTER_TABLE, "table %s.%s has had %d schemas, the maximum",
                         t->database, t->name, INT16_MAX);
    }
    for (size_t i = 0; i < job->column_count; i++) {
        TRY(take_column(&job->columns[i], &c->arena, &columns[i], e));
    }
    TRY(table_add_columns(t->descriptor, columns, job->column_count, &d, e));
    documents[t->schema_count] = schema_document(d->def.schema, &c->arena);
    store_batch_create(&c->batch, znode_schema_path(&c->arena, t->database, t->name, id),
                       documents[t->schema_count]);
    source.schemas = documents;
    return commit_altered(c, t, &source, e);
}

enum errcode table_alter(struct meta *m, const struct meta_alter_table *job, struct error *e)
{
    OWNED(change_fini) struct change c;
    const struct meta_table *t = NULL;
    enum errcode code;
    int64_t id;

    change_begin(m, &c);
    TRY(check_request(job, e));
    code = table_find(m, job->database, job->table, &t, e);
    if (code != ERR_OK) {
        return job->ignore_if_not_exists ? ERR_OK : code;
    }
    if (job->column_count > 0) {
        return add_columns(&c, t, job, e);
    }
    if (job->change_count == 0) {
        return ERR_OK;
    }
    id = t->id; /* the commit replaces the view that t is in */
    TRY(alter_properties(&c, t, job, e));
    auto_partition_table(m, id);
    return ERR_OK;
}
