/* Reads of the catalog, answered from the shard's view. */
#include "service.h"

#include "format/table_descriptor.h"

struct meta_spec *request_spec(struct request *r, const struct msg_pb_partition_spec *spec)
{
    size_t count = spec->partition_key_values_count;
    struct meta_spec *pairs = arena_array(&r->arena, count, sizeof *pairs);

    for (size_t i = 0; i < count; i++) {
        pairs[i] = (struct meta_spec){.key = spec->partition_key_values[i].key,
                                      .value = spec->partition_key_values[i].value};
    }
    return pairs;
}

/* NULL: the request has been answered with "does not exist". */
static const struct meta_database *database_or_fail(struct request *r, struct bytes name)
{
    const struct meta_database *d = meta_view_database(request_view(r), name);

    if (d == NULL) {
        request_failf(r, ERR_DATABASE_NOT_EXIST, "database %.*s does not exist", (int)name.len,
                      (const char *)name.data);
    }
    return d;
}

static const struct meta_table *table_or_fail(struct request *r,
                                              const struct msg_pb_table_path *path)
{
    const struct meta_table *t =
        meta_view_table(request_view(r), path->database_name, path->table_name);

    if (t == NULL) {
        request_failf(r, ERR_TABLE_NOT_EXIST, "table %.*s.%.*s does not exist",
                      (int)path->database_name.len, (const char *)path->database_name.data,
                      (int)path->table_name.len, (const char *)path->table_name.data);
    }
    return t;
}

void handle_list_databases(struct request *r)
{
    const struct msg_list_databases_request *m = r->message;
    const struct meta_view *v = request_view(r);
    struct msg_list_databases_response *response =
        arena_new(&r->arena, struct msg_list_databases_response);

    if (m->has_include_summary && m->include_summary) {
        response->database_summary_count = v->database_count;
        response->database_summary =
            arena_array(&r->arena, v->database_count, sizeof *response->database_summary);
    } else {
        response->database_name_count = v->database_count;
        response->database_name =
            arena_array(&r->arena, v->database_count, sizeof *response->database_name);
    }
    for (size_t i = 0; i < v->database_count; i++) {
        struct bytes name = bytes_str(v->databases[i]->name);

        if (response->database_name != NULL) {
            response->database_name[i] = name;
        } else {
            response->database_summary[i] = (struct msg_pb_database_summary){
                .database_name = name,
                .created_time = v->databases[i]->created_ms,
                .table_count = (int32_t)meta_view_tables_of(v, name).count,
            };
        }
    }
    request_answer(r, response);
}

void handle_database_exists(struct request *r)
{
    const struct msg_database_exists_request *m = r->message;
    struct msg_database_exists_response *response =
        arena_new(&r->arena, struct msg_database_exists_response);

    response->exists = meta_view_database(request_view(r), m->database_name) != NULL;
    request_answer(r, response);
}

void handle_database_info(struct request *r)
{
    const struct msg_get_database_info_request *m = r->message;
    const struct meta_database *d = database_or_fail(r, m->database_name);
    struct msg_get_database_info_response *response;

    if (d != NULL) {
        response = arena_new(&r->arena, struct msg_get_database_info_response);
        response->database_json = meta_database_json(d, &r->arena);
        response->created_time = d->created_ms;
        response->modified_time = d->modified_ms;
        request_answer(r, response);
    }
}

void handle_list_tables(struct request *r)
{
    const struct msg_list_tables_request *m = r->message;
    struct msg_list_tables_response *response;
    struct meta_tables tables;

    if (database_or_fail(r, m->database_name) == NULL) {
        return;
    }
    tables = meta_view_tables_of(request_view(r), m->database_name);
    response = arena_new(&r->arena, struct msg_list_tables_response);
    response->table_name_count = tables.count;
    response->table_name = arena_array(&r->arena, tables.count, sizeof *response->table_name);
    for (size_t i = 0; i < tables.count; i++) {
        response->table_name[i] = bytes_str(tables.items[i]->name);
    }
    request_answer(r, response);
}

void handle_table_exists(struct request *r)
{
    const struct msg_table_exists_request *m = r->message;
    struct msg_table_exists_response *response =
        arena_new(&r->arena, struct msg_table_exists_response);

    response->exists = meta_view_table(request_view(r), m->table_path.database_name,
                                       m->table_path.table_name) != NULL;
    request_answer(r, response);
}

void handle_table_info(struct request *r)
{
    const struct msg_get_table_info_request *m = r->message;
    const struct meta_table *t = table_or_fail(r, &m->table_path);
    struct msg_get_table_info_response *response;

    if (t == NULL) {
        return;
    }
    response = arena_new(&r->arena, struct msg_get_table_info_response);
    response->table_id = t->id;
    response->schema_id = meta_table_latest(t)->id;
    response->table_json = t->json;
    response->created_time = t->created_ms;
    response->modified_time = t->modified_ms;
    if (t->remote_data_dir != NULL) {
        response->has_remote_data_dir = true;
        response->remote_data_dir = bytes_str(t->remote_data_dir);
    }
    request_answer(r, response);
}

void handle_table_schema(struct request *r)
{
    const struct msg_get_table_schema_request *m = r->message;
    const struct meta_table *t = table_or_fail(r, &m->table_path);
    const struct meta_schema *schema;
    struct msg_get_table_schema_response *response;

    if (t == NULL) {
        return;
    }
    schema = m->has_schema_id ? meta_table_schema(t, m->schema_id) : meta_table_latest(t);
    if (schema == NULL) {
        request_failf(r, ERR_SCHEMA_NOT_EXIST, "table %s.%s has no schema with id %d", t->database,
                      t->name, m->schema_id);
        return;
    }
    response = arena_new(&r->arena, struct msg_get_table_schema_response);
    response->schema_id = schema->id;
    response->schema_json = schema->json;
    request_answer(r, response);
}

static void fill_partition_info(struct request *r, const struct meta_table *t,
                                const struct meta_partition *p, struct msg_pb_partition_info *info)
{
    struct text_list keys = t->descriptor->def.partition_keys;
    struct msg_pb_key_value *pairs = arena_array(&r->arena, keys.count, sizeof *pairs);

    for (size_t i = 0; i < keys.count; i++) {
        pairs[i].key = bytes_str(keys.items[i]);
        pairs[i].value = bytes_str(p->values.items[i]);
    }
    info->partition_id = p->id;
    info->partition_spec.partition_key_values = pairs;
    info->partition_spec.partition_key_values_count = keys.count;
    if (p->remote_data_dir != NULL) {
        info->has_remote_data_dir = true;
        info->remote_data_dir = bytes_str(p->remote_data_dir);
    }
}

void handle_list_partitions(struct request *r)
{
    const struct msg_list_partition_infos_request *m = r->message;
    const struct msg_pb_partition_spec *spec = m->partial_partition_spec;
    const struct meta_table *t = table_or_fail(r, &m->table_path);
    struct msg_list_partition_infos_response *response;
    struct meta_partition_list found = {0};
    enum errcode code;

    if (t == NULL) {
        return;
    }
    code = meta_list_partitions(t, spec != NULL ? request_spec(r, spec) : NULL,
                                spec != NULL ? spec->partition_key_values_count : 0, &r->arena,
                                &found, &r->error);
    if (code != ERR_OK) {
        request_fail(r, code, &r->error);
        return;
    }
    response = arena_new(&r->arena, struct msg_list_partition_infos_response);
    response->partitions_info_count = found.count;
    response->partitions_info =
        arena_array(&r->arena, found.count, sizeof *response->partitions_info);
    for (size_t i = 0; i < found.count; i++) {
        fill_partition_info(r, t, found.items[i], &response->partitions_info[i]);
    }
    request_answer(r, response);
}
