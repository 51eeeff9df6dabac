/* Automatic partitions: what the clock asks for is decided by format/auto_partition.h; here it is
 * done, table by table, each in one transaction (catalog.h). */
#include "catalog.h"
#include "zone.h"

#include "base/diag.h"

enum errcode auto_partition_state_of(const struct meta *m, const struct meta_table *t,
                                     struct arena *arena, struct auto_partition_state *ret,
                                     struct error *e)
{
    const struct auto_partition *options = &t->options->auto_partition;
    const struct tz *zone = m->zone;

    if (options->zone != NULL) {
        TRY(zone_find(options->zone, arena, &zone, e));
    }
    *ret = (struct auto_partition_state){.options = options,
                                         .partition_keys = t->descriptor->def.partition_keys,
                                         .tz = zone,
                                         .now_ms = m->now_ms};
    return ERR_OK;
}

static struct text_list partition_names(const struct meta_table *t, struct arena *arena)
{
    const char **names = arena_array(arena, t->partitions->count, sizeof *names);

    for (size_t i = 0; i < t->partitions->count; i++) {
        names[i] = t->partitions->by_name[i]->name;
    }
    return (struct text_list){.items = names, .count = t->partitions->count};
}

/* Fewer new partitions when the table would have too many: the rest waits for the next pass. */
static void limit_create(const struct meta *m, const struct meta_table *t,
                         struct auto_partition_plan *plan)
{
    size_t kept = t->partitions->count - plan->drop.count;
    size_t max = (size_t)m->options.partition_count_max;
    size_t room = kept < max ? max - kept : 0;

    if (plan->create.count > room) {
        diag_warn("meta",
                  "table %s.%s has %zu of at most %zu partitions: %zu automatic ones are not "
                  "created",
                  t->database, t->name, kept, max, plan->create.count - room);
        plan->create.count = room;
    }
}

static enum errcode table_pass(struct meta *m, const struct meta_table *t, struct error *e)
{
    OWNED(change_fini) struct change c;
    struct auto_partition_state clock;
    struct auto_partition_plan plan = {0};

    change_begin(m, &c);
    TRY(auto_partition_state_of(m, t, &c.arena, &clock, e));
    TRY(auto_partition_plan(&clock, partition_names(t, &c.arena), &c.arena, &plan, e));
    limit_create(m, t, &plan);
    if (plan.create.count == 0 && plan.drop.count == 0) {
        return ERR_OK;
    }
    TRY(partitions_change(&c, t, plan.create, plan.drop, e));
    TRY(change_commit(&c, e));
    diag_info("meta", "automatic partitions: %zu created, %zu dropped", plan.create.count,
              plan.drop.count);
    return ERR_OK;
}

void auto_partition_table(struct meta *m, int64_t table_id)
{
    const struct meta_table *t = meta_view_table_by_id(m->view, table_id);
    struct error e = {0};

    if (t == NULL || !meta_table_partitioned(t) || !t->options->auto_partition.enabled) {
        return;
    }
    t = meta_table_ref(t); /* the pass replaces the view */
    if (table_pass(m, t, &e) != ERR_OK) {
        diag_warn("meta", "automatic partitions of %s.%s: %s", t->database, t->name, e.message);
    }
    (void)meta_table_unref(t);
}

void auto_partition_all(struct meta *m)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t count = m->view->table_count;
    int64_t *ids = arena_array(&arena, count, sizeof *ids);

    for (size_t i = 0; i < count; i++) {
        ids[i] = m->view->by_id[i]->id;
    }
    for (size_t i = 0; i < count; i++) {
        auto_partition_table(m, ids[i]);
    }
}
