#include "../../support/node.h"

#define OPERATIONS 5

/* A request with one part per shard, each with some operations that end in later turns. */
struct errand;

struct operation {
    struct message message;
    struct errand *errand;
};

struct errand {
    struct part part;
    struct operation operations[OPERATIONS];
    struct trip *trip;
    int done; /* operations; the owner's until the part is home */
};

struct trip {
    struct test_node *node;
    struct request request;
    struct message start;
    struct errand *errands[STORE_SHARDS];
    atomic_int home;
    atomic_bool at_once; /* the operations end inside `start` */
};

static void operation_run(struct message *m)
{
    struct operation *o = container_of(m, struct operation, message);

    ASSERT_ON(o->errand->part.owner->shard);
    o->errand->done++;
    part_operation_done(&o->errand->part);
}

static void errand_start(struct part *part)
{
    struct errand *e = container_of(part, struct errand, part);

    ASSERT_ON(part->owner->shard);
    ASSERT(part->waiting == 1); /* for this call */
    memset(arena_alloc(&part->arena, 1000), 1, 1000);
    for (int i = 0; i < OPERATIONS; i++) {
        part->waiting++;
        e->operations[i] = (struct operation){.message.run = operation_run, .errand = e};
        if (e->trip->at_once) {
            operation_run(&e->operations[i].message);
        } else {
            shard_send(part->owner->shard, &e->operations[i].message);
        }
    }
}

static void errand_finished(struct part *part)
{
    struct errand *e = container_of(part, struct errand, part);

    ASSERT_ON(part->request->service->shard);
    ASSERT(part->waiting == 0 && e->done == OPERATIONS);
    atomic_fetch_add(&e->trip->home, 1);
}

static void trip_start(struct message *m)
{
    struct trip *t = container_of(m, struct trip, start);

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        struct part *part = part_new(&t->request, t->node->services[i], sizeof(struct errand));

        part->start = errand_start;
        part->finished = errand_finished;
        t->errands[i] = container_of(part, struct errand, part);
        t->errands[i]->trip = t;
    }
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        part_send(&t->errands[i]->part);
    }
}

/* The same parts once more, as a fetch does that reads again. */
static void trip_again(struct message *m)
{
    struct trip *t = container_of(m, struct trip, start);

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        t->errands[i]->done = 0;
        part_send(&t->errands[i]->part);
    }
}

static void travel(struct test_node *n, bool at_once)
{
    for (unsigned from = 0; from < STORE_SHARDS; from++) {
        struct trip *t = mem_new(struct trip);

        t->node = n;
        t->at_once = at_once;
        request_init(&t->request);
        t->request.service = n->services[from];
        t->start.run = trip_start;
        shard_send(n->store->shards[from], &t->start);
        assert_reaches(&t->home, STORE_SHARDS);
        t->start.run = trip_again;
        shard_send(n->store->shards[from], &t->start);
        assert_reaches(&t->home, 2 * STORE_SHARDS);
        shard_settle(n->store->shards[from]);
        request_fini(&t->request); /* with the memory of all parts */
        free(t);
    }
}

static void parts_come_home_when_all_is_done(void **state) { travel(*state, false); }

static void operations_may_end_at_once(void **state) { travel(*state, true); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(parts_come_home_when_all_is_done),
        NODE_TEST(operations_may_end_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
