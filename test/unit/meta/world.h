/* A catalog in a temporary directory, driven job by job on the test's thread. */
#ifndef TEST_UNIT_META_WORLD_H
#define TEST_UNIT_META_WORLD_H

#include <stdio.h>

#include "../../support/unit.h"
#include "base/diag.h"
#include "io/file.h"
#include "meta/catalog.h"

#define NOW_MS INT64_C(1754000000000) /* 2025-07-31T22:13:20Z */

struct world {
    struct meta *meta;
    struct meta_options options;
    struct arena arena;
    int64_t now_ms;
    bool ignore; /* of partition jobs: ignore_if_exists, ignore_if_not_exists */
    unsigned published;
    unsigned dropped;
    struct meta_deletion last_dropped; /* ids only */
    struct error error;                /* of the last job */
};

static void world_published(struct meta_view *view, void *context)
{
    struct world *w = context;

    assert_ptr_equal(view, meta_current(w->meta));
    w->published++;
}

static void world_dropped(const struct meta_deletion *deletion, void *context)
{
    struct world *w = context;

    w->dropped++;
    w->last_dropped = (struct meta_deletion){.table_id = deletion->table_id,
                                             .partition_id = deletion->partition_id};
}

static void world_quiet(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void world_open(struct world *w)
{
    struct error e = {0};

    if (meta_open(&w->options, &w->meta, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
}

/* Stops and starts again. */
UNUSED static void world_restart(struct world *w)
{
    meta_close(TAKE(w->meta));
    world_open(w);
}

UNUSED static int world_setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct diag_sink sink = {.level = DIAG_ERROR, .write = world_quiet};
    char *dir = NULL;

    diag_configure(&sink);
    assert_int_equal(dir_create_temporary("meta-test", &w->arena, &dir, NULL), ERR_OK);
    w->now_ms = NOW_MS;
    w->options = (struct meta_options){
        .data_dir = dir,
        .listener = {.context = w, .published = world_published, .dropped = world_dropped},
        .default_bucket_count = 1,
        .default_replication_factor = 1,
        .bucket_count_max = 16,
        .partition_count_max = 5,
        .allow_log_tables = true,
        .allow_kv_tables = true,
        .time_zone = "UTC",
        .auto_partition_interval_ms = 600000,
    };
    world_open(w);
    *state = w;
    return 0;
}

UNUSED static int world_teardown(void **state)
{
    struct world *w = *state;

    meta_close(w->meta);
    assert_int_equal(path_remove_tree(w->options.data_dir, NULL), ERR_OK);
    arena_fini(&w->arena);
    mem_freep(state);
    return 0;
}

static enum errcode world_run(struct world *w, struct meta_job *job)
{
    meta_run(w->meta, job, w->now_ms);
    w->error = job->error;
    return job->code;
}

UNUSED static enum errcode create_database(struct world *w, const char *name, const char *json,
                                           bool ignore)
{
    struct meta_create_database job = {.job.kind = META_CREATE_DATABASE,
                                       .database = bytes_str(name),
                                       .json = bytes_str(json),
                                       .ignore_if_exists = ignore};

    return world_run(w, &job.job);
}

UNUSED static enum errcode drop_database(struct world *w, const char *name, bool ignore,
                                         bool cascade)
{
    struct meta_drop_database job = {.job.kind = META_DROP_DATABASE,
                                     .database = bytes_str(name),
                                     .ignore_if_not_exists = ignore,
                                     .cascade = cascade};

    return world_run(w, &job.job);
}

UNUSED static enum errcode create_table(struct world *w, const char *database, const char *table,
                                        const char *json, bool ignore)
{
    struct meta_create_table job = {.job.kind = META_CREATE_TABLE,
                                    .database = bytes_str(database),
                                    .table = bytes_str(table),
                                    .json = bytes_str(json),
                                    .ignore_if_exists = ignore};

    return world_run(w, &job.job);
}

UNUSED static enum errcode drop_table(struct world *w, const char *database, const char *table,
                                      bool ignore)
{
    struct meta_drop_table job = {.job.kind = META_DROP_TABLE,
                                  .database = bytes_str(database),
                                  .table = bytes_str(table),
                                  .ignore_if_not_exists = ignore};

    return world_run(w, &job.job);
}

UNUSED static enum errcode change_partition(struct world *w, bool create, const char *table,
                                            const struct meta_spec *spec, size_t count)
{
    struct meta_create_partition make = {.job.kind = META_CREATE_PARTITION,
                                         .database = bytes_str("fluss"),
                                         .table = bytes_str(table),
                                         .spec = spec,
                                         .spec_count = count,
                                         .ignore_if_exists = w->ignore};
    struct meta_drop_partition drop = {.job.kind = META_DROP_PARTITION,
                                       .database = bytes_str("fluss"),
                                       .table = bytes_str(table),
                                       .spec = spec,
                                       .spec_count = count,
                                       .ignore_if_not_exists = w->ignore};

    return world_run(w, create ? &make.job : &drop.job);
}

UNUSED static enum errcode create_partition(struct world *w, const char *table, const char *day)
{
    struct meta_spec spec = {.key = bytes_str("day"), .value = bytes_str(day)};

    return change_partition(w, true, table, &spec, 1);
}

UNUSED static enum errcode drop_partition(struct world *w, const char *table, const char *day)
{
    struct meta_spec spec = {.key = bytes_str("day"), .value = bytes_str(day)};

    return change_partition(w, false, table, &spec, 1);
}

/* A snapshot whose log offset is ten times its id. */
UNUSED static enum errcode add_snapshot(struct world *w, struct meta_bucket_id bucket, int64_t id,
                                        struct meta_add_snapshot *job)
{
    *job = (struct meta_add_snapshot){.job.kind = META_ADD_SNAPSHOT,
                                      .bucket = bucket,
                                      .snapshot_id = id,
                                      .log_offset = id * 10,
                                      .metadata_path = "file:///r/_METADATA",
                                      .arena = &w->arena};
    return world_run(w, &job->job);
}

/* A table "n BIGINT, s STRING, day STRING" with parts of the descriptor put in. */
#define TABLE_COLUMNS                                                                              \
    "\"columns\":[{\"name\":\"n\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":0},"                  \
    "{\"name\":\"s\",\"data_type\":{\"type\":\"STRING\"},\"id\":1},"                               \
    "{\"name\":\"day\",\"data_type\":{\"type\":\"STRING\"},\"id\":2}]"
#define TABLE_JSON(schema_more, partition_key, more, properties)                                   \
    "{\"version\":1,\"schema\":{\"version\":1," TABLE_COLUMNS schema_more                          \
    ",\"highest_field_id\":2},\"partition_key\":[" partition_key "]," more                         \
    "\"properties\":{" properties "},\"custom_properties\":{}}"
#define PLAIN_TABLE       TABLE_JSON("", "", "\"bucket_count\":2,", "")
#define PARTITIONED_TABLE TABLE_JSON("", "\"day\"", "\"bucket_count\":2,", "")
#define KEYED_TABLE       TABLE_JSON(",\"primary_key\":[\"n\"]", "", "\"bucket_count\":3,", "")
#define KEYED_PARTITIONED                                                                          \
    TABLE_JSON(",\"primary_key\":[\"n\",\"day\"]", "\"day\"", "\"bucket_count\":2,", "")

UNUSED static const struct meta_table *table_of(struct world *w, const char *name)
{
    return meta_view_table(meta_current(w->meta), bytes_str("fluss"), bytes_str(name));
}

#define WORLD_TEST(f)    cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
