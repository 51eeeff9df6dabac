/* The state of a shell over a fake server, without a person. */
#ifndef TEST_SUPPORT_SHELL_STATE_H
#define TEST_SUPPORT_SHELL_STATE_H

#include "pg_fake.h"

#include "shell/session.h"

struct shell_state {
    struct pg_fake fake;
    struct shell_options options;
    struct shell shell;
};

/* fake has said its part. Results are caught in shell.out. */
static inline void state_begin(struct shell_state *t)
{
    struct shell *s = &t->shell;
    struct error e;

    t->options = (struct shell_options){.client = fake_options(&t->fake), .place = "here:1"};
    *s = (struct shell){.options = &t->options, .look = {.format = OUTPUT_CSV}, .interrupt = -1};
    s->output = (struct output){.options = &s->look, .sink = &s->out};
    caught_begin(&s->out);
    assert_int_equal(shell_connect(s, "fluss", &e), ERR_OK);
}

static inline void state_end(struct shell_state *t)
{
    struct shell *s = &t->shell;

    client_close(s->client);
    caught_end(&s->out);
    arena_fini(&s->output.arena);
    arena_fini(&s->arena);
    arena_fini(&s->names);
    fake_fini(&t->fake);
}

/* What was sent to the server on its last connection since the last call. */
static inline const char *state_sent(struct shell_state *t)
{
    static char text[4096];
    ssize_t len = read(t->fake.peers[t->fake.dials - 1], text, sizeof text - 1);

    for (ssize_t i = 0; i < len; i++) {
        text[i] = text[i] == '\0' ? ' ' : text[i];
    }
    text[len < 0 ? 0 : len] = '\0';
    return text;
}

#endif
