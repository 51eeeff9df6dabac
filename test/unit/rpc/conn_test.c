#include <stdlib.h>

#include "../../support/peers.h"
#include "../../support/shards.h"
#include "rpc/conn.h"

#define CONNS      4
#define FRAMES_MAX 6000
#define SECOND_US  1000000

struct rig;

struct end {
    struct rig *rig;
    struct conn *conn; /* NULL when closed; the shard's */
    int ours;
    int peer;
    uint32_t expected; /* number of the next frame: frames carry theirs */
    struct error why;
    struct stream_write write;
    struct arena arena;
};

/* Connections of one group, their peers, and what has happened. */
struct rig {
    struct shard *shard;
    struct conn_group group;
    struct end ends[CONNS];
    int conn_count;
    uint32_t inflight_max; /* 0: as it is */
    int64_t idle_us;
    int64_t stall_us; /* 0: as it is */
    struct timer answering;
    atomic_bool hold;  /* frames stay in flight */
    atomic_bool close; /* the connection is closed inside its frame callback */
    atomic_int delivered;
    atomic_int closed;
    atomic_int bytes;
    size_t used_max; /* of the budget */
};

/* ---- on the shard ---- */

/* Frame: number u32, then bytes that follow from number and position. */
static uint8_t pattern(uint32_t number, size_t i)
{
    return (uint8_t)(number * 7 + i * 13 + i / 256);
}

static void on_frame(struct conn *c, void *context, struct chunk *owner, struct bytes frame)
{
    struct end *end = context;
    struct rig *r = end->rig;
    size_t used = atomic_load(&shard_budget(r->shard)->used);

    ASSERT(c == end->conn && owner != NULL);
    ASSERT(frame.data >= owner->data && frame.data + frame.len <= owner->data + owner->len);
    ASSERT(get_u32le(frame.data) == end->expected);
    for (size_t i = 4; i < frame.len; i++) {
        ASSERT(frame.data[i] == pattern(end->expected, i));
    }
    end->expected++;
    r->used_max = used > r->used_max ? used : r->used_max;
    ASSERT(conn_inflight(c) <= r->group.inflight_max);
    atomic_fetch_add(&r->bytes, (int)frame.len);
    if (r->close) {
        conn_close(c);
    } else if (!r->hold) {
        conn_request_done(c);
    }
    atomic_fetch_add(&r->delivered, 1);
}

static void on_closed(struct conn *c, void *context, const struct error *why)
{
    struct end *end = context;

    ASSERT(c == end->conn);
    end->conn = NULL;
    end->why = *why;
    atomic_fetch_add(&end->rig->closed, 1);
}

static const struct conn_handler handler = {.frame = on_frame, .closed = on_closed};

static void init_run(void *context)
{
    struct rig *r = context;

    conn_group_init(&r->group, r->shard);
}

static void open_run(void *context)
{
    struct rig *r = context;
    struct end *end = &r->ends[r->conn_count - 1];

    ASSERT(conn_open(&r->group, end->ours, &handler, end, &end->conn, NULL) == ERR_OK);
}

static void fini_run(void *context)
{
    struct rig *r = context;

    timer_stop(&r->answering);
    conn_group_close_all(&r->group);
    ASSERT(conn_group_inflight(&r->group) == 0);
    conn_group_fini(&r->group);
}

/* All frames in flight are dealt with. */
static void answer_run(void *context)
{
    struct rig *r = context;

    for (int i = 0; i < r->conn_count; i++) {
        while (r->ends[i].conn != NULL && conn_inflight(r->ends[i].conn) > 0) {
            conn_request_done(r->ends[i].conn);
        }
    }
}

static void answering_fire(struct timer *t)
{
    struct rig *r = container_of(t, struct rig, answering);

    answer_run(r);
    timer_start(r->shard, t, 200);
}

/* From now on frames in flight are dealt with every now and then. */
static void answering_run(void *context)
{
    struct rig *r = context;

    timer_init(&r->answering, answering_fire);
    timer_start(r->shard, &r->answering, 200);
}

static void stop_reading_run(void *context)
{
    conn_group_stop_reading(&((struct rig *)context)->group);
}

static void configure_run(void *context)
{
    struct rig *r = context;

    r->group.inflight_max = r->inflight_max != 0 ? r->inflight_max : r->group.inflight_max;
    r->group.idle_us = r->idle_us;
    r->group.stall_us = r->stall_us != 0 ? r->stall_us : r->group.stall_us;
}

/* ---- on the test's thread ---- */

/* Puts the limits of the rig in force. */
static void configure(struct rig *r) { on_shard(r->shard, configure_run, r); }

static struct end *open_conn(struct rig *r)
{
    struct end *end = &r->ends[r->conn_count++];
    struct peers p = peers_connect();

    end->rig = r;
    end->ours = p.ours;
    end->peer = p.other;
    on_shard(r->shard, open_run, r);
    return end;
}

static struct rig *rig_new(size_t memory_limit)
{
    struct rig *r = mem_new(struct rig);

    r->shard = test_shard(0, memory_limit);
    on_shard(r->shard, init_run, r);
    return r;
}

static int setup(void **state)
{
    *state = rig_new((size_t)1 << 30);
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    size_t used;

    on_shard(r->shard, fini_run, r);
    used = atomic_load(&shard_budget(r->shard)->used);
    test_shard_end(r->shard);
    for (int i = 0; i < r->conn_count; i++) {
        socket_close(r->ends[i].peer);
        arena_fini(&r->ends[i].arena);
    }
    free(r);
    assert_int_equal(used, 0); /* everything charged has been given back */
    return 0;
}

static uint8_t *put_frame(uint8_t *p, uint32_t number, size_t len)
{
    put_u32be(p, (uint32_t)len);
    put_u32le(p + 4, number);
    for (size_t i = 4; i < len; i++) {
        p[4 + i] = pattern(number, i);
    }
    return p + 4 + len;
}

/* Frames with these lengths, numbered from `first`. */
static struct bytes frames_of(const size_t *lens, size_t count, uint32_t first, struct arena *a)
{
    size_t total = 0;
    uint8_t *data;
    uint8_t *p;

    for (size_t i = 0; i < count; i++) {
        total += 4 + lens[i];
    }
    data = p = arena_alloc(a, total);
    for (size_t i = 0; i < count; i++) {
        p = put_frame(p, first + (uint32_t)i, lens[i]);
    }
    return bytes_of(data, total);
}

static struct bytes small_frames(size_t count, struct arena *a)
{
    size_t lens[FRAMES_MAX];

    for (size_t i = 0; i < count; i++) {
        lens[i] = 8 + i % 40;
    }
    return frames_of(lens, count, 0, a);
}

/* ---- cutting ---- */

static void frames_may_be_cut_anywhere(void **state)
{
    static const size_t lens[] = {8, 33, 100, 8};
    struct rig *r = *state;
    struct end *end = open_conn(r);
    int want = 0;

    for (size_t cut = 0;; cut++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct bytes b = frames_of(lens, ARRAY_LEN(lens), (uint32_t)want, &arena);

        if (cut > b.len) {
            break;
        }
        peer_write(end->peer, b.data, cut);
        shard_settle(r->shard);
        peer_write(end->peer, b.data + cut, b.len - cut);
        want += (int)ARRAY_LEN(lens);
        assert_reaches(&r->delivered, want);
    }
    assert_int_equal(atomic_load(&r->delivered), want);
}

static void one_byte_at_a_time(void **state)
{
    static const size_t lens[] = {12, 8, 50};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct end *end = open_conn(r);
    struct bytes b = frames_of(lens, ARRAY_LEN(lens), 0, &arena);

    for (size_t i = 0; i < b.len; i++) {
        peer_write(end->peer, b.data + i, 1);
        on_shard(r->shard, on_shard_nothing, NULL);
    }
    assert_reaches(&r->delivered, 3);
}

static void large_and_small_frames_alternate(void **state)
{
    static const size_t lens[] = {8,     70000,   9, (size_t)3 << 20, 500000,     10, 65536,
                                  65535, 1 << 18, 8, 262140,          262144 - 4, 8};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct end *end = open_conn(r);
    struct bytes b = frames_of(lens, ARRAY_LEN(lens), 0, &arena);

    peer_write(end->peer, b.data, b.len);
    assert_reaches(&r->delivered, (int)ARRAY_LEN(lens));
    assert_int_equal(atomic_load(&r->bytes), b.len - 4 * ARRAY_LEN(lens));
}

/* ---- back-pressure ---- */

/* What arrives in one read is not delivered beyond the limit either. */
static void no_more_in_flight_than_allowed(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct end *end = open_conn(r);
    struct bytes b = small_frames(FRAMES_MAX, &arena);

    r->inflight_max = 5;
    configure(r);
    r->hold = true;
    peer_write(end->peer, b.data, b.len / 2 + 1); /* on_frame asserts the limit */
    assert_reaches(&r->delivered, 5);
    shard_settle(r->shard);
    assert_int_equal(atomic_load(&r->delivered), 5);
    on_shard(r->shard, answer_run, r);
    assert_reaches(&r->delivered, 10);
    on_shard(r->shard, answering_run, r);
    peer_write(end->peer, b.data + b.len / 2 + 1, b.len - b.len / 2 - 1);
    assert_reaches(&r->delivered, FRAMES_MAX);
}

static void written(struct stream_write *w, bool ok)
{
    struct end *end = container_of(w, struct end, write);

    (void)ok;
    if (end->conn != NULL && conn_inflight(end->conn) > 0) {
        conn_request_done(end->conn);
    }
    conn_close(end->conn); /* allowed here as everywhere, also while it is being closed */
}

static void respond_run(void *context)
{
    struct end *end = context;
    size_t len = (size_t)32 << 20;

    pieces_init(&end->write.pieces, &end->arena);
    pieces_add_bytes(&end->write.pieces, bytes_of(arena_zalloc(&end->arena, len), len));
    list_init(&end->write.link);
    end->write.sent = written;
    conn_send(end->conn, &end->write);
}

/* A peer that takes no responses is not read; and closed when it takes nothing for long. */
static void responses_not_taken_hold_requests_back(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct end *end = open_conn(r);
    struct bytes b = small_frames(10, &arena);

    r->hold = true;
    peer_write(end->peer, b.data, 12); /* the first */
    assert_reaches(&r->delivered, 1);
    on_shard(r->shard, respond_run, end);
    shard_settle(r->shard);
    peer_write(end->peer, b.data + 12, b.len - 12);
    thread_sleep_us(5000);
    shard_settle(r->shard);
    assert_true(atomic_load(&r->delivered) <= 1 + 10);
    assert_int_equal(atomic_load(&r->closed), 0);
}

static void a_peer_that_takes_nothing_is_closed(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct bytes b = small_frames(1, &arena);
    struct end *end;

    r->idle_us = SECOND_US;
    configure(r);
    end = open_conn(r);
    r->hold = true;
    peer_write(end->peer, b.data, b.len);
    assert_reaches(&r->delivered, 1);
    on_shard(r->shard, respond_run, end);
    assert_reaches(&r->closed, 1);
}

static void idle_connections_close_unless_requests_are_in_flight(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct bytes b = small_frames(1, &arena);
    struct end *busy;
    struct end *idle;

    r->idle_us = SECOND_US;
    configure(r);
    r->hold = true;
    busy = open_conn(r);
    peer_write(busy->peer, b.data, b.len);
    assert_reaches(&r->delivered, 1);
    idle = open_conn(r);
    assert_reaches(&r->closed, 1);
    peer_sees_end(idle->peer);
    assert_int_equal(idle->why.code, ERR_NETWORK);
    thread_sleep_us(SECOND_US * 3 / 2);
    assert_int_equal(atomic_load(&r->closed), 1);
    on_shard(r->shard, answer_run, r);
    assert_reaches(&r->closed, 2);
}

/* ---- memory ---- */

static int teardown_rig(struct rig *r)
{
    void *state = r;

    return teardown(&state);
}

/* Four frames that are all half there and together exceed the budget twofold. Beyond the budget
 * goes what one read brings of a frame that begins, and the frame of the one that may overdraw. */
static void half_received_frames_do_not_block_each_other(void **state)
{
    static const size_t len = 900000;
    static const size_t read_max = 256 * 1024;
    struct rig *r = rig_new(1 << 20);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes b = frames_of(&len, 1, 0, &arena);

    (void)state;
    for (int i = 0; i < CONNS; i++) {
        (void)open_conn(r);
    }
    for (int i = 0; i < CONNS; i++) {
        peer_write(r->ends[i].peer, b.data, b.len / 3);
    }
    shard_settle(r->shard);
    for (int i = CONNS - 1; i >= 0; i--) {
        peer_write(r->ends[i].peer, b.data + b.len / 3, b.len - b.len / 3);
    }
    assert_reaches(&r->delivered, CONNS);
    assert_in_range(r->used_max, len, (1 << 20) + read_max + len);
    assert_int_equal(teardown_rig(r), 0);
}

static void who_stalls_with_the_last_memory_is_closed(void **state)
{
    static const size_t len = 900000;
    struct rig *r = rig_new(100000);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes b = frames_of(&len, 1, 0, &arena);
    struct end *stalled = open_conn(r);
    struct end *other = open_conn(r);

    (void)state;
    r->stall_us = SECOND_US;
    configure(r);
    peer_write(stalled->peer, b.data, b.len - 1);
    shard_settle(r->shard);
    peer_write(other->peer, b.data, b.len);
    assert_reaches(&r->delivered, 1);
    assert_int_equal(atomic_load(&r->closed), 1);
    peer_sees_end(stalled->peer);
    assert_non_null(strstr(stalled->why.message, "stalled within a request while memory is short"));
    assert_int_equal(teardown_rig(r), 0);
}

/* Requests in flight have used up the budget: only one at a time comes in. */
static void without_memory_requests_trickle(void **state)
{
    struct rig *r = rig_new(1000);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes b = small_frames(FRAMES_MAX, &arena);
    struct end *end = open_conn(r);
    int64_t start_us = clock_mono_us();
    int delivered;

    (void)state;
    budget_overdraw(shard_budget(r->shard), 1000);
    peer_write(end->peer, b.data, b.len);
    assert_reaches(&r->delivered, 5);
    delivered = atomic_load(&r->delivered);
    assert_true(delivered <= 2 + (clock_mono_us() - start_us) / 2000);
    budget_give(shard_budget(r->shard), 1000);
    assert_reaches(&r->delivered, FRAMES_MAX);
    assert_int_equal(teardown_rig(r), 0);
}

/* A large frame that gets on slowly holds the right to overdraw; small ones pass it all the same,
 * whole or in parts. */
static void a_slow_large_frame_blocks_no_small_ones(void **state)
{
    static const size_t large = 900000;
    struct rig *r = rig_new(100000);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes slow = frames_of(&large, 1, 0, &arena);
    struct bytes small = small_frames(20, &arena);
    struct end *first = open_conn(r);
    struct end *second = open_conn(r);

    (void)state;
    peer_write(first->peer, slow.data, 500000);
    while (atomic_load(&shard_budget(r->shard)->used) < 400000) {
        thread_sleep_us(500); /* it overdraws */
    }
    peer_write(second->peer, small.data, 100);
    shard_settle(r->shard);
    peer_write(second->peer, small.data + 100, small.len - 100);
    assert_reaches(&r->delivered, 20);
    assert_int_equal(first->expected, 0);
    peer_write(first->peer, slow.data + 500000, slow.len - 500000);
    assert_reaches(&r->delivered, 21);
    assert_int_equal(teardown_rig(r), 0);
}

struct hoard {
    struct rig *rig;
    struct chunk *kept[FRAMES_MAX];
    atomic_int count;
};

static void hoard_frame(struct conn *c, void *context, struct chunk *owner, struct bytes frame)
{
    struct hoard *h = context;

    (void)c;
    (void)frame;
    h->kept[atomic_load(&h->count)] = chunk_ref(owner);
    atomic_fetch_add(&h->count, 1);
}

static void hoard_closed(struct conn *c, void *context, const struct error *why)
{
    (void)c;
    (void)context;
    (void)why;
}

static void hoard_open(void *context)
{
    static const struct conn_handler hoarding = {.frame = hoard_frame, .closed = hoard_closed};
    struct hoard *h = context;
    struct rig *r = h->rig;
    struct conn *c = NULL;

    r->group.inflight_max = FRAMES_MAX;
    ASSERT(conn_open(&r->group, r->ends[0].ours, &hoarding, h, &c, NULL) == ERR_OK);
}

/* Read buffers that small frames keep alive count. */
static void kept_read_buffers_are_charged(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct hoard *h = mem_new(struct hoard);
    struct peers p = peers_connect();
    size_t lens[400];
    struct bytes b;

    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        lens[i] = 4000;
    }
    b = frames_of(lens, ARRAY_LEN(lens), 0, &arena);
    h->rig = r;
    r->ends[0].rig = r;
    r->ends[0].ours = p.ours;
    r->ends[0].peer = p.other;
    r->conn_count = 1;
    on_shard(r->shard, hoard_open, h);
    peer_write(p.other, b.data, b.len);
    assert_reaches(&h->count, (int)ARRAY_LEN(lens));
    assert_true(atomic_load(&shard_budget(r->shard)->used) >= (size_t)1 << 20);
    for (int i = 0; i < atomic_load(&h->count); i++) {
        (void)chunk_unref(h->kept[i]);
    }
    free(h);
}

/* ---- the end ---- */

static void lengths_outside_the_limits_close(void **state)
{
    static const uint32_t bad[] = {7, 0, 0xffffffffu, (100u << 20) - 3};
    struct rig *r = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct end *end = open_conn(r);
        uint8_t data[12 + 4 + 100] = {0};

        assert_true(put_frame(data, 0, 8) == data + 12); /* a good one first */
        put_u32be(data + 12, bad[i]);
        peer_write(end->peer, data, sizeof data);
        peer_sees_end(end->peer);
        assert_reaches(&r->closed, (int)i + 1);
        assert_int_equal(atomic_load(&r->delivered), i + 1);
        assert_int_equal(end->why.code, ERR_CORRUPT_MESSAGE);
    }
}

/* The same when the length arrives in parts. */
static void a_bad_length_in_parts_closes(void **state)
{
    struct rig *r = *state;
    struct end *end = open_conn(r);

    peer_write(end->peer, "\0\0", 2);
    shard_settle(r->shard);
    peer_write(end->peer, "\0\7", 2);
    peer_sees_end(end->peer);
    assert_reaches(&r->closed, 1);
    assert_non_null(strstr(end->why.message, "frame of 7 bytes"));
}

static void closed_inside_a_frame_callback(void **state)
{
    static const size_t large[] = {300000, 8};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct bytes b = small_frames(10, &arena);
    struct end *end = open_conn(r);

    r->close = true;
    peer_write(end->peer, b.data, b.len);
    peer_sees_end(end->peer);
    assert_reaches(&r->delivered, 1);
    end = open_conn(r);
    b = frames_of(large, 2, 0, &arena);
    peer_write(end->peer, b.data, b.len);
    peer_sees_end(end->peer);
    assert_reaches(&r->delivered, 2);
    shard_settle(r->shard);
    assert_int_equal(atomic_load(&r->delivered), 2);
    assert_int_equal(atomic_load(&r->closed), 2);
}

static void closed_inside_a_resumed_callback(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct bytes b = small_frames(10, &arena);
    struct end *end = open_conn(r);

    r->inflight_max = 1;
    configure(r);
    r->hold = true;
    peer_write(end->peer, b.data, b.len);
    assert_reaches(&r->delivered, 1);
    r->close = true;
    on_shard(r->shard, answer_run, r);
    assert_reaches(&r->delivered, 2);
    assert_reaches(&r->closed, 1);
}

static void the_peer_vanishes_with_frames_waiting(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct bytes b = small_frames(10, &arena);
    struct end *end = open_conn(r);

    r->inflight_max = 1;
    configure(r);
    r->hold = true;
    peer_write(end->peer, b.data, b.len);
    assert_reaches(&r->delivered, 1);
    peer_reset(end->peer);
    end->peer = -1;
    assert_reaches(&r->closed, 1);
    assert_int_equal(atomic_load(&r->delivered), 1);
}

static void nothing_is_delivered_after_stop_reading(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct rig *r = *state;
    struct bytes b = small_frames(20, &arena);
    struct end *end = open_conn(r);
    struct end *later;

    r->inflight_max = 3;
    configure(r);
    r->hold = true;
    peer_write(end->peer, b.data, b.len);
    assert_reaches(&r->delivered, 3);
    on_shard(r->shard, stop_reading_run, r);
    on_shard(r->shard, answer_run, r);
    later = open_conn(r);
    peer_write(later->peer, b.data, b.len);
    thread_sleep_us(2000);
    shard_settle(r->shard);
    assert_int_equal(atomic_load(&r->delivered), 3);
    assert_int_equal(atomic_load(&r->closed), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_may_be_cut_anywhere),
        TEST(one_byte_at_a_time),
        TEST(large_and_small_frames_alternate),
        TEST(no_more_in_flight_than_allowed),
        TEST(responses_not_taken_hold_requests_back),
        TEST(a_peer_that_takes_nothing_is_closed),
        TEST(idle_connections_close_unless_requests_are_in_flight),
        cmocka_unit_test(half_received_frames_do_not_block_each_other),
        cmocka_unit_test(who_stalls_with_the_last_memory_is_closed),
        cmocka_unit_test(without_memory_requests_trickle),
        cmocka_unit_test(a_slow_large_frame_blocks_no_small_ones),
        TEST(kept_read_buffers_are_charged),
        TEST(lengths_outside_the_limits_close),
        TEST(a_bad_length_in_parts_closes),
        TEST(closed_inside_a_frame_callback),
        TEST(closed_inside_a_resumed_callback),
        TEST(the_peer_vanishes_with_frames_waiting),
        TEST(nothing_is_delivered_after_stop_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
