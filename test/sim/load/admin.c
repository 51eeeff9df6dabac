#include "names.h"

#include <stdlib.h>

struct admin {
    struct client client;
    struct name_call name;
    bool first;
    size_t created; /* tables with rows that exist for sure; only of the first */
    bool has_database;
    bool flying;
    struct table *altered;
    struct call database;
    uint64_t columns; /* added so far, for names of columns */
};

static void landed(struct admin *a)
{
    a->flying = false;
    client_think(&a->client);
}

static void on_named(struct name_call *n, const struct op *op)
{
    struct admin *a = container_of(n, struct admin, name);

    if (op->kind == OP_DESCRIBE && op->status == OP_OK && n->ref.table == a->altered &&
        n->ref.partition < 0) {
        a->altered = NULL;
    }
    landed(a);
}

static void ask(struct admin *a, enum op_kind kind, struct name_ref ref, const char *column)
{
    a->flying = true;
    a->name.by_metadata = prng_below(&a->client.prng, 2) == 0;
    name_send(&a->name, kind, ref, column);
}

/* ---- the beginning ---- */

static void on_database(struct call *call, const void *response, enum errcode error)
{
    struct admin *a = container_of(call, struct admin, database);

    (void)error;
    a->has_database = response != NULL;
    landed(a);
}

static void create_database(struct admin *a)
{
    struct msg_create_database_request request = {.database_name = bytes_str("sim"),
                                                  .ignore_if_exists = true};

    a->flying = true;
    a->database.done = on_database;
    session_send(&a->client.session, &a->database, API_CREATE_DATABASE, &request, CALL_TIMEOUT_US);
}

/* Create and describe, one by one, until all tables are known. */
static bool begin(struct admin *a)
{
    struct load *load = a->client.load;
    struct name_ref ref = {.partition = -1};

    if (!a->has_database) {
        create_database(a);
        return true;
    }
    while (a->created < load->table_count && load->tables[a->created]->id >= 0) {
        a->created++;
    }
    if (a->created == load->table_count) {
        return false;
    }
    ref.table = load->tables[a->created];
    ask(a, prng_below(&a->client.prng, 2) == 0 ? OP_CREATE : OP_DESCRIBE, ref, NULL);
    return true;
}

/* ---- changes ---- */

static void change_churn(struct admin *a)
{
    static const enum op_kind kinds[] = {OP_CREATE, OP_CREATE,   OP_ALTER,
                                         OP_DROP,   OP_DESCRIBE, OP_DESCRIBE};
    struct prng *prng = &a->client.prng;
    struct name_ref ref = {.partition = -1};
    char column[40];

    ref.churn = (unsigned)prng_below(prng, LOAD_CHURN);
    (void)snprintf(column, sizeof column, "y%u_%llu", a->client.number,
                   (unsigned long long)a->columns++);
    ask(a, kinds[prng_below(prng, ARRAY_LEN(kinds))], ref, column);
}

static void change_partition(struct admin *a, struct table *t)
{
    struct prng *prng = &a->client.prng;
    struct name_ref ref = {.table = t, .partition = (int)prng_below(prng, t->partition_count)};
    const struct table_partition *p = &t->partitions[ref.partition];

    if (p->id >= 0 && prng_below(prng, 5) == 0) {
        ask(a, OP_DROP, ref, NULL);
    } else if (p->id >= 0 || prng_below(prng, 2) == 0) {
        ask(a, OP_DESCRIBE, ref, NULL);
    } else {
        ask(a, OP_CREATE, ref, NULL);
    }
}

static void change_table(struct admin *a)
{
    struct prng *prng = &a->client.prng;
    struct table *t = a->client.load->tables[prng_below(prng, a->client.load->table_count)];
    struct name_ref ref = {.table = t, .partition = -1};

    if (a->altered != NULL) { /* what came of it decides about the next column */
        ref.table = a->altered;
        ask(a, OP_DESCRIBE, ref, NULL);
    } else if (t->partition_count > 0 && prng_below(prng, 4) > 0) {
        change_partition(a, t);
    } else if (t->schema_id < TABLE_SCHEMAS_MAX && prng_below(prng, 10) == 0) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;

        a->altered = t;
        ask(a, OP_ALTER, ref, table_column(t, t->schema_id, &arena));
    } else {
        ask(a, OP_DESCRIBE, ref, NULL);
    }
}

static void act(struct client *c)
{
    struct admin *a = container_of(c, struct admin, client);

    if (!c->session.open || a->flying || c->load->finishing) {
        return;
    }
    if (a->first && begin(a)) {
        return;
    }
    if (a->first && prng_below(&c->prng, 2) == 0) {
        change_table(a);
    } else {
        change_churn(a);
    }
}

static bool idle(const struct client *c)
{
    return c->load->finishing && !container_of(c, struct admin, client)->flying;
}

static void admin_free(struct client *c)
{
    client_fini(c);
    free(container_of(c, struct admin, client));
}

struct client *admin_new(struct load *load, uint32_t number, bool first)
{
    struct admin *a = mem_new(struct admin);

    client_init(&a->client, load, number, act);
    a->client.idle = idle;
    a->client.free = admin_free;
    a->first = first;
    a->name.client = &a->client;
    a->name.done = on_named;
    if (first) {
        a->client.think_us_max *= 2;
    }
    return &a->client;
}
