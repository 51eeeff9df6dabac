/* The real server in the simulated world: it answers, stops, crashes and starts again, and does so in
 * the same way every time. */
#include "world.h"

#include "../support/unit.h"

struct probe {
    struct world *world;
    struct world_conn *conn;
    size_t received; /* bytes of all connections */
    size_t closed;
};

/* API_VERSIONS of a client "x" version "1". */
static const uint8_t hello[] = {0, 0, 0, 14, 0, 0, 0, 0, 0, 0, 0, 7, 0x0a, 1, 'x', 0x12, 1, '1'};

static void connected(struct world_conn *c, void *context)
{
    (void)context;
    world_conn_send(c, bytes_of(hello, sizeof hello));
}

static void received(struct world_conn *c, void *context, struct bytes b)
{
    (void)c;
    ((struct probe *)context)->received += b.len;
}

static void closed(struct world_conn *c, void *context)
{
    struct probe *p = context;

    (void)c;
    p->conn = NULL;
    p->closed++;
}

static const struct world_conn_handler handler = {connected, received, closed};

static struct world *start(uint64_t seed)
{
    const struct world_options options = {.seed = seed, .out = stdout};
    const struct world_faults faults = {.net = {.delay_us_min = 50, .delay_us_max = 2000}};
    struct world *w = world_new(&options);

    world_set_faults(w, &faults);
    return w;
}

/* Starts the server and asks it something. */
static void ask(struct probe *p)
{
    size_t before = p->received;

    world_start(p->world);
    world_run(p->world, world_now_us(p->world) + 5000000);
    assert_int_equal(world_machine(p->world), MACHINE_SERVING);
    p->conn = world_connect(p->world, WORLD_PORT, &handler, p);
    world_run(p->world, world_now_us(p->world) + 5000000);
    assert_true(p->received > before + 4);
    assert_non_null(p->conn);
}

static uint64_t life(uint64_t seed)
{
    struct probe p = {.world = start(seed)};
    uint64_t hash;

    ask(&p);
    world_stop(p.world);
    world_run(p.world, world_now_us(p.world) + 5000000);
    assert_int_equal(world_machine(p.world), MACHINE_OFF);
    assert_int_equal(p.closed, 1);
    ask(&p);
    world_crash(p.world, CRASH_KILL, 0);
    assert_int_equal(world_machine(p.world), MACHINE_OFF);
    ask(&p);
    assert_int_equal(p.closed, 2);
    for (unsigned n = 1; n < 60;
         n++) { /* in the middle of a start, at one operation after another */
        world_crash(p.world, CRASH_POWER, 0);
        world_start(p.world);
        world_crash(p.world, CRASH_POWER, n);
        world_run(p.world, world_now_us(p.world) + 5000000);
    }
    world_crash(p.world, CRASH_POWER, 0);
    ask(&p);
    hash = trace_hash(world_trace(p.world));
    world_free(p.world);
    return hash;
}

static void a_client_is_answered_whatever_happened_before(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        (void)life(seed);
    }
}

static void a_seed_is_a_life(void **state)
{
    uint64_t hash = life(1);

    (void)state;
    assert_true(hash == life(1));
    assert_true(hash != life(2));
}

static void nobody_answers_when_it_is_off(void **state)
{
    struct probe p = {.world = start(1)};

    (void)state;
    p.conn = world_connect(p.world, WORLD_PORT, &handler, &p);
    world_run(p.world, 10000000);
    assert_null(p.conn);
    assert_int_equal(p.closed, 1);
    assert_int_equal(p.received, 0);
    world_free(p.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_answered_whatever_happened_before),
        cmocka_unit_test(a_seed_is_a_life),
        cmocka_unit_test(nobody_answers_when_it_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
