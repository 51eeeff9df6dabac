#include "world.h"

#define HOUR INT64_C(3600000)

static struct meta_bucket_id bucket(int64_t table_id, int32_t bucket)
{
    return (struct meta_bucket_id){.table_id = table_id, .partition_id = -1, .bucket = bucket};
}

static enum errcode acquire(struct world *w, const char *id, int64_t duration_ms,
                            struct meta_leased *snapshots, size_t count)
{
    struct meta_acquire_lease job = {.job.kind = META_ACQUIRE_LEASE,
                                     .lease_id = bytes_str(id),
                                     .duration_ms = duration_ms,
                                     .snapshots = snapshots,
                                     .count = count};

    return world_run(w, &job.job);
}

static void acquires(struct world *w, const char *id, struct meta_bucket_id b, int64_t snapshot_id)
{
    struct meta_leased leased = {.bucket = b, .snapshot_id = snapshot_id};

    if (acquire(w, id, HOUR, &leased, 1) != ERR_OK) {
        fail_msg("%s", w->error.message);
    }
    assert_false(leased.unavailable);
}

static enum errcode release(struct world *w, const char *id, struct meta_bucket_id b)
{
    struct meta_release_lease job = {
        .job.kind = META_RELEASE_LEASE, .lease_id = bytes_str(id), .buckets = &b, .count = 1};

    return world_run(w, &job.job);
}

static enum errcode drop(struct world *w, const char *id)
{
    struct meta_drop_lease job = {.job.kind = META_DROP_LEASE, .lease_id = bytes_str(id)};

    return world_run(w, &job.job);
}

/* The ids that the next snapshot of the bucket leaves, as a text. */
static const char *kept_after(struct world *w, struct meta_bucket_id b, int64_t id)
{
    struct meta_add_snapshot job;
    const char *text = "";

    if (add_snapshot(w, b, id, &job) != ERR_OK) {
        fail_msg("%s", w->error.message);
    }
    for (size_t i = 0; i < job.kept_count; i++) {
        text = arena_printf(&w->arena, "%s%s%d", text, i > 0 ? " " : "", (int)job.kept[i]);
    }
    return text;
}

static size_t stored(struct world *w)
{
    struct store_names names;

    assert_int_equal(store_children(w->meta->store, ZNODE_LEASES, &w->arena, &names, NULL), ERR_OK);
    assert_int_equal(names.count, w->meta->lease_count);
    return names.count;
}

static void with_table(struct world *w)
{
    w->options.snapshots_retained = 1;
    world_restart(w);
    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    assert_string_equal(kept_after(w, bucket(0, 0), 0), "0");
    assert_string_equal(kept_after(w, bucket(0, 1), 0), "0");
}

static void what_is_leased_stays(void **state)
{
    struct world *w = *state;

    with_table(w);
    w->now_ms = INT64_C(4102444800000); /* of a restart, too: not yet over */
    acquires(w, "one", bucket(0, 0), 0);
    acquires(w, "two", bucket(0, 0), 0);
    assert_string_equal(kept_after(w, bucket(0, 0), 1), "0 1");
    assert_string_equal(kept_after(w, bucket(0, 1), 1), "1"); /* not leased */
    world_restart(w);
    assert_string_equal(kept_after(w, bucket(0, 0), 2), "0 2");
    assert_int_equal(release(w, "one", bucket(0, 0)), ERR_OK);
    assert_string_equal(kept_after(w, bucket(0, 0), 3), "0 3"); /* by the other one */
    assert_int_equal(drop(w, "two"), ERR_OK);
    assert_string_equal(kept_after(w, bucket(0, 0), 4), "4");
    assert_int_equal(stored(w), 0);
}

static void a_newer_snapshot_takes_the_place_of_an_older_one(void **state)
{
    struct world *w = *state;
    struct meta_leased twice[] = {{.bucket = bucket(0, 1), .snapshot_id = 0},
                                  {.bucket = bucket(0, 0), .snapshot_id = 0},
                                  {.bucket = bucket(0, 0), .snapshot_id = 1}};

    with_table(w);
    acquires(w, "l", bucket(0, 0), 0);
    assert_string_equal(kept_after(w, bucket(0, 0), 1), "0 1");
    assert_int_equal(acquire(w, "l", HOUR, twice, ARRAY_LEN(twice)), ERR_OK);
    assert_string_equal(kept_after(w, bucket(0, 0), 2), "1 2");
    assert_int_equal(release(w, "l", bucket(0, 1)), ERR_OK);
    assert_int_equal(release(w, "l", bucket(0, 2)), ERR_OK); /* was never in it */
    assert_int_equal(stored(w), 1);
    assert_int_equal(release(w, "l", bucket(0, 0)), ERR_OK); /* the last one */
    assert_int_equal(stored(w), 0);
}

static void what_does_not_exist_is_unavailable(void **state)
{
    struct world *w = *state;
    struct meta_leased asked[] = {
        {.bucket = bucket(0, 0), .snapshot_id = 7},  {.bucket = bucket(0, 9), .snapshot_id = 0},
        {.bucket = bucket(5, 0), .snapshot_id = 0},  {.bucket = bucket(0, 2), .snapshot_id = 0},
        {.bucket = bucket(0, 1), .snapshot_id = -1}, {.bucket = bucket(0, 0), .snapshot_id = 0},
    };

    with_table(w);
    assert_int_equal(acquire(w, "l", HOUR, asked, ARRAY_LEN(asked) - 1), ERR_OK);
    assert_int_equal(stored(w), 0); /* nothing to hold */
    assert_int_equal(acquire(w, "l", HOUR, asked, ARRAY_LEN(asked)), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        assert_int_equal(asked[i].unavailable, i + 1 < ARRAY_LEN(asked));
    }
    assert_int_equal(stored(w), 1);
}

static void leases_end_at_their_time(void **state)
{
    struct world *w = *state;

    with_table(w);
    acquires(w, "l", bucket(0, 0), 0);
    w->meta->now_ms = w->now_ms + HOUR - 1;
    leases_sweep(w->meta);
    assert_int_equal(stored(w), 1);
    w->now_ms += HOUR / 2;
    assert_int_equal(acquire(w, "l", HOUR, NULL, 0), ERR_OK); /* extends */
    w->meta->now_ms = w->now_ms + HOUR / 2;
    leases_sweep(w->meta);
    assert_int_equal(stored(w), 1);
    w->meta->now_ms = w->now_ms + HOUR;
    leases_sweep(w->meta);
    assert_int_equal(stored(w), 0);
    acquires(w, "l", bucket(0, 0), 0);
    world_restart(w); /* long after the time of this test */
    assert_int_equal(stored(w), 0);
    assert_int_equal(acquire(w, "l", INT64_MAX, NULL, 0), ERR_OK);
}

static void leases_go_with_their_tables(void **state)
{
    struct world *w = *state;

    with_table(w);
    assert_int_equal(create_table(w, "fluss", "other", KEYED_TABLE, false), ERR_OK);
    assert_string_equal(kept_after(w, bucket(1, 0), 0), "0");
    acquires(w, "l", bucket(0, 0), 0);
    acquires(w, "l", bucket(1, 0), 0);
    acquires(w, "m", bucket(0, 1), 0);
    assert_int_equal(drop_table(w, "fluss", "k", false), ERR_OK);
    assert_int_equal(stored(w), 1);
    assert_string_equal(kept_after(w, bucket(1, 0), 1), "0 1");
    assert_int_equal(drop_table(w, "fluss", "other", false), ERR_OK);
    assert_int_equal(stored(w), 0);
}

static void what_cannot_be_a_lease(void **state)
{
    static const char *const ids[] = {"", "a/b", ".", "..", "\xff"};
    struct world *w = *state;
    char *long_id = arena_alloc(&w->arena, STORE_NAME_MAX + 2);

    memset(long_id, 'a', STORE_NAME_MAX + 1);
    long_id[STORE_NAME_MAX + 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_int_equal(acquire(w, ids[i], HOUR, NULL, 0), ERR_INVALID_ARGUMENT);
        assert_int_equal(release(w, ids[i], bucket(0, 0)), ERR_INVALID_ARGUMENT);
        assert_int_equal(drop(w, ids[i]), ERR_INVALID_ARGUMENT);
    }
    assert_int_equal(acquire(w, long_id, HOUR, NULL, 0), ERR_INVALID_ARGUMENT);
    assert_int_equal(acquire(w, "l", -1, NULL, 0), ERR_INVALID_ARGUMENT);
    assert_int_equal(release(w, "unknown", bucket(0, 0)), ERR_OK);
    assert_int_equal(drop(w, "unknown"), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_leased_stays),
        WORLD_TEST(a_newer_snapshot_takes_the_place_of_an_older_one),
        WORLD_TEST(what_does_not_exist_is_unavailable),
        WORLD_TEST(leases_end_at_their_time),
        WORLD_TEST(leases_go_with_their_tables),
        WORLD_TEST(what_cannot_be_a_lease),
    };

    return RUN_TESTS(tests);
}
