/* A fetch waits for a cold read while others append. Its answer has the high watermark that limited
 * what was read: no row is above it, and it is not from before the question. */
#include "../../support/unit.h"
#include "format/batch.h"
#include "io/file.h"
#include "load/session.h"
#include "rpc/messages.h"

#define SEEDS      5
#define READS      200
#define BEHIND     3 /* offsets: a read begins so far before the end */
#define TIMEOUT_US INT64_C(10000000)
#define START_US   INT64_C(5000000)
#define TABLE_JSON                                                                                 \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":0}],\"highest_field_id\":0},"     \
    "\"partition_key\":[],\"bucket_count\":1,\"properties\":{},\"custom_properties\":{}}"

struct script {
    struct world *world;
    struct session writer;
    struct session reader;
    struct call call; /* of the beginning */
    struct call append;
    struct call fetch;
    int64_t table;
    int64_t end;       /* acknowledged */
    int64_t end_asked; /* the same when the fetch was sent */
    int reads;
};

static void no_more(struct session *s) { (void)s; }

static struct msg_pb_table_path path(void)
{
    return (struct msg_pb_table_path){.database_name = bytes_str("d"),
                                      .table_name = bytes_str("t")};
}

/* ---- the beginning ---- */

static void on_made(struct call *call, const void *response, enum errcode error)
{
    (void)call;
    (void)error;
    assert_non_null(response);
}

static void on_info(struct call *call, const void *response, enum errcode error)
{
    const struct msg_get_table_info_response *m = response;

    (void)error;
    assert_non_null(m);
    container_of(call, struct script, call)->table = m->table_id;
}

static void ask(struct script *s, enum rpc_api_key api, const void *request,
                void (*done)(struct call *, const void *, enum errcode))
{
    s->call.done = done;
    session_send(&s->writer, &s->call, api, request, TIMEOUT_US);
    world_run(s->world, world_now_us(s->world) + START_US);
}

static void make_table(struct script *s)
{
    struct msg_create_database_request database = {.database_name = bytes_str("d")};
    struct msg_create_table_request table = {.table_path = path(),
                                             .table_json = bytes_str(TABLE_JSON)};
    struct msg_get_table_info_request info = {.table_path = path()};

    ask(s, API_CREATE_DATABASE, &database, on_made);
    ask(s, API_CREATE_TABLE, &table, on_made);
    ask(s, API_GET_TABLE_INFO, &info, on_info);
}

/* ---- appends, one after the other ---- */

static void append(struct script *s);

static void on_appended(struct call *call, const void *response, enum errcode error)
{
    struct script *s = container_of(call, struct script, append);
    const struct msg_produce_log_response *m = response;

    (void)error;
    assert_non_null(m);
    assert_int_equal(m->buckets_resp->base_offset, s->end);
    s->end++;
    if (s->reads < READS) {
        append(s);
    }
}

static void append(struct script *s)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = {.append_only = true,
                              .schema_id = 1,
                              .record_count = 1,
                              .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
                              .writer_id = BATCH_NO_WRITER_ID,
                              .body = bytes_str("a row that nobody decodes")};
    struct msg_pb_produce_log_req_for_bucket bucket = {.records = batch_build(&spec, &arena)};
    struct msg_produce_log_request request = {.acks = -1,
                                              .table_id = s->table,
                                              .timeout_ms = 10000,
                                              .buckets_req = &bucket,
                                              .buckets_req_count = 1};

    s->append.done = on_appended;
    session_send(&s->writer, &s->append, API_PRODUCE_LOG, &request, TIMEOUT_US);
}

/* ---- fetches, one after the other ---- */

static void fetch(struct script *s);

static void on_fetched(struct call *call, const void *response, enum errcode error)
{
    struct script *s = container_of(call, struct script, fetch);
    const struct msg_fetch_log_response *m = response;
    const struct msg_pb_fetch_log_resp_for_bucket *b;
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    (void)error;
    assert_non_null(m);
    b = m->tables_resp->buckets_resp;
    assert_int_equal(b->error_code, 0);
    assert_true(b->high_watermark >= s->end_asked);
    batch_iterator_init(&it, b->records);
    while (batch_next(&it, &batch, &found, NULL) == ERR_OK && found) {
        assert_true(batch_next_offset(&batch.header) <= b->high_watermark);
    }
    if (++s->reads < READS) {
        fetch(s);
    }
}

static void fetch(struct script *s)
{
    struct msg_pb_fetch_log_req_for_bucket bucket = {
        .fetch_offset = s->end > BEHIND ? s->end - BEHIND : 0, .max_fetch_bytes = 1 << 20};
    struct msg_pb_fetch_log_req_for_table table = {
        .table_id = s->table, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_fetch_log_request request = {.follower_server_id = -1,
                                            .max_bytes = 1 << 20,
                                            .tables_req = &table,
                                            .tables_req_count = 1};

    s->end_asked = s->end;
    s->fetch.done = on_fetched;
    session_send(&s->reader, &s->fetch, API_FETCH_LOG, &request, TIMEOUT_US);
}

/* ---- the life ---- */

static void life(uint64_t seed)
{
    const struct world_options options = {.seed = seed, .out = stdout};
    struct world_faults faults = {.net = {.delay_us_min = 20, .delay_us_max = 300}};
    struct script s = {.world = world_new(&options)};

    world_set_faults(s.world, &faults);
    world_start(s.world);
    world_run(s.world, START_US);
    assert_int_equal(world_machine(s.world), MACHINE_SERVING);
    session_init(&s.writer, s.world, world_prng(s.world, "writer"), no_more);
    session_init(&s.reader, s.world, world_prng(s.world, "reader"), no_more);
    world_run(s.world, 2 * START_US);
    make_table(&s);
    faults.disk.cold = 1000000;
    world_set_faults(s.world, &faults);
    append(&s);
    fetch(&s);
    for (int i = 0; s.reads < READS && i < 100; i++) {
        world_run(s.world, world_now_us(s.world) + START_US);
    }
    assert_int_equal(s.reads, READS);
    session_fini(&s.writer);
    session_fini(&s.reader);
    world_free(s.world);
}

static void no_row_is_above_the_high_watermark_of_its_answer(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        life(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_row_is_above_the_high_watermark_of_its_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
