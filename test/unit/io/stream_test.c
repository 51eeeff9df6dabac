#include <errno.h>
#include <stdlib.h>

#include "../../support/peers.h"
#include "../../support/shards.h"

#define WRITES 8

struct rig;

struct parcel {
    struct stream_write write;
    struct rig *rig;
    struct arena arena;
    atomic_int outcome; /* 1 sent, 2 not sent */
};

/* A stream on a shard, its peer, and what has happened. */
struct rig {
    struct shard *shard;
    struct stream *stream; /* NULL when freed */
    int ours;
    int peer;
    struct arena arena;
    struct file *file;
    char *dir;
    struct parcel parcels[WRITES];
    uint8_t received[1 << 16];
    atomic_int received_len;
    atomic_int ended; /* parcels */
    atomic_int closed;
    atomic_bool free_in_readable;
    atomic_bool free_in_sent;
    atomic_bool free_in_closed;
    atomic_bool send_in_sent;
    struct error why;
};

static void rig_free_stream(struct rig *r) { stream_free(TAKE(r->stream)); }

static void on_readable(struct stream *s, void *context)
{
    struct rig *r = context;
    size_t have = (size_t)atomic_load(&r->received_len);
    size_t n = stream_recv(s, r->received + have, sizeof r->received - have);

    atomic_fetch_add(&r->received_len, (int)n);
    if (r->free_in_readable) {
        rig_free_stream(r);
    }
}

static void on_closed(struct stream *s, void *context, const struct error *why)
{
    struct rig *r = context;

    ASSERT(s == r->stream && atomic_load(&r->closed) == 0);
    r->why = *why;
    ASSERT(stream_recv(s, r->received, 1) == 0);
    if (r->free_in_closed) {
        rig_free_stream(r);
    }
    atomic_fetch_add(&r->closed, 1);
}

static const struct stream_handler handler = {.readable = on_readable, .closed = on_closed};

static void parcel_sent(struct stream_write *w, bool ok)
{
    struct parcel *p = container_of(w, struct parcel, write);
    struct rig *r = p->rig;

    ASSERT(atomic_exchange(&p->outcome, ok ? 1 : 2) == 0);
    ASSERT(w->pieces.count == 0);
    if (r->free_in_sent && r->stream != NULL) {
        rig_free_stream(r);
    }
    if (r->send_in_sent && p != &r->parcels[WRITES - 1] && r->stream != NULL) {
        stream_send(r->stream, &(p + 1)->write);
    }
    atomic_fetch_add(&r->ended, 1);
}

static void open_run(void *context)
{
    struct rig *r = context;

    ASSERT(stream_open(r->shard, r->ours, &handler, r, &r->stream, NULL) == ERR_OK);
}

static int setup(void **state)
{
    struct rig *r = mem_new(struct rig);
    struct peers peers = peers_connect();
    int small = 128 * 1024; /* a few segments of the loopback: less waits for delayed ACKs */

    r->shard = test_shard(0, 0);
    r->ours = peers.ours;
    r->peer = peers.other;
    assert_int_equal(setsockopt(r->ours, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(dir_create_temporary("stream-test", &r->arena, &r->dir, NULL), ERR_OK);
    assert_int_equal(
        file_open(arena_printf(&r->arena, "%s/file", r->dir), FILE_CREATE, &r->file, NULL), ERR_OK);
    for (int i = 0; i < WRITES; i++) {
        struct parcel *p = &r->parcels[i];

        p->rig = r;
        p->write.sent = parcel_sent;
        list_init(&p->write.link);
        pieces_init(&p->write.pieces, &p->arena);
    }
    on_shard(r->shard, open_run, r);
    *state = r;
    return 0;
}

static void free_run(void *context) { rig_free_stream(context); }

static int teardown(void **state)
{
    struct rig *r = *state;

    on_shard(r->shard, free_run, r);
    test_shard_end(r->shard);
    socket_close(r->peer);
    for (int i = 0; i < WRITES; i++) {
        pieces_fini(&r->parcels[i].write.pieces);
        arena_fini(&r->parcels[i].arena);
    }
    (void)file_unref(r->file);
    assert_int_equal(path_remove_tree(r->dir, NULL), ERR_OK);
    arena_fini(&r->arena);
    free(r);
    return 0;
}

/* ---- input ---- */

static void input_arrives(void **state)
{
    struct rig *r = *state;

    peer_write(r->peer, "hello", 5);
    assert_reaches(&r->received_len, 5);
    assert_memory_equal(r->received, "hello", 5);
    assert_non_null(strstr(stream_peer(r->stream), "127.0.0.1:"));
    assert_true(stream_local_port(r->stream) != 0);
}

static void pause_run(void *context) { stream_pause(((struct rig *)context)->stream); }

static void resume_run(void *context) { stream_resume(((struct rig *)context)->stream); }

static void a_paused_stream_is_not_read(void **state)
{
    struct rig *r = *state;

    on_shard(r->shard, pause_run, r);
    peer_write(r->peer, "hello", 5);
    thread_sleep_us(2000);
    shard_settle(r->shard);
    assert_int_equal(atomic_load(&r->received_len), 0);
    on_shard(r->shard, resume_run, r);
    assert_reaches(&r->received_len, 5);
}

static void the_end_is_told_once(void **state)
{
    struct rig *r = *state;

    peer_write(r->peer, "bye", 3);
    socket_close(r->peer);
    r->peer = -1;
    assert_reaches(&r->closed, 1);
    shard_settle(r->shard);
    assert_int_equal(atomic_load(&r->received_len), 3);
    assert_int_equal(atomic_load(&r->closed), 1);
    assert_int_equal(r->why.code, ERR_NETWORK);
    assert_non_null(strstr(r->why.message, "closed the connection"));
}

static void a_reset_is_told_once(void **state)
{
    struct rig *r = *state;

    peer_reset(r->peer);
    r->peer = -1;
    assert_reaches(&r->closed, 1);
    shard_settle(r->shard);
    assert_int_equal(r->why.code, ERR_NETWORK);
    assert_non_null(strstr(r->why.message, "Connection reset by peer"));
}

/* Also when nobody reads. */
static void a_reset_is_told_while_paused(void **state)
{
    struct rig *r = *state;

    on_shard(r->shard, pause_run, r);
    peer_reset(r->peer);
    r->peer = -1;
    assert_reaches(&r->closed, 1);
}

/* ---- output ---- */

static uint8_t pattern(size_t i) { return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16)); }

static void send_all_run(void *context)
{
    struct rig *r = context;

    for (int i = 0; i < WRITES; i++) {
        stream_send(r->stream, &r->parcels[i].write);
    }
}

static void send_first_run(void *context)
{
    struct rig *r = context;

    stream_send(r->stream, &r->parcels[0].write);
}

/* Pieces of memory (also many small ones), of chunks and of the file in turn: `total` bytes of the
 * pattern over all parcels. */
static void fill_parcels(struct rig *r, size_t total)
{
    size_t at = 0;
    uint8_t *all = arena_alloc(&r->arena, total);

    for (size_t i = 0; i < total; i++) {
        all[i] = pattern(i);
    }
    assert_int_equal(file_write_at(r->file, 0, bytes_of(all, total), NULL), ERR_OK);
    for (int i = 0, k = 0; at < total; k++) {
        struct pieces *pieces = &r->parcels[i].write.pieces;
        size_t len = (size_t)(k % 100 == 0 ? 300000 : k % 100 == 50 ? 70000 : 1 + k % 90);

        len = len < total - at ? len : total - at;
        if (k % 100 == 0 || k % 100 == 30) {
            pieces_add_file(pieces, file_ref(r->file), at, len);
        } else if (k % 100 == 50) {
            struct chunk *c = chunk_new(len);

            memcpy(c->data, all + at, len);
            pieces_add_chunk(pieces, c, bytes_of(c->data, len));
        } else {
            pieces_add_bytes(pieces, bytes_of(all + at, len));
        }
        at += len;
        i = (int)(at * WRITES / total) < WRITES ? (int)(at * WRITES / total) : WRITES - 1;
    }
}

static void a_slow_reader_gets_everything_in_order(void **state)
{
    struct rig *r = *state;
    size_t total = (size_t)12 << 20;
    uint8_t buffer[50000];
    size_t at = 0;

    fill_parcels(r, total);
    on_shard(r->shard, send_all_run, r);
    thread_sleep_us(2000);
    while (at < total) {
        size_t n = total - at < sizeof buffer ? total - at : sizeof buffer;

        peer_read(r->peer, buffer, n);
        for (size_t i = 0; i < n; i++) {
            if (buffer[i] != pattern(at + i)) {
                fail_msg("byte %zu is wrong", at + i);
            }
        }
        at += n;
    }
    assert_reaches(&r->ended, WRITES);
    for (int i = 0; i < WRITES; i++) {
        assert_int_equal(atomic_load(&r->parcels[i].outcome), 1);
    }
    assert_int_equal(stream_unsent(r->stream), 0);
}

static void writes_without_bytes_end_well(void **state)
{
    struct rig *r = *state;

    pieces_add_file(&r->parcels[1].write.pieces, file_ref(r->file), 0, 0);
    on_shard(r->shard, send_all_run, r);
    assert_reaches(&r->ended, WRITES);
    assert_int_equal(atomic_load(&r->parcels[1].outcome), 1);
}

static void what_is_not_sent_ends_with_the_stream(void **state)
{
    struct rig *r = *state;

    fill_parcels(r, (size_t)4 << 20);
    on_shard(r->shard, send_all_run, r);
    shard_settle(r->shard);
    assert_true(stream_unsent(r->stream) > 0);
    on_shard(r->shard, free_run, r);
    assert_int_equal(atomic_load(&r->ended), WRITES);
    assert_int_equal(atomic_load(&r->parcels[WRITES - 1].outcome), 2);
    assert_int_equal(atomic_load(&r->closed), 0);
}

static void a_vanished_reader_closes_the_stream(void **state)
{
    struct rig *r = *state;

    fill_parcels(r, (size_t)4 << 20);
    on_shard(r->shard, send_all_run, r);
    peer_reset(r->peer);
    r->peer = -1;
    assert_reaches(&r->closed, 1);
    shard_settle(r->shard);
    assert_int_equal(r->why.code, ERR_NETWORK);
    on_shard(r->shard, free_run, r);
    assert_int_equal(atomic_load(&r->ended), WRITES);
}

static void a_file_shorter_than_promised_closes_the_stream(void **state)
{
    struct rig *r = *state;

    assert_int_equal(file_write_at(r->file, 0, bytes_str("0123456789"), NULL), ERR_OK);
    pieces_add_file(&r->parcels[0].write.pieces, file_ref(r->file), 5, 50);
    on_shard(r->shard, send_first_run, r);
    assert_reaches(&r->closed, 1);
    assert_int_equal(r->why.os_errno, EIO);
}

/* ---- freeing inside callbacks ---- */

static void freed_by_readable(void **state)
{
    struct rig *r = *state;

    r->free_in_readable = true;
    peer_write(r->peer, "x", 1);
    peer_sees_end(r->peer);
    shard_settle(r->shard);
    assert_null(r->stream);
    assert_int_equal(atomic_load(&r->closed), 0);
}

static void freed_by_closed(void **state)
{
    struct rig *r = *state;

    r->free_in_closed = true;
    peer_reset(r->peer);
    r->peer = -1;
    assert_reaches(&r->closed, 1);
    shard_settle(r->shard);
    assert_null(r->stream);
}

static void freed_by_sent(void **state)
{
    struct rig *r = *state;

    r->free_in_sent = true;
    for (int i = 0; i < WRITES; i++) {
        pieces_add_bytes(&r->parcels[i].write.pieces, bytes_str("0123456789"));
    }
    on_shard(r->shard, send_all_run, r);
    assert_reaches(&r->ended, WRITES);
    assert_int_equal(atomic_load(&r->parcels[0].outcome), 1);
    assert_int_equal(atomic_load(&r->parcels[1].outcome), 2);
    assert_null(r->stream);
}

static void sending_by_sent(void **state)
{
    struct rig *r = *state;
    char buffer[10 * WRITES];

    r->send_in_sent = true;
    for (int i = 0; i < WRITES; i++) {
        pieces_add_bytes(&r->parcels[i].write.pieces, bytes_str("0123456789"));
    }
    on_shard(r->shard, send_first_run, r);
    peer_read(r->peer, buffer, sizeof buffer);
    assert_reaches(&r->ended, WRITES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(input_arrives),
        TEST(a_paused_stream_is_not_read),
        TEST(the_end_is_told_once),
        TEST(a_reset_is_told_once),
        TEST(a_reset_is_told_while_paused),
        TEST(a_slow_reader_gets_everything_in_order),
        TEST(writes_without_bytes_end_well),
        TEST(what_is_not_sent_ends_with_the_stream),
        TEST(a_vanished_reader_closes_the_stream),
        TEST(a_file_shorter_than_promised_closes_the_stream),
        TEST(freed_by_readable),
        TEST(freed_by_closed),
        TEST(freed_by_sent),
        TEST(sending_by_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
