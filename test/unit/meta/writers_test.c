#include "world.h"

static int64_t take(struct world *w)
{
    struct meta_init_writer job = {.job.kind = META_INIT_WRITER, .writer_id = -1};

    assert_int_equal(world_run(w, &job.job), ERR_OK);
    return job.writer_id;
}

static void ids_rise_and_never_repeat(void **state)
{
    struct world *w = *state;
    int64_t last = -1;

    assert_int_equal(take(w), 0);
    for (int i = 0; i < 2500; i++) {
        int64_t id = take(w);

        assert_true(id > last);
        last = id;
        if (i % 700 == 0) {
            world_restart(w);
        }
    }
    assert_int_equal(w->published, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {WORLD_TEST(ids_rise_and_never_repeat)};

    return RUN_TESTS(tests);
}
