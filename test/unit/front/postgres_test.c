/* Real connections to the fronts of a small server, both ends in this process. */
#include "../../support/node.h"
#include "../../support/peers.h"
#include "front/postgres.h"

struct rig {
    struct test_node *node;
    struct postgres_front *fronts[STORE_SHARDS];
    struct postgres_options options;
    struct sql_world world;
    struct gate *stopped;
    bool was_stopped;
};

static void front_new(void *context, unsigned index)
{
    struct rig *r = context;

    r->fronts[index] = postgres_front_new(r->node->services[index], &r->options);
}

static void pass_stopped(void *context) { gate_pass(((struct rig *)context)->stopped); }

static void front_stop(void *context, unsigned index)
{
    struct rig *r = context;

    postgres_front_stop(r->fronts[index], pass_stopped, r);
}

static int setup(void **state)
{
    struct rig *r = mem_new(struct rig);
    struct sql_options options = {.library = "/nowhere/libduckdb.so", .threads = 1};

    r->node = node_new(STORE_SHARDS);
    r->world = (struct sql_world){
        .shards = r->node->store->shards, .replicas = r->node->store->sets, .count = STORE_SHARDS};
    r->options = (struct postgres_options){.engine = sql_engine_new(&options, &r->world),
                                           .pool = pool_new("sql", 4),
                                           .fronts = r->fronts,
                                           .shard_count = STORE_SHARDS,
                                           .connections_max = 3};
    shards_call(r->node->store->shards, STORE_SHARDS, front_new, r);
    *state = r;
    return 0;
}

static void stop(struct rig *r)
{
    r->stopped = gate_new(STORE_SHARDS);
    shards_call(r->node->store->shards, STORE_SHARDS, front_stop, r);
    gate_wait(r->stopped);
    r->was_stopped = true;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    if (!r->was_stopped) {
        stop(r);
    }
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        postgres_front_free(r->fronts[i]);
    }
    pool_free(r->options.pool);
    sql_engine_free(r->options.engine);
    node_free(r->node);
    free(r);
    return 0;
}

struct arrival {
    struct rig *rig;
    int fd;
};

static void arrive(void *context)
{
    struct arrival *a = context;

    postgres_front_accept(a->rig->fronts[0], a->fd);
}

/* The client's end. */
static int dial(struct rig *r)
{
    struct peers p = peers_connect();
    struct arrival a = {.rig = r, .fd = p.ours};

    on_shard(r->node->store->shards[0], arrive, &a);
    return p.other;
}

static void expect_end(int fd)
{
    uint8_t byte;

    assert_true(recv(fd, &byte, 1, 0) <= 0); /* a reset when something was left unread */
    (void)close(fd);
}

static void encryption_is_refused(void **state)
{
    int fd = dial(*state);
    uint8_t answer;

    for (int i = 0; i < 3; i++) {
        peer_write(fd, "\0\0\0\010\004\322\026/", 8);
        peer_read(fd, &answer, 1);
        assert_int_equal(answer, 'N');
    }
    (void)close(fd);
}

static void strangers_are_told_and_sent_away(void **state)
{
    int fd = dial(*state);
    uint8_t answer = 0;

    peer_write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    peer_read(fd, &answer, 1);
    assert_int_equal(answer, 'E');
    while (recv(fd, &answer, 1, 0) > 0) {
    }
    (void)close(fd);
}

static void cancels_find_their_shard(void **state)
{
    for (uint8_t pid = 0; pid < 2 * STORE_SHARDS; pid++) {
        uint8_t cancel[16] = {0, 0, 0, 16, 4, 0xd2, 0x16, 0x2e, 0, 0, 0, pid};
        int fd = dial(*state);

        peer_write(fd, cancel, sizeof cancel);
        expect_end(fd);
    }
}

static void only_so_many_connections(void **state)
{
    int fds[4];

    for (size_t i = 0; i < 4; i++) {
        fds[i] = dial(*state);
    }
    expect_end(fds[3]);
    for (size_t i = 0; i < 3; i++) {
        (void)close(fds[i]);
    }
}

static void a_stop_ends_all(void **state)
{
    int silent = dial(*state);
    int half = dial(*state);

    peer_write(half, "\0\0\0\050", 4);
    stop(*state);
    expect_end(silent);
    expect_end(half);
    expect_end(dial(*state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(encryption_is_refused),    TEST(strangers_are_told_and_sent_away),
        TEST(cancels_find_their_shard), TEST(only_so_many_connections),
        TEST(a_stop_ends_all),
    };

    return cmocka_run_group_tests_name("front/postgres", tests, NULL, NULL);
}
