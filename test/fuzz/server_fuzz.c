/* A whole server that is sent what clients send, and anything else: frames of requests over a connection,
 * from the first byte to the state of its tables. Nothing is asked of the answers but that the server
 * lives. What an input has changed stays for those after it, until the next server takes over with an
 * empty directory; so what breaks it may need its forerunners, and the stack has to tell.
 *
 * Input: frames as they are on the wire. The tables are 0: a log, 1: a log with the partitions "x" and
 * "y", 2: rows by key, all of them with the schema id 1. */
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "cmd/args.h"
#include "cmd/server.h"
#include "cmd/server_config.h"
#include "io/blocking.h"
#include "io/path.h"
#include "io/stream.h"
#include "rpc/client.h"

#define LIVES   3000 /* inputs of one server */
#define IDLE_US 20000
#define CALL_US 60000000
#define MARK    0x7ea17ea1 /* id of the request behind the input */
/* clang-format off */
#define COLUMNS(nullable)                                                                          \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"" nullable "},\"id\":0},"                  \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"" nullable "},\"id\":1},"                   \
    "{\"name\":\"c\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":2}],\"highest_field_id\":2"
#define REST(partition_key)                                                                        \
    "},\"partition_key\":[" partition_key "],\"bucket_key\":[\"a\"],\"bucket_count\":2,"           \
    "\"properties\":{\"table.replication.factor\":\"1\"},\"custom_properties\":{}}"
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct arena arena;
    struct server_config config;
    struct server *server;
    unsigned inputs;
} world;

static void be_quiet(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

/* ---- the server ---- */

static void create(struct rpc_client *c, const char *name, const char *json)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct msg_create_table_request request = {
        .table_path = {.database_name = bytes_str("fluss"), .table_name = bytes_str(name)},
        .table_json = bytes_str(json)};
    const struct rpc_call call = {
        .key = API_CREATE_TABLE, .request = &request, .timeout_us = CALL_US};
    struct msg_create_table_response response;
    struct error e;

    ASSERT(rpc_client_call(c, &call, &arena, &response, &e) == ERR_OK);
}

static void create_partition(struct rpc_client *c, const char *value)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_pb_key_value pair = {.key = bytes_str("b"), .value = bytes_str(value)};
    const struct msg_create_partition_request request = {
        .table_path = {.database_name = bytes_str("fluss"), .table_name = bytes_str("p")},
        .partition_spec = {.partition_key_values = &pair, .partition_key_values_count = 1}};
    const struct rpc_call call = {
        .key = API_CREATE_PARTITION, .request = &request, .timeout_us = CALL_US};
    struct msg_create_partition_response response;
    struct error e;

    ASSERT(rpc_client_call(c, &call, &arena, &response, &e) == ERR_OK);
}

static void stop(void)
{
    if (world.server != NULL) {
        (void)server_stop(TAKE(world.server));
    }
    arena_reset(&world.arena);
}

/* At the end of the process: what RocksDB has made since the start is gone before a server could be
 * stopped in order. */
static void leave(int status, void *context)
{
    (void)context;
    (void)fflush(NULL);
    IGNORE(path_remove_tree(world.server->data_dir, NULL));
    _exit(status);
}

static void configure(void)
{
    static const char *const words[] = {"server",   "--ephemeral",
                                        "--port",   "0",
                                        "--shards", "1",
                                        "-D",       "log.durability=os",
                                        "-D",       "postgres.listeners=none"};
    struct server_args *args = arena_new(&world.arena, struct server_args);
    char *argv[ARRAY_LEN(words)];
    struct error e;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        argv[i] = arena_strndup(&world.arena, words[i], strlen(words[i]));
    }
    world.config = (struct server_config){.shards = 0};
    ASSERT(args_parse((int)ARRAY_LEN(words), argv, &world.arena, args, &e) == ERR_OK);
    ASSERT(server_config_make(args, &world.arena, &world.config, &e) == ERR_OK);
}

static void start(void)
{
    static const struct diag_sink quiet = {.level = DIAG_ERROR, .write = be_quiet};
    OWNED(rpc_client_freep) struct rpc_client *c = NULL;
    struct error e;

    diag_configure(&quiet);
    configure();
    ASSERT(server_start(&world.config, &world.server, &e) == ERR_OK);
    ASSERT(rpc_client_open("127.0.0.1", world.server->listeners[0].port, &c, &e) == ERR_OK);
    ASSERT(rpc_client_handshake(c, "fuzz", CALL_US, &e) == ERR_OK);
    create(c, "t", COLUMNS("") REST(""));
    create(c, "p", COLUMNS("") REST("\"b\""));
    create(c, "k", COLUMNS(",\"nullable\":false") ",\"primary_key\":[\"a\",\"b\"]" REST(""));
    create_partition(c, "x");
    create_partition(c, "y");
}

/* ---- one connection ---- */

/* Takes answers off the front of what has come; true: the last one was among them. */
static bool take_answers(struct buffer *in)
{
    struct bytes rest = buffer_view(in);
    bool last = false;

    while (rest.len >= RPC_LENGTH_SIZE + 5 && get_u32be(rest.data) <= rest.len - RPC_LENGTH_SIZE) {
        size_t len = RPC_LENGTH_SIZE + get_u32be(rest.data);

        last = last || get_u32be(rest.data + RPC_LENGTH_SIZE + 1) == MARK;
        rest = bytes_slice(rest, len, rest.len - len);
    }
    if (rest.len > 0) {
        memmove(in->data, rest.data, rest.len);
    }
    in->len = rest.len;
    return last;
}

/* Until the last answer, the end of the stream, or nothing comes for a while. */
static void listen_to(int fd, const struct bytes *runs, size_t count)
{
    OWNED(buffer_fini) struct buffer in = BUFFER_INIT;
    struct socket_interest interest = {.fd = fd};
    struct error e;
    size_t sent = 0;
    size_t got;

    if (socket_send_runs(fd, runs, count, &sent, &e) != ERR_OK) {
        return;
    }
    for (;;) {
        interest.ready = false;
        socket_wait(&interest, 1, IDLE_US);
        buffer_reserve(&in, 65536);
        if (!interest.ready || socket_recv_some(fd, in.data + in.len, 65536, &got, &e) != ERR_OK ||
            got == 0) {
            return;
        }
        in.len += got;
        if (take_answers(&in)) {
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t mark[RPC_LENGTH_SIZE + 8];
    struct bytes runs[2] = {bytes_of(data, size)};
    struct error e;
    int fd = -1;

    if (world.inputs % LIVES == 0) {
        if (world.inputs == 0) {
            (void)on_exit(leave, NULL);
        }
        stop();
        start();
    }
    world.inputs++;
    put_u32be(mark, sizeof mark - RPC_LENGTH_SIZE);
    put_u16be(mark + RPC_LENGTH_SIZE, API_TABLE_EXISTS);
    put_u16be(mark + RPC_LENGTH_SIZE + 2, 0);
    put_u32be(mark + RPC_LENGTH_SIZE + 4, MARK);
    runs[1] = bytes_of(mark, sizeof mark);
    ASSERT(socket_connect("127.0.0.1", world.server->listeners[0].port, &fd, &e) == ERR_OK);
    listen_to(fd, runs, ARRAY_LEN(runs));
    socket_close(fd);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_units(MUTATE_FRAMES, data, size, max, seed);
}
