/* Jobs between real shards: a home shard submits, the coordinator executes, the answer comes home
 * after the view was published. */
#include "world.h"

#include <stdatomic.h>

struct scene {
    struct shard *coordinator;
    struct shard *home;
    struct meta *meta;
    atomic_int published;
    atomic_int dropped;
    atomic_int finished;
};

struct trip {
    struct meta_create_table create;
    struct message start;
    struct scene *scene;
    int published_then;
};

static void published(struct meta_view *view, void *context)
{
    struct scene *s = context;

    (void)view;
    ASSERT_ON(s->coordinator);
    atomic_fetch_add(&s->published, 1);
}

static void trip_done(struct meta_job *job)
{
    struct trip *t = container_of(job, struct trip, create.job);

    ASSERT_ON(t->scene->home);
    t->published_then = atomic_load(&t->scene->published);
    atomic_fetch_add(&t->scene->finished, 1);
}

static void trip_start(struct message *message)
{
    struct trip *t = container_of(message, struct trip, start);

    meta_submit(t->scene->meta, &t->create.job);
}

static void go(struct scene *s, struct trip *t, const char *table)
{
    *t = (struct trip){.create = {.job = {.kind = META_CREATE_TABLE, .done = trip_done},
                                  .database = bytes_str("fluss"),
                                  .table = bytes_str(table),
                                  .json = bytes_str(PARTITIONED_TABLE)},
                       .start.run = trip_start,
                       .scene = s};
    shard_send(s->home, &t->start);
}

static void jobs_travel_and_return(void **state)
{
    struct world *w = *state;
    struct shard_options coordinator = {.name = "coordinator", .memory_limit = 1 << 20};
    struct shard_options home = {.name = "home", .index = 1, .memory_limit = 1 << 20};
    struct meta_options options = w->options;
    struct scene s = {0};
    struct trip trips[3];

    meta_close(TAKE(w->meta));
    assert_int_equal(shard_start(&coordinator, &s.coordinator, NULL), ERR_OK);
    assert_int_equal(shard_start(&home, &s.home, NULL), ERR_OK);
    options.coordinator = s.coordinator;
    options.listener = (struct meta_listener){.context = &s, .published = published};
    assert_int_equal(meta_open(&options, &s.meta, NULL), ERR_OK);
    meta_start(s.meta);
    go(&s, &trips[0], "a");
    go(&s, &trips[1], "a");
    go(&s, &trips[2], "b");
    while (atomic_load(&s.finished) < 3) {
    }
    shard_stop(s.home);
    shard_join(s.home);
    shard_stop(s.coordinator);
    shard_join(s.coordinator);
    assert_int_equal(trips[0].create.job.code, ERR_OK);
    assert_int_equal(trips[0].published_then >= 1, 1);
    assert_int_equal(trips[1].create.job.code, ERR_TABLE_ALREADY_EXIST);
    assert_non_null(strstr(trips[1].create.job.error.message, "fluss.a"));
    assert_int_equal(trips[2].create.job.code, ERR_OK);
    assert_int_equal(trips[2].published_then, 2);
    assert_int_equal(meta_current(s.meta)->table_count, 2);
    meta_close(s.meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {WORLD_TEST(jobs_travel_and_return)};

    return RUN_TESTS(tests);
}
