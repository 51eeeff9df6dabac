/* Snapshots of primary-key buckets and the leases that keep them. The catalog knows which exist; what
 * one consists of is read from remote storage. */
#include "service.h"

/* A request, the question to the catalog, and what else it takes to answer. */
struct snapshot_request {
    struct request *request;
    struct part *found; /* its arena: what coordinator and pool answer with */
    union {
        struct meta_job job; /* the start of all of them */
        struct meta_list_snapshots list;
        struct meta_acquire_lease acquire;
        struct meta_release_lease release;
        struct meta_drop_lease drop;
    };
    int32_t bucket_count; /* GET_LATEST_KV_SNAPSHOTS */
    struct kv_files_op files;
};

static struct snapshot_request *question_new(struct request *r, enum meta_job_kind kind,
                                             void (*done)(struct meta_job *job))
{
    struct snapshot_request *s = arena_new(&r->arena, struct snapshot_request);

    s->request = r;
    s->job.kind = kind;
    s->job.done = done;
    return s;
}

static void ask(struct snapshot_request *s)
{
    meta_submit(s->request->service->node->meta, &s->job);
}

/* The request, unless the job has failed: then it is answered. */
static struct request *succeeded(struct meta_job *job)
{
    struct request *r = container_of(job, struct snapshot_request, job)->request;

    if (job->code != ERR_OK) {
        request_fail(r, job->code, &job->error);
        return NULL;
    }
    return r;
}

/* ---- which snapshots there are ---- */

static struct snapshot_request *list_new(struct request *r, int64_t table_id, int64_t partition_id,
                                         void (*done)(struct meta_job *job))
{
    struct snapshot_request *s = question_new(r, META_LIST_SNAPSHOTS, done);

    s->list.table_id = table_id;
    s->list.partition_id = partition_id;
    s->list.bucket = -1;
    s->found = part_new(r, r->service, sizeof *s->found);
    s->list.arena = &s->found->arena;
    return s;
}

/* One entry for every bucket: the last of its snapshots. */
static void latest_done(struct meta_job *job)
{
    struct snapshot_request *s = container_of(job, struct snapshot_request, job);
    struct request *r = succeeded(job);
    struct msg_get_latest_kv_snapshots_response *response;

    if (r == NULL) {
        return;
    }
    response = arena_new(&r->arena, struct msg_get_latest_kv_snapshots_response);
    response->table_id = s->list.table_id;
    response->has_partition_id = s->list.partition_id >= 0;
    response->partition_id = s->list.partition_id;
    response->latest_snapshots_count = (size_t)s->bucket_count;
    response->latest_snapshots =
        arena_array(&r->arena, (size_t)s->bucket_count, sizeof *response->latest_snapshots);
    for (int32_t b = 0; b < s->bucket_count; b++) {
        response->latest_snapshots[b] = (struct msg_pb_kv_snapshot){.bucket_id = b};
    }
    for (size_t i = 0; i < s->list.count; i++) { /* by bucket, then id */
        const struct meta_snapshot *found = &s->list.snapshots[i];

        response->latest_snapshots[found->bucket] =
            (struct msg_pb_kv_snapshot){.bucket_id = found->bucket,
                                        .snapshot_id = found->id,
                                        .log_offset = found->log_offset,
                                        .has_snapshot_id = true,
                                        .has_log_offset = true};
    }
    request_answer(r, response);
}

static enum errcode find_keyed(struct request *r,
                               const struct msg_get_latest_kv_snapshots_request *m,
                               const struct meta_table **ret_table,
                               const struct meta_partition **ret_partition, struct error *e)
{
    const struct meta_table *t =
        meta_view_table(request_view(r), m->table_path.database_name, m->table_path.table_name);

    if (t == NULL) {
        return error_set(
            e, ERR_TABLE_NOT_EXIST, "table %.*s.%.*s does not exist",
            (int)m->table_path.database_name.len, (const char *)m->table_path.database_name.data,
            (int)m->table_path.table_name.len, (const char *)m->table_path.table_name.data);
    }
    if (!table_has_primary_key(t->descriptor)) {
        return error_set(e, ERR_NON_PRIMARY_KEY_TABLE,
                         "table %s.%s has no primary key, so there are no snapshots of it",
                         t->database, t->name);
    }
    if (m->has_partition_name && !meta_table_partitioned(t)) {
        return error_set(e, ERR_TABLE_NOT_PARTITIONED, "table %s.%s is not partitioned",
                         t->database, t->name);
    }
    if (meta_table_partitioned(t)) {
        *ret_partition = m->has_partition_name ? meta_table_partition(t, m->partition_name) : NULL;
        if (*ret_partition == NULL) {
            return error_set(e, ERR_PARTITION_NOT_EXISTS, "table %s.%s has no partition '%.*s'",
                             t->database, t->name, (int)m->partition_name.len,
                             (const char *)m->partition_name.data);
        }
    }
    *ret_table = t;
    return ERR_OK;
}

void handle_latest_kv_snapshots(struct request *r)
{
    const struct meta_table *t = NULL;
    const struct meta_partition *p = NULL;
    struct snapshot_request *s;
    enum errcode code = find_keyed(r, r->message, &t, &p, &r->error);

    if (code != ERR_OK) {
        request_fail(r, code, &r->error);
        return;
    }
    s = list_new(r, t->id, p == NULL ? -1 : p->id, latest_done);
    s->bucket_count = p == NULL ? t->buckets.count : p->buckets.count;
    ask(s);
}

static struct msg_list_kv_snapshots_response *
list_response(struct request *r, const struct msg_list_kv_snapshots_request *m, size_t count)
{
    struct msg_list_kv_snapshots_response *response =
        arena_new(&r->arena, struct msg_list_kv_snapshots_response);

    response->table_id = m->table_id;
    response->has_partition_id = m->has_partition_id;
    response->partition_id = m->partition_id;
    response->active_snapshots_count = count;
    response->active_snapshots = arena_array(&r->arena, count, sizeof *response->active_snapshots);
    return response;
}

static void list_done(struct meta_job *job)
{
    struct snapshot_request *s = container_of(job, struct snapshot_request, job);
    struct request *r = succeeded(job);
    struct msg_list_kv_snapshots_response *response;

    if (r == NULL) {
        return;
    }
    response = list_response(r, r->message, s->list.count);
    for (size_t i = 0; i < s->list.count; i++) {
        response->active_snapshots[i] =
            (struct msg_pb_kv_snapshot){.bucket_id = s->list.snapshots[i].bucket,
                                        .snapshot_id = s->list.snapshots[i].id,
                                        .has_snapshot_id = true};
    }
    request_answer(r, response);
}

/* A log table has no snapshots, and a partitioned one has them in its partitions: neither is an
 * error. */
void handle_list_kv_snapshots(struct request *r)
{
    const struct msg_list_kv_snapshots_request *m = r->message;
    const struct meta_table *t = meta_view_table_by_id(request_view(r), m->table_id);

    if (t == NULL && !m->has_partition_id) {
        request_failf(r, ERR_TABLE_NOT_EXIST, "table %lld does not exist", (long long)m->table_id);
    } else if (m->has_partition_id && (t == NULL || !meta_table_partitioned(t) ||
                                       meta_table_partition_by_id(t, m->partition_id) == NULL)) {
        request_failf(r, ERR_PARTITION_NOT_EXISTS, "table %lld has no partition %lld",
                      (long long)m->table_id, (long long)m->partition_id);
    } else if (!m->has_partition_id && meta_table_partitioned(t)) {
        request_answer(r, list_response(r, m, 0));
    } else {
        ask(list_new(r, m->table_id, m->has_partition_id ? m->partition_id : -1, list_done));
    }
}

/* ---- what a snapshot consists of ---- */

static void files_done(struct kv_files_op *op)
{
    struct request *r = ((struct snapshot_request *)op->context)->request;
    struct msg_get_kv_snapshot_metadata_response *response;

    if (op->code != ERR_OK) {
        request_fail(r, op->code, &op->error);
        return;
    }
    response = arena_new(&r->arena, struct msg_get_kv_snapshot_metadata_response);
    response->log_offset = op->log_offset;
    response->snapshot_files_count = op->file_count;
    response->snapshot_files =
        arena_array(&r->arena, op->file_count, sizeof *response->snapshot_files);
    for (size_t i = 0; i < op->file_count; i++) {
        response->snapshot_files[i] = (struct msg_pb_remote_path_and_local_file){
            .remote_path = bytes_str(op->files[i].remote_path),
            .local_file_name = bytes_str(op->files[i].name)};
    }
    request_answer(r, response);
}

/* Only what the catalog knows exists; other files may be those of an attempt that failed. */
static void metadata_listed(struct meta_job *job)
{
    struct snapshot_request *s = container_of(job, struct snapshot_request, job);
    const struct msg_get_kv_snapshot_metadata_request *m = s->request->message;
    const struct meta_snapshot *found = NULL;

    for (size_t i = 0; job->code == ERR_OK && i < s->list.count; i++) {
        found = s->list.snapshots[i].id == m->snapshot_id ? &s->list.snapshots[i] : found;
    }
    if (found == NULL) {
        request_failf(s->request, ERR_KV_SNAPSHOT_NOT_EXIST,
                      "table %lld bucket %d has no snapshot %lld", (long long)m->table_id,
                      (int)m->bucket_id, (long long)m->snapshot_id);
        return;
    }
    s->files = (struct kv_files_op){
        .snapshot_id = found->id,
        .metadata_path = found->metadata_path,
        .arena = &s->found->arena,
        .done = files_done,
        .context = s,
    };
    replica_kv_files(s->request->service->replicas, &s->files);
}

void handle_kv_snapshot_metadata(struct request *r)
{
    const struct msg_get_kv_snapshot_metadata_request *m = r->message;
    struct snapshot_request *s;

    if (m->bucket_id < 0) { /* to the catalog this would mean all buckets */
        request_failf(r, ERR_KV_SNAPSHOT_NOT_EXIST, "bucket %d has no snapshots",
                      (int)m->bucket_id);
        return;
    }
    s = list_new(r, m->table_id, m->has_partition_id ? m->partition_id : -1, metadata_listed);
    s->list.bucket = m->bucket_id;
    ask(s);
}

/* ---- leases ---- */

static bool is_keyed(struct request *r, int64_t table_id)
{
    const struct meta_table *t = meta_view_table_by_id(request_view(r), table_id);

    if (t == NULL) {
        request_failf(r, ERR_UNKNOWN_TABLE_OR_BUCKET, "table %lld does not exist",
                      (long long)table_id);
        return false;
    }
    if (!table_has_primary_key(t->descriptor)) {
        request_failf(r, ERR_NON_PRIMARY_KEY_TABLE, "table %s.%s has no primary key", t->database,
                      t->name);
        return false;
    }
    return true;
}

/* Those that could not be leased, by table as they were asked for. */
static void acquire_done(struct meta_job *job)
{
    struct snapshot_request *s = container_of(job, struct snapshot_request, job);
    struct request *r = succeeded(job);
    const struct meta_leased *asked = s->acquire.snapshots;
    const struct msg_acquire_kv_snapshot_lease_request *m;
    struct msg_acquire_kv_snapshot_lease_response *response;

    if (r == NULL) {
        return;
    }
    m = r->message;
    response = arena_new(&r->arena, struct msg_acquire_kv_snapshot_lease_response);
    response->unavailable_snapshots = arena_array(&r->arena, m->snapshots_to_lease_count,
                                                  sizeof *response->unavailable_snapshots);
    for (size_t i = 0; i < m->snapshots_to_lease_count; i++) {
        struct msg_pb_kv_snapshot_lease_for_table missing = m->snapshots_to_lease[i];
        size_t count = missing.bucket_snapshots_count;

        missing.bucket_snapshots = arena_array(&r->arena, count, sizeof *missing.bucket_snapshots);
        missing.bucket_snapshots_count = 0;
        for (size_t b = 0; b < count; b++, asked++) {
            if (asked->unavailable) {
                missing.bucket_snapshots[missing.bucket_snapshots_count++] =
                    m->snapshots_to_lease[i].bucket_snapshots[b];
            }
        }
        if (missing.bucket_snapshots_count > 0) {
            response->unavailable_snapshots[response->unavailable_snapshots_count++] = missing;
        }
    }
    request_answer(r, response);
}

static size_t count_asked(const struct msg_acquire_kv_snapshot_lease_request *m)
{
    size_t count = 0;

    for (size_t i = 0; i < m->snapshots_to_lease_count; i++) {
        count += m->snapshots_to_lease[i].bucket_snapshots_count;
    }
    return count;
}

void handle_acquire_kv_snapshot_lease(struct request *r)
{
    const struct msg_acquire_kv_snapshot_lease_request *m = r->message;
    struct snapshot_request *s;
    struct meta_leased *at;

    if (!fan_accepts(r, count_asked(m)) || !fan_accepts(r, m->snapshots_to_lease_count)) {
        return;
    }
    s = question_new(r, META_ACQUIRE_LEASE, acquire_done);
    s->acquire.lease_id = m->lease_id;
    s->acquire.duration_ms = m->lease_duration_ms;
    s->acquire.count = count_asked(m);
    at = s->acquire.snapshots = arena_array(&r->arena, s->acquire.count, sizeof *at);
    for (size_t i = 0; i < m->snapshots_to_lease_count; i++) {
        const struct msg_pb_kv_snapshot_lease_for_table *t = &m->snapshots_to_lease[i];

        if (!is_keyed(r, t->table_id)) {
            return;
        }
        for (size_t b = 0; b < t->bucket_snapshots_count; b++) {
            const struct msg_pb_kv_snapshot_lease_for_bucket *asked = &t->bucket_snapshots[b];

            *at++ = (struct meta_leased){
                .bucket = {.table_id = t->table_id,
                           .partition_id = asked->has_partition_id ? asked->partition_id : -1,
                           .bucket = asked->bucket_id},
                .snapshot_id = asked->snapshot_id};
        }
    }
    ask(s);
}

static void lease_done(struct meta_job *job)
{
    struct request *r = succeeded(job);

    if (r != NULL) {
        /* these responses are empty messages */
        request_answer(r, arena_zalloc(&r->arena, r->api->response->size));
    }
}

void handle_release_kv_snapshot_lease(struct request *r)
{
    const struct msg_release_kv_snapshot_lease_request *m = r->message;
    struct meta_bucket_id *buckets;
    struct snapshot_request *s;

    if (!fan_accepts(r, m->buckets_to_release_count)) {
        return;
    }
    buckets = arena_array(&r->arena, m->buckets_to_release_count, sizeof *buckets);
    for (size_t i = 0; i < m->buckets_to_release_count; i++) {
        const struct msg_pb_table_bucket *b = &m->buckets_to_release[i];

        if (!is_keyed(r, b->table_id)) {
            return;
        }
        buckets[i] =
            (struct meta_bucket_id){.table_id = b->table_id,
                                    .partition_id = b->has_partition_id ? b->partition_id : -1,
                                    .bucket = b->bucket_id};
    }
    s = question_new(r, META_RELEASE_LEASE, lease_done);
    s->release.lease_id = m->lease_id;
    s->release.buckets = buckets;
    s->release.count = m->buckets_to_release_count;
    ask(s);
}

void handle_drop_kv_snapshot_lease(struct request *r)
{
    const struct msg_drop_kv_snapshot_lease_request *m = r->message;
    struct snapshot_request *s = question_new(r, META_DROP_LEASE, lease_done);

    s->drop.lease_id = m->lease_id;
    ask(s);
}
