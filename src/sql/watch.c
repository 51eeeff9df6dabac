/* The places of a TAIL, watched: of each bucket one waiter on its shard. See sql.h.
 *
 *  IDLE ──start──> BUSY (armed on the bucket's shard) ──rows──> IDLE
 *                  BUSY ──close──> disarmed ──> IDLE
 *
 * What is busy has one message under way or registered, which comes back to the watch's shard once. Others close
 * the watch by a message, too: it ends when that has come and nothing else is under way. */
#include "statement.h"

#include <stdlib.h>

#include "io/gate.h"

struct watched {
    struct list link;
    struct sql_watch *watch;
    struct replica_set *set;
    struct shard *shard; /* of the bucket */
    struct bucket_id id;
    struct replica_waiter waiter;
    struct message message; /* while busy */
    struct message disarm;  /* when closing */
    bool armed;             /* the bucket's shard's: the waiter is registered */
    bool busy;
};

struct sql_watch {
    const struct sql_world *world;
    struct shard *shard;
    struct list all;
    size_t under_way; /* messages that are to come back */
    void (*fired)(void *context);
    void *context;
    bool started;
    bool closing;        /* the shard has taken `close` */
    struct gate *closed; /* whoever sent it waits for */
    struct message close;
};

struct sql_watch *sql_watch_new(struct sql_session *s, struct shard *shard,
                                void (*fired)(void *context), void *context)
{
    struct sql_watch *w = mem_new(struct sql_watch);

    w->world = &s->engine->world;
    w->shard = shard;
    w->fired = fired;
    w->context = context;
    list_init(&w->all);
    return w;
}

static void end(struct sql_watch *w)
{
    struct gate *closed = w->closed;

    if (w->under_way > 0) {
        return;
    }
    LIST_FOR_EACH(it, &w->all)
    {
        list_remove(it);
        free(container_of(it, struct watched, link));
    }
    free(w);
    gate_pass(closed);
}

static void came_back(struct message *m)
{
    struct watched *b = container_of(m, struct watched, message);
    struct sql_watch *w = b->watch;

    b->busy = false;
    w->under_way--;
    if (w->closing) {
        end(w);
    } else if (w->started) {
        w->started = false;
        w->fired(w->context);
    }
}

static void send_back(struct watched *b)
{
    b->armed = false;
    b->message.run = came_back;
    shard_send(b->watch->shard, &b->message);
}

static void wake(struct replica_waiter *waiter)
{
    send_back(container_of(waiter, struct watched, waiter));
}

static void arm(struct message *m)
{
    struct watched *b = container_of(m, struct watched, message);

    b->armed = replica_wait(b->set, &b->id, &b->waiter);
    if (!b->armed) {
        send_back(b);
    }
}

static void disarmed(struct message *m)
{
    struct watched *b = container_of(m, struct watched, disarm);

    b->watch->under_way--;
    end(b->watch);
}

static void disarm(struct message *m)
{
    struct watched *b = container_of(m, struct watched, disarm);

    if (b->armed) {
        replica_unwait(&b->waiter);
        send_back(b);
    }
    b->disarm.run = disarmed;
    shard_send(b->watch->shard, &b->disarm);
}

static struct watched *watched_of(struct sql_watch *w, const struct bucket_id *id)
{
    struct watched *b;
    unsigned shard;

    LIST_FOR_EACH(it, &w->all)
    {
        b = container_of(it, struct watched, link);
        if (b->id.table_id == id->table_id && b->id.partition_id == id->partition_id &&
            b->id.bucket == id->bucket) {
            return b;
        }
    }
    shard = bucket_shard(id, w->world->count);
    b = mem_new(struct watched);
    b->watch = w;
    b->set = w->world->replicas[shard];
    b->shard = w->world->shards[shard];
    b->id = *id;
    list_init(&b->waiter.link);
    b->waiter.wake = wake;
    list_push_back(&w->all, &b->link);
    return b;
}

void sql_watch_start(struct sql_watch *w, const struct sql_result *r)
{
    const struct sql_places *places = &r->tail->places;

    w->started = true;
    for (size_t i = 0; i < places->count; i++) {
        struct watched *b = watched_of(w, &places->items[i].id);

        if (b->busy) {
            continue; /* of an earlier start: its place is still the same */
        }
        b->busy = true;
        b->waiter.offset = places->items[i].next;
        b->message.run = arm;
        w->under_way++;
        shard_send(b->shard, &b->message);
    }
}

static void close_all(struct message *m)
{
    struct sql_watch *w = container_of(m, struct sql_watch, close);

    w->closing = true;
    LIST_FOR_EACH(it, &w->all)
    {
        struct watched *b = container_of(it, struct watched, link);

        if (b->busy) {
            w->under_way++;
            b->disarm.run = disarm;
            shard_send(b->shard, &b->disarm);
        }
    }
    end(w);
}

void sql_watch_free(struct sql_watch *w)
{
    struct gate *gate;

    if (w == NULL) {
        return;
    }
    gate = gate_new(1);
    w->closed = gate;
    w->close.run = close_all;
    shard_send(w->shard, &w->close);
    gate_wait(gate);
}
