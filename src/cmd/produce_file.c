/* A file that the server takes as it is, by COPY. */
#include "produce.h"

#include <stdlib.h>

#include "io/terminal.h"
#include "shell/shell.h"

#define BLOCK_BYTES ((size_t)256 << 10)

static enum errcode send_data(const struct produce_file *file, FILE *in, struct error *e)
{
    uint8_t *block = mem_zalloc(BLOCK_BYTES);
    enum errcode code = client_copy(file->client, file->begin, e);
    size_t len = 1;
    bool unread = false;

    while (code == ERR_OK && len > 0 && !unread) {
        unread = stream_read(in, block, BLOCK_BYTES, &len, e) != ERR_OK;
        code = len > 0 && !unread ? client_copy(file->client, bytes_of(block, len), e) : ERR_OK;
    }
    free(block);
    return code == ERR_OK
               ? client_copy_end(file->client, unread ? "the file cannot be read" : NULL, e)
               : code;
}

/* The number that a text begins with, which "COPY 7" does behind its word. */
static uint64_t number_of(const char *text) { return text == NULL ? 0 : strtoull(text, NULL, 10); }

enum errcode produce_file(const struct produce_file *file, FILE *in, uint64_t *ret_rows,
                          struct error *e)
{
    enum errcode failure = ERR_OK;
    struct client_event event;

    TRY(client_query(file->client, file->statement, e));
    do {
        TRY(client_next(file->client, &event, e));
        if (event.kind == CLIENT_COPY_IN) {
            TRY(send_data(file, in, e));
        } else if (event.kind == CLIENT_ERROR) {
            *ret_rows = number_of(event.problem.hint); /* "7 rows of the statement are written" */
            failure = error_set(e, ERR_UNSUPPORTED_OPERATION, "%s: %s", event.problem.state,
                                event.problem.message);
        } else if (event.kind == CLIENT_COMPLETE && strncmp(event.tag, "COPY ", 5) == 0) {
            *ret_rows = number_of(event.tag + 5);
        }
    } while (event.kind != CLIENT_READY);
    return failure;
}
