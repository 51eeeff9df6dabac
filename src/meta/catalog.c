#include "catalog.h"

#include "store_local.h"
#include "zone.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "base/diag.h"
#include "base/mutant.h"
#include "io/clock.h"

#define SECRET_MASK "******"

/* ---- options ---- */

static const char *copy_text(struct meta *m, const char *text)
{
    return text == NULL ? NULL : arena_strndup(&m->arena, text, strlen(text));
}

static bool is_secret(const char *key)
{
    static const char *const marks[] = {"password", "secret", "jaas", "credential", "access-key"};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (strcasestr(key, marks[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void copy_options(struct meta *m, const struct meta_options *from)
{
    struct meta_config *configs =
        arena_array(&m->arena, from->config_count, sizeof(struct meta_config));

    m->options = *from;
    m->options.data_dir = copy_text(m, from->data_dir);
    m->options.remote_data_dir = copy_text(m, from->remote_data_dir);
    m->options.time_zone = copy_text(m, from->time_zone);
    for (size_t i = 0; i < from->config_count; i++) {
        const struct meta_config *config = &from->configs[i];

        configs[i].key = copy_text(m, config->key);
        configs[i].value = copy_text(m, is_secret(config->key) ? SECRET_MASK : config->value);
    }
    m->options.configs = configs;
}

const struct meta_config *meta_configs(const struct meta *m, size_t *ret_count)
{
    *ret_count = m->options.config_count;
    return m->options.configs;
}

/* ---- opening ---- */

/* The epoch of this start: one more than the stored one, 0 the first time. */
static enum errcode epoch_next(struct meta *m, struct store_batch *batch, int32_t *ret,
                               struct error *e)
{
    struct store_node node = {0};
    bool exists = false;
    int64_t epoch = -1;
    const char *text;
    char *end;

    TRY(store_get(m->store, ZNODE_COORDINATOR_EPOCH, batch->arena, &node, &exists, e));
    if (exists) {
        text = arena_strndup(batch->arena, node.data.data, node.data.len);
        epoch = strtoll(text, &end, 10);
        if (node.data.len == 0 || *end != '\0' || epoch < -1 || epoch >= INT32_MAX) {
            return error_set(e, ERR_CORRUPT_FILE, "%s: \"%s\" is no epoch", ZNODE_COORDINATOR_EPOCH,
                             text);
        }
    }
    if (!MUTANT(REUSE_EPOCH) || !exists) {
        epoch++;
    }
    text = arena_printf(batch->arena, "%" PRId64, epoch);
    if (exists) {
        store_batch_set(batch, ZNODE_COORDINATOR_EPOCH, bytes_str(text));
    } else {
        store_batch_create(batch, ZNODE_COORDINATOR_EPOCH, bytes_str(text));
    }
    *ret = (int32_t)epoch;
    return ERR_OK;
}

/* Reads a counter; creates it the first time. */
static enum errcode counter_open(struct meta *m, const char *path, struct store_batch *batch,
                                 int64_t *ret, struct error *e)
{
    struct store_node node = {0};
    bool exists = false;

    TRY(store_get(m->store, path, batch->arena, &node, &exists, e));
    if (exists) {
        return znode_counter_decode(node.data, path, ret, e);
    }
    store_batch_create(batch, path, znode_counter_encode(0, batch->arena));
    *ret = 0;
    return ERR_OK;
}

static enum errcode default_database(struct meta *m, struct store_batch *batch, struct error *e)
{
    int64_t now_ms = clock_wall_ms();
    struct znode_database d = {.created_ms = now_ms, .modified_ms = now_ms};
    char *path = znode_database_path(batch->arena, META_DEFAULT_DATABASE);
    bool exists = false;

    TRY(store_exists(m->store, path, &exists, e));
    if (!exists) {
        store_batch_create(batch, path, znode_database_encode(&d, batch->arena));
    }
    return ERR_OK;
}

/* Everything a start changes, in one transaction; then the view. */
static enum errcode catalog_open(struct meta *m, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_local_options options = {.dir =
                                              arena_printf(&arena, "%s/meta", m->options.data_dir)};
    struct store_batch batch;
    int32_t epoch = 0;

    store_batch_init(&batch, &arena);
    TRY(store_local_open(&options, &m->store, e));
    TRY(epoch_next(m, &batch, &epoch, e));
    TRY(counter_open(m, ZNODE_TABLE_COUNTER, &batch, &m->table_id_next, e));
    TRY(counter_open(m, ZNODE_PARTITION_COUNTER, &batch, &m->partition_id_next, e));
    TRY(counter_open(m, ZNODE_WRITER_COUNTER, &batch, &m->writer_id_next, e));
    m->writer_id_end = m->writer_id_next;
    TRY(default_database(m, &batch, e));
    TRY(store_batch_commit(m->store, &batch, e));
    TRY(load_view(m, epoch, &m->view, e));
    TRY(leases_load(m, e));
    leases_sweep(m);
    return ERR_OK;
}

enum errcode meta_open(const struct meta_options *options, struct meta **ret, struct error *e)
{
    struct meta *m = mem_new(struct meta);
    enum errcode code;

    ASSERT(options->default_bucket_count > 0 && options->bucket_count_max > 0);
    copy_options(m, options);
    list_init(&m->leases);
    m->now_ms = clock_wall_ms();
    code = zone_find(m->options.time_zone, &m->arena, &m->zone, e);
    if (code == ERR_OK) {
        code = catalog_open(m, e);
    }
    if (code != ERR_OK) {
        meta_close(m);
        return code;
    }
    *ret = m;
    return ERR_OK;
}

void meta_close(struct meta *m)
{
    if (m == NULL) {
        return;
    }
    leases_free(m);
    store_close(m->store);
    (void)meta_view_unref(m->view);
    arena_fini(&m->arena);
    free(m);
}

struct meta_view *meta_current(const struct meta *m) { return m->view; }

void meta_note(struct meta *m) { store_note(m->store); }

/* ---- the clock ---- */

static void timer_fire(struct timer *t)
{
    struct meta *m = container_of(t, struct meta, timer);

    m->now_ms = shard_wall_ms(m->options.coordinator);
    auto_partition_all(m);
    timer_start(m->options.coordinator, t, m->options.auto_partition_interval_ms * 1000);
}

static void lease_timer_fire(struct timer *t)
{
    struct meta *m = container_of(t, struct meta, lease_timer);

    m->now_ms = shard_wall_ms(m->options.coordinator);
    leases_sweep(m);
    timer_start(m->options.coordinator, t, m->options.lease_interval_ms * 1000);
}

static void start_arrive(struct message *message)
{
    struct meta *m = container_of(message, struct meta, start);

    ASSERT_ON(m->options.coordinator);
    timer_init(&m->timer, timer_fire);
    timer_fire(&m->timer);
    timer_init(&m->lease_timer, lease_timer_fire);
    if (m->options.lease_interval_ms > 0) {
        lease_timer_fire(&m->lease_timer);
    }
}

void meta_start(struct meta *m)
{
    ASSERT(m->options.auto_partition_interval_ms > 0);
    m->start.run = start_arrive;
    shard_send(m->options.coordinator, &m->start);
}
