/* A PostgreSQL server that has said everything before it is asked: a socket with its answers in it.
 * And what a sink was given, as text. */
#ifndef TEST_SUPPORT_PG_FAKE_H
#define TEST_SUPPORT_PG_FAKE_H

#include "unit.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/pg_message.h"
#include "shell/client.h"
#include "shell/sink.h"

struct pg_fake {
    struct buffer says;
    int peers[4]; /* our ends, one per dial */
    size_t dials;
};

static inline enum errcode fake_dial(void *context, int *ret_fd, struct error *e)
{
    struct pg_fake *f = context;
    int fds[2];

    if (f->says.len == 0) {
        return error_set(e, ERR_NETWORK, "nobody listens");
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(write(fds[1], f->says.data, f->says.len), (ssize_t)f->says.len);
    assert_true(f->dials < 4);
    f->peers[f->dials++] = fds[1];
    *ret_fd = fds[0];
    return ERR_OK;
}

static inline void fake_says(struct pg_fake *f, char type, const void *body, size_t len)
{
    size_t start = pg_begin(&f->says, (uint8_t)type);

    buffer_bytes(&f->says, bytes_of(body, len));
    pg_end(&f->says, start);
}

/* The greeting up to where statements are taken. */
static inline void fake_greets(struct pg_fake *f)
{
    *f = (struct pg_fake){.dials = 0};
    fake_says(f, 'R', "\0\0\0\0", 4);
    pg_put_parameter(&f->says, "server_version", "14.0");
    fake_says(f, 'K', "\0\0\0\7\0\0\0\11", 8);
    pg_put_ready(&f->says, 'I');
}

/* A column with a name and a type, and as many rows of one text; NULL ends them. */
static inline void fake_answers(struct pg_fake *f, const char *name, uint32_t type,
                                const char *const *rows)
{
    size_t start = pg_begin(&f->says, 'T');

    pg_put_u16(&f->says, 1);
    pg_put_text(&f->says, name);
    buffer_bytes(&f->says, bytes_of("\0\0\0\0\0\0", 6));
    pg_put_u32(&f->says, type);
    pg_put_u16(&f->says, 8);
    pg_put_u32(&f->says, (uint32_t)-1);
    pg_put_u16(&f->says, 0);
    pg_end(&f->says, start);
    for (; *rows != NULL; rows++) {
        start = pg_begin(&f->says, 'D');
        pg_put_u16(&f->says, 1);
        pg_put_u32(&f->says, (uint32_t)strlen(*rows));
        buffer_bytes(&f->says, bytes_str(*rows));
        pg_end(&f->says, start);
    }
    pg_put_complete(&f->says, "SELECT");
    pg_put_ready(&f->says, 'I');
}

static inline void fake_fails(struct pg_fake *f)
{
    fake_says(f, 'E', "VERROR\0C42601\0Mwrong\0Hright\0P3\0", 32);
    pg_put_ready(&f->says, 'I');
}

static inline void fake_fini(struct pg_fake *f)
{
    for (size_t i = 0; i < f->dials; i++) {
        (void)close(f->peers[i]);
    }
    buffer_fini(&f->says);
}

static inline struct client_options fake_options(struct pg_fake *f)
{
    return (struct client_options){
        .dial = fake_dial, .context = f, .user = "me", .database = "fluss"};
}

/* ---- what was written ---- */

static inline void caught_begin(struct sink *s) { sink_init(s, memfd_create("caught", 0)); }

/* What the sink was given since it began; it begins anew. */
static inline const char *caught(struct sink *s)
{
    static char text[65536];
    ssize_t len;

    sink_flush(s);
    len = pread(s->fd, text, sizeof text - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(ftruncate(s->fd, 0), 0);
    assert_int_equal(lseek(s->fd, 0, SEEK_SET), 0);
    return text;
}

static inline void caught_end(struct sink *s)
{
    sink_fini(s);
    (void)close(s->fd);
}

#endif
