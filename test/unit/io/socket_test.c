#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../../support/peers.h"
#include "../../support/shards.h"

#define CLIENTS 200

struct door {
    struct shard *shard;
    struct listener *listener;
    int fd;
    uint16_t port;
    int taken[2 * CLIENTS];
    atomic_int count;
};

static void accepted(void *context, int fd)
{
    struct door *d = context;

    ASSERT_ON(d->shard);
    d->taken[atomic_load(&d->count)] = fd;
    atomic_fetch_add(&d->count, 1);
}

static void door_open(void *context)
{
    struct door *d = context;

    d->listener = listener_new(d->shard, d->fd, accepted, d);
}

static void door_close(void *context)
{
    struct door *d = context;

    listener_free(TAKE(d->listener));
    listener_free(NULL);
}

static int setup(void **state)
{
    struct door *d = mem_new(struct door);

    d->shard = test_shard(0, 0);
    assert_int_equal(socket_listen("127.0.0.1", 0, &d->fd, &d->port, NULL), ERR_OK);
    assert_true(d->port != 0);
    on_shard(d->shard, door_open, d);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct door *d = *state;

    on_shard(d->shard, door_close, d);
    test_shard_end(d->shard);
    for (int i = 0; i < atomic_load(&d->count); i++) {
        socket_close(d->taken[i]);
    }
    free(d);
    return 0;
}

static void every_connection_is_taken_once(void **state)
{
    struct door *d = *state;
    int clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(socket_connect("127.0.0.1", d->port, &clients[i], NULL), ERR_OK);
        assert_true((fcntl(clients[i], F_GETFL) & O_NONBLOCK) != 0);
    }
    assert_reaches(&d->count, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        assert_true((fcntl(d->taken[i], F_GETFL) & O_NONBLOCK) != 0);
        socket_close(clients[i]);
    }
    shard_settle(d->shard);
    assert_int_equal(atomic_load(&d->count), CLIENTS);
}

/* Out of descriptors nothing is dropped: the connection is taken when there are some again. */
static void accepting_goes_on_after_a_shortage(void **state)
{
    struct door *d = *state;
    struct rlimit limit;
    struct rlimit none;
    int64_t cpu_us;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(d->port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    cpu_us = clock_cpu_us();
    thread_sleep_us(50000);
    assert_true(clock_cpu_us() - cpu_us < 40000); /* it does not spin */
    assert_int_equal(atomic_load(&d->count), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_reaches(&d->count, 1);
    socket_close(client);
}

static void refusals_say_why(void **state)
{
    struct door *d = *state;
    uint16_t port = 0;
    int fd = -1;
    struct error e;

    assert_int_equal(socket_listen("127.0.0.1", d->port, &fd, &port, &e), ERR_NETWORK);
    assert_non_null(strstr(e.message, "listen on 127.0.0.1:"));
    assert_non_null(strstr(e.message, "Address already in use"));
    assert_int_equal(socket_listen("no such host!", 0, &fd, &port, &e), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "'no such host!'"));
    assert_int_equal(socket_connect("no such host!", 1, &fd, &e), ERR_INVALID_ARGUMENT);
    on_shard(d->shard, door_close, d);
    assert_int_equal(socket_connect("127.0.0.1", d->port, &fd, &e), ERR_NETWORK);
    assert_non_null(strstr(e.message, "Connection refused"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_connection_is_taken_once),
        TEST(accepting_goes_on_after_a_shortage),
        TEST(refusals_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
