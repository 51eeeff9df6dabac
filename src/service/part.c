/* Splitting a request over shards: see service.h. */
#include "service.h"

#include <stdlib.h>

static void part_home(struct message *m)
{
    struct part *p = container_of(m, struct part, message);

    p->finished(p);
}

static void part_run(struct message *m)
{
    struct part *p = container_of(m, struct part, message);

    p->waiting = 1;
    p->start(p);
    part_operation_done(p);
}

struct part *part_new(struct request *r, struct service *owner, size_t size)
{
    struct part *p = mem_zalloc(size);

    list_init(&p->link);
    list_push_back(&r->parts, &p->link);
    p->request = r;
    p->owner = owner;
    arena_init(&p->arena);
    return p;
}

void part_send(struct part *p)
{
    p->message.run = part_run;
    if (p->owner == p->request->service) {
        part_run(&p->message);
    } else {
        shard_send(p->owner->shard, &p->message);
    }
}

void part_operation_done(struct part *p)
{
    ASSERT(p->waiting > 0);
    if (--p->waiting > 0) {
        return;
    }
    if (p->owner == p->request->service) {
        p->finished(p);
    } else {
        p->message.run = part_home;
        shard_send(p->request->service->shard, &p->message);
    }
}
