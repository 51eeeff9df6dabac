#include <stdlib.h>
#include <sys/resource.h>

#include "../../support/shards.h"
#include "io/pool.h"

struct job {
    struct pool_job job;
    struct shard *home;
    int number;
    int *order; /* where the numbers of jobs are noted as they start */
    atomic_int *started;
    atomic_int *finished;
    atomic_int *release; /* work waits until it is set; NULL: does not wait */
};

static void job_work(struct pool_job *pj)
{
    struct job *j = container_of(pj, struct job, job);
    int at = atomic_fetch_add(j->started, 1);

    ASSERT(shard_current() == NULL);
    if (j->order != NULL) {
        j->order[at] = j->number;
    }
    while (j->release != NULL && atomic_load(j->release) == 0) {
        thread_sleep_us(100);
    }
    if (j->home == NULL) {
        atomic_fetch_add(j->finished, 1);
        free(j);
    }
}

static void job_done(struct message *m)
{
    struct job *j = container_of(m, struct job, job.done);

    ASSERT_ON(j->home);
    atomic_fetch_add(j->finished, 1);
    free(j);
}

static void submit(struct pool *p, const struct job *like)
{
    struct job *j = mem_new(struct job);

    *j = *like;
    j->job = (struct pool_job){.work = job_work, .home = j->home, .done.run = job_done};
    pool_submit(p, &j->job);
}

static void jobs_come_home_and_start_in_order(void **state)
{
    struct shard *home = test_shard(0, 0);
    struct pool *p = pool_new("test", 1);
    atomic_int started = 0;
    atomic_int finished = 0;
    int order[500];
    struct job like = {.home = home, .order = order, .started = &started, .finished = &finished};

    (void)state;
    for (like.number = 0; like.number < 500; like.number++) {
        submit(p, &like);
    }
    assert_reaches(&finished, 500);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(order[i], i);
    }
    pool_free(p);
    test_shard_end(home);
}

/* Also when they are submitted faster than a sleeping thread wakes up. */
static void as_many_jobs_as_threads_run_at_once(void **state)
{
    struct pool *p = pool_new("test", 4);
    atomic_int started = 0;
    atomic_int finished = 0;

    (void)state;
    for (int round = 1; round <= 50; round++) {
        atomic_int release = 0;
        struct job like = {.started = &started, .finished = &finished, .release = &release};

        for (int i = 0; i < 4; i++) {
            submit(p, &like);
        }
        assert_reaches(&started, 4 * round);
        atomic_store(&release, 1);
        assert_reaches(&finished, 4 * round);
    }
    pool_free(p);
}

static void free_waits_for_what_was_submitted(void **state)
{
    struct pool *p = pool_new("test", 2);
    atomic_int started = 0;
    atomic_int finished = 0;
    struct job like = {.started = &started, .finished = &finished};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        submit(p, &like);
    }
    pool_free(p);
    assert_int_equal(atomic_load(&finished), 1000);
}

static void an_unused_pool_is_freed(void **state)
{
    (void)state;
    pool_free(pool_new("a name that is too long", 64));
    pool_free(NULL);
}

struct spray {
    struct pool *pool;
    struct job like;
};

static void spray_run(void *context, unsigned index)
{
    struct spray *s = &((struct spray *)context)[index];

    for (int i = 0; i < 300; i++) {
        submit(s->pool, &s->like);
    }
}

static void shards_share_a_pool(void **state)
{
    struct shard *shards[3];
    struct pool *p = pool_new("test", 3);
    struct spray sprays[3];
    atomic_int started = 0;
    atomic_int finished = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        shards[i] = test_shard(i, 0);
        sprays[i] = (struct spray){
            .pool = p,
            .like = {.home = shards[i], .started = &started, .finished = &finished},
        };
    }
    shards_call(shards, 3, spray_run, sprays);
    assert_reaches(&finished, 900);
    pool_free(p);
    for (unsigned i = 0; i < 3; i++) {
        test_shard_end(shards[i]);
    }
}

struct rank {
    struct pool_job job;
    atomic_int done;
    int nice;
};

static void rank_work(struct pool_job *pj)
{
    struct rank *r = container_of(pj, struct rank, job);

    r->nice = getpriority(PRIO_PROCESS, 0);
    atomic_store(&r->done, 1);
}

static void threads_that_give_way_come_after_others(void **state)
{
    struct pool *p = pool_new("test", 1);
    struct rank r = {.job.work = rank_work};
    int ours = getpriority(PRIO_PROCESS, 0);

    (void)state;
    pool_give_way(p);
    pool_submit(p, &r.job);
    assert_reaches(&r.done, 1);
    assert_true(r.nice > ours || ours >= 10);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), ours);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_home_and_start_in_order),
        cmocka_unit_test(as_many_jobs_as_threads_run_at_once),
        cmocka_unit_test(free_waits_for_what_was_submitted),
        cmocka_unit_test(an_unused_pool_is_freed),
        cmocka_unit_test(shards_share_a_pool),
        cmocka_unit_test(threads_that_give_way_come_after_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
