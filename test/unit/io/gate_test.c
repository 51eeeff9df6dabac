#include <stdlib.h>

#include "../../support/dies.h"
#include "../../support/shards.h"

#define SHARDS 3

struct passing {
    struct message message;
    struct gate *gate;
    atomic_int *passed;
};

static void pass_run(struct message *m)
{
    struct passing *p = container_of(m, struct passing, message);

    atomic_fetch_add(p->passed, 1);
    gate_pass(p->gate);
    free(p);
}

static void opens_after_the_last_pass(void **state)
{
    struct shard *shards[SHARDS];
    atomic_int passed = 0;
    struct gate *gate = gate_new(300);

    (void)state;
    for (unsigned i = 0; i < SHARDS; i++) {
        shards[i] = test_shard(i, 0);
    }
    for (unsigned i = 0; i < 300; i++) {
        struct passing *p = mem_new(struct passing);

        *p = (struct passing){.message.run = pass_run, .gate = gate, .passed = &passed};
        shard_send(shards[i % SHARDS], &p->message);
    }
    gate_wait(gate);
    assert_int_equal(atomic_load(&passed), 300);
    for (unsigned i = 0; i < SHARDS; i++) {
        test_shard_end(shards[i]);
    }
}

static void an_open_gate_keeps_nobody(void **state)
{
    struct gate *gate = gate_new(0);

    (void)state;
    gate_wait(gate);
    gate = gate_new(1);
    gate_pass(gate);
    gate_wait(gate);
}

static void one_pass_too_many_is_a_mistake(void **state)
{
    struct gate *gate = gate_new(1);

    (void)state;
    gate_pass(gate);
    assert_aborts(gate_pass(gate));
    gate_wait(gate);
}

struct calls {
    struct shard *shards[SHARDS];
    unsigned seen[SHARDS];
};

static void note_call(void *context, unsigned index)
{
    struct calls *c = context;

    ASSERT_ON(c->shards[index]);
    c->seen[index]++;
}

static void calls_run_on_their_shards_and_are_waited_for(void **state)
{
    struct calls c = {0};

    (void)state;
    for (unsigned i = 0; i < SHARDS; i++) {
        c.shards[i] = test_shard(i, 0);
    }
    for (int round = 1; round <= 200; round++) {
        shards_call(c.shards, SHARDS, note_call, &c);
        for (unsigned i = 0; i < SHARDS; i++) {
            assert_int_equal(c.seen[i], round);
        }
    }
    shards_call(c.shards, 0, note_call, &c);
    for (unsigned i = 0; i < SHARDS; i++) {
        test_shard_end(c.shards[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_the_last_pass),
        cmocka_unit_test(an_open_gate_keeps_nobody),
        cmocka_unit_test(one_pass_too_many_is_a_mistake),
        cmocka_unit_test(calls_run_on_their_shards_and_are_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
