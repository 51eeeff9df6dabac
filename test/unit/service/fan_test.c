#include "../../support/node.h"

/* A fan of operations that only note who ran them and when. */
struct round {
    struct test_node *node;
    struct request request;
    struct message start;
    struct fan fan;
    struct bucket_op *ops;
    size_t count;
    struct gate *gate;
    atomic_int order[STORE_SHARDS];
};

static void op_submit(struct replica_set *set, struct bucket_op *op)
{
    struct part *part = op->context;
    struct round *r = container_of(part->request, struct round, request);
    unsigned here = shard_index(shard_current());

    ASSERT(set == r->node->store->sets[here]);
    ASSERT(bucket_shard(&op->id, STORE_SHARDS) == here);
    op->code = (enum errcode)atomic_fetch_add(&r->order[here], 1);
    op->done(op);
}

static void round_answer(struct fan *fan)
{
    struct round *r = container_of(fan, struct round, fan);

    ASSERT_ON(r->request.service->shard);
    gate_pass(r->gate);
}

static void round_start(struct message *m)
{
    struct round *r = container_of(m, struct round, start);

    r->fan = (struct fan){
        .request = &r->request, .count = r->count, .submit = op_submit, .answer = round_answer};
    r->fan.ops = arena_array(&r->request.arena, r->count, sizeof(struct bucket_op *));
    for (size_t i = 0; i < r->count; i++) {
        r->fan.ops[i] = &r->ops[i];
    }
    fan_run(&r->fan);
}

static struct round *run(struct test_node *n, unsigned shard, size_t count, int64_t table)
{
    struct round *r = mem_new(struct round);

    r->node = n;
    r->count = count;
    r->ops = mem_zalloc(count * sizeof *r->ops);
    r->gate = gate_new(1);
    request_init(&r->request);
    r->request.service = n->services[shard];
    for (size_t i = 0; i < count; i++) {
        r->ops[i].id = bucket_of(table, (int32_t)i);
    }
    r->start.run = round_start;
    shard_send(n->store->shards[shard], &r->start);
    gate_wait(r->gate);
    return r;
}

static void end_round(struct round *r)
{
    shard_settle(r->request.service->shard);
    request_fini(&r->request);
    free(r->ops);
    free(r);
}

static void every_operation_runs_on_its_shard_in_order(void **state)
{
    struct test_node *n = *state;

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        struct round *r = run(n, shard, 1000, 5);
        int seen[STORE_SHARDS] = {0};

        for (size_t i = 0; i < r->count; i++) {
            assert_int_equal(r->ops[i].code, seen[bucket_shard(&r->ops[i].id, STORE_SHARDS)]++);
        }
        assert_null(r->request.owner); /* there are several */
        end_round(r);
    }
}

static void one_shard_alone_is_known(void **state)
{
    struct test_node *n = *state;

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        struct round *r = run(n, shard, 1, 5);

        assert_ptr_equal(r->request.owner, n->services[bucket_shard(&r->ops[0].id, STORE_SHARDS)]);
        end_round(r);
    }
}

static void nothing_to_do_is_answered(void **state)
{
    struct round *r = run(*state, 1, 0, 5);

    assert_null(r->request.owner);
    end_round(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(every_operation_runs_on_its_shard_in_order),
        NODE_TEST(one_shard_alone_is_known),
        NODE_TEST(nothing_to_do_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
