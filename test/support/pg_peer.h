/* A PostgreSQL session over a store (sql_store.h) without a socket: messages in, kinds of answers out. */
#ifndef TEST_SUPPORT_PG_PEER_H
#define TEST_SUPPORT_PG_PEER_H

#include "sql_store.h"

#include "front/pg_session.h"

struct pg_peer {
    struct sql_store *store;
    struct pg_session *session;
    struct buffer in;
    struct buffer out;
    enum pg_step step;
    char kinds[256]; /* of the last answers */
};

static inline void peer_put(struct pg_peer *p, char type, const void *body, size_t len)
{
    if (type != 0) {
        buffer_u8(&p->in, (uint8_t)type);
    }
    pg_put_u32(&p->in, (uint32_t)len + 4);
    buffer_bytes(&p->in, bytes_of(body, len));
}

/* Steps until the session wants more; p->kinds has what it said. */
static inline const char *peer_step(struct pg_peer *p)
{
    struct meta_view *view = meta_current(p->store->store->meta);
    struct bytes out;
    struct pg_message m;
    size_t count = 0;

    buffer_clear(&p->out);
    for (;;) {
        size_t before = p->out.len;
        struct buffer part = BUFFER_INIT;

        p->step = pg_session_step(p->session, view, &p->in, &part);
        buffer_bytes(&p->out, buffer_view(&part));
        buffer_fini(&part);
        if (p->step != PG_HAS_MORE || p->out.len == before) {
            break;
        }
    }
    out = buffer_view(&p->out);
    while (count + 1 < sizeof p->kinds && pg_take(&out, false, &m) == PG_MESSAGE) {
        p->kinds[count++] = (char)m.type;
    }
    p->kinds[count] = '\0';
    return p->kinds;
}

static inline void peer_open(struct pg_peer *p, struct sql_store *q)
{
    *p = (struct pg_peer){.store = q};
    p->session = pg_session_new(q->engine, (struct pg_key){.pid = 1, .secret = 2});
}

static inline void peer_start(struct pg_peer *p, struct sql_store *q)
{
    peer_open(p, q);
    peer_put(p, 0, "\0\3\0\0user\0x\0database\0fluss\0", 27);
    (void)peer_step(p);
    assert_int_equal(p->step, PG_WANTS_INPUT);
    assert_int_equal(p->kinds[strlen(p->kinds) - 1], 'Z');
}

static inline void peer_close(struct pg_peer *p)
{
    pg_session_free(p->session);
    buffer_fini(&p->in);
    buffer_fini(&p->out);
}

static inline const char *peer_query(struct pg_peer *p, const char *text)
{
    peer_put(p, 'Q', text, strlen(text) + 1);
    return peer_step(p);
}

#endif
