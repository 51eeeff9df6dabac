/* One operation per bucket, split over the shards that own the buckets: see service.h. */
#include "service.h"

struct fan_part {
    struct part part;
    struct fan *fan;
    struct bucket_op **ops;
    size_t count;
};

static void op_done(struct bucket_op *op) { part_operation_done(op->context); }

static void fan_start(struct part *part)
{
    struct fan_part *p = container_of(part, struct fan_part, part);

    for (size_t i = 0; i < p->count; i++) {
        part->waiting++;
        p->fan->submit(part->owner->replicas, p->ops[i]);
    }
}

static void fan_finished(struct part *part)
{
    struct fan *fan = container_of(part, struct fan_part, part)->fan;

    if (--fan->parts_waiting == 0) {
        fan->answer(fan);
    }
}

/* What the shard owns of the operations. NULL when that is nothing. */
static struct fan_part *fan_split(struct fan *fan, unsigned shard)
{
    struct request *r = fan->request;
    struct node *node = r->service->node;
    struct fan_part *p = NULL;

    for (size_t i = 0; i < fan->count; i++) {
        if (bucket_shard(&fan->ops[i]->id, node->shard_count) != shard) {
            continue;
        }
        if (p == NULL) {
            p = container_of(part_new(r, node->services[shard], sizeof *p), struct fan_part, part);
            p->part.start = fan_start;
            p->part.finished = fan_finished;
            p->fan = fan;
            p->ops = arena_array(&r->arena, fan->count - i, sizeof(struct bucket_op *));
        }
        fan->ops[i]->done = op_done;
        fan->ops[i]->context = &p->part;
        p->ops[p->count++] = fan->ops[i];
    }
    return p;
}

bool fan_accepts(struct request *r, size_t count)
{
    if (count > FAN_BUCKETS_MAX) {
        request_failf(r, ERR_INVALID_ARGUMENT, "%zu buckets in one request, at most %d expected",
                      count, FAN_BUCKETS_MAX);
        return false;
    }
    return true;
}

void fan_run(struct fan *fan)
{
    struct request *r = fan->request;
    unsigned shards = r->service->node->shard_count;
    struct fan_part **parts;

    ASSERT(fan->count <= FAN_BUCKETS_MAX);
    if (fan->count == 0) {
        fan->answer(fan);
        return;
    }
    parts = arena_array(&r->arena, shards, sizeof(struct fan_part *));
    for (unsigned i = 0; i < shards; i++) {
        parts[i] = fan_split(fan, i);
        fan->parts_waiting += parts[i] != NULL;
        r->owner = parts[i] != NULL ? parts[i]->part.owner : r->owner;
    }
    r->owner = fan->parts_waiting == 1 ? r->owner : NULL;
    for (size_t i = 0, left = fan->parts_waiting; left > 0; i++) {
        if (parts[i] != NULL) {
            left--;
            part_send(&parts[i]->part); /* the last one may answer and free the request */
        }
    }
}
