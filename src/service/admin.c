/* APIs about the server itself. */
#include "service.h"

#include <strings.h>

void handle_api_versions(struct request *r)
{
    struct msg_api_versions_response *response =
        arena_new(&r->arena, struct msg_api_versions_response);

    rpc_api_versions(&r->arena, response);
    request_answer(r, response);
}

/* Plain-text listeners are all there are: who names that protocol is in, others are told no. */
void handle_authenticate(struct request *r)
{
    const struct msg_authenticate_request *m = r->message;

    if (m->protocol.len == 9 && strncasecmp((const char *)m->protocol.data, "PLAINTEXT", 9) == 0) {
        request_answer(r, arena_new(&r->arena, struct msg_authenticate_response));
    } else {
        request_failf(r, ERR_AUTHENTICATE, "listener %s takes protocol PLAINTEXT, found '%.*s'",
                      r->listener->name, (int)m->protocol.len, (const char *)m->protocol.data);
    }
}

void handle_describe_configs(struct request *r)
{
    const struct node *n = r->service->node;
    struct msg_describe_cluster_configs_response *response =
        arena_new(&r->arena, struct msg_describe_cluster_configs_response);
    size_t count;
    const struct meta_config *settings = meta_configs(n->meta, &count);

    response->configs_count = count;
    response->configs = arena_array(&r->arena, count, sizeof *response->configs);
    for (size_t i = 0; i < count; i++) {
        response->configs[i] = (struct msg_pb_describe_config){
            .config_key = bytes_str(settings[i].key),
            .has_config_value = true,
            .config_value = bytes_str(settings[i].value),
            .config_source = bytes_str("INITIAL_SERVER_CONFIG"),
        };
    }
    request_answer(r, response);
}

/* Buckets and those whose log failed, added up over the shards. */
struct health_part {
    struct part part;
    struct health *health;
    struct replica_totals totals;
};

struct health {
    struct health_part **parts;
    size_t waiting;
};

static void health_start(struct part *part)
{
    struct health_part *p = container_of(part, struct health_part, part);

    p->totals = replica_totals(part->owner->replicas);
}

static int32_t buckets_of_view(const struct meta_view *v)
{
    int64_t sum = 0;

    for (size_t i = 0; i < v->table_count; i++) {
        const struct meta_table *t = v->tables[i];

        sum += t->buckets.count;
        for (size_t k = 0; t->partitions != NULL && k < t->partitions->count; k++) {
            sum += t->partitions->by_id[k]->buckets.count;
        }
    }
    return sum < INT32_MAX ? (int32_t)sum : INT32_MAX;
}

static void health_finished(struct part *part)
{
    enum { GREEN = 0, RED = 2 };
    struct health *h = container_of(part, struct health_part, part)->health;
    struct request *r = part->request;
    struct msg_get_cluster_health_response *response;
    int32_t failed = 0;

    if (--h->waiting > 0) {
        return;
    }
    for (unsigned i = 0; i < r->service->node->shard_count; i++) {
        failed += (int32_t)h->parts[i]->totals.failed;
    }
    response = arena_new(&r->arena, struct msg_get_cluster_health_response);
    response->num_replicas = buckets_of_view(r->service->view);
    response->num_leader_replicas = response->num_replicas;
    response->in_sync_replicas = response->num_replicas;
    response->active_leader_replicas =
        failed < response->num_replicas ? response->num_replicas - failed : 0;
    response->status = failed > 0 ? RED : GREEN;
    request_answer(r, response);
}

void handle_cluster_health(struct request *r)
{
    struct node *n = r->service->node;
    struct health *h = arena_new(&r->arena, struct health);

    h->waiting = n->shard_count;
    h->parts = arena_array(&r->arena, n->shard_count, sizeof(struct health_part *));
    for (unsigned i = 0; i < n->shard_count; i++) {
        struct part *part = part_new(r, n->services[i], sizeof(struct health_part));

        part->start = health_start;
        part->finished = health_finished;
        h->parts[i] = container_of(part, struct health_part, part);
        h->parts[i]->health = h;
    }
    for (unsigned i = 0, count = n->shard_count; i < count; i++) {
        part_send(&h->parts[i]->part); /* the last one may answer and free the request */
    }
}

/* Remote storage is a local directory: no credentials are needed. */
void handle_security_token(struct request *r)
{
    struct msg_get_file_system_security_token_response *response =
        arena_new(&r->arena, struct msg_get_file_system_security_token_response);

    response->schema = bytes_str("file");
    request_answer(r, response);
}

struct writer_call {
    struct request *request;
    struct meta_init_writer init;
};

static void writer_done(struct meta_job *job)
{
    struct writer_call *w = container_of(job, struct writer_call, init.job);
    struct request *r = w->request;
    struct msg_init_writer_response *response;

    if (job->code != ERR_OK) {
        request_fail(r, job->code, &job->error);
        return;
    }
    response = arena_new(&r->arena, struct msg_init_writer_response);
    response->writer_id = w->init.writer_id;
    request_answer(r, response);
}

void handle_init_writer(struct request *r)
{
    struct writer_call *w = arena_new(&r->arena, struct writer_call);

    w->request = r;
    w->init.job.kind = META_INIT_WRITER;
    w->init.job.done = writer_done;
    meta_submit(r->service->node->meta, &w->init.job);
}
