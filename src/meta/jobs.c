/* Jobs: to the coordinator by message, executed there, and back (meta.h). */
#include "catalog.h"

/* LONG: one line per kind of job */
static enum errcode execute(struct meta *m, struct meta_job *job, struct error *e)
{
#define JOB(type) container_of(job, struct type, job)
    ASSERT(job->kind < META_JOB_KIND_COUNT);
    switch (job->kind) {
    case META_CREATE_DATABASE:
        return database_create(m, JOB(meta_create_database), e);
    case META_ALTER_DATABASE:
        return database_alter(m, JOB(meta_alter_database), e);
    case META_DROP_DATABASE:
        return database_drop(m, JOB(meta_drop_database), e);
    case META_CREATE_TABLE:
        return table_create(m, JOB(meta_create_table), e);
    case META_ALTER_TABLE:
        return table_alter(m, JOB(meta_alter_table), e);
    case META_DROP_TABLE:
        return table_drop(m, JOB(meta_drop_table), e);
    case META_CREATE_PARTITION:
        return partition_create(m, JOB(meta_create_partition), e);
    case META_DROP_PARTITION:
        return partition_drop(m, JOB(meta_drop_partition), e);
    case META_INIT_WRITER:
        return writer_id_take(m, &JOB(meta_init_writer)->writer_id, e);
    case META_DELETION_DONE:
        return deletion_done(m, JOB(meta_deletion_done)->table_id,
                             JOB(meta_deletion_done)->partition_id, e);
    case META_ALLOCATE_IDS:
        return ids_allocate(m, JOB(meta_allocate_ids), e);
    case META_ADD_SNAPSHOT:
        return snapshot_add(m, JOB(meta_add_snapshot), e);
    case META_RETIRE_SNAPSHOTS:
        return snapshots_retire(m, JOB(meta_add_snapshot), e);
    case META_DISOWN_SNAPSHOTS:
        return snapshots_disown(m, JOB(meta_add_snapshot), e);
    case META_LIST_SNAPSHOTS:
        return snapshots_list(m, JOB(meta_list_snapshots), e);
    case META_ACQUIRE_LEASE:
        return lease_acquire(m, JOB(meta_acquire_lease), e);
    case META_RELEASE_LEASE:
        return lease_release(m, JOB(meta_release_lease), e);
    case META_DROP_LEASE:
        return lease_drop(m, JOB(meta_drop_lease), e);
    case META_JOB_KIND_COUNT:
        break;
    }
#undef JOB
    return ERR_UNKNOWN_SERVER_ERROR;
}

void meta_run(struct meta *m, struct meta_job *job, int64_t now_ms)
{
    m->now_ms = now_ms;
    job->error = (struct error){0};
    job->code = execute(m, job, &job->error);
    ASSERT(job->code == ERR_OK || job->error.code == job->code);
}

/* On the shard that submitted. */
static void job_return(struct message *message)
{
    struct meta_job *job = container_of(message, struct meta_job, message);

    job->done(job); /* last touch: may free the job */
}

/* On the coordinator. */
static void job_arrive(struct message *message)
{
    struct meta_job *job = container_of(message, struct meta_job, message);
    struct shard *coordinator = job->meta->options.coordinator;

    ASSERT_ON(coordinator);
    meta_run(job->meta, job, shard_wall_ms(coordinator));
    job->message.run = job_return;
    shard_send(job->home, &job->message);
}

void meta_submit(struct meta *m, struct meta_job *job)
{
    ASSERT(job->done != NULL && job->kind < META_JOB_KIND_COUNT);
    job->meta = m;
    job->home = shard_current();
    ASSERT(job->home != NULL);
    job->message.run = job_arrive;
    shard_send(m->options.coordinator, &job->message);
}
