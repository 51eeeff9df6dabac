/* Changes of the catalog: each becomes a job of the coordinator and is answered when the new
 * catalog is durable and every shard has it. */
#include "service.h"

#include "format/json.h"

/* A request and its job; the job struct of each API is embedded in `job`. */
struct ddl {
    struct request *request;
    union {
        struct meta_job job; /* the start of all of them */
        struct meta_create_database create_database;
        struct meta_alter_database alter_database;
        struct meta_drop_database drop_database;
        struct meta_create_table create_table;
        struct meta_alter_table alter_table;
        struct meta_drop_table drop_table;
        struct meta_create_partition create_partition;
        struct meta_drop_partition drop_partition;
    };
};

static void ddl_done(struct meta_job *job)
{
    struct ddl *d = container_of(job, struct ddl, job);
    struct request *r = d->request;

    if (job->code != ERR_OK) {
        request_fail(r, job->code, &job->error);
    } else {
        /* all of these responses are empty messages */
        request_answer(r, arena_zalloc(&r->arena, r->api->response->size));
    }
}

static struct ddl *ddl_new(struct request *r, enum meta_job_kind kind)
{
    struct ddl *d = arena_new(&r->arena, struct ddl);

    d->request = r;
    d->job.kind = kind;
    d->job.done = ddl_done;
    return d;
}

static void ddl_submit(struct ddl *d) { meta_submit(d->request->service->node->meta, &d->job); }

static struct meta_change *changes_of(struct request *r, const struct msg_pb_alter_config *configs,
                                      size_t count)
{
    struct meta_change *changes = arena_array(&r->arena, count, sizeof *changes);

    for (size_t i = 0; i < count; i++) {
        changes[i] = (struct meta_change){
            .key = configs[i].config_key,
            .value = configs[i].config_value,
            .op = configs[i].op_type,
        };
    }
    return changes;
}

void handle_create_database(struct request *r)
{
    const struct msg_create_database_request *m = r->message;
    struct ddl *d = ddl_new(r, META_CREATE_DATABASE);

    d->create_database.database = m->database_name;
    d->create_database.json = m->database_json;
    d->create_database.ignore_if_exists = m->ignore_if_exists;
    ddl_submit(d);
}

void handle_alter_database(struct request *r)
{
    const struct msg_alter_database_request *m = r->message;
    struct ddl *d = ddl_new(r, META_ALTER_DATABASE);

    d->alter_database.database = m->database_name;
    d->alter_database.changes = changes_of(r, m->config_changes, m->config_changes_count);
    d->alter_database.change_count = m->config_changes_count;
    d->alter_database.has_comment = m->has_comment;
    d->alter_database.comment = m->comment;
    d->alter_database.ignore_if_not_exists = m->ignore_if_not_exists;
    ddl_submit(d);
}

void handle_drop_database(struct request *r)
{
    const struct msg_drop_database_request *m = r->message;
    struct ddl *d = ddl_new(r, META_DROP_DATABASE);

    d->drop_database.database = m->database_name;
    d->drop_database.ignore_if_not_exists = m->ignore_if_not_exists;
    d->drop_database.cascade = m->cascade;
    ddl_submit(d);
}

void handle_create_table(struct request *r)
{
    const struct msg_create_table_request *m = r->message;
    struct ddl *d = ddl_new(r, META_CREATE_TABLE);

    d->create_table.database = m->table_path.database_name;
    d->create_table.table = m->table_path.table_name;
    d->create_table.json = m->table_json;
    d->create_table.ignore_if_exists = m->ignore_if_exists;
    ddl_submit(d);
}

/* {"type":..,"parameters":{..}} as in schema documents. */
static struct bytes agg_json(struct request *r, const struct msg_pb_add_column *c)
{
    struct json_writer w;

    json_writer_init(&w, &r->arena);
    json_write_object(&w);
    json_write_key(&w, "type");
    json_write_text(&w, c->agg_function_type);
    if (c->agg_function_params_count > 0) {
        json_write_key(&w, "parameters");
        json_write_object(&w);
        for (size_t i = 0; i < c->agg_function_params_count; i++) {
            const struct msg_pb_key_value *pair = &c->agg_function_params[i];

            json_write_key(&w, arena_strndup(&r->arena, pair->key.data, pair->key.len));
            json_write_text(&w, pair->value);
        }
        json_write_end(&w);
    }
    json_write_end(&w);
    return json_writer_text(&w);
}

static struct meta_add_column *columns_of(struct request *r,
                                          const struct msg_alter_table_request *m)
{
    struct meta_add_column *columns = arena_array(&r->arena, m->add_columns_count, sizeof *columns);

    for (size_t i = 0; i < m->add_columns_count; i++) {
        const struct msg_pb_add_column *c = &m->add_columns[i];

        columns[i] = (struct meta_add_column){
            .name = c->column_name,
            .type_json = c->data_type_json,
            .has_comment = c->has_comment,
            .comment = c->comment,
            .has_agg_function = c->has_agg_function_type,
            .agg_function_json = c->has_agg_function_type ? agg_json(r, c) : BYTES_EMPTY,
            .position = c->column_position_type,
        };
    }
    return columns;
}

void handle_alter_table(struct request *r)
{
    const struct msg_alter_table_request *m = r->message;
    struct ddl *d = ddl_new(r, META_ALTER_TABLE);

    d->alter_table.database = m->table_path.database_name;
    d->alter_table.table = m->table_path.table_name;
    d->alter_table.changes = changes_of(r, m->config_changes, m->config_changes_count);
    d->alter_table.change_count = m->config_changes_count;
    d->alter_table.columns = columns_of(r, m);
    d->alter_table.column_count = m->add_columns_count;
    d->alter_table.unsupported = m->drop_columns_count > 0 || m->rename_columns_count > 0 ||
                                 m->modify_columns_count > 0 || m->modify_bucket_count != NULL;
    d->alter_table.ignore_if_not_exists = m->ignore_if_not_exists;
    ddl_submit(d);
}

void handle_drop_table(struct request *r)
{
    const struct msg_drop_table_request *m = r->message;
    struct ddl *d = ddl_new(r, META_DROP_TABLE);

    d->drop_table.database = m->table_path.database_name;
    d->drop_table.table = m->table_path.table_name;
    d->drop_table.ignore_if_not_exists = m->ignore_if_not_exists;
    ddl_submit(d);
}

void handle_create_partition(struct request *r)
{
    const struct msg_create_partition_request *m = r->message;
    struct ddl *d = ddl_new(r, META_CREATE_PARTITION);

    d->create_partition.database = m->table_path.database_name;
    d->create_partition.table = m->table_path.table_name;
    d->create_partition.spec = request_spec(r, &m->partition_spec);
    d->create_partition.spec_count = m->partition_spec.partition_key_values_count;
    d->create_partition.ignore_if_exists = m->ignore_if_not_exists; /* the field's name misleads */
    ddl_submit(d);
}

void handle_drop_partition(struct request *r)
{
    const struct msg_drop_partition_request *m = r->message;
    struct ddl *d = ddl_new(r, META_DROP_PARTITION);

    d->drop_partition.database = m->table_path.database_name;
    d->drop_partition.table = m->table_path.table_name;
    d->drop_partition.spec = request_spec(r, &m->partition_spec);
    d->drop_partition.spec_count = m->partition_spec.partition_key_values_count;
    d->drop_partition.ignore_if_not_exists = m->ignore_if_not_exists;
    ddl_submit(d);
}
