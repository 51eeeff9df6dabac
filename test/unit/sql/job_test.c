#include "../../support/sql_store.h"
#include "sql/job.h"

static void a_job_is_done_when_it_returns(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct job job = {
        .create_database = {.job.kind = META_CREATE_DATABASE, .database = bytes_str("made")}};
    struct job again = {
        .create_database = {.job.kind = META_CREATE_DATABASE, .database = bytes_str("made")}};
    struct error e;

    assert_int_equal(job_run(q->session, &job, &e), ERR_OK);
    assert_non_null(meta_view_database(q->session->view, bytes_str("made")));
    assert_int_equal(job_run(q->session, &again, &e), ERR_DATABASE_ALREADY_EXIST);
    assert_int_equal(e.code, ERR_DATABASE_ALREADY_EXIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(a_job_is_done_when_it_returns)};

    return cmocka_run_group_tests_name("sql/job", tests, NULL, NULL);
}
