#include "client.h"

#include <inttypes.h>

#define QUIET_TIMES 30 /* as long as in busy times */

static void on_timer(struct world_event *ev)
{
    struct client *c = container_of(ev, struct client, timer);

    c->act(c);
}

static void on_ready(struct session *s)
{
    struct client *c = container_of(s, struct client, session);

    c->act(c);
}

void client_init(struct client *c, struct load *load, uint32_t number,
                 void (*act)(struct client *c))
{
    char name[32];

    (void)snprintf(name, sizeof name, "client %u", number);
    c->load = load;
    c->number = number;
    c->prng = world_prng(load->world, name);
    c->act = act;
    c->think_us_max = prng_skewed(&c->prng, 2000, 500000);
    world_event_init(&c->timer, on_timer);
    session_init(&c->session, load->world, prng_split(&c->prng, "session"), on_ready);
}

void client_fini(struct client *c)
{
    world_cancel(c->load->world, &c->timer);
    session_fini(&c->session);
}

void client_after(struct client *c, int64_t delay_us)
{
    world_schedule(c->load->world, &c->timer, delay_us);
}

void client_think(struct client *c)
{
    client_after(c, prng_skewed(&c->prng, 0, c->think_us_max * (c->load->quiet ? QUIET_TIMES : 1)));
}

int64_t client_now(const struct client *c) { return world_now_us(c->load->world); }

/* ---- operations ---- */

struct op *client_begin(struct client *c, enum op_kind kind)
{
    struct op *op;

    c->load->stats.started++;
    op = history_begin(&c->load->history, kind, c->number, client_now(c));
    op->place.table = -1; /* until the caller says */
    return op;
}

void client_end(struct client *c, struct op *op, enum op_status status, enum errcode error)
{
    struct trace *trace = world_trace(c->load->world);
    struct workload_stats *stats = &c->load->stats;

    op->error_code = error_fluss_code(error);
    history_end(&c->load->history, op, status, client_now(c));
    stats->succeeded += status == OP_OK;
    stats->failed += status == OP_FAILED;
    stats->unknown += status == OP_UNKNOWN;
    trace_mix(trace, ((uint64_t)op->kind << 8 | (uint64_t)status) ^ op->begun << 16);
    if (trace_shown(trace)) {
        trace_line(trace, "client", "%s", op_text(&c->load->history, op));
    }
}

void client_wrong(struct client *c, const char *checker, const char *what, const struct op *op)
{
    IGNORE(verdict_bad(&c->load->verdict, checker, "%s: %s", what,
                       op == NULL ? "" : op_text(&c->load->history, op)));
}

/* ---- targets ---- */

bool client_draw_target(struct client *c, struct table *table, struct target *ret)
{
    if (table->id < 0) {
        return false;
    }
    *ret = (struct target){.table = table, .partition = -1};
    ret->place.table = table->id;
    ret->place.partition = -1;
    ret->place.bucket = (int32_t)prng_below(&c->prng, (uint64_t)table->bucket_count);
    if (table->partition_count > 0) {
        ret->partition = (int)prng_below(&c->prng, table->partition_count);
        ret->place.partition = table->partitions[ret->partition].id;
    }
    return table->partition_count == 0 || ret->place.partition >= 0;
}

bool target_alive(const struct target *t)
{
    return t->partition < 0 || t->table->partitions[t->partition].id == t->place.partition;
}
