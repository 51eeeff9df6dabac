#include "verify_server.h"

#include "tool_client.h"

#include <inttypes.h>

#include "format/batch.h"

#define FETCH_BYTES (8 << 20)
#define WAIT_MS     200
#define EMPTY_MAX   10 /* answers without records before the end, one after the other */

struct online {
    struct verify_report *report;
    struct tool_client tool;
};

static void online_fini(struct online *o) { tool_close(&o->tool); }

/* One bucket being read. */
struct reading {
    struct online *o;
    const struct tool_table *table;
    const struct tool_bucket *bucket;
    char name[512];
    int64_t next; /* offset to read */
    int64_t end;
};

/* ---- findings ---- */

static void report(const struct reading *g, int64_t offset, const char *what)
{
    struct verify_finding finding = {
        .kind = VERIFY_RECORDS, .path = g->name, .position = offset, .what = what};

    verify_report_add(g->o->report, &finding);
}

static void report_gap(const struct reading *g, int64_t to)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    g->o->report->lost_offsets += (uint64_t)(to - g->next);
    report(
        g, g->next,
        arena_printf(&arena, "no records with offsets %" PRId64 " to %" PRId64, g->next, to - 1));
}

/* ---- records ---- */

/* A fetch may begin inside of a batch, never behind where the one before ended. */
static void check_batch(struct reading *g, const struct batch *batch, bool first)
{
    const struct batch_header *h = &batch->header;
    struct error what;

    if (batch_check_crc(h, batch->data, &what) != ERR_OK) {
        report(g, h->base_offset, what.message);
    }
    if (h->base_offset > g->next) {
        report_gap(g, h->base_offset);
    } else if (h->base_offset < g->next && (!first || batch_next_offset(h) <= g->next)) {
        report(g, h->base_offset, "the batch has offsets that the one before has");
    }
    if (batch_next_offset(h) > g->next) {
        g->next = batch_next_offset(h);
    }
    g->o->report->batches++;
    g->o->report->records += (uint64_t)h->record_count;
}

static enum errcode check_records(struct reading *g, struct bytes records)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    bool first = true;
    struct error what;

    g->o->report->bytes += records.len;
    batch_iterator_init(&it, records);
    for (;;) {
        if (batch_next(&it, &batch, &found, &what) != ERR_OK) {
            report(g, g->next, what.message);
            return ERR_CORRUPT_RECORD; /* where the next one starts is unknown */
        }
        if (!found) {
            return ERR_OK;
        }
        check_batch(g, &batch, first);
        first = false;
    }
}

static enum errcode fetch(const struct reading *g, struct arena *arena,
                          struct msg_pb_fetch_log_resp_for_bucket *ret, struct error *e)
{
    struct msg_pb_fetch_log_req_for_bucket bucket = {
        .partition_id = g->bucket->partition_id,
        .has_partition_id = g->bucket->partition_id >= 0,
        .bucket_id = g->bucket->bucket,
        .fetch_offset = g->next,
        .max_fetch_bytes = FETCH_BYTES,
    };
    struct msg_pb_fetch_log_req_for_table table = {
        .table_id = g->table->id, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_fetch_log_request request = {
        .follower_server_id = -1,
        .max_bytes = FETCH_BYTES,
        .tables_req = &table,
        .tables_req_count = 1,
        .max_wait_ms = WAIT_MS,
        .min_bytes = 1,
        .has_max_wait_ms = true,
        .has_min_bytes = true,
    };
    struct msg_fetch_log_response response;
    struct rpc_call c = {
        .key = API_FETCH_LOG, .request = &request, .timeout_us = g->table->timeout_us};

    TRY(rpc_client_call(g->bucket->client, &c, arena, &response, e));
    if (response.tables_resp_count != 1 || response.tables_resp[0].buckets_resp_count != 1) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a fetch without an answer");
    }
    *ret = response.tables_resp[0].buckets_resp[0];
    return ERR_OK;
}

/* *ret_more false: nothing else can be read of this bucket. */
static enum errcode read_some(struct reading *g, unsigned *empty, bool *ret_more, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_pb_fetch_log_resp_for_bucket r = {0};
    int64_t before = g->next;

    *ret_more = false;
    TRY(fetch(g, &arena, &r, e));
    if (r.has_error_code && r.error_code != 0) {
        report(g, g->next,
               arena_printf(&arena, "the server answers %s: %.*s",
                            error_name(error_from_fluss(r.error_code)), (int)r.error_message.len,
                            (const char *)r.error_message.data));
        return ERR_OK;
    }
    if (r.remote_log_fetch_info != NULL) {
        return ERR_OK; /* in remote storage, which is somebody else's to check */
    }
    if (check_records(g, r.records) != ERR_OK) {
        return ERR_OK;
    }
    *empty = g->next > before ? 0 : *empty + 1;
    *ret_more = *empty < EMPTY_MAX;
    return ERR_OK;
}

/* From the earliest offset to the one that is the latest when this begins. */
static enum errcode read_bucket(struct reading *g, struct error *e)
{
    unsigned empty = 0;
    bool more = true;

    g->o->report->buckets++;
    TRY(tool_offset(g->table, g->bucket, (struct tool_where){.type = TOOL_EARLIEST}, &g->next, e));
    TRY(tool_offset(g->table, g->bucket, (struct tool_where){.type = TOOL_LATEST}, &g->end, e));
    while (more && g->next < g->end) {
        TRY(read_some(g, &empty, &more, e));
    }
    if (g->next < g->end && empty >= EMPTY_MAX) {
        report_gap(g, g->end);
    }
    return ERR_OK;
}

/* ---- what there is ---- */

static enum errcode read_buckets(struct online *o, const struct tool_table *table, const char *name,
                                 struct error *e)
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        const struct tool_bucket *b = &table->buckets[i];
        enum errcode code;
        struct reading g = {.o = o, .table = table, .bucket = b};

        (void)snprintf(g.name, sizeof g.name, "%s%s%s bucket %" PRId32, name,
                       b->partition == NULL ? "" : " partition ",
                       b->partition == NULL ? "" : b->partition, b->bucket);
        code = read_bucket(&g, e);
        if (code != ERR_OK) {
            error_wrap(e, "%s", g.name);
            return code;
        }
    }
    return ERR_OK;
}

static enum errcode read_table(struct online *o, const char *database, const char *name,
                               struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(tool_table_fini) struct tool_table table = {.id = -1};
    enum errcode code = tool_table_get(&o->tool, database, name, &arena, &table, e);

    if (code == ERR_TABLE_NOT_EXIST) {
        return ERR_OK; /* dropped meanwhile */
    }
    if (code != ERR_OK) {
        error_wrap(e, "%s.%s", database, name);
        return code;
    }
    o->report->tables++;
    return read_buckets(o, &table, arena_printf(&arena, "%s.%s", database, name), e);
}

static enum errcode read_database(struct online *o, const char *name, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list tables;

    TRY(tool_tables(&o->tool, name, &arena, &tables, e));
    for (size_t i = 0; i < tables.count; i++) {
        TRY(read_table(o, name, tables.items[i], e));
    }
    return ERR_OK;
}

enum errcode verify_server(const struct place *place, int64_t timeout_us,
                           struct verify_report *report_to, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(online_fini) struct online o = {.report = report_to};
    struct text_list databases;

    TRY(tool_open(place, "eider-verify", timeout_us, &o.tool, e));
    TRY(tool_databases(&o.tool, &arena, &databases, e));
    for (size_t i = 0; i < databases.count; i++) {
        TRY(read_database(&o, databases.items[i], e));
    }
    return ERR_OK;
}
