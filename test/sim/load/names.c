#include "names.h"

#define CHURN_JSON                                                                                 \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":[{\"name\":\"a\",\"data_type\":"         \
    "{\"type\":\"BIGINT\"},\"id\":0}],\"highest_field_id\":0},\"partition_key\":[],"               \
    "\"bucket_key\":[],\"bucket_count\":2,\"properties\":{},\"custom_properties\":{}}"

static const char *const churn_names[LOAD_CHURN] = {"c0", "c1", "c2"};
static const char *const churn_full_names[LOAD_CHURN] = {"sim.c0", "sim.c1", "sim.c2"};

/* ---- names ---- */

static const char *full_name(const struct name_ref *ref)
{
    if (ref->table == NULL) {
        return churn_full_names[ref->churn];
    }
    return ref->partition < 0 ? ref->table->full_name
                              : ref->table->partitions[ref->partition].full_name;
}

static struct msg_pb_table_path path_of(const struct name_ref *ref)
{
    const char *name = ref->table == NULL ? churn_names[ref->churn] : ref->table->name;

    return (struct msg_pb_table_path){bytes_str("sim"), bytes_str(name)};
}

/* ---- answers ---- */

static void end(struct name_call *n, enum op_status status, enum errcode error)
{
    struct op *op = n->op;

    n->op = NULL;
    client_end(n->client, op, status, error);
    n->done(n, op);
}

static bool says_exists(enum errcode error)
{
    return error == ERR_TABLE_ALREADY_EXIST || error == ERR_PARTITION_ALREADY_EXISTS;
}

static bool says_missing(enum errcode error)
{
    return error == ERR_TABLE_NOT_EXIST || error == ERR_PARTITION_NOT_EXISTS;
}

/* Of all that change something. */
static void on_changed(struct call *call, const void *response, enum errcode error)
{
    struct name_call *n = container_of(call, struct name_call, call);
    enum op_status status = OP_OK;

    if (response == NULL) {
        n->op->name.exists = says_exists(error);
        status = says_exists(error) || says_missing(error) ? OP_FAILED : OP_UNKNOWN;
    }
    end(n, status, error);
}

/* What was said the last time need not be parsed again. */
static int64_t columns_of(struct name_call *n, struct bytes json)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *descriptor = NULL;
    struct table *t = n->ref.table;

    if (t != NULL && t->described.len > 0 && bytes_equal(json, t->described)) {
        return t->described_columns;
    }
    if (table_descriptor_parse(json, &descriptor, NULL) != ERR_OK) {
        client_wrong(n->client, "names", "a descriptor that cannot be read", n->op);
        return n->op->name.columns;
    }
    if (t != NULL) {
        t->described = arena_copy(&t->arena, json);
        t->described_columns = (int64_t)descriptor->def.schema->count;
    }
    return (int64_t)descriptor->def.schema->count;
}

static void take_table(struct name_call *n, int64_t id, int32_t schema_id, struct bytes json)
{
    struct table *t = n->ref.table;

    n->op->name.exists = true;
    n->op->name.id = id + 1; /* ids start at 0 */
    n->op->name.columns = columns_of(n, json);
    if (t != NULL) {
        t->id = id;
        t->schema_id =
            schema_id > t->schema_id && schema_id <= TABLE_SCHEMAS_MAX ? schema_id : t->schema_id;
    }
}

/* A table that is not there is an answer. */
static void end_description(struct name_call *n, bool answered, enum errcode error)
{
    end(n, answered || says_missing(error) ? OP_OK : OP_UNKNOWN, error);
}

static void on_info(struct call *call, const void *response, enum errcode error)
{
    struct name_call *n = container_of(call, struct name_call, call);
    const struct msg_get_table_info_response *m = response;

    if (m != NULL) {
        take_table(n, m->table_id, m->schema_id, m->table_json);
    }
    end_description(n, m != NULL, error);
}

/* Epochs start at 0. */
static void take_epoch(struct name_call *n, const struct msg_pb_table_metadata *table)
{
    if (table->bucket_metadata_count > 0 && table->bucket_metadata->has_leader_epoch) {
        n->op->name.epoch = table->bucket_metadata->leader_epoch + 1;
    }
}

static void on_metadata(struct call *call, const void *response, enum errcode error)
{
    struct name_call *n = container_of(call, struct name_call, call);
    const struct msg_metadata_response *m = response;
    bool answered = m != NULL && m->table_metadata_count == 1;

    if (answered) {
        take_table(n, m->table_metadata->table_id, m->table_metadata->schema_id,
                   m->table_metadata->table_json);
        take_epoch(n, m->table_metadata);
    }
    end_description(n, answered, error);
}

static void on_partitions(struct call *call, const void *response, enum errcode error)
{
    struct name_call *n = container_of(call, struct name_call, call);
    const struct msg_list_partition_infos_response *m = response;
    struct table_partition *p = &n->ref.table->partitions[n->ref.partition];

    for (size_t i = 0; m != NULL && i < m->partitions_info_count; i++) {
        const struct msg_pb_partition_info *info = &m->partitions_info[i];

        if (info->partition_spec.partition_key_values_count == 1 &&
            bytes_equal_str(info->partition_spec.partition_key_values->value, p->name)) {
            n->op->name.exists = true;
            n->op->name.id = info->partition_id + 1;
        }
    }
    if (m != NULL) {
        int64_t id = n->op->name.exists ? n->op->name.id - 1 : -1;

        p->id = id == p->doomed ? -1 : id;
    }
    end_description(n, m != NULL, error);
}

/* ---- requests ---- */

static void send(struct name_call *n, enum rpc_api_key api, const void *message,
                 void (*done)(struct call *, const void *, enum errcode))
{
    n->call.done = done;
    session_send(&n->client->session, &n->call, api, message, CALL_TIMEOUT_US);
}

static void describe(struct name_call *n)
{
    struct msg_pb_table_path path = path_of(&n->ref);
    struct msg_get_table_info_request info = {.table_path = path};
    struct msg_list_partition_infos_request partitions = {.table_path = path};
    struct msg_metadata_request metadata = {.table_path = &path, .table_path_count = 1};

    if (n->ref.partition >= 0) {
        send(n, API_LIST_PARTITION_INFOS, &partitions, on_partitions);
    } else if (n->by_metadata) {
        send(n, API_GET_METADATA, &metadata, on_metadata);
    } else {
        send(n, API_GET_TABLE_INFO, &info, on_info);
    }
}

static void alter(struct name_call *n, const char *column)
{
    struct msg_pb_add_column add = {.column_name = bytes_str(column),
                                    .data_type_json = bytes_str("{\"type\":\"BIGINT\"}")};
    struct msg_alter_table_request request = {
        .table_path = path_of(&n->ref), .add_columns = &add, .add_columns_count = 1};

    send(n, API_ALTER_TABLE, &request, on_changed);
}

static void change_table(struct name_call *n, bool create)
{
    struct msg_pb_table_path path = path_of(&n->ref);
    struct msg_create_table_request make = {
        .table_path = path,
        .table_json = n->ref.table == NULL ? bytes_str(CHURN_JSON) : n->ref.table->json};
    struct msg_drop_table_request drop = {.table_path = path};

    if (create) {
        send(n, API_CREATE_TABLE, &make, on_changed);
    } else {
        send(n, API_DROP_TABLE, &drop, on_changed);
    }
}

static void change_partition(struct name_call *n, bool create)
{
    struct msg_pb_table_path path = path_of(&n->ref);
    struct table_partition *p = &n->ref.table->partitions[n->ref.partition];
    struct msg_pb_key_value value = {bytes_str("part"), bytes_str(p->name)};
    struct msg_pb_partition_spec spec = {&value, 1};
    struct msg_create_partition_request make = {.table_path = path, .partition_spec = spec};
    struct msg_drop_partition_request drop = {.table_path = path, .partition_spec = spec};

    if (create) {
        send(n, API_CREATE_PARTITION, &make, on_changed);
        return;
    }
    n->op->place = (struct place){.table = n->ref.table->id, .partition = p->id};
    p->doomed = p->id;
    p->id = -1;
    send(n, API_DROP_PARTITION, &drop, on_changed);
}

void name_send(struct name_call *n, enum op_kind kind, struct name_ref ref, const char *column)
{
    n->ref = ref;
    n->op = client_begin(n->client, kind);
    n->op->name.name = full_name(&ref);
    if (kind == OP_DESCRIBE) {
        describe(n);
    } else if (kind == OP_ALTER) {
        alter(n, column);
    } else if (ref.partition >= 0) {
        change_partition(n, kind == OP_CREATE);
    } else {
        change_table(n, kind == OP_CREATE);
    }
}
