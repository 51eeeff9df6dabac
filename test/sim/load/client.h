/* The clients of a simulation. Each has one connection, a number, a generator of random numbers, and
 * does something whenever its timer fires, its connection is ready, or an answer has come.
 *
 *   writer   appends or puts, with or without a writer id; keeps the rules of idempotent writers
 *   reader   follows logs and changelogs from here and there, whole or projected, waiting or not
 *   looker   looks up keys and prefixes, scans, asks where logs end
 *   admin    creates, alters, drops and describes tables and partitions
 *   last     reads everything once more when all others are done
 *
 * Busy times, in which they hardly rest, alternate with quiet ones, in which virtual time goes by at
 * little cost: what takes minutes, or comes after a pause, is met as well.
 */
#ifndef SIM_LOAD_CLIENT_H
#define SIM_LOAD_CLIENT_H

#include "session.h"
#include "table.h"
#include "workload.h"

#define LOAD_TABLES_MAX 4
#define LOAD_CHURN      3 /* tables that come and go, without rows */
#define CALL_TIMEOUT_US INT64_C(15000000)

/* What all clients share. */
struct load {
    struct world *world;
    struct history history;
    struct table *tables[LOAD_TABLES_MAX];
    size_t table_count;
    int64_t next_writer;    /* for rows: every run of numbers has its own */
    bool quiet;             /* clients think longer for a while */
    bool finishing;         /* nothing new */
    bool settled;           /* and nothing old either: `last` may begin */
    struct verdict verdict; /* of what is wrong at first sight */
    struct workload_stats stats;
};

struct client {
    struct load *load;
    uint32_t number;
    struct session session;
    struct prng prng;
    struct world_event timer;
    int64_t think_us_max;
    void (*act)(struct client *c);
    /* Nothing under way; never true before load->finishing. */
    bool (*idle)(const struct client *c);
    void (*free)(struct client *c);
};

struct client *writer_new(struct load *load, uint32_t number);
struct client *reader_new(struct load *load, uint32_t number);
struct client *looker_new(struct load *load, uint32_t number);
/* The first one also creates the database and the tables. */
struct client *admin_new(struct load *load, uint32_t number, bool first);
struct client *last_new(struct load *load, uint32_t number);

/* For the above: connects, acts. */
void client_init(struct client *c, struct load *load, uint32_t number,
                 void (*act)(struct client *c));
void client_fini(struct client *c);
/* Acts again after thinking, longer in quiet times, or after that time. */
void client_think(struct client *c);
void client_after(struct client *c, int64_t delay_us);

/* Whether it will act by itself. */
static inline bool client_waits(const struct client *c) { return c->timer.heap_index != 0; }

int64_t client_now(const struct client *c);
/* Operations, counted and traced. */
struct op *client_begin(struct client *c, enum op_kind kind);
void client_end(struct client *c, struct op *op, enum op_status status, enum errcode error);
/* Something that must never be, at first sight. */
void client_wrong(struct client *c, const char *checker, const char *what, const struct op *op);

/* A bucket to write to or to read from: of a random table, if one is known yet. partition: its index,
 * -1 of tables without. */
struct target {
    struct table *table;
    int partition;
    struct place place;
};
bool client_draw_target(struct client *c, struct table *table, struct target *ret);
/* Whether the place has not been dropped. */
bool target_alive(const struct target *t);

#endif
