/* What a server says to the shell: the input is read as its answers, from the greeting on, and what
 * they contain is shown in every format. Then the same bytes are a script. */
#include <sys/socket.h>
#include <unistd.h>

#include "shell/script.h"
#include "shell/shell.h"

#define INPUT_MAX 60000 /* what a socket takes at once */
#define CELLS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
    struct bytes says;
    int fd;
};

static enum errcode dial(void *context, int *ret_fd, struct error *e)
{
    struct peer *peer = context;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) {
        return error_set(e, ERR_NETWORK, "socketpair");
    }
    ASSERT(write(fds[1], peer->says.data, peer->says.len) == (ssize_t)peer->says.len);
    ASSERT(shutdown(fds[1], SHUT_WR) == 0);
    peer->fd = fds[1];
    *ret_fd = fds[0];
    return ERR_OK;
}

static void show(enum output_format format, const struct client_column *columns, size_t count,
                 const struct client_event *row)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct output_options options = {.format = format, .width = 40};
    struct sink sink;
    struct output o = {.options = &options, .sink = &sink};
    struct client_cell *cells;
    struct error e;
    size_t cell_count;

    if (client_cells(row, &arena, &cells, &cell_count, &e) != ERR_OK || cell_count != count) {
        return;
    }
    sink_init(&sink, -1);
    output_begin(&o, columns, count);
    output_row(&o, cells);
    output_end(&o);
    sink.failed = true; /* nobody reads it */
    sink_fini(&sink);
    arena_fini(&o.arena);
}

static void listen_to(struct client *c)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct client_column *columns = NULL;
    struct client_event event;
    struct error e;
    size_t count = 0;

    while (client_next(c, &event, &e) == ERR_OK) {
        if (event.kind == CLIENT_COLUMNS) {
            arena_reset(&arena);
            columns = NULL;
            if (client_columns(&event, &arena, &columns, &count, &e) != ERR_OK) {
                columns = NULL;
            }
        } else if (event.kind == CLIENT_ROW && columns != NULL && count <= CELLS_MAX) {
            for (int format = OUTPUT_BOX; format <= OUTPUT_JSONL; format++) {
                show((enum output_format)format, columns, count, &event);
            }
        }
    }
}

static void as_script(const uint8_t *data, size_t size)
{
    struct script script = {.start = 0};
    struct bytes item;

    for (size_t i = 0; i < size; i += 100) {
        script_add(&script, bytes_of(data + i, size - i < 100 ? size - i : 100));
        while (script_take(&script, false, &item) != SCRIPT_NOTHING) {
        }
    }
    while (script_take(&script, true, &item) != SCRIPT_NOTHING) {
    }
    ASSERT(script_empty(&script));
    script_fini(&script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer peer = {.says = bytes_of(data, size < INPUT_MAX ? size : INPUT_MAX), .fd = -1};
    struct client_options options = {
        .dial = dial, .context = &peer, .user = "me", .database = "fluss"};
    struct client *c = NULL;
    struct error e;

    if (client_open(&options, &c, &e) == ERR_OK) {
        listen_to(c);
        client_close(c);
    }
    if (peer.fd >= 0) {
        (void)close(peer.fd);
    }
    as_script(data, size);
    return 0;
}
