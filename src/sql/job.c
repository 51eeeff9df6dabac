#include "job.h"

#include "io/gate.h"

/* Jobs are submitted on a shard, and come back there. */
static void job_done(struct meta_job *meta_job)
{
    struct job *job = container_of(meta_job, struct job, job);

    job->view = job->world->view(job->world->context);
    gate_pass(job->gate);
}

static void job_submit(struct message *m)
{
    struct job *job = container_of(m, struct job, message);

    meta_submit(job->world->meta, &job->job);
}

enum errcode job_run(struct sql_session *s, struct job *job, struct error *e)
{
    struct gate *gate = gate_new(1);

    job->world = &s->engine->world;
    job->gate = gate;
    job->job.done = job_done;
    job->message.run = job_submit;
    shard_send(job->world->shards[0], &job->message);
    gate_wait(gate);
    sql_session_view(s, job->view);
    session_adopt_view(s);
    job->view = meta_view_unref(job->view);
    if (job->job.code != ERR_OK && e != NULL) {
        *e = job->job.error;
    }
    return job->job.code;
}
