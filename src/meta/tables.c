/* Tables: create, drop (catalog.h). What a descriptor must look like is decided by
 * format/table_rules.h; the order of the steps is the order of the errors. */
#include "catalog.h"
#include "zone.h"

#include "format/name.h"
#include "format/table_rules.h"

enum errcode table_find(const struct meta *m, struct bytes database, struct bytes table,
                        const struct meta_table **ret, struct error *e)
{
    const struct meta_table *t = meta_view_table(m->view, database, table);

    if (t == NULL) {
        return error_set(e, ERR_TABLE_NOT_EXIST, "table %.*s.%.*s does not exist",
                         database.len > NAME_LEN_MAX ? NAME_LEN_MAX : (int)database.len,
                         (const char *)database.data,
                         table.len > NAME_LEN_MAX ? NAME_LEN_MAX : (int)table.len,
                         (const char *)table.data);
    }
    *ret = t;
    return ERR_OK;
}

/* ---- create ---- */

struct table_policy table_policy_of(const struct meta *m)
{
    const struct meta_options *o = &m->options;

    return (struct table_policy){.bucket_count_default = o->default_bucket_count,
                                 .bucket_count_max = o->bucket_count_max,
                                 .replication_factor_default = o->default_replication_factor,
                                 .lake_format = LAKE_FORMAT_NONE,
                                 .create_log_tables = o->allow_log_tables,
                                 .create_kv_tables = o->allow_kv_tables};
}

/* There is one server, so there can be one replica. */
enum errcode table_check_replicas(const struct table_options *options, struct error *e)
{
    if (options->replication_factor > 1) {
        return error_set(e, ERR_INVALID_REPLICATION_FACTOR,
                         "replication factor %d is larger than the number of servers, 1",
                         options->replication_factor);
    }
    return ERR_OK;
}

/* What the rules cannot see: servers, and the zone database of this machine. */
static enum errcode check_here(const struct table_descriptor *d, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_options options = {0};
    const struct tz *zone;

    TRY(table_options_parse(d->def.properties, &options, e));
    if (table_is_partitioned(d)) {
        return options.auto_partition.zone == NULL
                   ? ERR_OK
                   : zone_find(options.auto_partition.zone, &arena, &zone, e);
    }
    return table_check_replicas(&options, e);
}

/* The catalog is in <data_dir>/meta, as snapshot-<n> and journal-<n>; a table's directory is
 * <data_dir>/<database>/<table>-<id>. Neither may ever be the other. */
static enum errcode check_place(const struct meta_create_table *job, struct error *e)
{
    if (bytes_equal_str(job->database, "meta") &&
        (bytes_equal_str(job->table, "snapshot") || bytes_equal_str(job->table, "journal"))) {
        return error_set(
            e, ERR_INVALID_TABLE,
            "in the database meta a table cannot be named %.*s: its directory could be "
            "where the catalog is",
            (int)job->table.len, (const char *)job->table.data);
    }
    return ERR_OK;
}

static enum errcode descriptor_make(const struct meta *m, struct bytes json,
                                    struct table_descriptor **ret, struct error *e)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *asked = NULL;
    OWNED(table_descriptor_unrefp) struct table_descriptor *full = NULL;
    struct table_policy policy = table_policy_of(m);

    TRY(table_descriptor_parse(json, &asked, e));
    TRY(table_apply_defaults(asked, &policy, &full, e));
    TRY(table_validate(full, &policy, e));
    TRY(check_here(full, e));
    *ret = TAKE(full);
    return ERR_OK;
}

struct znode_table table_registration(const struct table_descriptor *d, int64_t table_id)
{
    const struct table_def *def = &d->def;

    return (struct znode_table){.table_id = table_id,
                                .comment = def->comment,
                                .partition_keys = def->partition_keys,
                                .bucket_keys = def->bucket_keys,
                                .bucket_count = def->bucket_count,
                                .properties = def->properties,
                                .custom_properties = def->custom_properties};
}

struct bytes schema_document(const struct schema *schema, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    schema_write_json(&w, schema);
    return json_writer_text(&w);
}

static enum errcode table_add(struct change *c, const struct meta_create_table *job,
                              const struct table_descriptor *d, int64_t *ret_id, struct error *e)
{
    struct arena *arena = &c->arena;
    const char *database = arena_strndup(arena, job->database.data, job->database.len);
    const char *name = arena_strndup(arena, job->table.data, job->table.len);
    struct bytes schema = schema_document(d->def.schema, arena);
    struct znode_table r = table_registration(d, change_table_id(c));
    struct table_source source = {
        .database = database, .name = name, .registration = &r, .schemas = &schema};
    struct meta_table *t = NULL;

    source.schema_count = 1;
    r.remote_data_dir = c->meta->options.remote_data_dir;
    r.created_ms = c->meta->now_ms;
    r.modified_ms = c->meta->now_ms;
    if (!table_is_partitioned(d)) {
        source.bucket_count = r.bucket_count;
        source.leader_epochs = arena_array(arena, (size_t)r.bucket_count, sizeof(int32_t));
        change_assign_buckets(c, r.table_id, META_NO_PARTITION, r.bucket_count);
    }
    store_batch_create(&c->batch, znode_table_path(arena, database, name),
                       znode_table_encode(&r, arena));
    store_batch_create(&c->batch, znode_schema_path(arena, database, name, 1), schema);
    TRY(load_table(&source, &t, e));
    view_put_table(c->view, t);
    *ret_id = r.table_id;
    return ERR_OK;
}

enum errcode table_create(struct meta *m, const struct meta_create_table *job, struct error *e)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *d = NULL;
    OWNED(change_fini) struct change c;
    bool exists = meta_view_table(m->view, job->database, job->table) != NULL;
    int64_t id = -1;

    change_begin(m, &c);
    TRY(name_check(NAME_DATABASE, job->database, e));
    TRY(name_check(NAME_TABLE, job->table, e));
    TRY(check_place(job, e));
    TRY(descriptor_make(m, job->json, &d, e));
    if (exists && job->ignore_if_exists) {
        return ERR_OK; /* whatever its descriptor is */
    }
    if (meta_view_database(m->view, job->database) == NULL) {
        return error_set(e, ERR_DATABASE_NOT_EXIST, "database %.*s does not exist",
                         (int)job->database.len, (const char *)job->database.data);
    }
    if (exists) {
        return error_set(e, ERR_TABLE_ALREADY_EXIST, "table %.*s.%.*s exists already",
                         (int)job->database.len, (const char *)job->database.data,
                         (int)job->table.len, (const char *)job->table.data);
    }
    TRY(table_add(&c, job, d, &id, e));
    TRY(change_commit(&c, e));
    auto_partition_table(m, id);
    return ERR_OK;
}

/* ---- drop ---- */

void table_drop_into(struct change *c, const struct meta_table *t)
{
    struct meta_deletion deletion = {.table_id = t->id,
                                     .partition_id = META_NO_PARTITION,
                                     .database = t->database,
                                     .table = t->name};

    for (size_t i = 0; t->partitions != NULL && i < t->partitions->count; i++) {
        store_batch_delete_tree(
            &c->batch, znode_assignment_path(&c->arena, t->id, t->partitions->by_id[i]->id));
    }
    /* A partitioned table has no assignment of its own until now: the mark is its first. */
    change_drop_assignment(c, &deletion, meta_table_partitioned(t));
    store_batch_delete_tree(&c->batch, znode_table_path(&c->arena, t->database, t->name));
    view_remove_table(c->view, t->id);
}

enum errcode table_drop(struct meta *m, const struct meta_drop_table *job, struct error *e)
{
    OWNED(change_fini) struct change c;
    const struct meta_table *t = NULL;
    enum errcode code = table_find(m, job->database, job->table, &t, e);

    change_begin(m, &c);
    if (code != ERR_OK) {
        return job->ignore_if_not_exists ? ERR_OK : code;
    }
    table_drop_into(&c, t);
    return change_commit(&c, e);
}
