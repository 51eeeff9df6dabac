/* A toy server for tests of the load generator: one table in memory (toy_table.h), one thread per
 * connection, one lock around everything; and how a mode is run against it. */
#ifndef TEST_UNIT_CMD_TOY_H
#define TEST_UNIT_CMD_TOY_H

#include "toy_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../support/vectors.h"
#include "cmd/bench_modes.h"
#include "io/stream.h"

/* ---- connections ---- */

static bool toy_receive(int fd, void *buffer, size_t len)
{
    return recv(fd, buffer, len, MSG_WAITALL) == (ssize_t)len;
}

static bool toy_serve_one(struct toy *t, int fd)
{
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    const struct rpc_api *api;
    struct rpc_request header;
    struct pieces out;
    uint8_t length[4];
    uint8_t *frame;
    void *request, *response;

    if (!toy_receive(fd, length, sizeof length)) {
        return false;
    }
    frame = arena_alloc(&a, get_u32be(length));
    if (!toy_receive(fd, frame, get_u32be(length))) {
        return false;
    }
    assert_int_equal(rpc_request_parse(bytes_of(frame, get_u32be(length)), &header, NULL), ERR_OK);
    api = rpc_api_find(header.api_key);
    request = arena_zalloc(&a, api->request->size);
    response = arena_zalloc(&a, api->response->size);
    assert_int_equal(rpc_decode(api->request, header.body, &a, request, NULL), ERR_OK);
    (void)pthread_mutex_lock(&t->lock);
    toy_answer(t, &header, request, response, &a);
    (void)pthread_mutex_unlock(&t->lock);
    pieces_init(&out, &a);
    rpc_frame_response(header.id, api->response, response, &out);
    for (size_t i = 0; i < out.count; i++) {
        if (send(fd, out.items[i].data, out.items[i].len, MSG_NOSIGNAL) < 0) {
            return false;
        }
    }
    return true;
}

struct toy_link {
    struct toy *toy;
    int fd;
};

static void *toy_serve(void *context)
{
    struct toy_link *link = context;

    while (toy_serve_one(link->toy, link->fd)) {
    }
    (void)shutdown(link->fd, SHUT_RDWR);
    free(link);
    return NULL;
}

static void *toy_accept(void *context)
{
    struct toy *t = context;
    int fd;

    while ((fd = accept(t->listener, NULL, NULL)) >= 0) {
        struct toy_link *link = mem_new(struct toy_link);

        assert_true(t->links < TOY_LINKS_MAX);
        *link = (struct toy_link){.toy = t, .fd = fd};
        t->fds[t->links] = fd;
        assert_int_equal(pthread_create(&t->threads[t->links++], NULL, toy_serve, link), 0);
    }
    return NULL;
}

static int toy_setup(void **state)
{
    struct toy *t = mem_new(struct toy);

    assert_int_equal(pthread_mutex_init(&t->lock, NULL), 0);
    assert_int_equal(socket_listen("127.0.0.1", 0, &t->listener, &t->port, NULL), ERR_OK);
    assert_int_equal(fcntl(t->listener, F_SETFL, 0), 0); /* blocking */
    assert_int_equal(pthread_create(&t->acceptor, NULL, toy_accept, t), 0);
    *state = t;
    return 0;
}

static int toy_teardown(void **state)
{
    struct toy *t = *state;

    (void)shutdown(t->listener, SHUT_RDWR);
    (void)pthread_join(t->acceptor, NULL);
    for (size_t i = 0; i < t->links; i++) {
        (void)shutdown(t->fds[i], SHUT_RDWR);
        (void)pthread_join(t->threads[i], NULL);
        (void)close(t->fds[i]);
    }
    (void)close(t->listener);
    (void)pthread_mutex_destroy(&t->lock);
    arena_fini(&t->arena);
    arena_fini(&t->kv.arena);
    free(t);
    return 0;
}

/* ---- running a mode against it ---- */

/* The options of `eider bench <line>` for the toy; words are separated by single spaces. They point
 * into the toy and the line. */
static struct bench_options toy_options(struct toy *t, char *line)
{
    struct bench_options options = {0};
    struct error e;
    char server[32];
    char **argv = t->argv;
    int argc = 1;

    memset(t->argv, 0, sizeof t->argv);
    argv[0] = "bench";
    (void)snprintf(server, sizeof server, "127.0.0.1:%u", t->port);
    for (char *word = line, *end; word != NULL; word = end == NULL ? NULL : end + 1) {
        end = strchr(word, ' ');
        if (end != NULL) {
            *end = '\0';
        }
        argv[argc++] = word;
        if (argc == 2) { /* behind the mode */
            argv[argc++] = "--server";
            argv[argc++] = server;
        }
    }
    if (bench_options_parse(argc, argv, &options, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return options;
}

typedef enum errcode (*toy_mode_fn)(const struct bench_options *options, struct error *e);

/* Runs a mode and returns its report. */
UNUSED static json_t *toy_run(struct toy *t, toy_mode_fn mode, const char *text)
{
    OWNED(mem_freep) char *line = mem_strdup(text);
    struct bench_options options = toy_options(t, line);
    FILE *report = tmpfile();
    int out = dup(STDOUT_FILENO);
    enum errcode code;
    json_t *json;
    struct error e;

    assert_true(report != NULL && out >= 0);
    (void)fflush(stdout);
    assert_true(dup2(fileno(report), STDOUT_FILENO) >= 0);
    code = mode(&options, &e);
    (void)fflush(stdout);
    assert_true(dup2(out, STDOUT_FILENO) >= 0);
    (void)close(out);
    if (code != ERR_OK) {
        fail_msg("%s", e.message);
    }
    rewind(report);
    json = json_loadf(report, 0, NULL);
    assert_non_null(json);
    (void)fclose(report);
    return json;
}

#endif
