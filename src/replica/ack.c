/* Answering writes: at once, or when the high watermark has passed them. */
#include "bucket.h"

#include "base/mutant.h"

/* How often writes are looked through that wait too long. */
#define ACK_TICK_US 100000

static void ack_tick(struct timer *t);

void ack_init(struct replica_set *set)
{
    list_init(&set->acking);
    timer_init(&set->ack_timer, ack_tick);
}

void ack_stop(struct replica_set *set) { timer_stop(&set->ack_timer); }

static void park(struct bucket *b, struct ack *a)
{
    struct replica_set *set = b->set;

    a->deadline_us = shard_now_us(set->shard) + a->timeout_us;
    list_push_back(&b->acks, &a->link);
    commit_parked(set);
    if (!list_linked(&b->acking)) {
        list_push_back(&set->acking, &b->acking);
    }
    if (!timer_running(&set->ack_timer)) {
        timer_start(set->shard, &set->ack_timer, ACK_TICK_US);
    }
}

void ack_append(struct bucket *b, struct bucket_op *op, struct ack *a,
                const struct log_appended *appended)
{
    a->op = op;
    a->base_offset = appended->base_offset;
    a->end_offset = appended->end_offset;
    if (!b->set->config.sync) {
        log_assume_durable(b->log);
        bucket_advance(b);
    } else if (!appended->duplicate && appended->batches > 0) {
        commit_mark(b);
    }
    if (MUTANT(SHOW_BEFORE_DURABLE)) {
        bucket_advance(b);
    }
    if (a->acks == -1 && a->end_offset > b->high_watermark && !MUTANT(ACK_BEFORE_SYNC)) {
        park(b, a); /* a duplicate waits for its first copy as well */
    } else {
        bucket_op_end(op, ERR_OK, NULL);
    }
}

static void swap_offsets(struct bucket *b, struct ack *a)
{
    struct append_op *first = container_of(a->op, struct append_op, op);
    struct append_op *second;
    int64_t base = first->appended.base_offset;

    if (b->kv == NULL && a->link.next != &b->acks) {
        second =
            container_of(container_of(a->link.next, struct ack, link)->op, struct append_op, op);
        first->appended.base_offset = second->appended.base_offset;
        second->appended.base_offset = base;
    }
}

void ack_answer(struct bucket *b)
{
    while (!list_empty(&b->acks)) {
        struct ack *a = container_of(b->acks.next, struct ack, link);

        if (a->end_offset > b->high_watermark) {
            return;
        }
        if (MUTANT(SWAP_OFFSETS)) {
            swap_offsets(b, a);
        }
        list_remove(&a->link);
        b->set->acks_answered++;
        bucket_op_end(a->op, ERR_OK, NULL);
    }
    list_remove(&b->acking);
}

void ack_fail(struct bucket *b, enum errcode code, const struct error *why)
{
    struct list *link;

    list_remove(&b->acking);
    while ((link = list_pop_front(&b->acks)) != NULL) {
        bucket_op_end(container_of(link, struct ack, link)->op, code, why);
    }
}

static void fail_late(struct bucket *b, int64_t now_us)
{
    char name[96];

    LIST_FOR_EACH(it, &b->acks)
    {
        struct ack *a = container_of(it, struct ack, link);

        if (a->deadline_us <= now_us) {
            list_remove(&a->link);
            bucket_op_fail(a->op, ERR_REQUEST_TIME_OUT,
                           "%s: appended at offset %lld but not yet synced",
                           bucket_name(&b->id, name), (long long)a->base_offset);
        }
    }
}

static void ack_tick(struct timer *t)
{
    struct replica_set *set = container_of(t, struct replica_set, ack_timer);
    int64_t now_us = shard_now_us(set->shard);

    LIST_FOR_EACH(it, &set->acking)
    {
        struct bucket *b = container_of(it, struct bucket, acking);

        fail_late(b, now_us);
        if (list_empty(&b->acks)) {
            list_remove(&b->acking);
        }
    }
    if (!list_empty(&set->acking)) {
        timer_start(set->shard, &set->ack_timer, ACK_TICK_US);
    }
}
